/*
 * query.c - the table of queries
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "db/query.h"

const struct query_text query_texts[QUERY_COUNT] = {
#define QUERY(NAME, name, args, weekly, sql) \
	[Q_##NAME] = { name, args, weekly, sql },
#include "db/queries.inc"
#undef QUERY
};
