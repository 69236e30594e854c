/*
 * said.c - what people said to an account: that they want no more, or anything
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "spooler/said.h"

#include <string.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/uuid.h"
#include "db/db.h"
#include "model/suppression.h"
#include "provider/hook.h"
#include "provider/provider.h"

enum { KEY_BYTES = 16, OPT_COLUMNS = 6 };

/* Whoever an account of several tenants wrote to so long ago may still answer. */
#define KNOWN_MS (INT64_C(30) * 24 * 3600 * 1000)

/* Who said STOP or START, to whom. */
struct opt {
	const struct hook_event *event;
	struct provider_id provider;
	enum channel channel;
	const char *kind;
	const char *address, *key; /* its key in hook_seen, in hexadecimal */
	bool foreign; /* the tenant did not write to that address */
};

/* Who wrote, to whom. */
struct heard {
	struct provider_id provider;
	const char *address;
	int64_t at_ms;
	bool if_known, foreign; /* the same */
};

struct said {
	struct arena *a;
	struct tenant_id tenant;
	struct opt *opts;
	struct heard *heard;
	struct db_array *keys; /* of others that count once */
	size_t opts_count, heard_count, keys_count;
};

struct said *
said_new(struct arena *a, struct tenant_id tenant, size_t max)
{
	struct said *s = arena_object(a, struct said);

	s->a = a;
	s->tenant = tenant;
	s->opts = arena_zalloc(a, max, sizeof(*s->opts));
	s->heard = arena_zalloc(a, max, sizeof(*s->heard));
	s->keys = db_array_new(a);
	return s;
}

/* What came by this id before is known by its hash. */
static const char *
key_of(struct arena *a, const struct hook_event *ev,
    struct provider_id provider)
{
	uint8_t hash[KEY_BYTES];
	crypto_generichash_state state;

	if (ev->id == NULL)
		return NULL;
	crypto_generichash_init(&state, NULL, 0, sizeof(hash));
	crypto_generichash_update(&state, provider.u.b, sizeof(provider.u.b));
	crypto_generichash_update(&state, (const uint8_t *)ev->id,
	    strlen(ev->id));
	crypto_generichash_final(&state, hash, sizeof(hash));
	return text_hex(a, hash, sizeof(hash));
}

/* The last word of somebody counts. */
static void
take_opt(struct said *s, const struct hook_event *ev,
    struct provider_id provider, const struct provider_ops *ops)
{
	struct opt *o = s->opts, *end = s->opts + s->opts_count;
	const char *address = suppression_address(s->a, ev->address);

	while (o < end && (strcmp(o->address, address) != 0 ||
	                      uuid_cmp(&o->provider.u, &provider.u) != 0))
		o++;
	if (o == end)
		s->opts_count++;
	*o = (struct opt){ .event = ev, .provider = provider,
		.channel = ops->channel, .kind = ops->kind, .address = address,
		.key = key_of(s->a, ev, provider) };
}

/* The latest time counts; nobody wrote in the future. */
static void
take_heard(struct said *s, const struct hook_event *ev,
    struct provider_id provider)
{
	struct heard *h = s->heard, *end = s->heard + s->heard_count;
	int64_t now_ms = clock_wall_ms(),
	        at_ms = ev->at_ms == 0 || ev->at_ms > now_ms ? now_ms
	                                                     : ev->at_ms;

	while (h < end && (strcmp(h->address, ev->address) != 0 ||
	                      uuid_cmp(&h->provider.u, &provider.u) != 0))
		h++;
	if (h == end)
		s->heard_count++;
	else if (h->at_ms > at_ms)
		at_ms = h->at_ms;
	*h = (struct heard){ provider, ev->address, at_ms, ev->if_known, false };
}

void
said_take(struct said *s, const struct hook_event *ev,
    struct provider_id provider, const struct provider_ops *ops)
{
	if (ev->address == NULL)
		return;
	if (ev->what == HOOK_OPT_OUT || ev->what == HOOK_OPT_IN)
		take_opt(s, ev, provider, ops);
	else if (ev->what == HOOK_HEARD)
		take_heard(s, ev, provider);
}

const char *
said_once(struct said *s, const struct hook_event *ev,
    struct provider_id provider)
{
	const char *key = key_of(s->a, ev, provider);

	if (key != NULL) {
		db_array_text(s->keys, key);
		s->keys_count++;
	}
	return key;
}

bool
said_seen_add(struct said *s, struct db_batch *b)
{
	size_t i;

	if (s->opts_count + s->keys_count == 0)
		return false;
	for (i = 0; i < s->opts_count; i++)
		if (s->opts[i].key != NULL)
			db_array_text(s->keys, s->opts[i].key);
	db_add(b, Q_HOOK_SEEN_PUT);
	db_arg_int(b, s->tenant.n);
	db_arg_array(b, s->keys);
	return true;
}

bool
said_known_add(struct said *s, struct db_batch *b)
{
	struct db_array *providers = db_array_new(s->a),
	                *addresses = db_array_new(s->a);
	size_t i, count = 0;

	for (i = 0; i < s->opts_count; i++)
		if (s->opts[i].event->if_known) {
			db_array_uuid(providers, &s->opts[i].provider.u);
			db_array_text(addresses, s->opts[i].address);
			count++;
		}
	for (i = 0; i < s->heard_count; i++)
		if (s->heard[i].if_known) {
			db_array_uuid(providers, &s->heard[i].provider.u);
			db_array_text(addresses, s->heard[i].address);
			count++;
		}
	if (count == 0)
		return false;
	db_add(b, Q_HOOK_KNOWN);
	db_arg_int(b, s->tenant.n);
	db_arg_array(b, providers);
	db_arg_array(b, addresses);
	db_arg_int(b, KNOWN_MS);
	return true;
}

static bool
is_among(const struct db_rows *rows, struct provider_id provider,
    const char *address)
{
	struct uuid id;
	int i;

	for (i = 0; i < db_count(rows); i++) {
		id = db_uuid(rows, i, 0);
		if (uuid_cmp(&id, &provider.u) == 0 &&
		    strcmp(db_text(rows, i, 1), address) == 0)
			return true;
	}
	return false;
}

void
said_known_read(struct said *s, const struct db_rows *rows)
{
	struct heard *h;
	struct opt *o;

	for (o = s->opts; o < s->opts + s->opts_count; o++)
		o->foreign = o->event->if_known &&
		    !is_among(rows, o->provider, o->address);
	for (h = s->heard; h < s->heard + s->heard_count; h++)
		h->foreign = h->if_known &&
		    !is_among(rows, h->provider, h->address);
}

bool
said_is_new(const struct db_rows *seen, const char *key)
{
	int i;

	if (key == NULL)
		return true;
	for (i = 0; i < db_count(seen); i++)
		if (strcmp(db_text(seen, i, 0), key) == 0)
			return true;
	return false;
}

static void
opt_row(struct arena *a, struct db_array *v[OPT_COLUMNS], const struct opt *o)
{
	db_array_text(v[0], o->address);
	db_array_int(v[1], o->channel);
	db_array_uuid(v[2], &o->provider.u);
	db_array_int(v[3], o->event->suppress);
	db_array_text(v[4], arena_printf(a, "provider %s", o->kind));
	db_array_text(v[5], o->event->code);
}

/* Those who said one thing ("what"), as far as they are new. */
static void
add_opts(struct said *s, struct db_batch *b, const struct db_rows *seen,
    enum hook_what what)
{
	struct db_array *v[OPT_COLUMNS];
	size_t i, count = 0, columns = what == HOOK_OPT_OUT ? OPT_COLUMNS : 4;

	for (i = 0; i < OPT_COLUMNS; i++)
		v[i] = db_array_new(s->a);
	for (i = 0; i < s->opts_count; i++) {
		if (s->opts[i].event->what != what || s->opts[i].foreign ||
		    !said_is_new(seen, s->opts[i].key))
			continue;
		opt_row(s->a, v, &s->opts[i]);
		count++;
	}
	if (count == 0)
		return;
	db_add(b, what == HOOK_OPT_OUT ? Q_SUPPRESSION_OPT_OUT
	                               : Q_SUPPRESSION_LIFT);
	db_arg_int(b, s->tenant.n);
	for (i = 0; i < columns; i++)
		db_arg_array(b, v[i]);
	if (what == HOOK_OPT_IN)
		db_arg_text(b, suppression_mark_key(s->a, s->tenant));
}

static void
add_heard(struct said *s, struct db_batch *b)
{
	struct db_array *providers = db_array_new(s->a),
	                *addresses = db_array_new(s->a),
	                *times = db_array_new(s->a);
	size_t i, count = 0;

	for (i = 0; i < s->heard_count; i++) {
		if (s->heard[i].foreign)
			continue;
		count++;
		db_array_uuid(providers, &s->heard[i].provider.u);
		db_array_text(addresses, s->heard[i].address);
		db_array_time_ms(times, s->heard[i].at_ms);
	}
	if (count == 0)
		return;
	db_add(b, Q_HEARD_PUT);
	db_arg_int(b, s->tenant.n);
	db_arg_array(b, providers);
	db_arg_array(b, addresses);
	db_arg_array(b, times);
}

void
said_write_add(struct said *s, struct db_batch *b, const struct db_rows *seen)
{
	if (s->opts_count > 0) {
		add_opts(s, b, seen, HOOK_OPT_OUT);
		add_opts(s, b, seen, HOOK_OPT_IN);
	}
	add_heard(s, b);
}
