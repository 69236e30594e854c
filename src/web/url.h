/*
 * url.h - the path and the query of a request, taken apart strictly
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Web servers hand over the request target as it came.  Routing works on its
 * segments: split at "/" first, then decoded one by one, so "%2F" stays within a
 * segment.  What a web server and Belfry could read differently is refused: empty
 * segments, "." and "..", control characters, bytes that are not UTF-8.
 */
#ifndef BELFRY_WEB_URL_H
#define BELFRY_WEB_URL_H

#include <stddef.h>

#include "base/compiler.h"

struct arena;
struct buf;
struct err;
struct field_param;

enum { URL_SEGMENTS_MAX = 16, URL_PARAMS_MAX = 64, URL_BYTES_MAX = 8192 };

struct url_path {
	const char *v[URL_SEGMENTS_MAX];
	size_t n;
};

/* Takes apart the path of a target ("/a/b%20c?x=y"); "/" alone has no segments.  A
 * slash at the end counts as an empty last segment, which no route has.  Returns 0,
 * or -1 with *e set. */
int url_path_parse(struct arena *a, const char *target, struct url_path *path_r,
    struct err *e) MUST_CHECK;

/* Takes apart "a=1&b=x+y"; empty parts are left out.  Returns 0, or -1 with *e
 * set. */
int url_query_parse(struct arena *a, const char *query,
    struct field_param **params_r, size_t *count_r, struct err *e) MUST_CHECK;

/* Appends a text with everything but unreserved characters percent-encoded. */
void url_arg(struct buf *out, const char *s);

#endif
