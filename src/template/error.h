/*
 * error.h - errors that know their place in the source
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_TEMPLATE_ERROR_H
#define BELFRY_TEMPLATE_ERROR_H

#include <stddef.h>

#include "base/compiler.h"

struct hbs_error;

/* Sets the error, with the line and column of the byte "at" of the source, and
 * returns -1.  "source" may be NULL when there is no place. */
int error_at(struct hbs_error *e, const char *source, size_t at,
    const char *fmt, ...) PRINTF_LIKE(4, 5);

#endif
