/*
 * attachment.h - files that go with a notification
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * They are stored as they came, once for a notification: as a URL, which is fetched when
 * it is sent, or with their content in base64.
 */
#ifndef BELFRY_NOTIFY_ATTACHMENT_H
#define BELFRY_NOTIFY_ATTACHMENT_H

#include <stddef.h>

#include "web/field.h"

struct accept_params;
struct arena;
struct field_errors;

enum { ATTACHMENTS_MAX = 20 };

struct send_attachment {
	struct field_mask mask;
	const char *url;
	const char *content;
	const char *name;
	const char *type;
	const char *content_id;
};

extern const struct field_table send_attachment_table;

/* Checks what the table cannot; faults are added to "fe". */
void attachments_check(struct arena *a, const struct accept_params *p,
    struct field_errors *fe);

/* What the recipient sees as the file's name when the request says none. */
const char *attachment_name(struct arena *a, const char *url);

/* Decodes base64 (RFC 4648, with padding) into *bytes_r in "a": 0, or -1. */
int attachment_decode(struct arena *a, const char *text, void **bytes_r,
    size_t *n_r);

#endif
