/*
 * rows.h - results, as conn.c wraps them
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_DB_ROWS_H
#define BELFRY_DB_ROWS_H

#include <libpq-fe.h>

#include "db/db.h"

/* Ties a result to the arena. */
struct db_rows *rows_wrap(struct arena *a, PGresult *res);

/* Sets *e from a failed result (SQLSTATE decides the kind).  Returns -1. */
int rows_error(const PGresult *res, const char *query, struct err *e);

#endif
