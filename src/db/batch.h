/*
 * batch.h - a batch as conn.c sends it
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_DB_BATCH_H
#define BELFRY_DB_BATCH_H

#include "db/db.h"

enum { BATCH_STEPS_MAX = 24 };

struct db_step {
	enum query query;
	int week; /* whose partition the query goes to; 0: the parents */
	int count; /* arguments bound so far */
	const char **values;
	int *lengths;
	int *formats;
};

struct db_batch {
	struct arena *a;
	struct tenant_id tenant;
	enum db_flags flags;
	bool untold;
	bool enters; /* it goes on in a transaction, maybe of another tenant */
	size_t size;
	struct db_step steps[BATCH_STEPS_MAX];
};

/* True when the batch begins, or ends, a transaction. */
static inline bool
batch_begins(const struct db_batch *b)
{
	return b->flags == DB_ONE || b->flags == DB_BEGIN;
}

static inline bool
batch_commits(const struct db_batch *b)
{
	return b->flags == DB_ONE || b->flags == DB_COMMIT;
}

#endif
