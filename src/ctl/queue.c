/*
 * queue.c - belfryctl queue
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/out.h"
#include "db/db.h"
#include "model/channel.h"

static const struct out_column queue_columns[] = {
	{ "tenant", "TENANT" },
	{ "lane", "LANE" },
	{ "ready", "READY" },
	{ "leased", "LEASED" },
	{ "later", "LATER" },
	{ "oldest_s", "OLDEST (s)" },
	{ NULL, NULL },
};

int
command_queue(struct ctl *c, struct err *e)
{
	struct db_batch *b =
	    db_batch_new(c->a, (struct tenant_id){ 0 }, DB_PLAIN);
	struct db_rows **rows;
	const struct db_rows *r;
	json_t *list = json_array();
	int i;

	db_add(b, Q_QUEUE_DEPTH);
	db_arg_text(b, ctl_value(c, "tenant"));
	if (db_run(c->db, c->a, b, &rows, e) == -1) {
		json_decref(list);
		return -1;
	}
	r = rows[0];
	for (i = 0; i < db_count(r); i++)
		json_array_append_new(list,
		    json_pack("{s:s, s:s, s:I, s:I, s:I, s:o}", "tenant",
		        db_text(r, i, 0), "lane",
		        channel_name((int)db_int(r, i, 1)), "ready",
		        (json_int_t)db_int(r, i, 2), "leased",
		        (json_int_t)db_int(r, i, 3), "later",
		        (json_int_t)db_int(r, i, 4), "oldest_s",
		        db_is_null(r, i, 5)
		            ? json_null()
		            : json_integer(db_int(r, i, 5) / 1000)));
	out_table(c, list, queue_columns, "the queue is empty");
	return 0;
}
