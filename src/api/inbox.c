/*
 * inbox.c - where events wait until a spooler applies them
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "api/inbox.h"

#include "api/app.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/err.h"
#include "base/uuid.h"
#include "db/db.h"
#include "model/channel.h"
#include "net/doorbell.h"
#include "provider/hook.h"
#include "web/js.h"
#include "web/request.h"

enum {
	PART_EVENTS = 100, /* of one row of the inbox */
	PART_BYTES = 4 << 20
};

/* How many events from "at" on go into one row: they are of one account. */
static size_t
part_of(const struct hook_events *events, size_t at)
{
	const struct hook_event *first = &events->list[at];
	size_t n = 1;

	while (at + n < events->count && n < PART_EVENTS &&
	    uuid_cmp(&first[n].account.u, &first->account.u) == 0)
		n++;
	return n;
}

int
inbox_put(struct request *rq, struct tenant_id tenant,
    const struct hook_events *events, struct err *e)
{
	struct db_batch *b = db_batch_new(rq->a, tenant, DB_ONE);
	struct db_array *ids = db_array_new(rq->a), *texts = db_array_new(rq->a),
	                *accounts = db_array_new(rq->a);
	struct uuid id;
	struct buf *text;
	size_t at, n;

	if (events->count == 0)
		return 0;
	for (at = 0; at < events->count; at += n) {
		n = part_of(events, at);
		text = buf_new(rq->a, PART_BYTES);
		js_write(text,
		    js_keep(rq->a, hook_events_write(&events->list[at], n)));
		if (buf_overflowed(text))
			return err_set(e, ERR_TOO_LARGE,
			    "the events are too large");
		id = uuid_make();
		db_array_uuid(ids, &id);
		db_array_uuid(accounts, &events->list[at].account.u);
		db_array_text(texts, text->data);
	}
	db_add(b, Q_HOOK_PUT);
	db_arg_int(b, tenant.n);
	db_arg_array(b, accounts);
	db_arg_array(b, ids);
	db_arg_array(b, texts);
	if (db_run(app_of(rq)->db, rq->a, b, NULL, e) == -1)
		return -1;
	doorbell_ring(rq->config->spooler_doorbell, tenant,
	    QUEUE(LANE_HOOKS, 0));
	return 0;
}
