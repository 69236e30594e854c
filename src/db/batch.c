/*
 * batch.c - queries and their arguments, gathered for one round trip
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Numbers go as text, which PostgreSQL reads for whatever type the place has; ids,
 * bytes and times (microseconds since 2000) go as they are.
 */
#include "db/batch.h"

#include <endian.h>
#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/ensure.h"

enum { ARRAY_BYTES_MAX = 64 << 20 };

static const int64_t POSTGRES_EPOCH_MS = 946684800000;

struct db_array {
	struct buf *text;
};

struct db_batch *
db_batch_new(struct arena *a, struct tenant_id tenant, enum db_flags flags)
{
	struct db_batch *b = arena_alloc(a, sizeof(*b));

	b->a = a;
	b->tenant = tenant;
	b->flags = flags;
	b->untold = false;
	b->enters = false;
	b->size = 0;
	return b;
}

void
db_batch_untold(struct db_batch *b)
{
	ensure(batch_begins(b));
	b->untold = true;
}

size_t
db_batch_size(const struct db_batch *b)
{
	return b->size;
}

void
db_add(struct db_batch *b, enum query query)
{
	struct db_step *s;
	size_t n = (size_t)query_texts[query].args;

	ensure(b->size < BATCH_STEPS_MAX);
	ensure(b->flags != DB_PLAIN || b->size == 0);
	s = &b->steps[b->size++];
	s->query = query;
	s->week = 0;
	s->count = 0;
	s->values = arena_zalloc(b->a, n, sizeof(*s->values));
	s->lengths = arena_zalloc(b->a, n, sizeof(*s->lengths));
	s->formats = arena_zalloc(b->a, n, sizeof(*s->formats));
}

void
db_add_weekly(struct db_batch *b, enum query query, int week)
{
	ensure(query_texts[query].weekly);
	db_add(b, query);
	b->steps[b->size - 1].week = week;
}

static void
bind(struct db_batch *b, const void *p, size_t n, int format)
{
	struct db_step *s;

	ensure(b->size > 0);
	s = &b->steps[b->size - 1];
	ensure(s->count < query_texts[s->query].args);
	s->values[s->count] = p;
	s->lengths[s->count] = (int)n;
	s->formats[s->count] = format;
	s->count++;
}

void
db_arg_null(struct db_batch *b)
{
	bind(b, NULL, 0, 0);
}

void
db_arg_text(struct db_batch *b, const char *s)
{
	bind(b, s, 0, 0);
}

/* Writes n in decimal so that it ends at "end"; returns where it starts. */
static char *
write_int(char *end, int64_t n)
{
	uint64_t u = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;

	*--end = '\0';
	do {
		*--end = (char)('0' + u % 10);
		u /= 10;
	} while (u > 0);
	if (n < 0)
		*--end = '-';
	return end;
}

void
db_arg_int(struct db_batch *b, int64_t n)
{
	char *text = arena_alloc(b->a, 24);

	bind(b, write_int(text + 24, n), 0, 0);
}

void
db_arg_bool(struct db_batch *b, bool v)
{
	bind(b, v ? "t" : "f", 0, 0);
}

void
db_arg_uuid(struct db_batch *b, const struct uuid *u)
{
	if (u == NULL)
		db_arg_null(b);
	else
		bind(b, arena_memdup(b->a, u->b, sizeof(u->b)), sizeof(u->b), 1);
}

void
db_arg_bytes(struct db_batch *b, const void *p, size_t n)
{
	bind(b, p == NULL && n == 0 ? "" : p, n, 1);
}

void
db_arg_time_ms(struct db_batch *b, int64_t wall_ms)
{
	uint64_t us = (uint64_t)((wall_ms - POSTGRES_EPOCH_MS) * 1000);

	if (wall_ms == 0) {
		db_arg_null(b);
		return;
	}
	us = htobe64(us);
	bind(b, arena_memdup(b->a, &us, sizeof(us)), sizeof(us), 1);
}

struct db_array *
db_array_new(struct arena *a)
{
	struct db_array *v = arena_object(a, struct db_array);

	v->text = buf_new(a, ARRAY_BYTES_MAX);
	buf_putc(v->text, '{');
	return v;
}

static void
array_separate(struct db_array *v)
{
	if (v->text->len > 1)
		buf_putc(v->text, ',');
}

void
db_array_null(struct db_array *v)
{
	array_separate(v);
	buf_puts(v->text, "NULL");
}

void
db_array_text(struct db_array *v, const char *s)
{
	const char *from;

	if (s == NULL) {
		db_array_null(v);
		return;
	}
	array_separate(v);
	buf_putc(v->text, '"');
	for (from = s; *s != '\0'; s++) {
		if (*s != '"' && *s != '\\')
			continue;
		buf_add(v->text, from, (size_t)(s - from));
		buf_putc(v->text, '\\');
		from = s;
	}
	buf_add(v->text, from, (size_t)(s - from));
	buf_putc(v->text, '"');
}

void
db_array_int(struct db_array *v, int64_t n)
{
	char text[24];

	array_separate(v);
	buf_puts(v->text, write_int(text + sizeof(text), n));
}

void
db_array_uuid(struct db_array *v, const struct uuid *u)
{
	char text[UUID_TEXT_BYTES];

	if (u == NULL) {
		db_array_null(v);
		return;
	}
	array_separate(v);
	uuid_format(u, text);
	buf_add(v->text, text, UUID_TEXT_BYTES - 1);
}

void
db_array_time_ms(struct db_array *v, int64_t wall_ms)
{
	char text[CLOCK_TEXT_BYTES];

	if (wall_ms == 0) {
		db_array_null(v);
		return;
	}
	array_separate(v);
	clock_format(wall_ms, text);
	if (strncmp(text, "0000", 4) == 0) /* PostgreSQL calls it 1 BC */
		buf_printf(v->text, "0001%s BC", text + 4);
	else
		buf_puts(v->text, text);
}

void
db_arg_array(struct db_batch *b, const struct db_array *v)
{
	buf_putc(v->text, '}');
	ensure(!buf_overflowed(v->text));
	bind(b, v->text->data, 0, 0);
}
