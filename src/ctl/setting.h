/*
 * setting.h - settings of providers from the command line
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * "port=587" becomes {"port": 587}: the field table says what a value
 * is.  Objects within are reached with a dot ("oauth.client_id=x"), lists are
 * separated by commas.
 */
#ifndef BELFRY_CTL_SETTING_H
#define BELFRY_CTL_SETTING_H

#include <jansson.h>

#include "base/compiler.h"

struct arena;
struct err;
struct field_table;

/* Sets "KEY=VALUE" in an object.  The value "-" is a line of standard input,
 * without echo on a terminal.  -1 with ERR_UNPROCESSABLE. */
int setting_set(struct arena *a, const struct field_table *t, json_t *settings,
    const char *text, struct err *e) MUST_CHECK;

/* Takes a key away. */
int setting_unset(const struct field_table *t, json_t *settings,
    const char *key, struct err *e) MUST_CHECK;

#endif
