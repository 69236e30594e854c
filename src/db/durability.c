/*
 * durability.c - whether PostgreSQL keeps what it commits
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "db/durability.h"

#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "db/db.h"

int
durability_look(struct db *db, struct arena *a, const char **fault_r,
    struct err *e)
{
	struct db_batch *b =
	    db_batch_new(a, (struct tenant_id){ 0 }, DB_PLAIN);
	struct db_rows **rows;

	db_add(b, Q_DURABILITY);
	if (db_run(db, a, b, &rows, e) == -1)
		return -1;
	*fault_r = db_text(rows[0], 0, 0);
	return 0;
}

bool
durability_check(struct db *db, struct arena *a)
{
	const char *fault = NULL;
	struct err e;

	if (durability_look(db, a, &fault, &e) == -1)
		log_warn(NULL, "could not see how PostgreSQL commits",
		    LF_ERR(&e));
	else if (fault != NULL)
		log_error(NULL, "PostgreSQL may lose what it has committed",
		    LF_STR("because", fault));
	return fault != NULL;
}
