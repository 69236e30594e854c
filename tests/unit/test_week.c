/*
 * test_week.c - which partition a notification's id leads to
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/uuid.h"
#include "db/rows.h"
#include "db/week.h"

/* 2026-11-23 and the Monday after it. */
enum { THIS = 2968, NEXT = 2969 };

static void
learn(struct arena *a, const char *const list[], int n)
{
	static char week[] = "week";
	PGresAttDesc column = { .name = week };
	PGresult *res = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	int i;

	assert_true(PQsetResultAttrs(res, 1, &column));
	for (i = 0; i < n; i++)
		assert_true(PQsetvalue(res, i, 0, (char *)(uintptr_t)list[i],
		    (int)strlen(list[i])));
	weeks_learn(rows_wrap(a, res));
}

static struct uuid
id_at(const char *time)
{
	int64_t ms;

	assert_int_equal(clock_parse(time, &ms), 0);
	return uuid_floor(ms);
}

static void
only_known_weeks_are_gone_to(void **state)
{
	static const char *const weeks[] = { "2969", "2968", "2960" };
	struct arena *a = arena_new(1024);
	struct uuid id = id_at("2026-11-26T12:00:00Z"), other;

	assert_int_equal(week_of(&id), 0);
	learn(a, weeks, 3);
	assert_int_equal(week_of(&id), THIS);
	id = id_at("2026-11-23T00:00:00Z");
	assert_int_equal(week_of(&id), THIS);
	id = id_at("2026-11-29T23:59:59.999Z");
	assert_int_equal(week_of(&id), THIS);
	other = id_at("2026-11-30T00:00:00Z");
	assert_int_equal(week_of(&other), NEXT);
	assert_int_equal(week_same(THIS, &id), THIS);
	assert_int_equal(week_same(THIS, &other), 0);
	assert_int_equal(week_same(0, &id), 0);
	id = id_at("2026-11-22T23:59:59.999Z");
	assert_int_equal(week_of(&id), 0);
	id = id_at("1970-01-01T00:00:00Z");
	assert_int_equal(week_of(&id), 0);
	weeks_forget();
	assert_int_equal(week_of(&other), 0);
	arena_free(&a);
}

static void
the_name_is_the_monday(void **state)
{
	char name[WEEK_NAME_BYTES];

	week_name(THIS, name);
	assert_string_equal(name, "_20261123");
	week_name(NEXT, name);
	assert_string_equal(name, "_20261130");
	week_name(0, name);
	assert_string_equal(name, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_known_weeks_are_gone_to),
		cmocka_unit_test(the_name_is_the_monday),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
