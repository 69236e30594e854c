/*
 * webhook_attempt.c - what was posted to webhook endpoints, and posting it again
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "model/webhook_attempt.h"

#include "base/arena.h"
#include "base/err.h"
#include "base/uuid.h"
#include "db/db.h"
#include "model/edit.h"
#include "model/webhook_endpoint.h"

/* The columns of query "webhook_attempt_list". */
enum column {
	ID,
	MESSAGE,
	TYPE,
	N,
	STARTED,
	FINISHED,
	OK,
	STATUS,
	ERROR,
	TOOK,
	NEXT,
	REQUEST,
	RESPONSE
};

static void
read_row(const struct db_rows *r, int i, struct webhook_attempt *at)
{
	*at = (struct webhook_attempt){
		.id = db_uuid(r, i, ID),
		.message = db_uuid(r, i, MESSAGE),
		.type = db_text(r, i, TYPE),
		.n = (int)db_int(r, i, N),
		.started_ms = db_time_ms(r, i, STARTED),
		.finished_ms = db_time_ms(r, i, FINISHED),
		.ok = !db_is_null(r, i, OK) && db_bool(r, i, OK),
		.status = (int)db_int(r, i, STATUS),
		.error = db_text(r, i, ERROR),
		.took_ms = db_int(r, i, TOOK),
		.next_ms = db_time_ms(r, i, NEXT),
		.request = db_text(r, i, REQUEST),
		.response = db_text(r, i, RESPONSE),
	};
}

static const struct uuid *
or_null(const struct uuid *u)
{
	return uuid_is_nil(u) ? NULL : u;
}

int
webhook_attempt_list(const struct editor *ed, struct uuid endpoint,
    const struct webhook_attempt_filter *filter, struct uuid before, int limit,
    struct webhook_attempt **list_r, size_t *count_r, struct err *e)
{
	struct db_batch *b = db_batch_new(ed->a, ed->tenant, DB_ONE);
	struct db_rows **rows;
	int i, n;

	db_add(b, Q_WEBHOOK_ATTEMPT_LIST);
	db_arg_int(b, ed->tenant.n);
	db_arg_uuid(b, &endpoint);
	db_arg_uuid(b, or_null(&filter->message));
	db_arg_text(b, filter->type);
	if (filter->result == WEBHOOK_ANY)
		db_arg_null(b);
	else
		db_arg_bool(b, filter->result == WEBHOOK_OK);
	db_arg_time_ms(b, filter->since_ms);
	db_arg_time_ms(b, filter->until_ms);
	db_arg_uuid(b, or_null(&before));
	db_arg_int(b, limit);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	n = db_count(rows[0]);
	*list_r = arena_zalloc(ed->a, (size_t)n, sizeof(**list_r));
	for (i = 0; i < n; i++)
		read_row(rows[0], i, &(*list_r)[i]);
	*count_r = (size_t)n;
	return 0;
}

int
webhook_attempt_get(const struct editor *ed, struct uuid endpoint,
    struct uuid id, struct webhook_attempt **attempt_r, struct err *e)
{
	struct db_batch *b = db_batch_new(ed->a, ed->tenant, DB_ONE);
	struct db_rows **rows;

	db_add(b, Q_WEBHOOK_ATTEMPT_GET);
	db_arg_int(b, ed->tenant.n);
	db_arg_uuid(b, &endpoint);
	db_arg_uuid(b, &id);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	if (db_count(rows[0]) == 0)
		return 0;
	*attempt_r = arena_object(ed->a, struct webhook_attempt);
	read_row(rows[0], 0, *attempt_r);
	return 1;
}

/* ---- Again ------------------------------------------------------------------------ */

/* Opens the transaction; the endpoint must be active. */
static int
begin(const struct editor *ed, struct uuid endpoint, struct err *e)
{
	struct db_batch *b = db_batch_new(ed->a, ed->tenant, DB_BEGIN);
	struct db_rows **rows;

	db_add(b, Q_WEBHOOK_ENDPOINT_GET);
	db_arg_int(b, ed->tenant.n);
	db_arg_uuid(b, &endpoint);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	if (db_count(rows[0]) == 0) {
		err_set(e, ERR_NOT_FOUND, "there is no such webhook endpoint");
		return edit_abort(ed);
	}
	if (db_int(rows[0], 0, 8) != WEBHOOK_ACTIVE) {
		err_set(e, ERR_CONFLICT, "the endpoint is disabled");
		return edit_abort(ed);
	}
	return 0;
}

/* One query, in the transaction that is open. */
static int
run(const struct editor *ed, struct db_batch *b, struct db_rows **row_r,
    struct err *e)
{
	struct db_rows **rows;

	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	*row_r = rows[0];
	return 0;
}

static int
commit(const struct editor *ed, struct uuid endpoint, json_t *detail,
    struct err *e)
{
	struct db_batch *b = db_batch_new(ed->a, ed->tenant, DB_COMMIT);
	char *id = arena_alloc(ed->a, UUID_TEXT_BYTES);
	struct db_rows **rows;

	uuid_format(&endpoint, id);
	edit_record(ed, b, "webhook.redeliver", id, detail);
	return db_run(ed->db, ed->a, b, &rows, e);
}

int
webhook_redeliver_attempt(const struct editor *ed, struct uuid endpoint,
    struct uuid id, struct uuid *message_r, struct err *e)
{
	struct db_batch *b = db_batch_new(ed->a, ed->tenant, DB_CONTINUE);
	char text[UUID_TEXT_BYTES];
	struct db_rows *row;

	db_add(b, Q_WEBHOOK_REDELIVER_ATTEMPT);
	db_arg_int(b, ed->tenant.n);
	db_arg_uuid(b, &endpoint);
	db_arg_uuid(b, &id);
	if (begin(ed, endpoint, e) == -1 || run(ed, b, &row, e) == -1)
		return -1;
	if (db_count(row) == 0) {
		err_set(e, ERR_NOT_FOUND, "there is no such attempt");
		return edit_abort(ed);
	}
	*message_r = db_uuid(row, 0, 0);
	uuid_format(&id, text);
	return commit(ed, endpoint, json_pack("{s:s}", "attempt", text), e);
}

int
webhook_redeliver(const struct editor *ed, struct uuid endpoint,
    struct webhook_redelivery *rd, struct err *e)
{
	struct db_batch *b = db_batch_new(ed->a, ed->tenant, DB_CONTINUE);
	struct db_rows *row;

	db_add(b, Q_WEBHOOK_REDELIVER);
	db_arg_int(b, ed->tenant.n);
	db_arg_uuid(b, &endpoint);
	db_arg_time_ms(b, rd->since_ms);
	db_arg_bool(b, rd->failed);
	db_arg_uuid(b, or_null(&rd->after));
	db_arg_int(b, WEBHOOK_SLICE);
	if (begin(ed, endpoint, e) == -1 || run(ed, b, &row, e) == -1)
		return -1;
	rd->count = db_int(row, 0, 0);
	rd->more = db_int(row, 0, 1) == WEBHOOK_SLICE;
	rd->after = db_uuid(row, 0, 2);
	return commit(ed, endpoint,
	    json_pack("{s:b, s:I}", "failed", rd->failed, "count",
	        (json_int_t)rd->count), e);
}
