/*
 * privacy.c - what is stored of a person: told, taken away, and held
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "notify/privacy.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "db/db.h"
#include "model/channel.h"
#include "model/device.h"
#include "model/edit.h"
#include "model/suppression.h"
#include "notify/state.h"
#include "web/js.h"

enum { CHUNK_BYTES = 16384, DEPTH_MAX = 256 };

static const char *
label(const struct editor *ed, const struct person *who)
{
	return edit_person(ed,
	    who->user_id != NULL ? who->user_id
	                         : suppression_address(ed->a, who->address));
}

/* Opens the transaction: nobody else may be at it. */
static int
begin(const struct editor *ed, const struct person *who, struct err *e)
{
	struct db_batch *b = db_batch_new(ed->a, ed->tenant, DB_BEGIN);
	struct db_rows **rows;

	db_add(b, Q_PRIVACY_PATIENCE);
	db_arg_int(b, who->patience_ms);
	db_add(b, Q_PRIVACY_LOCK);
	db_arg_int(b, ed->tenant.n);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	if (db_bool(rows[1], 0, 0))
		return 0;
	err_set(e, ERR_TEMPORARY,
	    "somebody of this tenant is being exported or erased: try again");
	return edit_abort(ed);
}

/* ---- Export ----------------------------------------------------------------------- */

static const char *
platform_name(int platform)
{
	return device_platform_names[platform - 1];
}

/* What is a number in our tables is told by its name. */
static const struct {
	const char *list, *member;
	int end; /* they go from 1 to below */
	const char *(*name)(int number);
} named[] = {
	{ "devices", "platform", DEVICE_PLATFORM_COUNT, platform_name },
	{ "suppressions", "channel", CHANNEL_COUNT, channel_name },
	{ "suppressions", "reason", SUPPRESSION_REASON_COUNT, suppression_reason_name },
	{ "deliveries", "channel", CHANNEL_COUNT, channel_name },
	{ "deliveries", "state", DELIVERY_STATE_COUNT, delivery_state_name },
};

static void
tell_names(const char *list, json_t *entry)
{
	json_int_t number;
	json_t *member;
	size_t i;

	for (i = 0; i < NELEMS(named); i++) {
		if (strcmp(named[i].list, list) != 0)
			continue;
		member = json_object_get(entry, named[i].member);
		number = json_integer_value(member);
		if (number > 0 && number < named[i].end)
			json_object_set_new(entry, named[i].member,
			    json_string(named[i].name((int)number)));
	}
}

/* A row without what says nothing to a person.  One that PostgreSQL alone can read, since
 * somebody wrote it there by hand, stays as it is. */
static void
write_entry(struct arena *a, const char *list, const char *text, struct buf *out)
{
	json_t *entry;
	struct err e;

	if (js_parse(a, text, strlen(text), DEPTH_MAX, &entry, &e) == -1) {
		buf_puts(out, text);
		return;
	}
	json_object_del(entry, "tenant_id");
	json_object_del(entry, "version");
	tell_names(list, entry);
	js_write(out, entry);
}

static void
write_lists(const struct db_rows *r, struct buf *out)
{
	struct arena *a = arena_new(CHUNK_BYTES);
	const char *list = "", *next;
	int i;

	for (i = 0; i < db_count(r); i++) {
		next = db_text(r, i, 0);
		if (strcmp(next, list) == 0)
			buf_putc(out, ',');
		else
			buf_printf(out, "%s,\"%s\":[", i > 0 ? "]" : "", next);
		list = next;
		write_entry(a, list, db_text(r, i, 1), out);
		arena_reset(a);
	}
	if (i > 0)
		buf_putc(out, ']');
	arena_free(&a);
}

int
privacy_export(const struct editor *ed, const struct person *who,
    struct buf *out, struct err *e)
{
	struct db_batch *b;
	struct db_rows **rows;
	char at[CLOCK_TEXT_BYTES];

	if (begin(ed, who, e) == -1)
		return -1;
	b = db_batch_new(ed->a, ed->tenant, DB_COMMIT);
	db_add(b, Q_PRIVACY_EXPORT);
	db_arg_int(b, ed->tenant.n);
	db_arg_text(b, who->user_id);
	db_arg_text(b, who->address);
	edit_record(ed, b, "privacy.export", label(ed, who), NULL);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	clock_format(clock_wall_ms(), at);
	buf_printf(out, "{\"exported_at\":\"%s\"", at);
	write_lists(rows[0], out);
	buf_puts(out, "}\n");
	return buf_overflowed(out)
	    ? err_set(e, ERR_TOO_LARGE, "it is too much for one answer: \"belfryctl "
	                                "privacy export\" has no limit")
	    : 0;
}

/* ---- Erasing ------------------------------------------------------------------------ */

static int
explain(const struct editor *ed, struct err *e)
{
	if (db_violates(e, "legal_hold"))
		err_set(e, ERR_CONFLICT,
		    "the person, or the tenant, is on legal hold");
	return edit_abort(ed);
}

/* What is told of it: when, of whom, what, and a hash of these. */
static json_t *
receipt(const struct editor *ed, const struct person *who, json_t *done)
{
	uint8_t hash[crypto_hash_sha256_BYTES];
	char at[CLOCK_TEXT_BYTES];
	char *text;

	clock_format(clock_wall_ms(), at);
	json_object_set_new(done, "person", json_string(label(ed, who)));
	json_object_set_new(done, "erased_at", json_string(at));
	text = json_dumps(done, JSON_COMPACT | JSON_SORT_KEYS);
	crypto_hash_sha256(hash, (const uint8_t *)text, strlen(text));
	free(text);
	json_object_set_new(done, "hash",
	    json_string(text_hex(ed->a, hash, sizeof(hash))));
	return done;
}

/* Ends the transaction with an entry in the audit. */
static int
end(const struct editor *ed, const struct person *who, const char *action,
    json_t *detail, struct err *e)
{
	struct db_batch *b = db_batch_new(ed->a, ed->tenant, DB_COMMIT);
	struct db_rows **rows;

	edit_record(ed, b, action, label(ed, who), json_incref(detail));
	return db_run(ed->db, ed->a, b, &rows, e);
}

static int
finish(const struct editor *ed, const struct person *who, json_t *done,
    struct err *e)
{
	bool busy = json_object_get(done, "busy") != NULL;

	if (!busy)
		receipt(ed, who, done);
	if (end(ed, who, busy ? "privacy.cancel" : "privacy.erase", done, e) ==
	    -1)
		return -1;
	if (busy)
		return err_set(e, ERR_CONFLICT, "something is on the wire, or being "
		    "routed: what waited is cancelled, ask again in a moment");
	return 0;
}

int
privacy_erase(const struct editor *ed, const struct person *who,
    json_t **receipt_r, struct err *e)
{
	struct db_batch *b;
	struct db_rows **rows;
	json_t *done;

	if (begin(ed, who, e) == -1)
		return -1;
	b = db_batch_new(ed->a, ed->tenant, DB_CONTINUE);
	db_add(b, Q_PRIVACY_ERASE);
	db_arg_int(b, ed->tenant.n);
	db_arg_text(b, who->user_id);
	db_arg_text(b, who->address);
	db_arg_text(b, suppression_mark_key(ed->a, ed->tenant));
	db_add(b, Q_GENERATION_BUMP_ERASURES);
	db_arg_int(b, ed->tenant.n);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return explain(ed, e);
	done = json_loads(db_text(rows[0], 0, 0), 0, NULL);
	if (finish(ed, who, done, e) == -1) {
		json_decref(done);
		return -1;
	}
	*receipt_r = done;
	return 0;
}

/* ---- Legal holds -------------------------------------------------------------------- */

int
hold_list(const struct editor *ed, struct legal_hold **list_r, size_t *count_r,
    struct err *e)
{
	struct db_batch *b = db_batch_new(ed->a, ed->tenant, DB_ONE);
	struct legal_hold *list;
	struct db_rows **rows;
	int i, n;

	db_add(b, Q_HOLD_LIST);
	db_arg_int(b, ed->tenant.n);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	n = db_count(rows[0]);
	list = arena_zalloc(ed->a, (size_t)n, sizeof(*list));
	for (i = 0; i < n; i++)
		list[i] = (struct legal_hold){
			.id = db_uuid(rows[0], i, 0),
			.person = db_text(rows[0], i, 1),
			.reason = db_text(rows[0], i, 2),
			.set_by = db_text(rows[0], i, 3),
			.set_ms = db_time_ms(rows[0], i, 4),
		};
	*list_r = list;
	*count_r = (size_t)n;
	return 0;
}

/* What an entry in the audit calls it. */
static const char *
held(const struct editor *ed, const struct legal_hold *h)
{
	return h->person[0] != '\0' ? edit_person(ed, h->person) : "tenant";
}

int
hold_set(const struct editor *ed, struct legal_hold *h, struct err *e)
{
	struct db_batch *b = db_batch_new(ed->a, ed->tenant, DB_ONE);
	struct db_rows **rows;

	h->id = uuid_make();
	h->set_by = ed->principal;
	h->set_ms = clock_wall_ms();
	db_add(b, Q_HOLD_INSERT);
	db_arg_int(b, ed->tenant.n);
	db_arg_uuid(b, &h->id);
	db_arg_text(b, h->person);
	db_arg_text(b, h->reason);
	db_arg_text(b, h->set_by);
	edit_record(ed, b, "hold.set", held(ed, h), NULL);
	if (db_run(ed->db, ed->a, b, &rows, e) == 0)
		return 0;
	if (e->kind == ERR_CONFLICT)
		err_set(e, ERR_CONFLICT, "there is such a hold already");
	return -1;
}

int
hold_release(const struct editor *ed, const struct uuid *id, struct err *e)
{
	struct db_batch *b = db_batch_new(ed->a, ed->tenant, DB_BEGIN);
	struct db_rows **rows;
	char text[UUID_TEXT_BYTES];

	db_add(b, Q_HOLD_DELETE);
	db_arg_int(b, ed->tenant.n);
	db_arg_uuid(b, id);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	if (db_affected(rows[0]) == 0) {
		err_set(e, ERR_NOT_FOUND, "there is no such hold");
		return edit_abort(ed);
	}
	uuid_format(id, text);
	b = db_batch_new(ed->a, ed->tenant, DB_COMMIT);
	edit_record(ed, b, "hold.release", arena_strdup(ed->a, text), NULL);
	return db_run(ed->db, ed->a, b, &rows, e);
}
