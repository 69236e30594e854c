/*
 * health.c - how accounts at providers have been doing
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A small hash table that only grows: accounts with trouble are few.
 */
#include "notify/health.h"

#include <math.h>

#include "base/arena.h"
#include "base/clock.h"
#include "db/db.h"
#include "notify/work.h"

enum {
	BUCKETS = 256,
	ACCOUNTS_PER_BATCH = 32,
	READ_ALL_MS = 60 * 1000 /* a change may be committed long after its time */
};

struct health {
	struct arena *a;
	struct account_health *buckets[BUCKETS];
	int64_t recovery_ms;
	int64_t newest_ms; /* what was read last was changed then */
	int64_t all_from_ms; /* mono: all are read again */
};

struct health *
health_new(struct arena *a, int64_t recovery_ms)
{
	struct health *h = arena_object(a, struct health);

	h->a = a;
	h->recovery_ms = recovery_ms;
	return h;
}

static struct account_health *
find(const struct health *h, struct provider_id id)
{
	struct account_health *ah = h->buckets[id.u.b[15] % BUCKETS];

	while (ah != NULL && uuid_cmp(&ah->id.u, &id.u) != 0)
		ah = ah->next;
	return ah;
}

static struct account_health *
add(struct health *h, struct provider_id id)
{
	struct account_health *ah = find(h, id);

	if (ah != NULL)
		return ah;
	ah = arena_object(h->a, struct account_health);
	ah->id = id;
	ah->state = BREAKER_CLOSED;
	ah->next = h->buckets[id.u.b[15] % BUCKETS];
	h->buckets[id.u.b[15] % BUCKETS] = ah;
	return ah;
}

const struct account_health *
health_find(const struct health *h, struct provider_id id)
{
	return h == NULL ? NULL : find(h, id);
}

struct account_health *
health_of(struct health *h, struct provider_id id)
{
	return add(h, id);
}

bool
health_is_usable(const struct health *h, struct provider_id id, int64_t now_ms)
{
	const struct account_health *ah = health_find(h, id);

	return ah == NULL || (ah->state == BREAKER_CLOSED &&
	    ah->blocked_until_ms <= now_ms);
}

double
health_share(const struct health *h, struct provider_id id, int64_t now_ms)
{
	const struct account_health *ah = health_find(h, id);
	double halves;

	if (ah == NULL || ah->penalty <= 0)
		return 1;
	halves = (double)(now_ms - ah->penalised_ms) / (double)h->recovery_ms;
	if (halves < 0)
		halves = 0;
	return 1 - ah->penalty * exp2(-halves);
}

/* ---- Reading -------------------------------------------------------------------- */

void
health_changed_add(struct db_batch *b, struct health *h)
{
	int64_t now = clock_mono_ms();
	bool all = now >= h->all_from_ms;

	if (all)
		h->all_from_ms = now + READ_ALL_MS;
	db_add(b, Q_HEALTH_CHANGED);
	db_arg_time_ms(b, all ? 0 : h->newest_ms);
}

enum column {
	ID,
	STATE,
	FAILURES,
	REFUSALS,
	UNTIL,
	PENALTY,
	PENALISED,
	UPDATED,
	BLOCKED
};

/* What we are about to tell is newer than what was read. */
static void
read_breaker(struct account_health *ah, const struct db_rows *rows, int i)
{
	if (ah->telling)
		return;
	ah->state = (enum breaker_state)db_int(rows, i, STATE);
	ah->opened_until_ms = db_time_ms(rows, i, UNTIL);
	ah->blocked_until_ms = db_time_ms(rows, i, BLOCKED);
}


void
health_changed_read(struct health *h, const struct db_rows *rows)
{
	struct account_health *ah;
	int i;

	for (i = 0; i < db_count(rows); i++) {
		ah = add(h, (struct provider_id){ db_uuid(rows, i, ID) });
		read_breaker(ah, rows, i);
		ah->failures = (int)db_int(rows, i, FAILURES);
		ah->refusals = (int)db_int(rows, i, REFUSALS);
		ah->penalty = (double)db_int(rows, i, PENALTY) / 1000;
		ah->penalised_ms = db_time_ms(rows, i, PENALISED);
		ah->updated_ms = db_time_ms(rows, i, UPDATED);
		if (ah->updated_ms > h->newest_ms)
			h->newest_ms = ah->updated_ms;
	}
}

/* ---- Writing ---------------------------------------------------------------------- */

/* What the results of one transaction say of one account. */
struct note {
	struct provider_id id;
	struct tenant_id owner;
	int failed, refused;
	bool well; /* one was accepted: then nothing is in a row */
	const struct result *last; /* that was refused */
};

static struct note *
note_of(struct note *notes, int *count, const struct result *r)
{
	int i;

	for (i = 0; i < *count; i++)
		if (uuid_cmp(&notes[i].id.u, &r->account.u) == 0)
			return &notes[i];
	if (*count == ACCOUNTS_PER_BATCH)
		return NULL;
	notes[*count] = (struct note){ .id = r->account, .owner = r->owner };
	return &notes[(*count)++];
}

static bool
is_refusal(const struct result *r)
{
	return r->verdict.class == VERDICT_BAD_CREDENTIAL ||
	    r->verdict.class == VERDICT_PROVIDER_BLOCKED;
}

/* Success is news only of an account that had trouble. */
static bool
is_recovery(const struct health *h, const struct result *r)
{
	const struct account_health *ah;

	if (r->verdict.class != VERDICT_ACCEPTED)
		return false;
	ah = find(h, r->account);
	return ah != NULL && (ah->failures > 0 || ah->refusals > 0);
}

static void
take(struct health *h, struct note *notes, int *count, const struct result *r)
{
	struct note *n;

	if (!is_refusal(r) && !r->failover && !is_recovery(h, r))
		return;
	n = note_of(notes, count, r);
	if (n == NULL || r->verdict.class == VERDICT_ACCEPTED)
		return;
	n->failed++;
	if (is_refusal(r)) {
		n->refused++;
		n->last = r;
	}
}

/* What is noted has worked as well; which came first, nobody knows. */
static void
take_success(struct note *notes, int count, const struct result *r)
{
	int i;

	for (i = 0; i < count && r->verdict.class == VERDICT_ACCEPTED; i++)
		if (uuid_cmp(&notes[i].id.u, &r->account.u) == 0)
			notes[i].well = true;
}

/* At once, before the database has told. */
static void
learn(struct health *h, const struct note *n)
{
	struct account_health *ah = add(h, n->id);
	int64_t now_ms = clock_agreed_ms();

	if (n->well)
		ah->failures = ah->refusals = 0;
	ah->failures += n->failed;
	if (!n->well)
		ah->refusals += n->refused;
	if (n->failed > 0) {
		ah->penalty = (1 + (1 - health_share(h, n->id, now_ms))) / 2;
		ah->penalised_ms = now_ms;
	}
}

struct writing {
	struct arena *a;
	const struct result *first;
	struct tenant_id owner;
	int park_after;
	int64_t recovery_ms;
};

/* What there is of the accounts of one owner.  Only a tenant's own account stands on the
 * timeline of the notification that was refused. */
static void
write(const struct writing *w, struct db_batch *b, const struct note *notes,
    int count, struct health_notes *notes_r)
{
	enum { COLUMNS = 7 };
	struct db_array *v[COLUMNS];
	struct uuid event, audit;
	bool own = w->owner.n == w->first->tenant.n;
	int i, written = 0;

	for (i = 0; i < COLUMNS; i++)
		v[i] = db_array_new(w->a);
	for (i = 0; i < count; i++) {
		if (notes[i].owner.n != w->owner.n)
			continue;
		written++;
		event = uuid_make();
		audit = uuid_make();
		db_array_uuid(v[0], &notes[i].id.u);
		db_array_int(v[1], notes[i].failed);
		db_array_int(v[2], notes[i].refused);
		db_array_int(v[3], notes[i].well);
		db_array_uuid(v[4], own && notes[i].last != NULL
		        ? &notes[i].last->notification.u
		        : NULL);
		db_array_uuid(v[5], &event);
		db_array_uuid(v[6], &audit);
	}
	if (written == 0)
		return;
	if (!own)
		db_add(b, Q_PLATFORM_ENTER);
	notes_r->list[notes_r->count].place = db_batch_size(b);
	notes_r->list[notes_r->count++].owner = w->owner;
	db_add(b, Q_HEALTH_NOTE);
	db_arg_int(b, w->owner.n);
	db_arg_int(b, w->park_after);
	db_arg_int(b, w->recovery_ms);
	db_arg_uuid(b, &w->first->spooler);
	for (i = 0; i < COLUMNS; i++)
		db_arg_array(b, v[i]);
	if (!own)
		db_add(b, Q_PLATFORM_LEAVE);
}

void
health_note_add(struct health *h, struct arena *a, struct db_batch *b,
    const struct result *first, int park_after, struct health_notes *notes_r)
{
	struct writing w = { .a = a, .first = first, .owner = first->tenant,
		.park_after = park_after, .recovery_ms = h->recovery_ms };
	struct note notes[ACCOUNTS_PER_BATCH];
	const struct result *r;
	int i, count = 0;

	notes_r->count = 0;
	for (r = first; r != NULL; r = r->next)
		take(h, notes, &count, r);
	for (r = first; r != NULL; r = r->next)
		take_success(notes, count, r);
	for (i = 0; i < count; i++)
		learn(h, &notes[i]);
	write(&w, b, notes, count, notes_r);
	w.owner = TENANT_PLATFORM;
	write(&w, b, notes, count, notes_r);
}
