/*
 * test_rate_limit.c - nobody gets more than the limit, and nobody less without need
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Several limiters stand for workers; memcached is a number that counts how often it was
 * asked.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/compiler.h"
#include "net/cache.h"
#include "web/rate_limit.h"
#include "web/response.h"

enum { WORKERS = 4 };

int __wrap_cache_count(struct cache *c, const char *key, uint64_t by,
    uint64_t *after_r);
void __wrap_cache_uncount(struct cache *c, const char *key, uint64_t by);
void __wrap_cache_set(struct cache *c, const char *key, const void *value,
    size_t n, int64_t ttl_ms);

static struct {
	bool gone, empty;
	uint64_t number;
	char key[128];
	int asked;
} memcached;

static struct arena *a;
static struct rate_limiter *workers[WORKERS];
static const struct rate ten = { "send", 10, 20 };

int
__wrap_cache_count(struct cache *c, const char *key, uint64_t by,
    uint64_t *after_r)
{
	memcached.asked++;
	if (memcached.gone)
		return -1;
	if (memcached.empty || strcmp(key, memcached.key) != 0)
		return 0;
	*after_r = memcached.number += by;
	return 1;
}

void
__wrap_cache_uncount(struct cache *c, const char *key, uint64_t by)
{
	memcached.number = memcached.number > by ? memcached.number - by : 0;
}

void
__wrap_cache_set(struct cache *c, const char *key, const void *value, size_t n,
    int64_t ttl_ms)
{
	if (memcached.gone)
		return;
	assert_true(n < 24 && strlen(key) < sizeof(memcached.key));
	memcached.number = strtoull(arena_strndup(a, value, n), NULL, 10);
	memcached.empty = false;
	strcpy(memcached.key, key);
}

static int
setup(void **state)
{
	int i;

	memset(&memcached, 0, sizeof(memcached));
	memcached.empty = true;
	a = arena_new(4096);
	for (i = 0; i < WORKERS; i++)
		workers[i] = rate_limiter_new(a, NULL, WORKERS);
	return 0;
}

static int
teardown(void **state)
{
	arena_free(&a);
	return 0;
}

static void
pass(int64_t ms)
{
	clock_shift_for_test(ms, ms);
}

static bool
take(int worker, const struct rate *rate)
{
	struct rate_state state;

	bool given = rate_limit_take(workers[worker], rate, "1", &state);

	assert_in_range(state.left, 0, state.burst);
	return given;
}

/* How many of so many requests get through, by one worker after the other. */
static int
given(int requests, const struct rate *rate)
{
	int i, n = 0;

	for (i = 0; i < requests; i++)
		n += take(i % WORKERS, rate) ? 1 : 0;
	return n;
}

static void
the_burst_and_then_the_rate(void **state)
{
	int i;

	assert_int_equal(given(100, &ten), 20);
	for (i = 0; i < 10; i++) {
		pass(1000);
		assert_in_range(given(100, &ten), 9, 11);
	}
	pass(INT64_C(86400) * 1000);
	assert_int_equal(given(100, &ten), 20);
}

/* At many speeds, by all workers in any order, for ten seconds. */
static void
over_time_no_more_than_the_limit(void **state)
{
	static const struct rate rates[] = { { "a", 1, 1 }, { "b", 5, 200 },
		{ "c", 100, 10 }, { "d", 1000, 3000 }, { "e", 0.5, 7 } };
	size_t i;
	int ms, n;

	srand(1);
	for (i = 0; i < NELEMS(rates); i++) {
		memcached.asked = n = 0;
		for (ms = 0; ms < 10000; ms += 10) {
			pass(10);
			for (int j = rand() % 50; j > 0; j--)
				n += take(rand() % WORKERS, &rates[i]) ? 1 : 0;
		}
		assert_in_range(n,
		    (int)(0.97 * (rates[i].per_s * 10 +
		                     (double)rates[i].burst)) - 2,
		    (int)(rates[i].per_s * 10) + rates[i].burst + 1 +
		        WORKERS * (rates[i].burst / 64 + 1));
		/* Each worker asks once for a step, and one of them gets it. */
		assert_true(memcached.asked < (WORKERS + 1) * n + 100);
	}
}

static void
far_from_the_limit_few_ask(void **state)
{
	const struct rate rate = { "send", 20000, 40000 };

	assert_int_equal(given(1000, &rate), 1000);
	assert_in_range(memcached.asked, WORKERS, 50);
	/* What was taken ahead is not told beside a burst that came back. */
	pass(100);
	assert_int_equal(given(WORKERS, &rate), WORKERS);
	/* Who comes now and then takes one each time. */
	memcached.asked = 0;
	pass(60000);
	for (int i = 0; i < 20; i++) {
		pass(1500);
		assert_true(take(0, &rate));
	}
	assert_int_equal(memcached.asked, 20);
}

static void
who_is_refused_asks_nobody(void **state)
{
	struct rate_state state_of;
	int asked;

	assert_false(rate_limit_is_empty(workers[0], &ten, "1", &state_of));
	assert_int_equal(given(100, &ten), 20);
	asked = memcached.asked;
	assert_int_equal(given(1000, &ten), 0);
	assert_int_equal(memcached.asked, asked);
	assert_true(rate_limit_is_empty(workers[0], &ten, "1", &state_of));
	assert_int_equal(state_of.wait_s, 1);
	assert_false(rate_limit_is_empty(workers[0], &ten, "2", &state_of));
	/* Another limit for the same one, as when a tenant's setting changes. */
	assert_true(take(0, &(struct rate){ "send", 10, 30 }));
}

static void
without_memcached_each_has_its_share(void **state)
{
	int i;

	memcached.gone = true;
	assert_int_equal(given(400, &ten), 20);
	for (i = 0; i < 5; i++) {
		pass(2000);
		assert_in_range(given(100, &ten), 16, 24);
	}
	/* It comes back empty, goes away while in use, and is flushed. */
	memcached.gone = false;
	pass(60000);
	assert_int_equal(given(100, &ten), 20);
	memcached.gone = true;
	pass(1000);
	assert_in_range(given(100, &ten), 1, 20);
	memcached.gone = false;
	memcached.empty = true;
	pass(1000);
	assert_in_range(given(100, &ten), 1, 20);
	/* A share of less than one is one. */
	memcached.gone = true;
	assert_int_equal(given(100, &(struct rate){ "x", 1, 1 }), WORKERS);
}

/* All or none, and what is put back can be had again. */
static void
many_at_once_or_none(void **state)
{
	const struct rate rate = { "prefix", 0.01, 20, .exact = true };
	struct rate_limiter *l = workers[0], *other = workers[1];
	struct rate_state st;
	int round;

	for (round = 0; round < 2; round++) {
		memcached.gone = round == 1;
		pass(INT64_C(86400) * 1000);
		if (memcached.gone) /* its share */
			l = other = rate_limiter_new(a, NULL, 1);
		assert_true(rate_limit_take_many(l, &rate, "1", 15, &st));
		assert_int_equal(st.left, 5);
		assert_false(rate_limit_take_many(other, &rate, "1", 6, &st));
		assert_in_range(st.wait_s, 99, 101);
		assert_true(rate_limit_take_many(other, &rate, "1", 5, &st));
		assert_false(rate_limit_take_many(other, &rate, "1", 1, &st));
		rate_limit_put_back(other, &rate, "1", 3);
		assert_true(rate_limit_take_many(other, &rate, "1", 3, &st));
		assert_false(rate_limit_take_many(other, &rate, "1", 1, &st));
		assert_false(rate_limit_take_many(l, &rate, "1", 21, &st));
		assert_true(st.wait_s > 0);
	}
}

/* Nothing is lost to what was taken ahead. */
static void
an_exact_limit_is_used_up(void **state)
{
	const struct rate rate = { "prefix", 0.001, 1000, .exact = true };
	int i, n = 0;

	for (i = 0; i < 1000; i++) {
		pass(i % 2 == 0 ? 100 : 1100);
		n += take(i % WORKERS, &rate) ? 1 : 0;
	}
	assert_int_equal(n, 1000);
	assert_int_equal(memcached.asked, 1000);
}

static void
numbers_of_others_are_not_believed(void **state)
{
	static const uint64_t numbers[] = { 0, 1, UINT64_MAX, INT64_MAX,
		UINT64_MAX - 100000000 };
	size_t i;

	assert_int_equal(given(100, &ten), 20);
	for (i = 0; i < NELEMS(numbers); i++) {
		pass(60000);
		memcached.number = numbers[i];
		assert_in_range(given(100, &ten), 20, 21);
	}
}

static void
headers_tell_limit_and_rest(void **state)
{
	struct response rs;
	struct rate_state states[2];

	response_init(&rs, a, buf_new(a, 4096), buf_new(a, 4096));
	rate_limit_headers(&rs, states, 0);
	assert_string_equal(rs.head->data, "");
	assert_true(rate_limit_take(workers[0], &ten, "1", &states[0]));
	states[1] = (struct rate_state){ "person", 5, 3, 0, 7 };
	rate_limit_headers(&rs, states, 1);
	assert_string_equal(rs.head->data,
	    "RateLimit-Policy: \"send\";q=20;w=2\r\n"
	    "RateLimit: \"send\";r=19\r\n");
	buf_reset(rs.head);
	rate_limit_headers(&rs, states, 2);
	assert_string_equal(rs.head->data,
	    "RateLimit-Policy: \"send\";q=20;w=2, \"person\";q=5;w=3\r\n"
	    "RateLimit: \"send\";r=19, \"person\";r=0;t=7\r\n"
	    "Retry-After: 7\r\n");
}

static void
limits_that_cannot_be_kept_are_told(void **state)
{
	assert_true(rate_is_sane(1, 1));
	assert_true(rate_is_sane(1e6, 1e8));
	assert_true(rate_is_sane(1e-4, 1));
	assert_false(rate_is_sane(0, 1));
	assert_false(rate_is_sane(-1, 1));
	assert_false(rate_is_sane(1, 0));
	assert_false(rate_is_sane(1, 1e8));
	assert_false(rate_is_sane(2e6, 1));
	assert_false(rate_is_sane(1, 0.0 / 0.0));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_burst_and_then_the_rate),
		T(over_time_no_more_than_the_limit),
		T(far_from_the_limit_few_ask),
		T(who_is_refused_asks_nobody),
		T(without_memcached_each_has_its_share),
		T(many_at_once_or_none),
		T(an_exact_limit_is_used_up),
		T(numbers_of_others_are_not_believed),
		T(headers_tell_limit_and_rest),
		T(limits_that_cannot_be_kept_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
