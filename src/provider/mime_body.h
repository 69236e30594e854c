/*
 * mime_body.h - text and bytes as lines that survive every mail server
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Everything written here ends its lines in CRLF, has at most 78 characters in
 * a line, has no line that begins with a dot or with "From ", and never holds
 * "=_" except where a boundary puts it: so no content can end a part or a
 * message.
 */
#ifndef BELFRY_PROVIDER_MIME_BODY_H
#define BELFRY_PROVIDER_MIME_BODY_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

/* True when the text may go out as it is ("7bit"): printable ASCII in short
 * lines, none of which needs protection. */
bool mime_body_is_plain(const char *text, size_t len);

/* The text with each CR, LF or CRLF as CRLF, and CRLF at the end. */
void mime_body_plain(struct buf *out, const char *text, size_t len);

/* The same, encoded as quoted-printable. */
void mime_body_quoted(struct buf *out, const char *text, size_t len);

/* Bytes as base64 in lines of 76. */
void mime_body_base64(struct buf *out, const void *bytes, size_t len);

#endif
