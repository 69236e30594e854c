/*
 * conninfo.h - what a connection string says
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_DB_CONNINFO_H
#define BELFRY_DB_CONNINFO_H

#include "base/compiler.h"

struct arena;
struct err;

/* The value of a keyword ("dbname") in a libpq connection string or URI.  1,
 * 0 when it does not stand there, -1 (ERR_UNPROCESSABLE) when the string is
 * malformed. */
int conninfo_value(struct arena *a, const char *conninfo, const char *keyword,
    const char **value_r, struct err *e) MUST_CHECK;

#endif
