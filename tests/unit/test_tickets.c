/*
 * test_tickets.c - what a spooler offers is what may be taken
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "net/tickets.h"

static char dir[64], path[80];
static struct arena *a;

/* Time goes by, so that new pages are looked for. */
static void
wait_a_while(void)
{
	clock_shift_for_test(0, 5000);
}

static int
set_up(void **state)
{
	strcpy(dir, "/tmp/blf-tickets-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/bell", dir);
	a = arena_new(4096);
	wait_a_while();
	return 0;
}

static int
tear_down(void **state)
{
	arena_free(&a);
	return 0;
}

static struct tickets *
open_slot(int slot)
{
	struct tickets *t;
	struct err e;

	assert_int_equal(tickets_open(a, path, slot, &t, &e), 0);
	return t;
}

static void
offer(struct tickets *t, const struct uuid *id, int count)
{
	tickets_offer(t, id, count, clock_mono_ms() + 60000);
}

static void
all_or_none(void **state)
{
	struct tickets *t = open_slot(0);
	struct uuid id = uuid_make();
	struct ticket got;

	assert_false(tickets_are_offered(path));
	assert_false(tickets_take(path, 1, &got));
	offer(t, &id, 3);
	assert_true(tickets_are_offered(path));
	assert_false(tickets_take(path, 4, &got));
	assert_true(tickets_take(path, 2, &got));
	assert_int_equal(uuid_cmp(&got.spooler, &id), 0);
	assert_int_equal(got.slot, 0);
	assert_in_range(got.good_until_ms - clock_mono_ms(),
	    TICKET_GOOD_MS - 500, TICKET_GOOD_MS);
	assert_false(tickets_take(path, 2, &got));
	assert_true(tickets_take(path, 1, &got));
	assert_false(tickets_are_offered(path));
}

static void
an_offer_ends(void **state)
{
	struct tickets *t = open_slot(0);
	struct uuid id = uuid_make();
	struct ticket got;

	tickets_offer(t, &id, 3, clock_mono_ms());
	assert_false(tickets_are_offered(path));
	assert_false(tickets_take(path, 1, &got));
	offer(t, &id, 3);
	offer(t, &id, 0);
	assert_false(tickets_take(path, 1, &got));
}

static void
tickets_belong_to_an_id(void **state)
{
	struct uuid first = uuid_make(), second = uuid_make();
	struct tickets *t = open_slot(0);
	struct ticket got;

	offer(t, &first, 5);
	offer(t, &second, 1);
	assert_true(tickets_take(path, 1, &got));
	assert_int_equal(uuid_cmp(&got.spooler, &second), 0);
	assert_false(tickets_take(path, 1, &got));
}

/* Who stops has to know what is still to come for tickets that are taken. */
static void
what_is_not_handed_is_under_way(void **state)
{
	struct tickets *t = open_slot(0);
	struct uuid id = uuid_make();
	struct ticket first, second;

	offer(t, &id, 3);
	assert_false(tickets_are_under_way(t));
	assert_false(tickets_take(path, 4, &first));
	assert_false(tickets_are_under_way(t));
	assert_true(tickets_take(path, 2, &first));
	assert_true(tickets_take(path, 1, &second));
	offer(t, &id, 0);
	assert_true(tickets_are_under_way(t));
	tickets_handed(&first);
	tickets_handed(&first);
	assert_true(tickets_are_under_way(t));
	tickets_handed(&second);
	assert_false(tickets_are_under_way(t));
}

static void
slots_take_turns(void **state)
{
	struct uuid ids[2] = { uuid_make(), uuid_make() };
	struct tickets *t[2] = { open_slot(0), open_slot(1) };
	struct ticket got;
	int i, taken[2] = { 0, 0 };

	for (i = 0; i < 2; i++)
		offer(t[i], &ids[i], 5);
	for (i = 0; i < 4; i++) {
		assert_true(tickets_take(path, 1, &got));
		assert_int_equal(uuid_cmp(&got.spooler, &ids[got.slot]), 0);
		taken[got.slot]++;
	}
	assert_int_equal(taken[0], 2);
	offer(t[0], &ids[0], 0);
	for (i = 0; i < 3; i++) {
		assert_true(tickets_take(path, 1, &got));
		assert_int_equal(got.slot, 1);
	}
	assert_false(tickets_take(path, 1, &got));
}

static void
a_new_spooler_has_a_new_page(void **state)
{
	struct uuid first = uuid_make(), second = uuid_make();
	struct tickets *t = open_slot(0);
	struct ticket got;

	offer(t, &first, 5);
	assert_true(tickets_take(path, 1, &got));
	t = open_slot(0);
	offer(t, &second, 5);
	wait_a_while();
	offer(t, &second, 5);
	assert_true(tickets_take(path, 1, &got));
	assert_int_equal(uuid_cmp(&got.spooler, &second), 0);
}

static void
the_end_of_a_spooler_voids_its_page(void **state)
{
	struct uuid id = uuid_make();

	offer(open_slot(0), &id, 5);
	assert_true(tickets_are_offered(path));
	arena_free(&a);
	assert_false(tickets_are_offered(path));
}

static void
what_is_no_page_is_left_alone(void **state)
{
	char name[96], noise[40];
	struct ticket got;
	FILE *f;

	snprintf(name, sizeof(name), "%s.0.tickets", path);
	memset(noise, 'x', sizeof(noise));
	f = fopen(name, "w");
	assert_non_null(f);
	fwrite(noise, sizeof(noise), 1, f); /* the size of a page */
	fclose(f);
	assert_false(tickets_take(path, 1, &got));
	wait_a_while();
	assert_int_equal(truncate(name, 7), 0);
	assert_false(tickets_take(path, 1, &got));
	wait_a_while();
	unlink(name);
	assert_int_equal(mkdir(name, 0700), 0);
	assert_false(tickets_take(path, 1, &got));
}

/* Many takers, an owner that changes its id all the time: no ticket is taken twice and
 * none names an id that never was. */
enum { TAKERS = 3, TAKES = 20000 };

static int
take_many(const struct uuid *ids, size_t count)
{
	struct ticket got;
	size_t k;
	int i;

	for (i = 0; i < TAKES; i++) {
		if (!tickets_take(path, 1, &got))
			continue;
		for (k = 0; k < count && uuid_cmp(&ids[k], &got.spooler) != 0;)
			k++;
		if (k == count)
			return 1;
	}
	return 0;
}

static void
an_id_is_never_torn(void **state)
{
	struct uuid ids[2] = { { { 0 } }, { { 0 } } };
	struct tickets *t = open_slot(0);
	int i, left = TAKERS, status;

	memset(ids[0].b, 0x11, sizeof(ids[0].b));
	memset(ids[1].b, 0x22, sizeof(ids[1].b));
	offer(t, &ids[0], 5);
	for (i = 0; i < TAKERS; i++)
		if (fork() == 0)
			_exit(take_many(ids, 2));
	for (i = 0; left > 0; i++) {
		offer(t, &ids[i % 2], 5);
		if (waitpid(-1, &status, WNOHANG) <= 0)
			continue;
		assert_int_equal(status, 0);
		left--;
	}
}

static void
a_path_that_cannot_be_is_an_error(void **state)
{
	struct tickets *t;
	struct err e;

	assert_int_equal(tickets_open(a, "/nonexistent/x", 0, &t, &e), -1);
	assert_non_null(strstr(e.text, "could not make"));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(all_or_none),
		TEST(an_offer_ends),
		TEST(what_is_not_handed_is_under_way),
		TEST(tickets_belong_to_an_id),
		TEST(slots_take_turns),
		TEST(a_new_spooler_has_a_new_page),
		TEST(the_end_of_a_spooler_voids_its_page),
		TEST(what_is_no_page_is_left_alone),
		TEST(an_id_is_never_torn),
		TEST(a_path_that_cannot_be_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
