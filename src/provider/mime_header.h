/*
 * mime_header.h - header fields of a message, folded and encoded
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * These write whole fields.  What they get is UTF-8 without control characters
 * (see mime_header_fault()); they choose how it goes over the wire: as it is,
 * as a quoted string, or as encoded words (RFC 2047).  Lines are folded at 78
 * characters, those with encoded words at 76.
 */
#ifndef BELFRY_PROVIDER_MIME_HEADER_H
#define BELFRY_PROVIDER_MIME_HEADER_H

#include <stdbool.h>

struct buf;

/* Why a text cannot stand in a header field, or NULL when it can. */
const char *mime_header_fault(const char *text);

/* A field of free text, such as Subject. */
void mime_header_text(struct buf *out, const char *name, const char *value);

/* A field with a syntax of its own, such as List-Unsubscribe: ASCII, folded
 * only where it has spaces. */
void mime_header_structured(struct buf *out, const char *name,
    const char *value);

/* True for the fields of that kind: the others are free text. */
bool mime_header_is_structured(const char *name);

/* Why a value cannot go through mime_header_structured(), or NULL. */
const char *mime_header_structured_fault(const char *value);

/* A field that holds one mailbox.  "display" may be NULL or empty. */
void mime_header_mailbox(struct buf *out, const char *name,
    const char *display, const char *addr);

/* Adds a parameter on a line of its own to the field written last: as it is or
 * quoted when that is enough, else in the way of RFC 2231.  Call it before the
 * line end of the field. */
void mime_header_param(struct buf *out, const char *name, const char *value);

#endif
