/*
 * field_spot.h - what the readers of fields share; private to them
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A spot is a place in the document: a chain on the stack from the value being
 * read up to the whole, which becomes a JSON pointer only when there is a fault to
 * tell.  What is told never repeats a value, since it may be a secret.
 */
#ifndef BELFRY_WEB_FIELD_SPOT_H
#define BELFRY_WEB_FIELD_SPOT_H

#include "web/field.h"

struct spot {
	const struct spot *up; /* NULL: this is the whole */
	const char *key; /* NULL: an entry of a list */
	size_t index;
	const struct field *f;
	int64_t min, max;
};

struct reader {
	struct arena *a;
	struct field_errors *fe;
	bool query; /* faults name a parameter, not a pointer */
};

void field_fault(struct reader *r, const struct spot *s, enum field_code code,
    const char *fmt, ...) PRINTF_LIKE(4, 5);

/* "want" is what it must be: "a text". */
void field_wrong_type(struct reader *r, const struct spot *s, const char *want,
    const json_t *v);

/* Reads a value of any type but FIELD_OBJECT into *out. */
void field_value_read(struct reader *r, const struct spot *s, json_t *v,
    void *out);

/* The size of the C type of one. */
size_t field_value_bytes(enum field_type type);

#endif
