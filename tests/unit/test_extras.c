/*
 * test_extras.c - the helpers that come with the engine, as tables
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
#include <jansson.h>

#include "base/buf.h"
#include "template/hbs.h"
#include "template/hbs_extras.h"

/* A Monday: 2026-11-23T14:32:05Z. */
enum { NOW_S = 1795444325 };

struct test_case {
	const char *source;
	const char *data;
	const char *want; /* the output, or what the error must say */
	const char *locale; /* NULL: "en" */
	const char *zone; /* NULL: "UTC" */
	enum hbs_escape escape;
	int column; /* of the error, in line 1 */
};

static int
render_case(const struct test_case *c, struct buf *out, struct hbs_error *e)
{
	const struct hbs_compile_params params = {
		.flags = HBS_KNOWN_HELPERS_ONLY, .helpers = &hbs_extras };
	const struct hbs_render_params how = { .escape = c->escape,
		.locale = c->locale, .time_zone = c->zone,
		.now_ms = NOW_S * INT64_C(1000) };
	json_t *data = json_loads(c->data, JSON_DECODE_ANY, NULL);
	struct hbs_template *tpl;
	int status;

	assert_non_null(data);
	status = hbs_compile(c->source, strlen(c->source), &params, &tpl, e);
	if (status == 0) {
		status = hbs_render(tpl, data, &how, out, e);
		hbs_free(&tpl);
	}
	json_decref(data);
	return status;
}

static void
check_outputs(const struct test_case *cases, size_t count)
{
	struct hbs_error e;
	struct buf out;
	size_t i;

	for (i = 0; i < count; i++) {
		buf_init(&out, 1 << 16);
		if (render_case(&cases[i], &out, &e) < 0)
			fail_msg("%s: %d:%d: %s", cases[i].source, e.line,
			    e.column, e.text);
		if (strcmp(out.data, cases[i].want) != 0)
			fail_msg("%s with %s:\n got \"%s\"\nwant \"%s\"",
			    cases[i].source, cases[i].data, out.data,
			    cases[i].want);
		buf_done(&out);
	}
}

static void
check_errors(const struct test_case *cases, size_t count)
{
	const struct test_case *c;
	struct hbs_error e;
	struct buf out;
	size_t i;

	for (i = 0; i < count; i++) {
		c = &cases[i];
		buf_init(&out, 1 << 16);
		if (render_case(c, &out, &e) == 0)
			fail_msg("%s: rendered to \"%s\"", c->source, out.data);
		if (strstr(e.text, c->want) == NULL || e.line != 1 ||
		    e.column != c->column)
			fail_msg("%s: got %d:%d: %s", c->source, e.line,
			    e.column, e.text);
		buf_done(&out);
	}
}

static void
the_table_is_in_order(void **state)
{
	size_t i;

	for (i = 1; i < hbs_extras.count; i++)
		assert_true(strcmp(hbs_extras.list[i - 1].name,
		    hbs_extras.list[i].name) < 0);
	for (i = 0; i < hbs_extras.count; i++) {
		assert_true(hbs_extras.list[i].args_max <= HBS_ARGS_MAX);
		assert_true(strlen(hbs_extras.list[i].name) <
		    HBS_HELPER_NAME_MAX);
	}
}

static void
comparisons(void **state)
{
	static const char data[] = "{\"n\":5,\"r\":5.0,\"t\":\"5\",\"s\":\"b\","
	    "\"z\":0,\"e\":\"\",\"f\":false,\"v\":null,\"l\":[1],"
	    "\"big\":9007199254740993,\"amount\":\" 54.80 \"}";
	static const struct test_case cases[] = {
		{ "{{eq n 5}} {{eq n r}} {{eq n t}} {{eq t \"5.0\"}}", data,
			"true true true false" },
		{ "{{eq z e}} {{eq z f}} {{eq e f}} {{eq z v}} {{eq v none}}",
			data, "false false false false true" },
		{ "{{eq l l}} {{eq l 1}} {{ne n 5}} {{ne s \"a\"}}", data,
			"true false false true" },
		{ "{{eq big 9007199254740992}} {{eq big big}}", data,
			"true true" },
		{ "{{lt n 6}} {{lt n 5}} {{le n 5}} {{gt n 4}} {{ge n 6}}",
			data, "true false true true false" },
		{ "{{lt \"a\" s}} {{gt \"bb\" s}} {{le s s}}", data,
			"true true true" },
		{ "{{gt amount 9}} {{gt amount \"9\"}} {{lt amount 54.9}}",
			data, "true true true" },
		{ "{{lt n s}} {{gt n s}} {{lt none 1}} {{ge none none}}", data,
			"false false false false" },
		{ "{{#if (eq s \"b\")}}yes{{else}}no{{/if}}", data, "yes" },
		{ "{{#eq s \"a\"}}yes{{else eq s \"b\"}}b{{else}}no{{/eq}}",
			data, "b" },
		{ "{{^eq s \"a\"}}differs{{/eq}}", data, "differs" },
		{ "{{#gt n 1}}{{../n}}{{n}}{{/gt}}", data, "5" },
	};

	check_outputs(cases, NELEMS(cases));
}

static void
conditions(void **state)
{
	static const char data[] = "{\"n\":5,\"z\":0,\"e\":\"\",\"f\":false,"
	    "\"l\":[],\"s\":\"x\",\"o\":{}}";
	static const struct test_case cases[] = {
		{ "{{and n s}} {{and z s}} {{and n e s}}", data, "x 0 " },
		{ "{{or e z n s}} {{or e l \"last\"}} {{or f z}}", data,
			"5 last 0" },
		{ "{{not n}} {{not z}} {{not l}} {{not o}} {{not none}}", data,
			"false true true false true" },
		{ "{{#if (and n (not e))}}a{{/if}}{{#unless (or e l)}}b"
		  "{{/unless}}", data, "ab" },
		{ "{{#and n s}}a{{else}}b{{/and}}{{#or l e}}a{{else}}b{{/or}}"
		  "{{#not n}}a{{else}}b{{/not}}", data, "abb" },
		{ "{{default e \"you\"}} {{default none \"you\"}} "
		  "{{default z 1}} {{default f 1}} {{default none e s}}", data,
			"you you 0 false x" },
		{ "{{default none \"<\"}}{{{default none \"<\"}}}", data,
			"&lt;<" },
	};

	check_outputs(cases, NELEMS(cases));
}

static void
helpers_do_not_hide_values(void **state)
{
	static const struct test_case cases[] = {
		{ "{{eq}} {{this.not}} {{default}}", "{\"eq\":1,\"not\":2}",
			"1 2 " },
		{ "{{#eq}}{{x}}{{/eq}}", "{\"eq\":{\"x\":1}}", "1" },
		{ "{{#each l as |eq|}}{{eq}}{{/each}}", "{\"l\":[1,2]}", "12" },
	};

	check_outputs(cases, NELEMS(cases));
}

static void
calls_are_checked_when_compiling(void **state)
{
	static const struct test_case cases[] = {
		{ .source = "{{eq a}}", .want = "\"eq\" takes 2 arguments, not 1",
			.column = 3 },
		{ .source = "{{#if (not a b)}}{{/if}}",
			.want = "\"not\" takes one argument, not 2",
			.column = 8 },
		{ .source = "{{or a}}",
			.want = "\"or\" takes 2 to 16 arguments, not 1",
			.column = 3 },
		{ .source = "{{eq a b c=d}}", .want = "\"eq\" knows no \"c=\"",
			.column = 12 },
		{ .source = "{{defualt a b}}", .want = "unknown helper "
			"\"defualt\"; did you mean \"default\"?",
			.column = 3 },
		{ .source = "x {{#iff a}}{{/iff}}",
			.want = "did you mean \"if\"?", .column = 6 },
		{ .source = "{{somethingelse a}}",
			.want = "unknown helper \"somethingelse\"",
			.column = 3 },
		{ .source = "{{#default a b}}{{/default}}",
			.want = "\"default\" takes no block", .column = 4 },
	};
	struct test_case c;
	size_t i;

	for (i = 0; i < NELEMS(cases); i++) {
		c = cases[i];
		c.data = "{}";
		check_errors(&c, 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_in_order),
		cmocka_unit_test(comparisons),
		cmocka_unit_test(conditions),
		cmocka_unit_test(helpers_do_not_hide_values),
		cmocka_unit_test(calls_are_checked_when_compiling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
