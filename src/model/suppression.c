/*
 * suppression.c - addresses that are not to be written to any more
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "model/suppression.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/seal.h"
#include "base/text.h"
#include "base/uuid.h"
#include "db/db.h"
#include "model/edit.h"

const char *const suppression_reason_names[] = {
#define X(number, NAME, name) [SUPPRESSION_##NAME - 1] = name,
#include "model/suppression.def"
#undef X
	[SUPPRESSION_REASON_COUNT - 1] = NULL
};

const char *
suppression_reason_name(int reason)
{
	return reason > SUPPRESSION_NONE && reason < SUPPRESSION_REASON_COUNT
	    ? suppression_reason_names[reason - 1]
	    : "none";
}

enum suppression_reason
suppression_reason_parse(const char *name)
{
	int i;

	for (i = 0; suppression_reason_names[i] != NULL; i++)
		if (strcmp(suppression_reason_names[i], name) == 0)
			return (enum suppression_reason)(i + 1);
	return SUPPRESSION_NONE;
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

const char *
suppression_address(struct arena *a, const char *address)
{
	size_t n, i;
	char *text;

	address += strspn(address, " \t");
	n = strlen(address);
	while (n > 0 && strchr(" \t", address[n - 1]) != NULL)
		n--;
	text = arena_strndup(a, address, n);
	for (i = 0; i < n; i++)
		text[i] = lower(text[i]);
	return text;
}

/* ---- Lists ----------------------------------------------------------------------- */

static struct suppression
from_row(const struct db_rows *r, int i)
{
	return (struct suppression){
		.address = db_text(r, i, 0),
		.channel = (enum channel)db_int(r, i, 1),
		.provider = { db_uuid(r, i, 2) },
		.category = db_text(r, i, 3),
		.reason = (enum suppression_reason)db_int(r, i, 4),
		.source = db_text(r, i, 5),
		.code = db_text(r, i, 6),
		.notification = { db_uuid(r, i, 7) },
		.delivery = { db_uuid(r, i, 8) },
		.created_ms = db_time_ms(r, i, 9),
		.provider_name = db_text(r, i, 10),
	};
}

static int
run_list(const struct editor *ed, struct db_batch *b,
    struct suppression **list_r, size_t *count_r, struct err *e)
{
	struct db_rows **rows;
	int i, n;

	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	n = db_count(rows[0]);
	*list_r = arena_zalloc(ed->a, (size_t)n, sizeof(**list_r));
	for (i = 0; i < n; i++)
		(*list_r)[i] = from_row(rows[0], i);
	*count_r = (size_t)n;
	return 0;
}

const char *
suppression_key(struct arena *a, const struct suppression *s)
{
	char provider[UUID_TEXT_BYTES];

	uuid_format(&s->provider.u, provider);
	return arena_printf(a, "%d\n%s\n%s\n%s", (int)s->channel, provider,
	    s->address, s->category);
}

/* Takes a key apart into what stands in *s. */
static int
read_key(struct arena *a, const char *key, struct suppression *s_r,
    struct err *e)
{
	const char *provider = strchr(key, '\n'), *address, *category;

	*s_r = (struct suppression){ .address = "", .category = "" };
	if (key[0] == '\0')
		return 0;
	address = provider != NULL ? strchr(provider + 1, '\n') : NULL;
	category = address != NULL ? strchr(address + 1, '\n') : NULL;
	if (category == NULL || address - provider != UUID_TEXT_BYTES ||
	    provider - key != 1 || key[0] < '0' || key[0] > '9' ||
	    uuid_parse(arena_strndup(a, provider + 1, UUID_TEXT_BYTES - 1),
	        &s_r->provider.u) == -1)
		return err_set(e, ERR_INVALID, "this is no place in the list");
	s_r->channel = (enum channel)(key[0] - '0');
	s_r->address = arena_strndup(a, address + 1,
	    (size_t)(category - address - 1));
	s_r->category = category + 1;
	return 0;
}

int
suppression_list(const struct editor *ed,
    const struct suppression_filter *filter, const char *after_key, int limit,
    struct suppression **list_r, size_t *count_r, struct err *e)
{
	struct db_batch *b = db_batch_new(ed->a, ed->tenant, DB_ONE);
	struct suppression after;

	if (read_key(ed->a, after_key, &after, e) == -1)
		return -1;
	db_add(b, Q_SUPPRESSION_LIST);
	db_arg_int(b, ed->tenant.n);
	if (filter->channel == CHANNEL_NONE)
		db_arg_null(b);
	else
		db_arg_int(b, filter->channel);
	if (filter->reason == SUPPRESSION_NONE)
		db_arg_null(b);
	else
		db_arg_int(b, filter->reason);
	db_arg_text(b, after.address);
	db_arg_int(b, after.channel);
	db_arg_uuid(b, &after.provider.u);
	db_arg_text(b, after.category);
	db_arg_int(b, limit);
	return run_list(ed, b, list_r, count_r, e);
}

int
suppression_get(const struct editor *ed, enum channel channel,
    const char *address, struct suppression **list_r, size_t *count_r,
    struct err *e)
{
	struct db_batch *b = db_batch_new(ed->a, ed->tenant, DB_ONE);

	db_add(b, Q_SUPPRESSION_GET);
	db_arg_int(b, ed->tenant.n);
	db_arg_text(b, suppression_address(ed->a, address));
	db_arg_int(b, channel);
	db_arg_text(b, suppression_mark_key(ed->a, ed->tenant));
	return run_list(ed, b, list_r, count_r, e);
}

/* ---- Marks ---------------------------------------------------------------------- */

static uint8_t mark_key[SECRET_HASH_BYTES];

void
suppression_configure(const struct keyring *ring)
{
	static const char purpose[] = "marks of suppressed addresses";

	secret_hash(ring, purpose, sizeof(purpose), mark_key);
}

const char *
suppression_mark_key(struct arena *a, struct tenant_id tenant)
{
	uint8_t key[SECRET_HASH_BYTES];

	crypto_generichash(key, sizeof(key), (const uint8_t *)&tenant.n,
	    sizeof(tenant.n), mark_key, sizeof(mark_key));
	return text_hex(a, key, sizeof(key));
}

/* ---- Changes ---------------------------------------------------------------------- */

int
suppression_add(const struct editor *ed, const struct suppression *s,
    bool *new_r, struct err *e)
{
	struct db_batch *b = db_batch_new(ed->a, ed->tenant, DB_ONE);
	const char *address = suppression_address(ed->a, s->address);
	struct db_rows **rows;

	db_add(b, Q_SUPPRESSION_PUT);
	db_arg_int(b, ed->tenant.n);
	db_arg_text(b, address);
	db_arg_int(b, s->channel);
	db_arg_uuid(b, &s->provider.u);
	db_arg_text(b, s->category);
	db_arg_int(b, s->reason);
	db_arg_text(b, s->source);
	db_arg_text(b, s->code);
	edit_record(ed, b, "suppression.add", channel_name((int)s->channel),
	    json_pack("{s:s, s:s}", "address", edit_person(ed, address), "reason",
	        suppression_reason_name((int)s->reason)));
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	*new_r = db_count(rows[0]) > 0;
	return 0;
}

int
suppression_remove(const struct editor *ed, enum channel channel,
    const char *address, struct err *e)
{
	struct db_batch *b = db_batch_new(ed->a, ed->tenant, DB_BEGIN);
	struct db_rows **rows;

	address = suppression_address(ed->a, address);
	db_add(b, Q_SUPPRESSION_DELETE);
	db_arg_int(b, ed->tenant.n);
	db_arg_text(b, address);
	db_arg_int(b, channel);
	db_arg_text(b, suppression_mark_key(ed->a, ed->tenant));
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	if (db_affected(rows[0]) == 0) {
		err_set(e, ERR_NOT_FOUND, "there is no such suppression");
		return edit_abort(ed);
	}
	b = db_batch_new(ed->a, ed->tenant, DB_COMMIT);
	edit_record(ed, b, "suppression.remove", channel_name((int)channel),
	    json_pack("{s:s}", "address", edit_person(ed, address)));
	return db_run(ed->db, ed->a, b, &rows, e);
}

/* ---- In batches of others ------------------------------------------------------------ */

enum {
	NOTE_NOTIFICATION,
	NOTE_DELIVERY,
	NOTE_PROVIDER,
	NOTE_REASON,
	NOTE_SOURCE,
	NOTE_CODE,
	NOTE_BY_CATEGORY,
	NOTE_AT,
	NOTE_COLUMNS
};

struct suppression_notes {
	struct arena *a;
	struct db_array *v[NOTE_COLUMNS];
	size_t count;
	struct db_array *lifted[3]; /* notifications, deliveries, times */
	size_t lifted_count;
};

struct suppression_notes *
suppression_notes_new(struct arena *a)
{
	struct suppression_notes *sn = arena_object(a, struct suppression_notes);
	int i;

	for (i = 0; i < NOTE_COLUMNS; i++)
		sn->v[i] = db_array_new(a);
	sn->a = a;
	return sn;
}

void
suppression_notes_lift(struct suppression_notes *sn,
    struct notification_id notification, struct delivery_id delivery,
    int64_t at_ms)
{
	int i;

	for (i = 0; i < 3 && sn->lifted_count == 0; i++)
		sn->lifted[i] = db_array_new(sn->a);
	sn->lifted_count++;
	db_array_uuid(sn->lifted[0], &notification.u);
	db_array_uuid(sn->lifted[1], &delivery.u);
	db_array_time_ms(sn->lifted[2], at_ms);
}

static void
add_lifted(struct db_batch *b, struct tenant_id tenant,
    const struct suppression_notes *sn)
{
	db_add(b, Q_SUPPRESSION_NOTE_LIFT);
	db_arg_int(b, tenant.n);
	db_arg_array(b, sn->lifted[0]);
	db_arg_array(b, sn->lifted[1]);
	db_arg_array(b, sn->lifted[2]);
	db_arg_int(b, SUPPRESSION_UNSUBSCRIBE);
	db_arg_text(b, suppression_mark_key(sn->a, tenant));
}

void
suppression_notes_take(struct suppression_notes *sn,
    const struct suppression_note *note)
{
	db_array_uuid(sn->v[NOTE_NOTIFICATION], &note->notification.u);
	db_array_uuid(sn->v[NOTE_DELIVERY], &note->delivery.u);
	db_array_uuid(sn->v[NOTE_PROVIDER], &note->provider.u);
	db_array_int(sn->v[NOTE_REASON], note->reason);
	db_array_text(sn->v[NOTE_SOURCE], note->source);
	db_array_text(sn->v[NOTE_CODE], note->code);
	db_array_int(sn->v[NOTE_BY_CATEGORY], note->by_category);
	db_array_time_ms(sn->v[NOTE_AT], note->at_ms);
	sn->count++;
}

void
suppression_notes_add(struct db_batch *b, struct tenant_id tenant,
    const struct suppression_notes *sn)
{
	int i;

	if (sn->count > 0) {
		db_add(b, Q_SUPPRESSION_NOTE);
		db_arg_int(b, tenant.n);
		for (i = 0; i < NOTE_COLUMNS; i++)
			db_arg_array(b, sn->v[i]);
		db_arg_int(b, SUPPRESSION_UNSUBSCRIBE);
	}
	if (sn->lifted_count > 0)
		add_lifted(b, tenant, sn);
}

void
suppression_unsubscribe_add(struct db_batch *b, struct tenant_id tenant,
    const struct suppression *s)
{
	db_add(b, Q_SUPPRESSION_UNSUBSCRIBE);
	db_arg_int(b, tenant.n);
	db_arg_text(b, s->address);
	db_arg_int(b, s->channel);
	db_arg_text(b, s->category);
	db_arg_int(b, SUPPRESSION_UNSUBSCRIBE);
	db_arg_text(b, s->source);
	db_arg_uuid(b, &s->notification.u);
	db_arg_uuid(b, &s->delivery.u);
}

void
suppression_resubscribe_add(struct arena *a, struct db_batch *b,
    struct tenant_id tenant, const struct suppression *s)
{
	db_add(b, Q_SUPPRESSION_RESUBSCRIBE);
	db_arg_int(b, tenant.n);
	db_arg_text(b, s->address);
	db_arg_int(b, s->channel);
	db_arg_text(b, s->category);
	db_arg_int(b, SUPPRESSION_UNSUBSCRIBE);
	db_arg_text(b, suppression_mark_key(a, tenant));
}

void
suppression_find_add(struct arena *a, struct db_batch *b,
    struct tenant_id tenant, const struct db_array *addresses,
    const struct db_array *user_ids)
{
	db_add(b, Q_SUPPRESSION_FIND);
	db_arg_int(b, tenant.n);
	db_arg_array(b, addresses);
	db_arg_array(b, user_ids);
	db_arg_text(b, suppression_mark_key(a, tenant));
}

/* As strcmp() of the address in lower case with one that is. */
static int
compare(const char *address, const char *with)
{
	for (; *address != '\0' && lower(*address) == *with; address++)
		with++;
	return (unsigned char)lower(*address) - (unsigned char)*with;
}

/* The first row of that address, or of the next one. */
static int
first_of(const struct db_rows *rows, const char *address)
{
	int low = 0, high = db_count(rows), middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (compare(address, db_text(rows, middle, 0)) > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
fits(const struct db_rows *rows, int i, const struct suppression_question *q)
{
	struct uuid provider = db_uuid(rows, i, 2);
	const char *category = db_text(rows, i, 3);

	return db_int(rows, i, 1) == (int64_t)q->channel &&
	    (uuid_is_nil(&provider) ||
	        uuid_cmp(&provider, &q->provider.u) == 0) &&
	    (category[0] == '\0' || strcmp(category, q->category) == 0);
}

enum suppression_reason
suppression_of(const struct db_rows *rows, const struct suppression_question *q)
{
	int i;

	if (rows == NULL || q->address == NULL)
		return SUPPRESSION_NONE;
	for (i = first_of(rows, q->address); i < db_count(rows) &&
	     compare(q->address, db_text(rows, i, 0)) == 0;
	     i++)
		if (fits(rows, i, q))
			return (enum suppression_reason)db_int(rows, i, 4);
	return SUPPRESSION_NONE;
}
