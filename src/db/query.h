/*
 * query.h - the queries of sql/queries/, by name
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * "-- name: tenant_get" in a file there is Q_TENANT_GET here.  The table is made by
 * sql/compile at build time.
 */
#ifndef BELFRY_DB_QUERY_H
#define BELFRY_DB_QUERY_H

#include <stdbool.h>
#include <stddef.h>

enum query {
#define QUERY(NAME, name, args, weekly, sql) Q_##NAME,
#include "db/queries.inc"
#undef QUERY
	QUERY_COUNT
};

struct query_text {
	const char *name;
	int args;
	bool weekly; /* has "{week}" in it (week.h) */
	const char *sql;
};

extern const struct query_text query_texts[QUERY_COUNT];

#endif
