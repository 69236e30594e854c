/*
 * form.h - forms that came as multipart/form-data
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_WEB_FORM_H
#define BELFRY_WEB_FORM_H

#include <stddef.h>

#include "base/compiler.h"

struct arena;
struct field_param;

/* A body as it came; what it points to need not end in NUL. */
struct form {
	const char *content_type;
	const char *body;
	size_t body_bytes;
};

/* The fields of a form (RFC 7578) in the order in which they came; names and values live
 * in "a".  A part without a name is left out, and how a part is typed does not matter.
 * -1 when it is no such form, or has more than "max" fields, or one with a NUL. */
int form_multipart_parse(struct arena *a, const struct form *form, size_t max,
    struct field_param **params_r, size_t *count_r) MUST_CHECK;

#endif
