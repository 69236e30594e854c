/*
 * test_js.c - strict JSON: what is taken, what is refused, and where
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
#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "web/js.h"
#include "web/js_read.h"

enum { DEPTH_MAX = 64 };

/* A text with its length, so that it can hold NUL. */
#define T(s) { (s), sizeof(s) - 1 }

static const struct {
	const char *text;
	size_t len;
} taken[] = {
	T("{}"), T("[]"), T("[[]   ]"), T("[\"\"]"), T("[null, 1, \"1\", {}]"),
	T(" [1] "), T("\t\r\n[1]\n"), T("[false]"), T("[true]"), T("null"),
	T("42"), T("-0.1"), T("\"asd\""), T("true"), T("\"\""),
	T("[1,null,null,null,2]"), T("[123e65]"), T("[0e+1]"), T("[0e1]"),
	T("[ 4]"), T("[-0]"), T("[-123]"), T("[-1]"), T("[1E22]"),
	T("[1E-2]"), T("[1E+2]"), T("[123e45]"), T("[123.456e78]"),
	T("[1e-2]"), T("[1e+2]"), T("[123]"), T("[123.456789]"),
	T("[-0.000000000000000000000000000000000000000000000000000001]"),
	T("[9223372036854775807]"), T("[-9223372036854775808]"),
	T("{\"a\":\"b\", \"c\":\"d\"}"), T("{\"\":0}"),
	T("{\"foo\\u00e9\":1}"), T("[\"\\u0060\\u012a\\u12AB\"]"),
	T("[\"\\uD801\\udc37\"]"), T("[\"\\ud83d\\ude39\\ud83d\\udc8d\"]"),
	T("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"), T("[\"\\\\u0000\"]"),
	T("[\"\\\"\"]"), T("[\"a/*b*/c/*d//e\"]"), T("[\"\\\\a\"]"),
	T("[\"\\u0012\"]"), T("[\"\\uFFFF\"]"), T("[\"\xf4\x8f\xbf\xbf\"]"),
	T("[\"\x7f\"]"), T("[\"\xe2\x80\xa8\"]"), T("[\"[[[[{{{{\"]"),
	T("[\"\xe2\x82\xac\xf0\x9d\x84\x9e\"]"), T("[\"new\\u000Aline\"]"),
	T("[\"\\uDBFF\\uDFFE\"]"), T("{\"min\":-1.0e+28,\"max\":1.0e+28}"),
}, refused[] = {
	T(""), T(" "), T("\xef\xbb\xbf{}"), T("\xef\xbb\xbf"), T("["), T("]"),
	T("[1 true]"), T("[\"\": 1]"), T("[\"\"],"), T("[,1]"), T("[1,,2]"),
	T("[\"x\",,]"), T("[\"x\"]]"), T("[\"\",]"), T("[\"x\""), T("[x"),
	T("[3[4]]"), T("[1:2]"), T("[,]"), T("[-]"), T("[   , \"\"]"),
	T("[1,]"), T("[1,\n1\n,1"), T("[*]"), T("[1,{}"), T("[fals]"),
	T("[nul]"), T("[tru]"), T("[NaN]"), T("[Infinity]"), T("[-Infinity]"),
	T("[+1]"), T("[++1]"), T("[+Inf]"), T("[-01]"), T("[-1.0.]"),
	T("[-2.]"), T("[.-1]"), T("[.2e-3]"), T("[0.1.2]"), T("[0.3e+]"),
	T("[0.3e]"), T("[0.e1]"), T("[0E+]"), T("[0e]"), T("[1.0e+]"),
	T("[1.0e-]"), T("[1.0e]"), T("[1 000.0]"), T("[1eE2]"), T("[2.e+3]"),
	T("[9.e+]"), T("[1+2]"), T("[0x1]"), T("[0x42]"), T("[- 1]"),
	T("[-012]"), T("[-.123]"), T("[-1x]"), T("[1a]"), T("[1e1\xe5]"),
	T("[012]"), T("[1.]"), T("[.123]"), T("[1e400]"),
	T("[9223372036854775808]"), T("[-9223372036854775809]"),
	T("[123123123123123123123123]"), T("[1.2a-3]"), T("{\"x\", null}"),
	T("{\"x\"::\"b\"}"), T("{\"a\":\"a\" 123}"), T("{key: 'value'}"),
	T("{\"\xb9\":\"0\",}"), T("{\"a\" b}"), T("{:\"b\"}"),
	T("{\"a\" \"b\"}"), T("{\"a\":"), T("{\"a\""), T("{1:1}"),
	T("{null:null,null:null}"), T("{\"id\":0,,,,,}"), T("{'a':0}"),
	T("{\"id\":0,}"), T("{\"a\":\"b\"}/**/"), T("{\"a\":\"b\"}//"),
	T("{\"a\":\"b\",,\"c\":\"d\"}"), T("{a: \"b\"}"), T("{\"a\":\"a"),
	T("{ \"foo\" : \"bar\", \"a\" }"), T("{\"a\":\"b\"}#"), T("[\"\\uD800\\\"]"),
	T("[\"\\uD800\\u\"]"), T("[\"\\uD800\\u1\"]"), T("[\"\\uD800\\u1x\"]"),
	T("[\"\\uD800\"]"), T("[\"\\uDd1e\\uD834\"]"), T("[\"\\uDFAA\"]"),
	T("[\"\\u00A\"]"), T("[\"\\\xf0\x9f\x8c\x80\"]"), T("[\"\\\"]"),
	T("[\"\\x00\"]"), T("[\"\\\\\\\"]"), T("[\"\\\t\"]"), T("[\"\\a\"]"),
	T("[\"\\uqqqq\"]"), T("[\"\\u0000\"]"), T("{\"\\u0000\":0}"),
	T("['single']"), T("abc"), T("[\"\\"), T("[\"a\0a\"]"), T("{}\0"),
	T("\0"), T("[\"new\nline\"]"), T("[\"\t\"]"), T("\"\\UA66D\""),
	T("[\"\xff\"]"), T("[\"\xe0\x80\xaf\"]"), T("[\"\xc0\xaf\"]"),
	T("[\"\xed\xa0\x80\"]"), T("[\"\xf4\xbf\xbf\xbf\"]"), T("[\"\x80\"]"),
	T("[\"\xf8\x88\x80\x80\x80\"]"), T("[\xe5]"), T("\xff\xfe[\0\"\0"),
	T("\"x"), T("<null>"), T("[True]"), T("1]"), T("{\"x\": true,"),
	T("[][]"), T("[1]x"), T("{}}"), T("{\"\":"), T("{\"a\":1 \"b\":2}"),
	T("[\xc3\xa5]"), T("{\"asd\":\"asd\""), T("\xc3\xa5"), T("[\xe2\x81\xa0]"),
	T("[\x0c]"), T("{\"a\":1,\"a\":1}"), T("{\"a\":1,\"\\u0061\":2}"),
	T("[{\"b\":{\"c\":1,\"c\":2}}]"), T("/"), T("//\n{}"),
};

/* What is read fast is what jansson reads, and never what it refuses. */
static void
fast_reading_is_no_different(void **state)
{
	static const char *const fast[] = { "{\"a\":[1,-2.5,true,null]}",
		"[\"\\u00e9\\ud83d\\ude39 \\\"x\\\\\"]", "0.1", "-0.0",
		"123456789012345", "12345.6789012345", "[ { } , [ ] ]",
		"\"\xe2\x82\xac\"" };
	const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY;
	struct arena *a = arena_new(1024);
	json_t *json, *want;
	size_t i;

	for (i = 0; i < NELEMS(taken); i++) {
		json = js_read(a, taken[i].text, taken[i].len, DEPTH_MAX);
		want = json_loadb(taken[i].text, taken[i].len, flags, NULL);
		assert_true(json == NULL || json_equal(json, want));
		json_decref(json);
		json_decref(want);
	}
	for (i = 0; i < NELEMS(refused); i++)
		assert_null(js_read(
		    a, refused[i].text, refused[i].len, DEPTH_MAX));
	for (i = 0; i < NELEMS(fast); i++) {
		json = js_read(a, fast[i], strlen(fast[i]), DEPTH_MAX);
		want = json_loads(fast[i], flags, NULL);
		assert_non_null(json);
		assert_true(json_equal(json, want));
		json_decref(json);
		json_decref(want);
	}
	arena_free(&a);
}

static void
json_is_taken_or_refused(void **state)
{
	struct arena *a = arena_new(1024);
	struct err e;
	json_t *json;
	size_t i;

	for (i = 0; i < NELEMS(taken); i++)
		if (js_parse(a, taken[i].text, taken[i].len, DEPTH_MAX, &json,
		        &e) != 0)
			fail_msg("refused %s: %s", taken[i].text, e.text);
	for (i = 0; i < NELEMS(refused); i++) {
		err_clear(&e);
		if (js_parse(a, refused[i].text, refused[i].len, DEPTH_MAX,
		        &json, &e) == 0)
			fail_msg("took %s", refused[i].text);
		assert_int_equal(e.kind, ERR_INVALID);
	}
	arena_free(&a);
}

static void
numbers_are_exact(void **state)
{
	struct arena *a = arena_new(1024);
	struct err e;
	json_t *json;

	assert_int_equal(js_parse(a, "9007199254740993", 16, 1, &json, &e), 0);
	assert_true(json_integer_value(json) == INT64_C(9007199254740993));
	assert_int_equal(js_parse(a, "1.5", 3, 1, &json, &e), 0);
	assert_true(json_real_value(json) == 1.5);
	arena_free(&a);
}

static void
nesting_ends_at_the_limit(void **state)
{
	static const char *const marks[][2] = { { "[", "]" },
		{ "{\"a\":", "}" } };
	struct arena *a = arena_new(1024);
	struct buf *b = buf_new(a, 65536);
	struct err e;
	json_t *json;
	size_t m, depth, i;
	int want;

	for (m = 0; m < 2; m++) {
		for (depth = DEPTH_MAX; depth <= DEPTH_MAX + 1; depth++) {
			buf_reset(b);
			for (i = 0; i < depth; i++)
				buf_puts(b, marks[m][0]);
			if (m == 1)
				buf_puts(b, "1");
			for (i = 0; i < depth; i++)
				buf_puts(b, marks[m][1]);
			want = depth <= DEPTH_MAX ? 0 : -1;
			assert_int_equal(js_parse(a, b->data, b->len, DEPTH_MAX,
			                     &json, &e),
			    want);
		}
		assert_non_null(strstr(e.text, "nested too deep"));
	}
	buf_reset(b);
	for (i = 0; i < 60000; i++)
		buf_putc(b, '[');
	assert_int_equal(js_parse(a, b->data, b->len, DEPTH_MAX, &json, &e), -1);
	arena_free(&a);
}

static void
faults_name_their_place(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "{\n  \"a\": 1,\n  \"b\" 2\n}",
		    "line 3, column 8: a syntax error" },
		{ "{\"a\":1,\"a\":2}", "a member stands twice in one object" },
		{ "[1", "it ends too early" },
		{ "[1] 2", "something follows after its end" },
		{ "[\"\xc3\xa9\xc3\xa9\", x]", "line 1, column 9" },
		{ "[\"\\u0000\"]", "\\u0000 is not allowed" },
		{ "[99999999999999999999]", "a number is too large" },
		{ "[\"\xff\"]", "the text is not UTF-8" },
	};
	struct arena *a = arena_new(1024);
	struct err e;
	json_t *json;
	size_t i;

	for (i = 0; i < NELEMS(cases); i++) {
		assert_int_equal(js_parse(a, cases[i].text,
		                     strlen(cases[i].text), DEPTH_MAX, &json,
		                     &e),
		    -1);
		if (strstr(e.text, cases[i].want) == NULL)
			fail_msg("%s: %s", cases[i].text, e.text);
	}
	arena_free(&a);
}

static void
texts_are_written_as_json(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "\"\"" },
		{ "abc", "\"abc\"" },
		{ "a\"b\\c", "\"a\\\"b\\\\c\"" },
		{ "a\r\n\x01", "\"a\\u000d\\n\\u0001\"" },
		{ "\xc3\xa9\xe2\x82\xac", "\"\xc3\xa9\xe2\x82\xac\"" },
		{ "a\xff" "b\xc3", "\"a\xef\xbf\xbd" "b\xef\xbf\xbd\"" },
	};
	struct arena *a = arena_new(1024);
	struct buf *b = buf_new(a, 1024);
	struct err e;
	json_t *json;
	size_t i;

	for (i = 0; i < NELEMS(cases); i++) {
		buf_reset(b);
		js_write_text(b, cases[i].text);
		assert_string_equal(b->data, cases[i].want);
		assert_int_equal(js_parse(a, b->data, b->len, 1, &json, &e), 0);
	}
	arena_free(&a);
}

/* The examples of RFC 7396, appendix A. */
static void
patches_merge_as_the_rfc_has_it(void **state)
{
	static const char *const cases[][3] = {
		{ "{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
		{ "{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}" },
		{ "{\"a\":\"b\"}", "{\"a\":null}", "{}" },
		{ "{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}" },
		{ "{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
		{ "{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}" },
		{ "{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}",
		    "{\"a\":{\"b\":\"d\"}}" },
		{ "{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}" },
		{ "[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]" },
		{ "{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]" },
		{ "{\"a\":\"foo\"}", "null", "null" },
		{ "{\"a\":\"foo\"}", "\"bar\"", "\"bar\"" },
		{ "{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}" },
		{ "[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}" },
		{ "{}", "{\"a\":{\"bb\":{\"ccc\":null}}}",
		    "{\"a\":{\"bb\":{}}}" },
	};
	struct arena *a = arena_new(1024);
	struct buf *b = buf_new(a, 1024);
	json_t *v[2];
	struct err e;
	size_t i;

	for (i = 0; i < NELEMS(cases); i++) {
		assert_int_equal(js_parse(a, cases[i][0], strlen(cases[i][0]),
		                     9, &v[0], &e),
		    0);
		assert_int_equal(js_parse(a, cases[i][1], strlen(cases[i][1]),
		                     9, &v[1], &e),
		    0);
		buf_reset(b);
		js_write(b, js_merge_patch(a, v[0], v[1]));
		assert_string_equal(b->data, cases[i][2]);
	}
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fast_reading_is_no_different),
		cmocka_unit_test(json_is_taken_or_refused),
		cmocka_unit_test(numbers_are_exact),
		cmocka_unit_test(nesting_ends_at_the_limit),
		cmocka_unit_test(faults_name_their_place),
		cmocka_unit_test(texts_are_written_as_json),
		cmocka_unit_test(patches_merge_as_the_rfc_has_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
