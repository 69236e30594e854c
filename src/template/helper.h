/*
 * helper.h - registered helpers while a template is compiled
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_TEMPLATE_HELPER_H
#define BELFRY_TEMPLATE_HELPER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct call;
struct hbs_helpers;
struct parser;
struct path;

/* The helper of that name, NULL when there is none.  "set" may be NULL. */
const struct hbs_helper *helper_find(const struct hbs_helpers *set,
    const char *name, size_t len);

/* Checks a call of a registered helper against its row. */
int helper_check(struct parser *p, const struct call *call, bool in_block)
    MUST_CHECK;

/* Sets the error for a name that is no helper, with the one that may have been
 * meant, and returns -1. */
int helper_unknown(struct parser *p, const struct path *path);

/* The name of the list that is nearest to this one, NULL when none is near.
 * "next" gives the i-th name or NULL after the last. */
const char *nearest_name(const char *(*next)(const void *arg, size_t i),
    const void *arg, const char *name, size_t len);

#endif
