/*
 * uuid.c - UUIDv7 (RFC 9562), made here
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Random bits come from a small pool, so most ids cost no system call.  A
 * forked child empties the pool that it inherited.  One thread of a process
 * makes ids.
 */
#include "base/uuid.h"

#include <pthread.h>
#include <sodium.h>
#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/ensure.h"

enum { POOL_WORDS = 256, COUNT_MAX = 0xfff };

static struct {
	uint64_t word[POOL_WORDS];
	size_t left; /* words that were not used yet, from the end */
	bool fork_is_watched;
} pool;

static struct {
	int64_t ms;
	unsigned count;
} last;

static void
forget_after_fork(void)
{
	pool.left = 0;
}

static uint64_t
random_word(void)
{
	if (pool.left == 0) {
		if (!pool.fork_is_watched) {
			ensure(pthread_atfork(NULL, NULL,
			           forget_after_fork) == 0);
			pool.fork_is_watched = true;
		}
		randombytes_buf(pool.word, sizeof(pool.word));
		pool.left = POOL_WORDS;
	}
	return pool.word[--pool.left];
}

/* Moves "last" to the next value.  When the clock stands still or goes back,
 * the counter goes on.  It starts in its lower half, so that it seldom runs
 * over. */
static void
step(void)
{
	int64_t now_ms = clock_wall_ms();

	if (now_ms > last.ms) {
		last.ms = now_ms;
		last.count = (unsigned)(random_word() & (COUNT_MAX >> 1));
	} else if (last.count < COUNT_MAX) {
		last.count++;
	} else {
		last.ms++;
		last.count = (unsigned)(random_word() & (COUNT_MAX >> 1));
	}
}

struct uuid
uuid_make(void)
{
	struct uuid u;
	uint64_t bits;
	int i;

	step();
	for (i = 0; i < 6; i++)
		u.b[i] = (uint8_t)((uint64_t)last.ms >> (40 - 8 * i));
	u.b[6] = (uint8_t)(0x70 | last.count >> 8);
	u.b[7] = (uint8_t)(last.count & 0xff);
	bits = random_word();
	memcpy(u.b + 8, &bits, sizeof(bits));
	u.b[8] = (uint8_t)(0x80 | (u.b[8] & 0x3f));
	return u;
}

static bool
dash_follows(int byte)
{
	return byte == 3 || byte == 5 || byte == 7 || byte == 9;
}

void
uuid_format(const struct uuid *u, char text[static UUID_TEXT_BYTES])
{
	static const char digits[] = "0123456789abcdef";
	char *p = text;
	int i;

	for (i = 0; i < 16; i++) {
		*p++ = digits[u->b[i] >> 4];
		*p++ = digits[u->b[i] & 15];
		if (dash_follows(i))
			*p++ = '-';
	}
	*p = '\0';
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
uuid_parse(const char *text, struct uuid *u_r)
{
	struct uuid u;
	const char *s = text;
	int i, high, low;

	for (i = 0; i < 16; i++) {
		high = hex_value(s[0]);
		if (high < 0)
			return -1;
		low = hex_value(s[1]);
		if (low < 0)
			return -1;
		u.b[i] = (uint8_t)(high << 4 | low);
		s += 2;
		if (dash_follows(i) && *s++ != '-')
			return -1;
	}
	if (*s != '\0')
		return -1;
	*u_r = u;
	return 0;
}

int
uuid_cmp(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a->b, b->b, sizeof(a->b));
}

bool
uuid_is_nil(const struct uuid *u)
{
	static const struct uuid nil;

	return uuid_cmp(u, &nil) == 0;
}

struct uuid
uuid_floor(int64_t ms)
{
	struct uuid u = { { 0 } };
	int i;

	for (i = 5; i >= 0; i--, ms >>= 8)
		u.b[i] = (uint8_t)(ms & 0xff);
	return u;
}

int64_t
uuid_time_ms(const struct uuid *u)
{
	int64_t ms = 0;
	int i;

	for (i = 0; i < 6; i++)
		ms = ms << 8 | u->b[i];
	return ms;
}
