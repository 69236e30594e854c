/*
 * rate_limit.c - how fast somebody may ask
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A bucket is the time at which it is full again ("full_ns", GCRA's theoretical
 * arrival time): each request moves it on by one step, 1 s / per_s, and may not move it
 * further than burst steps past now.  In memcached that is incr by the steps
 * wanted; what was too much goes back with a decr that waits for nobody, and
 * until there is one again this worker does not ask.  A time that lies in the past is
 * that of a full bucket: it is set to now, not incremented, so the idle time
 * before counts for no more than the burst.
 */
#include "web/rate_limit.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/ensure.h"
#include "base/metrics.h"
#include "net/cache.h"
#include "web/js.h"
#include "web/response.h"

#define SECOND_NS INT64_C(1000000000)

enum {
	SETS = 1024, /* of the table of buckets */
	WAYS = 4, /* places in a set */
	LEASE_SHARE = 64, /* of what is left, at once */
	LEASE_MS = 1000,
	ENTRY_MS = 3600 * 1000, /* in memcached, at least */
	ENTRY_WINDOWS = 24, /* the same */
	OVERDRAWN_MAX = 64, /* askers that take too much at the same time */
	KEY_BYTES = 512,
	WINDOW_MAX_S = 90 * 86400 /* no product below overflows */
};

enum { ASKED_MEMCACHED, ASKED_FLOOR }; /* of the metric */

struct bucket {
	uint64_t id; /* 0: the place is free */
	int64_t used_ms;
	int64_t step_ns; /* a change begins anew */
	int64_t burst;
	int64_t full_ns; /* in memcached, as of the last time */
	int64_t floor_ns; /* the same of this worker's share, without memcached */
	int64_t empty_until_ns;
	int64_t again_ns; /* when what was refused last will be there */
	bool own; /* the last was taken out of this worker's share */
	int64_t leased; /* taken and not used */
	int64_t leased_ms;
	int64_t lease; /* how many were taken the last time */
};

struct rate_limiter {
	struct cache *cache;
	int64_t workers;
	unsigned char key[crypto_shorthash_KEYBYTES];
	struct bucket buckets[SETS][WAYS];
};

struct rate_limiter *
rate_limiter_new(struct arena *a, struct cache *cache, int64_t workers)
{
	struct rate_limiter *l = arena_object(a, struct rate_limiter);

	ensure(workers > 0);
	l->cache = cache;
	l->workers = workers;
	crypto_shorthash_keygen(l->key);
	return l;
}

/* ---- The table ------------------------------------------------------------ */

static uint64_t
hash(const struct rate_limiter *l, const char *policy, const char *who)
{
	uint64_t of_policy, of_who;

	(void)crypto_shorthash((unsigned char *)&of_policy,
	    (const unsigned char *)policy, strlen(policy), l->key);
	(void)crypto_shorthash((unsigned char *)&of_who,
	    (const unsigned char *)who, strlen(who), l->key);
	of_who ^= of_policy << 1 | of_policy >> 63;
	return of_who != 0 ? of_who : 1;
}

/* The place of a bucket, or that of the one that was not used for longest. */
static struct bucket *
place_of(struct rate_limiter *l, uint64_t id)
{
	struct bucket *set = l->buckets[id % SETS], *oldest = set;
	int i;

	for (i = 0; i < WAYS; i++) {
		if (set[i].id == id)
			return &set[i];
		if (set[i].used_ms < oldest->used_ms)
			oldest = &set[i];
	}
	return oldest;
}

bool
rate_is_sane(double per_s, double burst)
{
	return per_s > 0 && per_s <= 1e6 && burst >= 1 && burst <= 1e8 &&
	    burst / per_s <= WINDOW_MAX_S;
}

static int64_t
step_of(const struct rate *rate)
{
	ensure(rate_is_sane(rate->per_s, (double)rate->burst));
	return (int64_t)((double)SECOND_NS / rate->per_s);
}

static struct bucket *
bucket_of(struct rate_limiter *l, const struct rate *rate, const char *who)
{
	uint64_t id = hash(l, rate->policy, who);
	struct bucket *b = place_of(l, id);
	int64_t step_ns = step_of(rate);

	if (b->id != id || b->step_ns != step_ns || b->burst != rate->burst)
		*b = (struct bucket){ .id = id, .step_ns = step_ns,
			.burst = rate->burst };
	b->used_ms = clock_mono_ms();
	return b;
}

/* ---- Arithmetic ------------------------------------------------------------- */

static int64_t
now_ns(void)
{
	return clock_wall_ms() * 1000000;
}

static int64_t
later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* How many more a bucket gives, full at full_ns: below 0 when it is overdrawn. */
static int64_t
left_in(const struct bucket *b, int64_t full_ns, int64_t now)
{
	return b->burst - (later(full_ns, now) - now + b->step_ns - 1) /
	    b->step_ns;
}

/* How many to take ahead: one for who asks now and then, twice as many as the last time
 * for who has used them up, less near the limit. */
static int64_t
lease_of(const struct bucket *b, int64_t now)
{
	bool busy = b->used_ms - b->leased_ms < LEASE_MS && b->lease > 0;
	int64_t lease = busy ? 2 * b->lease : 1;
	int64_t most = left_in(b, b->full_ns, now) / LEASE_SHARE;

	return lease > most ? most : lease;
}

/* A time that nobody of us can have written. */
static bool
is_absurd(const struct bucket *b, uint64_t full_ns, int64_t now)
{
	return full_ns > (uint64_t)(now +
	                     OVERDRAWN_MAX * b->burst * b->step_ns +
	                     60 * SECOND_NS);
}

/* ---- Asking ----------------------------------------------------------------- */

/* memcached makes a hash of it. */
static void
key_of(char *key, size_t n, const struct rate *rate, const char *who)
{
	(void)snprintf(key, n, "rate/%s/%s", rate->policy, who);
}

/* Moves the bucket on by "want"; *before_r is where it stood.  False when nobody
 * answers. */
static bool
draw(struct rate_limiter *l, const struct bucket *b, const char *key,
    int64_t want, int64_t *before_r)
{
	int64_t now = now_ns(), by = want * b->step_ns;
	uint64_t after = 0;
	char text[24];
	int rc = cache_count(l->cache, key, (uint64_t)by, &after);

	if (rc == -1)
		return false;
	if (rc == 1 && after >= (uint64_t)(now + by) &&
	    !is_absurd(b, after - (uint64_t)by, now)) {
		*before_r = (int64_t)(after - (uint64_t)by);
		return true;
	}
	snprintf(text, sizeof(text), "%lld", (long long)(now + by));
	cache_set(l->cache, key, text, strlen(text),
	    later(ENTRY_MS,
	        ENTRY_WINDOWS * (b->burst * b->step_ns / 1000000)));
	*before_r = now;
	return true;
}

/* Takes at least "need" out of memcached, or nothing. */
static bool
take_shared(struct rate_limiter *l, struct bucket *b, const char *key,
    int64_t need, bool exact)
{
	int64_t now = now_ns(), got, before;
	int64_t want = exact ? need : later(need, lease_of(b, now));

	if (!draw(l, b, key, want, &before))
		return false;
	got = left_in(b, before, now);
	if (got > want)
		got = want;
	if (got < need)
		got = 0;
	if (got < want)
		cache_uncount(l->cache, key,
		    (uint64_t)((want - got) * b->step_ns));
	b->full_ns = before + got * b->step_ns;
	if (got == 0) {
		b->empty_until_ns = before - (b->burst - 1) * b->step_ns;
		b->again_ns = before - (b->burst - need) * b->step_ns;
	}
	b->leased += got;
	b->lease = got;
	b->leased_ms = b->used_ms;
	b->own = false;
	metrics_add(METRIC_RATE_LIMIT_ASKED_TOTAL, ASKED_MEMCACHED, 1);
	return true;
}

/* Takes so many out of this worker's share, or nothing. */
static void
take_own(struct rate_limiter *l, struct bucket *b, int64_t need)
{
	int64_t now = now_ns(), step_ns = b->step_ns * l->workers;
	int64_t burst = later(b->burst / l->workers, 1);
	int64_t before = later(b->floor_ns, now);
	int64_t full_ns = before + need * step_ns;

	b->lease = 0;
	b->leased_ms = b->used_ms;
	b->own = true;
	if (full_ns - now <= burst * step_ns) {
		b->leased += need;
		b->floor_ns = full_ns;
	} else {
		b->empty_until_ns = before + step_ns - burst * step_ns;
		b->again_ns = full_ns - burst * step_ns;
	}
	b->full_ns = later(b->floor_ns, now);
	metrics_add(METRIC_RATE_LIMIT_ASKED_TOTAL, ASKED_FLOOR, 1);
}

/* ---- What callers see --------------------------------------------------------- */

/* "until" is when what is asked for is there, in the past when it is. */
static void
tell(const struct bucket *b, const struct rate *rate, int64_t now,
    int64_t until, struct rate_state *state_r)
{
	/* What was taken ahead came back meanwhile, maybe. */
	int64_t left = left_in(b, b->full_ns, now) + b->leased;

	if (left > b->burst)
		left = b->burst;
	*state_r = (struct rate_state){
		.policy = rate->policy,
		.burst = b->burst,
		.window_s = (b->burst * b->step_ns + SECOND_NS - 1) / SECOND_NS,
		.left = left > 0 ? left : 0,
	};
	if (b->empty_until_ns > now)
		state_r->left = 0;
	if (until > now)
		state_r->wait_s = (until - now + SECOND_NS - 1) / SECOND_NS;
}

bool
rate_limit_take_many(struct rate_limiter *l, const struct rate *rate,
    const char *who, int64_t n, struct rate_state *state_r)
{
	struct bucket *b = bucket_of(l, rate, who);
	int64_t now = now_ns(), until = b->empty_until_ns;
	char key[KEY_BYTES];
	bool given;

	ensure(n > 0);
	if (b->used_ms - b->leased_ms >= LEASE_MS)
		b->leased = 0;
	if (n > b->burst) {
		until = now + b->burst * b->step_ns;
	} else if (b->leased < n && b->empty_until_ns <= now) {
		key_of(key, sizeof(key), rate, who);
		if (!take_shared(l, b, key, n - b->leased, rate->exact))
			take_own(l, b, n - b->leased);
		until = b->again_ns;
	}
	given = b->leased >= n;
	if (given)
		b->leased -= n;
	tell(b, rate, now, given ? now : later(until, now + 1), state_r);
	return given;
}

bool
rate_limit_take(struct rate_limiter *l, const struct rate *rate,
    const char *who, struct rate_state *state_r)
{
	return rate_limit_take_many(l, rate, who, 1, state_r);
}

void
rate_limit_put_back(struct rate_limiter *l, const struct rate *rate,
    const char *who, int64_t n)
{
	struct bucket *b = bucket_of(l, rate, who);
	char key[KEY_BYTES];

	b->empty_until_ns = 0;
	if (b->own) {
		b->floor_ns -= n * b->step_ns * l->workers;
		return;
	}
	key_of(key, sizeof(key), rate, who);
	cache_uncount(l->cache, key, (uint64_t)(n * b->step_ns));
	b->full_ns -= n * b->step_ns;
}

bool
rate_limit_is_empty(struct rate_limiter *l, const struct rate *rate,
    const char *who, struct rate_state *state_r)
{
	struct bucket *b = bucket_of(l, rate, who);
	int64_t now = now_ns();

	if (b->empty_until_ns <= now)
		return false;
	tell(b, rate, now, b->empty_until_ns, state_r);
	return true;
}

void
rate_limit_headers(struct response *rs, const struct rate_state *states,
    size_t count)
{
	struct buf *b = rs->head;
	int64_t wait_s = 0;
	size_t i;

	for (i = 0; i < count; i++)
		buf_printf(b, "%s\"%s\";q=%lld;w=%lld",
		    i == 0 ? "RateLimit-Policy: " : ", ", states[i].policy,
		    (long long)states[i].burst, (long long)states[i].window_s);
	for (i = 0; i < count; i++) {
		buf_printf(b, "%s\"%s\";r=%lld",
		    i == 0 ? "\r\nRateLimit: " : ", ", states[i].policy,
		    (long long)states[i].left);
		if (states[i].wait_s > 0)
			buf_printf(b, ";t=%lld", (long long)states[i].wait_s);
		wait_s = later(wait_s, states[i].wait_s);
	}
	if (count > 0)
		buf_puts(b, "\r\n");
	if (wait_s > 0)
		response_header(rs, "Retry-After", "%lld", (long long)wait_s);
}

void
rate_limit_write_violated(struct buf *b, const struct rate_state *states,
    size_t count)
{
	const char *before = ",\"violated-policies\":[";
	size_t i;

	for (i = 0; i < count; i++) {
		if (states[i].wait_s == 0)
			continue;
		buf_puts(b, before);
		js_write_text(b, states[i].policy);
		before = ",";
	}
	if (before[1] == '\0')
		buf_putc(b, ']');
}
