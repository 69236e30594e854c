/*
 * queue.c - belfryctl queue, dead list
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/number.h"
#include "ctl/out.h"
#include "db/db.h"
#include "model/channel.h"
#include "model/tenant.h"
#include "provider/verdict.h"

enum { DEAD_SHOWN = 50, DEAD_SHOWN_MAX = 10000, MASKED_BYTES = 128 };

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

static const struct out_column dead_columns[] = {
	{ "finished_at", "SINCE" },
	{ "notification", "NOTIFICATION" },
	{ "channel", "CHANNEL" },
	{ "address", "ADDRESS" },
	{ "attempts", "ATTEMPTS" },
	{ "reason", "REASON" },
	{ NULL, NULL },
};

static json_t *
dead_json(const struct db_rows *r, int i)
{
	char masked[MASKED_BYTES];
	const char *address = db_text(r, i, 4);

	if (address != NULL)
		log_mask_address(address, masked, sizeof(masked));
	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:i, s:o, s:o, s:o}",
	    "notification", db_text(r, i, 0), "delivery", db_text(r, i, 1),
	    "channel", channel_name((int)db_int(r, i, 2)), "user_id",
	    out_text(db_text(r, i, 3)), "address",
	    out_text(address != NULL ? masked : NULL), "attempts",
	    (int)db_int(r, i, 5), "class",
	    db_is_null(r, i, 6) ? json_null()
				: json_string(verdict_name(
				      (enum verdict_class)db_int(r, i, 6))),
	    "reason", out_text(db_text(r, i, 7)), "finished_at",
	    out_time(db_time_ms(r, i, 8)));
}

int
command_dead_list(struct ctl *c, struct err *e)
{
	struct db_batch *b = db_batch_new(c->a, c->tenant->id, DB_ONE);
	int64_t limit = DEAD_SHOWN;
	struct db_rows **rows;
	json_t *list;
	int i;

	if (ctl_number(c, "limit", 1, DEAD_SHOWN_MAX, &limit, e) == -1)
		return -1;
	db_add(b, Q_DEAD_LIST);
	db_arg_int(b, c->tenant->id.n);
	db_arg_int(b, limit);
	if (db_run(c->db, c->a, b, &rows, e) == -1)
		return -1;
	list = json_array();
	for (i = 0; i < db_count(rows[0]); i++)
		json_array_append_new(list, dead_json(rows[0], i));
	out_table(c, list, dead_columns, "no delivery is dead");
	return 0;
}
