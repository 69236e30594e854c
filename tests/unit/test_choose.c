/*
 * test_choose.c - which account of a channel sends a delivery
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "db/db.h"
#include "notify/book.h"
#include "notify/choose.h"
#include "notify/health.h"
#include "notify/work.h"
#include "provider/provider.h"

enum { DRAWS = 20000 };

static const struct provider_ops email = { .channel = CHANNEL_EMAIL };
static const struct provider_ops sms = { .channel = CHANNEL_SMS };
static struct provider list[4];
static const struct provider *order[4];
static struct page page;

static void
set(int i, const struct provider_ops *ops, int priority, int weight)
{
	list[i] = (struct provider){ .id = { uuid_make() }, .ops = ops,
		.enabled = true, .priority = priority, .weight = weight };
	list[i].account = list[i].id;
	order[i] = &list[i];
	page.providers = order;
	page.provider_count = (size_t)i + 1;
}

static struct choice
choose(struct delivery_id id, int failovers, const struct health *h)
{
	struct choose_params p = { .page = &page, .health = h,
		.channel = CHANNEL_EMAIL, .delivery = id, .failovers = failovers,
		.now_ms = clock_wall_ms() };

	return choose_provider(&p);
}

/* How often each account is the first. */
static void
count_first(int counts[4], const struct health *h)
{
	struct choice c;
	int i;

	memset(counts, 0, 4 * sizeof(counts[0]));
	for (i = 0; i < DRAWS; i++) {
		c = choose((struct delivery_id){ uuid_make() }, 0, h);
		counts[c.provider - list]++;
	}
}

static void
the_lowest_priority_goes_first(void **state)
{
	struct delivery_id id = { uuid_make() };
	struct choice c;

	set(0, &sms, 1, 1);
	set(1, &email, 5, 1);
	set(2, &email, 9, 1000);
	c = choose(id, 0, NULL);
	assert_ptr_equal(c.provider, &list[1]);
	assert_int_equal(c.usable, 2);
	assert_true(c.others);
	c = choose(id, 1, NULL);
	assert_ptr_equal(c.provider, &list[2]);
	assert_false(c.others);
	assert_ptr_equal(choose(id, 2, NULL).provider, &list[1]);
	list[1].enabled = false;
	assert_ptr_equal(choose(id, 0, NULL).provider, &list[2]);
	list[2].enabled = false;
	assert_null(choose(id, 0, NULL).provider);
}

static bool
is_short(const char *address)
{
	return strlen(address) < 4;
}

static void
an_account_gets_only_addresses_of_its_form(void **state)
{
	static const struct provider_ops choosy = { .channel = CHANNEL_EMAIL,
		.takes = is_short };
	struct choose_params p = { .page = &page, .channel = CHANNEL_EMAIL };

	set(0, &choosy, 1, 1);
	set(1, &email, 5, 1);
	p.address = "abc";
	assert_ptr_equal(choose_provider(&p).provider, &list[0]);
	p.address = "abcd";
	assert_ptr_equal(choose_provider(&p).provider, &list[1]);
	assert_int_equal(choose_provider(&p).usable, 1);
	set(0, &choosy, 1, 1);
	assert_null(choose_provider(&p).provider);
}

static void
equals_are_drawn_by_weight_and_always_the_same(void **state)
{
	struct delivery_id id = { uuid_make() };
	int counts[4];

	set(0, &email, 1, 3);
	set(1, &email, 1, 1);
	set(2, &email, 1, 0);
	count_first(counts, NULL);
	assert_in_range(counts[0], DRAWS * 72 / 100, DRAWS * 78 / 100);
	assert_int_equal(counts[2], 0);
	assert_int_equal(counts[0] + counts[1], DRAWS);
	assert_ptr_equal(choose(id, 0, NULL).provider,
	    choose(id, 0, NULL).provider);
	assert_ptr_not_equal(choose(id, 0, NULL).provider,
	    choose(id, 1, NULL).provider);
}

static bool
tell(struct health *h, struct arena *a, struct db_batch *b,
    const struct result *r)
{
	struct health_notes notes;

	health_note_add(h, a, b, r, 3, &notes);
	return notes.count > 0;
}

static void
an_account_that_failed_comes_back_slowly(void **state)
{
	struct arena *a = arena_new(4096);
	struct health *h = health_new(a, 60000);
	struct result failed = { .tenant = { 1 }, .failover = true };
	struct db_batch *b = db_batch_new(a, failed.tenant, DB_ONE);
	int counts[4], after[4];

	set(0, &email, 1, 1);
	set(1, &email, 1, 1);
	failed.provider = failed.account = list[0].id;
	failed.owner = failed.tenant;
	failed.verdict.class = VERDICT_RETRY;
	assert_true(tell(h, a, b, &failed));
	assert_int_equal(db_batch_size(b), 1);
	count_first(counts, h); /* 0.5 to 1 */
	assert_in_range(counts[0], DRAWS * 30 / 100, DRAWS * 37 / 100);
	clock_shift_for_test(60000, 0);
	count_first(after, h); /* 0.75 to 1 */
	assert_in_range(after[0], DRAWS * 40 / 100, DRAWS * 46 / 100);
	clock_shift_for_test(3600000, 0);
	count_first(after, h);
	assert_in_range(after[0], DRAWS * 47 / 100, DRAWS * 53 / 100);
	clock_shift_for_test(-3660000, 0);
	arena_free(&a);
}

static void
success_is_told_after_trouble_alone(void **state)
{
	struct arena *a = arena_new(4096);
	struct health *h = health_new(a, 60000);
	struct result r = { .tenant = { 1 } };
	struct db_batch *b = db_batch_new(a, r.tenant, DB_ONE);

	set(0, &email, 1, 1);
	r.provider = r.account = list[0].id;
	r.owner = r.tenant;
	r.verdict.class = VERDICT_ACCEPTED;
	assert_false(tell(h, a, b, &r));
	r.verdict.class = VERDICT_BAD_CREDENTIAL;
	assert_true(tell(h, a, b, &r));
	assert_int_equal(health_find(h, list[0].id)->refusals, 1);
	r.verdict.class = VERDICT_ACCEPTED;
	assert_true(tell(h, a, b, &r));
	assert_int_equal(health_find(h, list[0].id)->refusals, 0);
	assert_false(tell(h, a, b, &r));
	assert_true(health_is_usable(h, list[0].id, clock_wall_ms()));
	arena_free(&a);
}

/* "In a row": what is refused beside what is accepted is not. */
static void
refusals_beside_successes_do_not_add_up(void **state)
{
	struct arena *a = arena_new(4096);
	struct health *h = health_new(a, 60000);
	struct result r[4] = { { .tenant = { 1 } } };
	struct db_batch *b = db_batch_new(a, r[0].tenant, DB_ONE);
	size_t i, well;

	set(0, &email, 1, 1);
	for (well = 0; well < NELEMS(r); well++) {
		for (i = 0; i < NELEMS(r); i++) {
			r[i] = (struct result){ .tenant = { 1 }, .owner = { 1 },
				.provider = list[0].id, .account = list[0].id,
				.next = i + 1 < NELEMS(r) ? &r[i + 1] : NULL };
			r[i].verdict.class = i == well ? VERDICT_ACCEPTED
			                               : VERDICT_BAD_CREDENTIAL;
		}
		assert_true(tell(h, a, b, r));
		assert_int_equal(health_find(h, list[0].id)->refusals, 0);
	}
	r[NELEMS(r) - 1].verdict.class = VERDICT_BAD_CREDENTIAL;
	assert_true(tell(h, a, b, r));
	assert_int_equal(health_find(h, list[0].id)->refusals, NELEMS(r));
	arena_free(&a);
}

/* What the platform's account did is told in the platform's name, in the same transaction. */
static void
accounts_of_the_platform_are_told_apart(void **state)
{
	struct arena *a = arena_new(4096);
	struct health *h = health_new(a, 60000);
	struct result shared = { .tenant = { 1 }, .owner = TENANT_PLATFORM,
		.provider = { uuid_make() }, .account = { uuid_make() } };
	struct result own = { .next = &shared, .tenant = { 1 }, .owner = { 1 },
		.provider = { uuid_make() } };
	struct db_batch *b = db_batch_new(a, own.tenant, DB_ONE);
	struct health_notes notes;

	(void)state;
	own.account = own.provider;
	own.verdict.class = shared.verdict.class = VERDICT_BAD_CREDENTIAL;
	health_note_add(h, a, b, &own, 3, &notes);
	assert_int_equal(notes.count, 2);
	assert_int_equal(notes.list[0].owner.n, 1);
	assert_int_equal(notes.list[0].place, 0);
	assert_int_equal(notes.list[1].owner.n, TENANT_PLATFORM.n);
	assert_int_equal(notes.list[1].place, 2);
	assert_int_equal(db_batch_size(b), 4);
	assert_int_equal(health_find(h, shared.account)->refusals, 1);
	assert_null(health_find(h, shared.provider));
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lowest_priority_goes_first),
		cmocka_unit_test(an_account_gets_only_addresses_of_its_form),
		cmocka_unit_test(equals_are_drawn_by_weight_and_always_the_same),
		cmocka_unit_test(an_account_that_failed_comes_back_slowly),
		cmocka_unit_test(success_is_told_after_trouble_alone),
		cmocka_unit_test(refusals_beside_successes_do_not_add_up),
		cmocka_unit_test(accounts_of_the_platform_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
