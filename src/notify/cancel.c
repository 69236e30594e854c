/*
 * cancel.c - taking back what has not gone out, until the last moment
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "notify/cancel.h"

#include "base/arena.h"
#include "base/err.h"
#include "db/db.h"
#include "model/edit.h"
#include "notify/state.h"
#include "notify/timeline.h"

static int
no_such(struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "there is no such notification");
}

static void
arg_id(struct db_batch *b, const struct editor *ed, enum query query,
    const struct notification_id *id)
{
	db_add(b, query);
	db_arg_int(b, ed->tenant.n);
	db_arg_uuid(b, &id->u);
}

static const char *
id_text(struct arena *a, const struct notification_id *id)
{
	char text[UUID_TEXT_BYTES];

	uuid_format(&id->u, text);
	return arena_strdup(a, text);
}

/* How many deliveries are in which condition. */
static json_t *
answer(const struct notification_id *id, int state, int cancelled,
    const struct db_rows *rows)
{
	json_t *list = deliveries_json(rows);
	char text[UUID_TEXT_BYTES];
	int i, at, wire = 0, over = 0;

	for (i = 0; i < db_count(rows); i++) {
		at = (int)db_int(rows, i, 4);
		wire += at == DELIVERY_SENDING;
		over += delivery_state_is_final(at) && at != DELIVERY_CANCELLED;
	}
	uuid_format(&id->u, text);
	return json_pack("{s:s, s:s, s:i, s:i, s:i, s:o}", "id", text, "state",
	    notification_state_name(state), "cancelled", cancelled,
	    "on_the_wire", wire, "over", over, "deliveries", list);
}

static struct db_batch *
write(const struct editor *ed, const struct notification_id *id,
    const struct db_rows *picked, bool tell)
{
	struct db_batch *b = db_batch_new(ed->a, ed->tenant, DB_COMMIT);
	struct db_array *ids = db_array_new(ed->a),
	                *events = db_array_new(ed->a);
	struct uuid u;
	int i;

	for (i = 0; i < db_count(picked); i++) {
		u = db_uuid(picked, i, 0);
		db_array_uuid(ids, &u);
		u = uuid_make();
		db_array_uuid(events, &u);
	}
	u = uuid_make();
	db_array_uuid(events, &u);
	arg_id(b, ed, Q_CANCEL_WRITE, id);
	db_arg_array(b, ids);
	db_arg_array(b, events);
	db_arg_text(b, ed->principal);
	db_arg_bool(b, tell);
	arg_id(b, ed, Q_NOTIFICATION_DELIVERIES, id);
	edit_record(ed, b, "notification.cancel", id_text(ed->a, id),
	    json_pack("{s:i}", "deliveries", db_count(picked)));
	return b;
}

int
cancel_notification(const struct editor *ed, const struct notification_id *id,
    json_t **answer_r, struct err *e)
{
	struct db_batch *b = db_batch_new(ed->a, ed->tenant, DB_BEGIN);
	struct db_rows **rows, *picked;
	int state;

	arg_id(b, ed, Q_CANCEL_FAILOVER, id);
	arg_id(b, ed, Q_CANCEL_LOCK, id);
	arg_id(b, ed, Q_CANCEL_PICK, id);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	if (db_count(rows[1]) == 0) {
		db_rollback(ed->db);
		return no_such(e);
	}
	state = (int)db_int(rows[1], 0, 0);
	picked = rows[2];
	b = write(ed, id, picked,
	    state == NOTIFICATION_ACCEPTED || db_count(picked) > 0);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	*answer_r = answer(id, (int)db_int(rows[0], 0, 0), db_count(picked),
	    rows[1]);
	return 0;
}

int
reschedule_notification(const struct editor *ed,
    const struct notification_id *id, int64_t send_at_ms, struct err *e)
{
	struct db_batch *b = db_batch_new(ed->a, ed->tenant, DB_BEGIN);
	struct uuid event = uuid_make();
	struct db_rows **rows;

	arg_id(b, ed, Q_NOTIFICATION_EXISTS, id);
	arg_id(b, ed, Q_RESCHEDULE, id);
	db_arg_time_ms(b, send_at_ms);
	db_arg_uuid(b, &event);
	db_arg_text(b, ed->principal);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	if (db_count(rows[0]) == 0) {
		no_such(e);
		return edit_abort(ed);
	}
	if (db_count(rows[1]) == 0) {
		err_set(e, ERR_CONFLICT, "it does not wait for its time "
		    "any more: it can be cancelled, not rescheduled");
		return edit_abort(ed);
	}
	b = db_batch_new(ed->a, ed->tenant, DB_COMMIT);
	edit_record(ed, b, "notification.reschedule", id_text(ed->a, id),
	    json_pack("{s:I}", "send_at_ms", (json_int_t)send_at_ms));
	return db_run(ed->db, ed->a, b, &rows, e);
}
