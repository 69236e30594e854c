/*
 * test_extras_bounds.c - helpers with odd and hostile data
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
#include <time.h>
#include <cmocka.h>
#include <jansson.h>

#include "template/icu_cache.h"
#include "template/markdown_text.h"

#include "render_case.h"

/* Whatever the data are, a part of JSON has the members that its author wrote. */
static void
data_cannot_break_out_of_json(void **state)
{
	static const char *const values[] = { "\"\\\",\\\"x\\\":1,\\\"\"",
		"\"1, \\\"x\\\": 2\"", "\"\\\\\"", "\"\\\\\\\"}\"",
		"[1,\"\\\"]\"]", "{\"x\":\"}\"}", "null", "true", "-1.5",
		"\"\\n\\u0001\\u2028</script>\"", "\"\"", "[]" };
	static const char source[] = "{\"a\":\"{{v}}{{uppercase s}}\",\"b\":{{v}},"
		"\"c\\\"\":{{default s 1}},\"d\":[{{json v}},{{t v v}}],"
		"\"e\":\"{{join l}}{{json v}}{{markdown s}}\","
		"\"f\":{{join l style=\"and\"}},\"g\":{{markdown s}}"
		"{{#*inline \"p\"}}{{s}}\",\"i\":{{s}}{{/inline}},"
		"\"h\":\"{{> p}},\"j\":{{uppercase s}},\"k\":{{{json v}}} }";
	const struct test_case c = { .source = source, .escape =
		HBS_ESCAPE_JSON };
	char data[400];
	struct test_case with = c;
	struct hbs_error e;
	struct buf out;
	json_t *json;
	size_t i;

	for (i = 0; i < NELEMS(values); i++) {
		snprintf(data, sizeof(data), "{\"v\":%s,\"l\":[%s],\"s\":%s}",
		    values[i], values[i], *values[i] == '"' ? values[i] :
		    "\"\"");
		with.data = data;
		buf_init(&out, 1 << 16);
		if (render_case(&with, &out, &e) < 0)
			fail_msg("%s: %s", data, e.text);
		json = json_loads(out.data, JSON_REJECT_DUPLICATES, NULL);
		if (json == NULL)
			fail_msg("%s: %s", data, out.data);
		assert_int_equal(json_object_size(json), 11);
		json_decref(json);
		buf_done(&out);
	}
}

static void
costly_calls_are_bounded(void **state)
{
	static const struct test_case cases[] = {
		{ "{{#each l}}{{number 1 locale=this}}{{/each}}", NULL,
			"too many languages", .column = 14 },
		{ "{{#markdown}}{{s}}{{/markdown}}", NULL,
			"at most 65536 are allowed", .column = 4 },
		{ "{{#each l}}{{#each ../l}}{{#each ../l}}{{date 0}}{{/each}}"
		  "{{/each}}{{/each}}", NULL, "too much to render",
			.column = 42 },
		/* The mark costs as the text does, even where it is not used. */
		{ "{{#each l}}{{truncate \"a\" 2 ellipsis=../s}}{{/each}}", NULL,
			"too much to render", .column = 14 },
	};
	static char data[200000];
	struct test_case c;
	size_t n, i;

	n = (size_t)snprintf(data, sizeof(data), "{\"s\":\"%070000d\",\"l\":[0",
	    1);
	for (i = 0; i < 300; i++)
		n += (size_t)snprintf(data + n, sizeof(data) - n,
		    ",\"en-x-w%zu\"", i);
	snprintf(data + n, sizeof(data) - n, "]}");
	for (i = 0; i < NELEMS(cases); i++) {
		c = cases[i];
		c.data = data;
		check_errors(&c, 1);
	}
}

/* The processor's time, which a busy host does not make longer. */
static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
long_marks_are_counted_once(void **state)
{
	enum { CHARACTERS = 300000 };
	static char data[2 * CHARACTERS + 100];
	const struct test_case c = {
		"{{truncate s 250000 ellipsis=s}}", data, NULL };
	struct hbs_error e;
	struct buf out;
	double began;
	size_t n, i;

	n = (size_t)snprintf(data, sizeof(data), "{\"s\":\"");
	for (i = 0; i < CHARACTERS; i++)
		n += (size_t)snprintf(data + n, sizeof(data) - n, "\u00e4");
	snprintf(data + n, sizeof(data) - n, "\"}");
	buf_init(&out, 4 << 20);
	began = seconds();
	if (render_case(&c, &out, &e) < 0)
		fail_msg("%s", e.text);
	/* A quadratic step would take minutes. */
	assert_true(seconds() - began < 5);
	assert_int_equal(out.len, 2 * CHARACTERS);
	buf_done(&out);
}

static void
long_lists_are_numbered_in_linear_time(void **state)
{
	enum { ENTRIES = 200000 };
	struct buf source, out;
	cmark_node *root;
	double began;
	size_t i;

	buf_init(&source, 4 << 20);
	buf_init(&out, 16 << 20);
	for (i = 0; i < ENTRIES; i++)
		buf_puts(&source, i == 0 ? "7. a\n" : "1. b\n");
	root = cmark_parse_document(source.data, source.len, CMARK_OPT_DEFAULT);
	assert_non_null(root);
	began = seconds();
	markdown_text(&out, root);
	/* A quadratic step would take minutes. */
	assert_true(seconds() - began < 5);
	assert_memory_equal(out.data, "7. a\n8. b\n9. b\n10. b", 20);
	assert_string_equal(out.data + out.len - 9, "200006. b");
	cmark_node_free(root);
	buf_done(&source);
	buf_done(&out);
}

/* Markdown nested as deeply as can be. */
static void
markdown_is_bounded(void **state)
{
	static const char *const pieces[] = { ">", "- ", "> - ", "[", "![",
		"*a ", "a**b", "* a\n ", "[![x](", "<a", "`" };
	static char text[60000];
	struct hbs_compile_params params = { .helpers = &hbs_extras };
	struct hbs_render_params how = { .nodes = 0 };
	struct hbs_template *tpl;
	struct hbs_error e;
	struct buf out;
	json_t *data;
	size_t i, n;

	assert_int_equal(hbs_compile("{{markdown m}}", 14, &params, &tpl, &e),
	    0);
	for (i = 0; i < NELEMS(pieces) * 2; i++) {
		for (n = 0; n + 10 < sizeof(text); n += strlen(text + n))
			snprintf(text + n, 10, "%s", pieces[i / 2]);
		data = json_pack("{s:s}", "m", text);
		how.escape = i % 2 == 0 ? HBS_ESCAPE_HTML : HBS_ESCAPE_NONE;
		buf_init(&out, 8 << 20);
		assert_int_equal(hbs_render(tpl, data, &how, &out, &e), 0);
		buf_done(&out);
		json_decref(data);
	}
	hbs_free(&tpl);
}

/* Any number as a date, a number and an amount: an answer or an error. */
static void
any_number_is_survived(void **state)
{
	static const char *const numbers[] = { "1e308", "-1e308", "1e-320",
		"9223372036854775807", "-9223372036854775808", "1e15",
		"253402300800", "-62135596801", "8.64e15", "\"1e999\"",
		"\"-1e-999\"", "\"99999999999999999999999999\"", "\"NaN\"",
		"\"Infinity\"", "\"-\"", "\".\"", "\"1e\"", "\"0x10\"" };
	char data[100];
	struct test_case c = { .data = data, .source =
		"{{date n}}{{date n \"full\" time=\"full\"}}{{number n}}"
		"{{number n style=\"compact\"}}{{number n style=\"percent\" "
		"digits=20}}{{number n style=\"scientific\"}}"
		"{{currency n \"EUR\"}}{{currency n \"JPY\" minor=true}}"
		"{{plural n one=\"#\" other=\"#\"}}{{eq n 1}}{{lt n 1}}" };
	struct hbs_error e;
	struct buf out;
	size_t i;

	for (i = 0; i < NELEMS(numbers); i++) {
		snprintf(data, sizeof(data), "{\"n\":%s}", numbers[i]);
		buf_init(&out, 1 << 16);
		if (render_case(&c, &out, &e) < 0)
			fail_msg("%s: %s", data, e.text);
		assert_true(out.len > 0);
		buf_done(&out);
	}
}

static void
formatters_are_kept_and_bounded(void **state)
{
	static const struct test_case c = { "{{number 1}} {{date \"now\"}} "
		"{{plural 1 other=\"#\"}}", "{}", "1 Nov 23, 2026 1" };
	char source[100];
	struct test_case many = { .source = source, .data = "{}", .want = "1" };
	unsigned long opened;
	int i;

	check_outputs(&c, 1);
	opened = icu_cache_opened();
	check_outputs(&c, 1);
	assert_int_equal(icu_cache_opened(), opened);
	for (i = 0; i < ICU_CACHE_MAX * 2; i++) {
		snprintf(source, sizeof(source),
		    "{{number 1 locale=\"en-x-v%d\"}}", i);
		check_outputs(&many, 1);
	}
	assert_true(icu_cache_opened() >= opened + ICU_CACHE_MAX * 2);
	check_outputs(&c, 1);
	icu_cache_clear();
	check_outputs(&c, 1);
}

/* ---- t ---------------------------------------------------------------------- */

static struct hbs_template *messages[3];

static int
find_message(void *arg, const char *key, size_t len,
    const struct hbs_template **tpl_r, struct hbs_error *e)
{
	static const char *const keys[] = { "hello", "loop", "items" };
	size_t i;

	for (i = 0; i < NELEMS(keys); i++)
		if (strlen(keys[i]) == len && memcmp(keys[i], key, len) == 0) {
			*tpl_r = messages[i];
			return 1;
		}
	return 0;
}

static void
messages_are_templates(void **state)
{
	static const char *const sources[] = { "<Hello> {{name}}, {{city}}",
		"{{t \"loop\"}}", "{{plural n one=\"# item\" other=\"# items\"}}" };
	static const struct {
		const char *source, *want;
	} cases[] = {
		{ "{{t \"hello\" name=\"A&B\"}}",
			"&lt;Hello&gt; A&amp;B, Graz" },
		{ "{{{t \"hello\" name=\"A&B\"}}}", "<Hello> A&amp;B, Graz" },
		{ "{{uppercase (t \"hello\" name=\"x\")}}",
			"&lt;HELLO&gt; X, GRAZ" },
		{ "{{t key n=2}} {{t \"items\" n=1}}", "2 items 1 item" },
		{ "{{t \"nothing\" \"a default\"}}", "a default" },
		{ "{{t \"loop\"}}", "nested too deeply" },
	};
	const struct hbs_compile_params params = { .helpers = &hbs_extras };
	const struct hbs_render_params how = {
		.calls = { .message = find_message } };
	json_t *data = json_pack("{s:s, s:s}", "key", "items", "city", "Graz");
	struct hbs_template *tpl;
	struct hbs_error e;
	struct buf out;
	size_t i;

	for (i = 0; i < NELEMS(sources); i++)
		assert_int_equal(hbs_compile(sources[i], strlen(sources[i]),
		    &params, &messages[i], &e), 0);
	for (i = 0; i < NELEMS(cases); i++) {
		buf_init(&out, 1 << 16);
		assert_int_equal(hbs_compile(cases[i].source,
		    strlen(cases[i].source), &params, &tpl, &e), 0);
		if (hbs_render(tpl, data, &how, &out, &e) < 0)
			assert_non_null(strstr(e.text, cases[i].want));
		else
			assert_string_equal(out.data, cases[i].want);
		hbs_free(&tpl);
		buf_done(&out);
	}
	for (i = 0; i < NELEMS(sources); i++)
		hbs_free(&messages[i]);
	json_decref(data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(data_cannot_break_out_of_json),
		cmocka_unit_test(costly_calls_are_bounded),
		cmocka_unit_test(long_marks_are_counted_once),
		cmocka_unit_test(long_lists_are_numbered_in_linear_time),
		cmocka_unit_test(markdown_is_bounded),
		cmocka_unit_test(any_number_is_survived),
		cmocka_unit_test(formatters_are_kept_and_bounded),
		cmocka_unit_test(messages_are_templates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
