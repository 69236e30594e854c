/*
 * rate_limit.h - how fast somebody may ask
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The generic cell rate algorithm: a bucket of "burst" requests that refills with "per_s"
 * a second.  All that memcached holds of a bucket is one number, the time at which
 * it would be full again, so a worker takes from it with one increment.  It takes
 * several at once while a bucket is in use and far from empty, at most a 64th of
 * what is left, and keeps them for a second: most requests ask nobody.  Of a limit
 * that is exact it takes no more than it needs.
 *
 * How exact that is.  Below its limit nobody is refused, but for what other workers
 * hold and do not use: near the limit that is nothing.  Above it no more than
 * burst + per_s * time gets through, and on top of it once what each worker had taken
 * when a bucket that lay full was begun by several in the same instant, or
 * one more burst when memcached was flushed, had no room, or the life of an entry is
 * over (an hour, or 24 times as long as an empty bucket takes to be full).  Hosts whose clocks differ disagree by what the difference
 * is worth.
 *
 * Without memcached each worker has its share of the limit, per_s and burst
 * divided by the workers of this host and at least a burst of one: a limit never
 * goes away.  Whoever can write to memcached can block or favour others
 * as far as that memcached is asked, and learns no names: keys are hashes.
 */
#ifndef BELFRY_WEB_RATE_LIMIT_H
#define BELFRY_WEB_RATE_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct arena;
struct buf;
struct cache;
struct rate_limiter;
struct response;

/* A limit; per_s 0: none. */
struct rate {
	const char *policy; /* its name for clients: "send" */
	double per_s;
	int64_t burst;
	bool exact; /* nothing is taken ahead: what is not used would be lost */
};

/* Whether a limit can be kept: up to a million a second and a burst of a hundred
 * millions, which is full again after 90 days at most. */
bool rate_is_sane(double per_s, double burst);

/* What became of a request under one limit; for headers. */
struct rate_state {
	const char *policy;
	int64_t burst;
	int64_t window_s; /* in which an empty bucket is full again */
	int64_t left; /* as far as this worker knows */
	int64_t wait_s; /* until there is one again; 0: there is */
};

/* Lives in "a", with a fixed number of places for buckets; who was not seen for longest
 * loses his.  "workers" share the limit when memcached is gone. */
struct rate_limiter *rate_limiter_new(struct arena *a, struct cache *cache,
    int64_t workers) MUST_CHECK;

/* Takes one out of the bucket of "who" under a limit that is sane; false when it is
 * empty. */
bool rate_limit_take(struct rate_limiter *l, const struct rate *rate,
    const char *who, struct rate_state *state_r);

/* Takes n > 0 at once, or none of them; more than the burst are never there. */
bool rate_limit_take_many(struct rate_limiter *l, const struct rate *rate,
    const char *who, int64_t n, struct rate_state *state_r) MUST_CHECK;

/* Puts back what was taken and is not used after all, as soon as that is known. */
void rate_limit_put_back(struct rate_limiter *l, const struct rate *rate,
    const char *who, int64_t n);

/* Whether this worker found that bucket empty and it still is; takes nothing and asks
 * nobody. */
bool rate_limit_is_empty(struct rate_limiter *l, const struct rate *rate,
    const char *who, struct rate_state *state_r) MUST_CHECK;

/* RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers), and Retry-After
 * when one of them refused. */
void rate_limit_headers(struct response *rs, const struct rate_state *states,
    size_t count);

/* ,"violated-policies":["send"] - nothing when none refused. */
void rate_limit_write_violated(struct buf *b, const struct rate_state *states,
    size_t count);

#endif
