/*
 * test_state.c - the legal moves, here and in the database's triggers
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "notify/state.h"

enum { SQL_MAX = 1 << 20 };

/* All migrations in their order. */
static char *
read_migrations(void)
{
	const char *top = getenv("BELFRY_SRCDIR");
	char pattern[512], *text = calloc(1, SQL_MAX), *end = text;
	glob_t files;
	size_t i;
	FILE *f;

	snprintf(pattern, sizeof(pattern), "%s/sql/migrations/*.sql",
	    top != NULL ? top : ".");
	assert_int_equal(glob(pattern, 0, NULL, &files), 0);
	for (i = 0; i < files.gl_pathc; i++) {
		f = fopen(files.gl_pathv[i], "r");
		assert_non_null(f);
		end += fread(end, 1, SQL_MAX - 1 - (size_t)(end - text), f);
		fclose(f);
	}
	globfree(&files);
	assert_true(end - text > 1000 && end - text < SQL_MAX - 1);
	return text;
}

/* The numbers of a table's trigger as it was made last, as a set of from * 100 + to. */
static void
read_trigger(const char *table, bool moves[10000])
{
	char *text = read_migrations(), *p = NULL, *next, start[128];
	long n;

	snprintf(start, sizeof(start),
	    "TRIGGER legal_move AFTER UPDATE OF state ON %s ", table);
	for (next = strstr(text, start); next != NULL;
	     next = strstr(next + 1, start))
		p = next;
	assert_non_null(p);
	p = strstr(p, "NOT IN (") + strlen("NOT IN (");
	while (*p != ')') {
		n = strtol(p, &p, 10);
		assert_in_range(n, 101, 9999);
		moves[n] = true;
		p += strspn(p, ", \n");
	}
	free(text);
}

static void
the_database_has_the_same_moves_of_deliveries(void **state)
{
	static bool moves[10000];
	int from, to;

	read_trigger("delivery", moves);
	for (from = 1; from < DELIVERY_STATE_COUNT; from++)
		for (to = 1; to < DELIVERY_STATE_COUNT; to++)
			assert_int_equal(delivery_move_is_legal(from, to),
			    moves[from * 100 + to]);
}

static void
the_database_has_the_same_moves_of_notifications(void **state)
{
	static bool moves[10000];
	int from, to;

	read_trigger("notification", moves);
	for (from = 1; from < NOTIFICATION_STATE_COUNT; from++)
		for (to = 1; to < NOTIFICATION_STATE_COUNT; to++)
			assert_int_equal(notification_move_is_legal(from, to),
			    moves[from * 100 + to]);
}

static void
final_states_are_left_by_receipts_and_replays_alone(void **state)
{
	int from, to;

	for (from = 1; from < DELIVERY_STATE_COUNT; from++)
		for (to = 1; to < DELIVERY_STATE_COUNT; to++)
			if (delivery_state_is_final(from) &&
			    delivery_move_is_legal(from, to))
				assert_true(from == DELIVERY_SENT ||
				    from == DELIVERY_DEAD);
}

static void
nothing_outside_of_the_table_is_legal(void **state)
{
	assert_false(delivery_move_is_legal(0, 1));
	assert_false(delivery_move_is_legal(-1, 3));
	assert_false(delivery_move_is_legal(3, DELIVERY_STATE_COUNT));
	assert_false(notification_move_is_legal(0, 0));
	assert_false(delivery_move_is_legal(DELIVERY_SENT, DELIVERY_SENDING));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_database_has_the_same_moves_of_deliveries),
		cmocka_unit_test(
		    the_database_has_the_same_moves_of_notifications),
		cmocka_unit_test(
		    final_states_are_left_by_receipts_and_replays_alone),
		cmocka_unit_test(nothing_outside_of_the_table_is_legal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
