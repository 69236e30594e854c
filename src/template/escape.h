/*
 * escape.h - text made harmless for the part it is written into
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_TEMPLATE_ESCAPE_H
#define BELFRY_TEMPLATE_ESCAPE_H

#include <stddef.h>

#include "template/hbs.h"

struct buf;

/* Adds the text, escaped for this kind of part. */
void escape_text(struct buf *out, enum hbs_escape escape, const char *text,
    size_t len);

#endif
