/*
 * audit.c - who changed what
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "model/audit.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "db/db.h"

enum { CHUNK_BYTES = 65536, PAGE = 500 };

/* The columns of both queries; the last one is of "audit_chain" alone. */
enum column {
	ID,
	AT,
	PRINCIPAL,
	SOURCE,
	ACTION,
	OBJECT,
	DETAIL,
	CHANGES,
	REQUEST_ID,
	SEQ,
	PREV_HASH,
	HASH,
	RIGHT_HASH
};

/* ---- Reading ------------------------------------------------------------------ */

static void
entries_of(struct arena *a, const struct db_rows *r, struct audit **list_r,
    size_t *count_r)
{
	int i, n = db_count(r);
	struct audit *list = arena_zalloc(a, (size_t)n, sizeof(*list));

	for (i = 0; i < n; i++)
		list[i] = (struct audit){
			.id = db_uuid(r, i, ID),
			.at = db_text(r, i, AT),
			.principal = db_text(r, i, PRINCIPAL),
			.source = db_text(r, i, SOURCE),
			.action = db_text(r, i, ACTION),
			.object = db_text(r, i, OBJECT),
			.detail = db_text(r, i, DETAIL),
			.changes = db_text(r, i, CHANGES),
			.request_id = db_text(r, i, REQUEST_ID),
			.seq = db_int(r, i, SEQ),
			.prev_hash = db_text(r, i, PREV_HASH),
			.hash = db_text(r, i, HASH),
		};
	*list_r = list;
	*count_r = (size_t)n;
}

int
audit_list(struct arena *a, struct db *db, struct tenant_id tenant,
    const struct audit_filter *filter, const struct uuid *before, int limit,
    struct audit **list_r, size_t *count_r, struct err *e)
{
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);
	struct db_rows **rows;

	db_add(b, Q_AUDIT_LIST);
	db_arg_int(b, tenant.n);
	db_arg_text(b, filter->principal);
	db_arg_text(b, filter->action);
	db_arg_text(b, filter->object);
	db_arg_time_ms(b, filter->since_ms);
	db_arg_time_ms(b, filter->until_ms);
	db_arg_uuid(b, before);
	db_arg_int(b, limit);
	if (db_run(db, a, b, &rows, e) == -1)
		return -1;
	entries_of(a, rows[0], list_r, count_r);
	return 0;
}

static void
add_chain(struct db_batch *b, struct tenant_id tenant,
    const struct audit_filter *filter, int64_t after, int limit)
{
	db_add(b, Q_AUDIT_CHAIN);
	db_arg_int(b, tenant.n);
	db_arg_int(b, after);
	db_arg_int(b, limit);
	db_arg_time_ms(b, filter->since_ms);
	db_arg_time_ms(b, filter->until_ms);
}

int
audit_chain(struct arena *a, struct db *db, struct tenant_id tenant,
    const struct audit_filter *filter, int64_t after, int limit,
    struct audit **list_r, size_t *count_r, struct err *e)
{
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);
	struct db_rows **rows;

	add_chain(b, tenant, filter, after, limit);
	if (db_run(db, a, b, &rows, e) == -1)
		return -1;
	entries_of(a, rows[0], list_r, count_r);
	return 0;
}

/* ---- Verifying ------------------------------------------------------------------ */

/* How far the walk is. */
struct walk {
	struct arena *a; /* for what stays */
	int64_t seq;
	char hash[65];
};

/* What is wrong with a row that is to follow, or NULL. */
static const char *
judge(const struct walk *w, const struct db_rows *r, int i)
{
	int64_t seq = db_int(r, i, SEQ);
	const char *id = db_text(r, i, ID);

	if (seq != w->seq + 1)
		return arena_printf(w->a,
		    "entry %" PRId64 " is missing: entry %" PRId64 " (%s) follows",
		    w->seq + 1, seq, id);
	if (db_is_null(r, i, HASH) ||
	    strcmp(db_text(r, i, HASH), db_text(r, i, RIGHT_HASH)) != 0)
		return arena_printf(w->a, "entry %" PRId64 " (%s) was changed",
		    seq, id);
	if (strcmp(db_text(r, i, PREV_HASH), w->hash) != 0)
		return arena_printf(w->a,
		    "entry %" PRId64 " (%s) does not follow the one before it: "
		    "they were reordered or replaced", seq, id);
	return NULL;
}

/* Walks on over a page.  Returns how many rows there were, or -1. */
static int
walk_page(struct arena *a, struct db *db, struct tenant_id tenant,
    struct walk *w, struct audit_verdict *v, struct err *e)
{
	const struct audit_filter all = { .since_ms = 0 };
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);
	struct db_rows **rows;
	int i, n;

	add_chain(b, tenant, &all, w->seq, PAGE);
	if (db_run(db, a, b, &rows, e) == -1)
		return -1;
	n = db_count(rows[0]);
	for (i = 0; i < n && v->fault == NULL; i++) {
		v->fault = judge(w, rows[0], i);
		if (v->fault != NULL)
			break;
		w->seq++;
		memcpy(w->hash, db_text(rows[0], i, HASH), sizeof(w->hash));
		v->entries++;
	}
	return n;
}

static int
walk_all(struct db *db, struct tenant_id tenant, struct walk *w,
    struct audit_verdict *v, struct err *e)
{
	struct arena *a = arena_new(CHUNK_BYTES);
	int n = PAGE;

	while (n == PAGE && v->fault == NULL) {
		arena_reset(a);
		n = walk_page(a, db, tenant, w, v, e);
	}
	arena_free(&a);
	return n == -1 ? -1 : 0;
}

/* The head, as it was before the walk, against what was found. */
static const char *
judge_end(const struct walk *w, int64_t head_seq, const char *head_hash)
{
	if (w->seq < head_seq)
		return arena_printf(w->a, "entries %" PRId64 " to %" PRId64
		    " are missing at the end", w->seq + 1, head_seq);
	if (w->seq == head_seq && head_hash != NULL &&
	    strcmp(w->hash, head_hash) != 0)
		return arena_printf(w->a, "entry %" PRId64
		    ", the last one, is not the one that was written last",
		    w->seq);
	return NULL;
}

int
audit_verify(struct arena *a, struct db *db, struct tenant_id tenant,
    struct audit_verdict *verdict_r, struct err *e)
{
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);
	struct audit_verdict v = { .entries = 0 };
	struct walk w = { .a = a };
	struct db_rows **rows;

	memset(w.hash, '0', sizeof(w.hash) - 1);
	db_add(b, Q_AUDIT_ENDS);
	db_arg_int(b, tenant.n);
	if (db_run(db, a, b, &rows, e) == -1 ||
	    walk_all(db, tenant, &w, &v, e) == -1)
		return -1;
	if (v.fault == NULL)
		v.fault = judge_end(&w, db_int(rows[0], 0, 0),
		    db_text(rows[0], 0, 1));
	v.unchained = db_int(rows[0], 0, 2);
	*verdict_r = v;
	return 0;
}
