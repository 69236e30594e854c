/*
 * test_hook_events.c - forms that providers post, and how events reach the spooler
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
#include "base/compiler.h"
#include "base/uuid.h"
#include "provider/hook.h"
#include "web/field.h"

#define N "0193e2c4-0000-7000-8000-000000000001"

static struct arena *arena;

static int
setup(void **state)
{
	arena = arena_new(4096);
	return 0;
}

static int
teardown(void **state)
{
	arena_free(&arena);
	return 0;
}

static void
forms_that_are_none_are_refused(void **state)
{
	static const char *const bad[] = { "a=%", "a=%4", "a=%zz", "%00=1",
		"a=1&b=2&c=3&d=4" };
	struct field_param *list;
	size_t i, count;

	for (i = 0; i < NELEMS(bad); i++)
		assert_int_equal(hook_form_parse(arena, bad[i], strlen(bad[i]),
		                     3, &list, &count), -1);
	assert_int_equal(hook_form_parse(arena, "&&a&=b&", 7, 3, &list, &count),
	    0);
	assert_int_equal(count, 2);
	assert_string_equal(list[0].name, "a");
	assert_string_equal(list[1].value, "b");
}

static void
events_come_through_as_they_were(void **state)
{
	struct hook_event ev = { .what = HOOK_FAILED, .provider_ref = "r",
		.class = VERDICT_BAD_MESSAGE, .at_ms = 5, .code = "c",
		.text = "t\xff", .suppress = SUPPRESSION_OPT_OUT,
		.for_sender = true, .by_category = true, .address = "a",
		.id = "i" };
	struct hook_events back = { .count = 0 };
	json_t *json;

	assert_int_equal(uuid_parse(N, &ev.notification.u), 0);
	json = hook_events_write(&ev, 1);
	json_array_append_new(json, json_pack("{s:s}", "what", "nothing"));
	json_array_append_new(json, json_null());
	hook_events_read(arena, json, &back);
	json_decref(json);
	assert_int_equal(back.count, 1);
	assert_int_equal(back.list[0].what, HOOK_FAILED);
	assert_int_equal(uuid_cmp(&back.list[0].notification.u,
	                     &ev.notification.u), 0);
	assert_true(uuid_is_nil(&back.list[0].delivery.u));
	assert_string_equal(back.list[0].provider_ref, "r");
	assert_int_equal(back.list[0].class, VERDICT_BAD_MESSAGE);
	assert_int_equal(back.list[0].at_ms, 5);
	assert_string_equal(back.list[0].code, "c");
	assert_null(back.list[0].text); /* not UTF-8 */
	assert_int_equal(back.list[0].suppress, SUPPRESSION_OPT_OUT);
	assert_true(back.list[0].for_sender && back.list[0].by_category);
	assert_string_equal(back.list[0].address, "a");
	assert_string_equal(back.list[0].id, "i");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms_that_are_none_are_refused),
		cmocka_unit_test(events_come_through_as_they_were),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
