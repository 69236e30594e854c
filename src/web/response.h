/*
 * response.h - one answer, sent whole
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Headers and body are gathered and written when the handler is done, so an error
 * after half a body does not exist.  Every answer carries the security headers, and
 * "Cache-Control: no-store" unless the handler says otherwise.
 */
#ifndef BELFRY_WEB_RESPONSE_H
#define BELFRY_WEB_RESPONSE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/compiler.h"

struct arena;
struct buf;
struct field_table;
struct FCGX_Stream;

struct response {
	struct arena *a;
	int status; /* 0 until the handler has set one */
	const char *type; /* of the body */
	const char *cache; /* Cache-Control */
	const char *policy; /* Content-Security-Policy */
	const char *secret; /* response_secret() */
	struct buf *head; /* further header lines */
	struct buf *body;
};

/* Both buffers are emptied; they stay the caller's. */
void response_init(struct response *rs, struct arena *a, struct buf *head,
    struct buf *body);

/* Forgets what was set, as before a problem takes its place. */
void response_clear(struct response *rs);

/* An answer without a body: 204, 304. */
void response_empty(struct response *rs, int status);

/* A body of any type, to be written into what is returned. */
struct buf *response_body(struct response *rs, int status, const char *type);

/* A JSON body: of a value, or of a record by its table (always returns 0, so that a
 * handler can end with it). */
int response_json(struct response *rs, int status, const json_t *json);
int response_record(struct response *rs, int status,
    const struct field_table *t, const void *record);

/* Adds a header.  Control characters in the value become blanks. */
void response_header(struct response *rs, const char *name, const char *fmt,
    ...) PRINTF_LIKE(3, 4);

/* The value of a header that was added, in the response's arena; NULL: there is none. */
const char *response_find(const struct response *rs, const char *name) MUST_CHECK;

/* A member of the JSON body that is shown this once: no copy of it is kept. */
void response_secret(struct response *rs, const char *member);

/* Instead of the Content-Security-Policy that lets a browser do nothing: for pages.
 * "policy" is ours, and lives as long as the response. */
void response_policy(struct response *rs, const char *policy);

/* The ETag of something with a version number, for headers and If-Match. */
enum { ETAG_BYTES = 32 };
void etag_format(int64_t version, char etag[static ETAG_BYTES]);
void response_etag(struct response *rs, int64_t version);

/* Writes all of it; for HEAD without the body. */
void response_send(const struct response *rs, struct FCGX_Stream *out,
    bool head_only);

#endif
