/*
 * mime.h - a mail as the bytes that go over the wire
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The same struct mail always gives the same bytes, so what is sent again after
 * a fault is what was sent before.  Nothing a caller passes can add a header
 * field, a part or a second message: a control character in an address or a
 * header field is an error that names the field, never changed in silence.
 */
#ifndef BELFRY_PROVIDER_MIME_H
#define BELFRY_PROVIDER_MIME_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct arena;
struct buf;
struct err;

/* UTF-8 of any size; p is NULL when there is none. */
struct mail_body {
	const char *p;
	size_t len;
};

/* A field besides those of struct mail.  Names of fields that the message has
 * of its own, or that only mail servers write, are refused. */
struct mail_header {
	const char *name;
	const char *value;
};

struct mail_attachment {
	const char *name; /* of the file, as the recipient will see it */
	const char *type; /* "image/png", parameters allowed */
	const char *content_id; /* what the HTML says after "cid:", which it must have;
	                         * NULL: a file of its own */
	const void *bytes; /* NULL: they lie in a file and are not written; struct
	                    * mail.gaps tells where they belong, as base64 lines */
	size_t size_bytes;
};

/* All text is UTF-8.  Optional members are NULL, or 0 of a list. */
struct mail {
	const char *from;
	const char *from_name; /* optional */
	const char *to;
	const char *to_name;   /* optional */
	const char *reply_to;  /* optional, an address */
	const char *subject;   /* optional */
	const char *message_id; /* "left@right", without < and > */
	int64_t date_ms;       /* wall clock */
	struct mail_body text; /* at least one of text and html */
	struct mail_body html;
	const struct mail_header *headers;
	size_t headers_count;
	const struct mail_attachment *attachments;
	size_t attachments_count;
	size_t *gaps; /* one for each attachment: a place in what is written; those
	               * with a content id come before the others */
};

/* Appends the message to "out": CRLF everywhere, no line over 998 octets, ASCII
 * only (except for addresses with a local part in UTF-8, see mail_address.h).
 * "Auto-Submitted: auto-generated" is added unless the headers hold that field.
 * "a" is scratch.  Returns 0, or -1 with *e set: ERR_UNPROCESSABLE names the
 * field, ERR_TOO_LARGE when it does not fit into "out". */
int mime_build(struct arena *a, const struct mail *m, struct buf *out,
    struct err *e) MUST_CHECK;

#endif
