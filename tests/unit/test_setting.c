/*
 * test_setting.c - settings of providers, from the command line into sealed
 * columns
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "ctl/setting.h"
#include "web/field.h"

struct inner {
	struct field_mask mask;
	const char *id;
	bool deep;
};
struct outer {
	struct field_mask mask;
	const char *host;
	int64_t port;
	bool tls;
	const char **names;
	size_t names_count;
	int64_t *numbers;
	size_t numbers_count;
	json_t *extra;
	struct inner *inner;
};
static const struct field inner_fields[] = {
	FIELD(struct inner, id, TEXT),
	FIELD(struct inner, deep, BOOL),
};
static const struct field_table inner_table = FIELD_TABLE("Inner",
    struct inner, inner_fields, "Inner.");
static const struct field outer_fields[] = {
	FIELD(struct outer, host, TEXT),
	FIELD(struct outer, port, INT),
	FIELD(struct outer, tls, BOOL),
	FIELD_LIST(struct outer, names, TEXT),
	FIELD_LIST(struct outer, numbers, INT),
	FIELD(struct outer, extra, JSON),
	FIELD_SUB(struct outer, inner, &inner_table),
};
static const struct field_table outer_table = FIELD_TABLE("Outer",
    struct outer, outer_fields, "Outer.");

static struct arena *a;

static void
texts_become_values(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "host=mx.example.org", "{\"host\":\"mx.example.org\"}" },
		{ "host=a=b", "{\"host\":\"a=b\"}" },
		{ "host=", "{\"host\":\"\"}" },
		{ "port=587", "{\"port\":587}" },
		{ "port=-1", "{\"port\":-1}" },
		{ "port=58x", "{\"port\":\"58x\"}" },
		{ "port=", "{\"port\":\"\"}" },
		{ "port=99999999999999999999", "{\"port\":\"99999999999999999999\"}" },
		{ "tls=yes", "{\"tls\":true}" },
		{ "tls=off", "{\"tls\":false}" },
		{ "tls=maybe", "{\"tls\":\"maybe\"}" },
		{ "names=a", "{\"names\":[\"a\"]}" },
		{ "names=a,b", "{\"names\":[\"a\",\"b\"]}" },
		{ "names=", "{\"names\":[]}" },
		{ "numbers=1,x", "{\"numbers\":[1,\"x\"]}" },
		{ "extra={\"a\": [1]}", "{\"extra\":{\"a\":[1]}}" },
		{ "extra=x", "{\"extra\":\"x\"}" },
		{ "inner.id=x", "{\"inner\":{\"id\":\"x\"}}" },
		{ "inner.deep=true", "{\"inner\":{\"deep\":true}}" },
		{ "inner={\"id\": \"y\"}", "{\"inner\":{\"id\":\"y\"}}" },
	};
	size_t i;

	for (i = 0; i < NELEMS(cases); i++) {
		json_t *settings = json_object();
		struct err e;
		char *got;

		if (setting_set(a, &outer_table, settings, cases[i].text, &e) ==
		    -1)
			fail_msg("%s: %s", cases[i].text, e.text);
		got = json_dumps(settings, JSON_COMPACT);
		assert_string_equal(got, cases[i].want);
		free(got);
		json_decref(settings);
	}
}

static void
unknown_settings_are_refused(void **state)
{
	static const char *const texts[] = { "hsot=x", "host.x=y", "inner.no=x",
		"inner.=x", "=x", ".id=x", "host" };
	json_t *settings = json_object();
	struct err e;
	size_t i;

	for (i = 0; i < NELEMS(texts); i++)
		assert_int_equal(
		    setting_set(a, &outer_table, settings, texts[i], &e), -1);
	assert_int_equal(json_object_size(settings), 0);
	json_decref(settings);
}

static void
settings_can_be_taken_away(void **state)
{
	json_t *settings = json_pack("{s:s, s:{s:s}}", "host", "x", "inner", "id",
	    "y");
	struct err e;

	assert_int_equal(setting_unset(&outer_table, settings, "inner.id", &e), 0);
	assert_int_equal(setting_unset(&outer_table, settings, "host", &e), 0);
	assert_int_equal(setting_unset(&outer_table, settings, "port", &e), 0);
	assert_int_equal(setting_unset(&outer_table, settings, "nothing", &e), -1);
	assert_null(json_object_get(settings, "host"));
	assert_int_equal(json_object_size(json_object_get(settings, "inner")), 0);
	json_decref(settings);
	settings = json_object();
	assert_int_equal(setting_unset(&outer_table, settings, "inner.id", &e), 0);
	assert_int_equal(json_object_size(settings), 0);
	json_decref(settings);
}

static int
setup(void **state)
{
	a = arena_new(4096);
	return 0;
}

static int
teardown(void **state)
{
	arena_free(&a);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_become_values),
		cmocka_unit_test(unknown_settings_are_refused),
		cmocka_unit_test(settings_can_be_taken_away),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
