/*
 * receipt.c - what providers and people report later, applied to deliveries
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The first round trip finds the deliveries and locks them, the second writes.  In
 * between decide_receipt() says what follows, for receipt after receipt, so several of one
 * delivery in one call are as good as several calls.
 */
#include "notify/receipt.h"

#include <string.h>

#include "base/arena.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/metrics.h"
#include "db/db.h"
#include "model/edit.h"

enum { CODE_DIGITS = 7 };

static const char *const names[] = {
#define X(NAME, name, told) [RECEIPT_##NAME] = name,
#include "notify/receipt.def"
#undef X
};

const char *
receipt_name(enum receipt_what what)
{
	ensure((int)what >= 0 && what < RECEIPT_WHAT_COUNT);
	return names[what];
}

enum receipt_what
receipt_parse(const char *name)
{
	int what = 0;

	while (what < RECEIPT_WHAT_COUNT && strcmp(names[what], name) != 0)
		what++;
	return (enum receipt_what)what;
}

/* ---- Finding ---------------------------------------------------------------- */

/* The columns of query "receipt_find". */
enum column {
	PLACE,
	NOTIFICATION,
	DELIVERY,
	STATE,
	TOLD,
	ATTEMPTS,
	ATTEMPT,
	PROVIDER,
	CHANNEL,
	USER_ID,
	ADDRESS,
	WAITS
};

/* A delivery that receipts are about: as it was, and as they leave it. */
struct subject {
	struct notification_id notification;
	struct delivery_id delivery;
	struct provider_id provider; /* of its last attempt */
	int attempts;
	bool waits;
	enum delivery_state was, is;
	enum told told_was, told;
	int failover;
	struct verdict verdict; /* of what failed; class NONE: nothing did */
};

/* A receipt whose delivery was found. */
struct found {
	const struct receipt *receipt;
	struct receipt_result *result;
	struct subject *subject;
	int attempt; /* 0: not known */
	struct verdict words; /* class, code and text, fit for the database */
	struct uuid event;
	bool moved;
};

/* What one call works on. */
struct receipts {
	struct arena *a;
	struct tenant_id tenant;
	const struct receipt *given;
	size_t given_count;
	struct receipt_result *results; /* one for each given */
	struct subject *subjects;
	size_t subject_count;
	struct found *list;
	size_t count;
};

static void
find_add(struct arena *a, struct db_batch *b, struct tenant_id tenant,
    const struct receipt *list, size_t count)
{
	struct db_array *notifications = db_array_new(a), *ids = db_array_new(a),
	                *attempts = db_array_new(a), *providers = db_array_new(a),
	                *refs = db_array_new(a);
	const struct receipt *r;

	for (r = list; r < list + count; r++) {
		if (uuid_is_nil(&r->delivery.u)) {
			db_array_null(notifications);
			db_array_null(ids);
		} else {
			db_array_uuid(notifications, &r->notification.u);
			db_array_uuid(ids, &r->delivery.u);
		}
		db_array_int(attempts, r->attempt);
		db_array_uuid(providers, &r->provider.u);
		db_array_text(refs, r->provider_ref);
	}
	db_add(b, Q_RECEIPT_FIND);
	db_arg_int(b, tenant.n);
	db_arg_array(b, notifications);
	db_arg_array(b, ids);
	db_arg_array(b, attempts);
	db_arg_array(b, providers);
	db_arg_array(b, refs);
}

static struct subject *
subject_of(struct receipts *w, const struct db_rows *rows, int row)
{
	struct uuid id = db_uuid(rows, row, DELIVERY);
	struct subject *s;

	for (s = w->subjects; s < w->subjects + w->subject_count; s++)
		if (uuid_cmp(&s->delivery.u, &id) == 0)
			return s;
	w->subject_count++;
	*s = (struct subject){
		.notification = { db_uuid(rows, row, NOTIFICATION) },
		.delivery = { id },
		.provider = { db_uuid(rows, row, PROVIDER) },
		.attempts = (int)db_int(rows, row, ATTEMPTS),
		.waits = db_bool(rows, row, WAITS),
		.was = (enum delivery_state)db_int(rows, row, STATE),
		.told_was = (enum told)db_int(rows, row, TOLD),
	};
	s->is = s->was;
	s->told = s->told_was;
	return s;
}

/* Numbers name nobody, as long as they are none of a telephone. */
static bool
is_plain_code(const char *code)
{
	size_t n;

	if (code[strspn(code, "0123456789. ")] != '\0')
		return false;
	for (; *code != '\0'; code += n > 0 ? n : 1) {
		n = strspn(code, "0123456789");
		if (n > CODE_DIGITS)
			return false;
	}
	return true;
}

/* What a provider says mostly repeats the address: of a person who was erased meanwhile,
 * and whose deliveries have none any more, it is not written down again. */
static void
set_words(struct found *f, bool erased)
{
	const struct receipt *r = f->receipt;
	const char *code = r->code != NULL ? r->code : "";

	verdict_set(&f->words, r->class,
	    erased && !is_plain_code(code) ? "" : code,
	    erased || r->text == NULL ? "" : r->text);
}

static void
find_read(struct receipts *w, const struct receipt *list,
    struct receipt_result *results, const struct db_rows *rows)
{
	struct found *f;
	size_t at;
	int i;

	for (i = 0; i < db_count(rows); i++) {
		at = (size_t)db_int(rows, i, PLACE) - 1;
		f = &w->list[w->count++];
		f->receipt = &list[at];
		f->result = &results[at];
		f->subject = subject_of(w, rows, i);
		f->attempt = (int)db_int(rows, i, ATTEMPT);
		f->event = uuid_make();
		f->result->notification = f->subject->notification;
		f->result->delivery = f->subject->delivery;
		f->result->channel = (enum channel)db_int(rows, i, CHANNEL);
		f->result->user_id = db_text(rows, i, USER_ID);
		f->result->address = db_text(rows, i, ADDRESS);
		set_words(f, f->result->address == NULL);
	}
}

/* ---- Deciding ----------------------------------------------------------------- */

/* A receipt of an attempt before the last one, as far as that can be seen. */
static bool
is_stale(const struct found *f)
{
	const struct provider_id *provider = &f->receipt->provider;

	if (f->attempt > 0)
		return f->attempt < f->subject->attempts;
	return !uuid_is_nil(&provider->u) &&
	    uuid_cmp(&provider->u, &f->subject->provider.u) != 0;
}

static void
decide(struct found *f)
{
	struct subject *s = f->subject;
	struct decide_receipt question = {
		.state = s->is,
		.told = s->told,
		.what = f->receipt->what,
		.class = f->receipt->class,
		.tried = s->attempts > 0,
		.stale = is_stale(f),
		.waits = s->waits,
	};
	struct receipt_outcome o = decide_receipt(&question);

	f->moved = o.state != s->is || o.told != s->told;
	if (o.state != s->is)
		delivery_move(&s->is, o.state);
	if (o.state == DELIVERY_FAILED || o.failover || o.told == TOLD_FAILED)
		s->verdict = f->words;
	s->told = o.told;
	s->failover += o.failover;
}

/* ---- Writing ------------------------------------------------------------------ */

static void
text_or_null(struct db_array *v, const char *s)
{
	db_array_text(v, s != NULL && s[0] != '\0' ? s : NULL);
}

static void
class_or_null(struct db_array *v, enum verdict_class class)
{
	if (class == VERDICT_NONE)
		db_array_null(v);
	else
		db_array_int(v, class);
}

static void
move_row(struct db_array *v[8], const struct subject *s)
{
	db_array_uuid(v[0], &s->notification.u);
	db_array_uuid(v[1], &s->delivery.u);
	db_array_int(v[2], s->is);
	db_array_int(v[3], s->told);
	class_or_null(v[4], s->verdict.class);
	text_or_null(v[5], s->verdict.text);
	db_array_int(v[6], delivery_state_is_final((int)s->was) -
	        delivery_state_is_final((int)s->is));
	db_array_int(v[7], s->failover);
}

static void
move_add(const struct receipts *w, struct db_batch *b)
{
	const struct subject *s, *end = w->subjects + w->subject_count;
	struct db_array *v[8];
	int i, n = 0;

	for (i = 0; i < 8; i++)
		v[i] = db_array_new(w->a);
	for (s = w->subjects; s < end; s++) {
		if (s->is == s->was && s->told == s->told_was)
			continue;
		move_row(v, s);
		n++;
	}
	if (n == 0)
		return;
	db_add(b, Q_RECEIPT_MOVE);
	db_arg_int(b, w->tenant.n);
	for (i = 0; i < 8; i++)
		db_arg_array(b, v[i]);
}

/* The same event earlier in this call. */
static bool
is_double(const struct receipts *w, const struct found *f)
{
	const struct found *g;

	for (g = w->list; g < f; g++)
		if (g->subject == f->subject &&
		    g->receipt->what == f->receipt->what &&
		    (f->receipt->what != RECEIPT_CLICKED ||
		        strcmp(g->words.text, f->words.text) == 0))
			return true;
	return false;
}

static void
event_row(struct receipts *w, struct db_array *v[12], const struct found *f)
{
	const struct receipt *r = f->receipt;

	db_array_uuid(v[0], &f->subject->notification.u);
	db_array_uuid(v[1], &f->subject->delivery.u);
	db_array_uuid(v[2], &f->event);
	db_array_time_ms(v[3], r->at_ms);
	db_array_text(v[4],
	    arena_printf(w->a, "delivery.%s", receipt_name(r->what)));
	db_array_int(v[5], f->result->channel);
	db_array_uuid(v[6], uuid_is_nil(&r->provider.u) ? NULL : &r->provider.u);
	db_array_int(v[7], f->attempt);
	class_or_null(v[8], f->words.class);
	text_or_null(v[9], f->words.code);
	text_or_null(v[10], f->words.text);
	text_or_null(v[11], r->by);
}

static void
events_add(struct receipts *w, struct db_batch *b)
{
	struct db_array *v[12];
	const struct found *f;
	int i;

	for (i = 0; i < 12; i++)
		v[i] = db_array_new(w->a);
	for (f = w->list; f < w->list + w->count; f++)
		if (!is_double(w, f))
			event_row(w, v, f);
	db_add(b, Q_RECEIPT_EVENTS);
	db_arg_int(b, w->tenant.n);
	for (i = 0; i < 12; i++)
		db_arg_array(b, v[i]);
}

/* ---- Effects -------------------------------------------------------------------- */

static bool
is_new(const struct db_rows *events, const struct uuid *id)
{
	struct uuid u;
	int i;

	for (i = 0; i < db_count(events); i++) {
		u = db_uuid(events, i, 0);
		if (uuid_cmp(&u, id) == 0)
			return true;
	}
	return false;
}

static void
set_effects(const struct receipts *w, const struct db_rows *events)
{
	struct found *f;

	for (f = w->list; f < w->list + w->count; f++) {
		f->result->state = f->subject->is;
		f->result->effect = f->moved ? RECEIPT_MOVED
		    : is_new(events, &f->event) ? RECEIPT_NOTED
		                                : RECEIPT_REPEATED;
	}
}

static void
count_effects(const struct receipt_result *results, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		metrics_add(METRIC_RECEIPTS_TOTAL, (int)results[i].effect, 1);
}

/* ---- The steps ------------------------------------------------------------------- */

struct receipts *
receipts_new(struct arena *a, struct tenant_id tenant,
    const struct receipt *list, size_t count)
{
	struct receipts *rs = arena_object(a, struct receipts);

	ensure(count <= RECEIPTS_MAX);
	rs->a = a;
	rs->tenant = tenant;
	rs->given = list;
	rs->given_count = count;
	rs->results = arena_zalloc(a, count, sizeof(*rs->results));
	rs->list = arena_zalloc(a, count, sizeof(*rs->list));
	rs->subjects = arena_zalloc(a, count, sizeof(*rs->subjects));
	return rs;
}

void
receipts_find_add(struct receipts *rs, struct db_batch *b)
{
	find_add(rs->a, b, rs->tenant, rs->given, rs->given_count);
}

const struct receipt_result *
receipts_found(struct receipts *rs, const struct db_rows *rows)
{
	size_t i;

	find_read(rs, rs->given, rs->results, rows);
	for (i = 0; i < rs->count; i++)
		decide(&rs->list[i]);
	return rs->results;
}

void
receipts_write_add(struct receipts *rs, struct db_batch *b)
{
	events_add(rs, b);
	move_add(rs, b);
}

struct receipt_result *
receipts_written(struct receipts *rs, const struct db_rows *rows)
{
	set_effects(rs, rows);
	count_effects(rs->results, rs->given_count);
	return rs->results;
}

int
receipt_apply(const struct editor *ed, const struct receipt *list, size_t count,
    struct receipt_result **results_r, struct err *e)
{
	struct receipts *rs = receipts_new(ed->a, ed->tenant, list, count);
	struct db_batch *b = db_batch_new(ed->a, ed->tenant, DB_BEGIN);
	struct db_rows **rows;
	char id[UUID_TEXT_BYTES];
	size_t i;

	receipts_find_add(rs, b);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	(void)receipts_found(rs, rows[0]);
	b = db_batch_new(ed->a, ed->tenant, DB_COMMIT);
	receipts_write_add(rs, b);
	for (i = 0; i < rs->count; i++) {
		uuid_format(&rs->list[i].result->delivery.u, id);
		edit_record(ed, b, "delivery.receipt", arena_strdup(ed->a, id),
		    json_pack("{s:s}", "what",
		        receipt_name(rs->list[i].receipt->what)));
	}
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	*results_r = receipts_written(rs, rows[0]);
	return 0;
}
