/*
 * queue.c - GET /admin/queue: what waits, and how fast it goes
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "api/queue.h"

#include <jansson.h>

#include "api/app.h"
#include "db/db.h"
#include "model/channel.h"
#include "model/known.h"
#include "web/js.h"
#include "web/request.h"
#include "web/response.h"

static json_t *
lane_json(const struct db_rows *r, int i)
{
	return json_pack("{s:s, s:I, s:I, s:I, s:o, s:b, s:I, s:I}", "lane",
	    channel_name((int)db_int(r, i, 0)), "ready",
	    (json_int_t)db_int(r, i, 1), "leased", (json_int_t)db_int(r, i, 2),
	    "later", (json_int_t)db_int(r, i, 3), "oldest_ms",
	    db_is_null(r, i, 4) ? json_null() : json_integer(db_int(r, i, 4)),
	    "exact", db_bool(r, i, 5), "in_flight",
	    (json_int_t)db_int(r, i, 6), "per_minute",
	    (json_int_t)db_int(r, i, 7));
}

int
queue_show(struct request *rq, struct response *rs, struct err *e)
{
	struct app *app = app_of(rq);
	struct db_batch *b = db_batch_new(rq->a, rq->tenant, DB_ONE);
	struct overload o = known_overload(app->known, rq->tenant);
	struct db_rows **rows;
	json_t *lanes;
	int i;

	db_add(b, Q_QUEUE_OF_TENANT);
	db_arg_int(b, rq->tenant.n);
	db_add(b, Q_INSTALLATION_IS_HELD);
	if (db_run(app->db, rq->a, b, &rows, e) == -1)
		return -1;
	lanes = json_array();
	for (i = 0; i < db_count(rows[0]); i++)
		json_array_append_new(lanes, lane_json(rows[0], i));
	return response_json(rs, 200,
	    js_keep(rq->a,
	        json_pack("{s:b, s:i, s:o}", "hold", db_bool(rows[1], 0, 0),
	            "overload", o.tenant > o.total ? o.tenant : o.total,
	            "lanes", lanes)));
}
