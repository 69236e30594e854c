/*
 * test_hbs.c - Handlebars: what templates render to and how they fail
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

enum { PARTIALS_MAX = 4 };

struct test_case {
	const char *source;
	const char *data;
	const char *want; /* the output, or what the error must say */
	struct {
		const char *name;
		const char *source;
	} partials[PARTIALS_MAX];
	unsigned flags;
	int line; /* of the error */
	int column;
};

/* The templates that a rendering has asked for, by their place in the case. */
struct loaded {
	const struct test_case *c;
	struct hbs_template *tpls[PARTIALS_MAX];
};

static int
load_partial(void *arg, const char *name, size_t len,
    const struct hbs_template **tpl_r, struct hbs_error *e)
{
	struct hbs_compile_params params = { 0 };
	struct loaded *loaded = arg;
	const char *source;
	size_t i;

	params.flags = loaded->c->flags;
	for (i = 0; i < PARTIALS_MAX && loaded->c->partials[i].name; i++) {
		if (strlen(loaded->c->partials[i].name) != len ||
		    memcmp(loaded->c->partials[i].name, name, len) != 0)
			continue;
		source = loaded->c->partials[i].source;
		if (loaded->tpls[i] == NULL &&
		    hbs_compile(source, strlen(source), &params,
		    &loaded->tpls[i], e) < 0)
			return -1;
		*tpl_r = loaded->tpls[i];
		return 1;
	}
	return 0;
}

static int
render_case(const struct test_case *c, struct buf *out, struct hbs_error *e)
{
	struct loaded loaded = { .c = c };
	struct hbs_compile_params params = { .flags = c->flags };
	struct hbs_render_params how = { .calls = {
		.partial = load_partial, .arg = &loaded } };
	json_t *data = json_loads(c->data, JSON_DECODE_ANY, NULL);
	struct hbs_template *tpl;
	int status;
	size_t i;

	assert_non_null(data);
	status = hbs_compile(c->source, strlen(c->source), &params, &tpl, e);
	if (status == 0) {
		status = hbs_render(tpl, data, &how, out, e);
		hbs_free(&tpl);
	}
	for (i = 0; i < PARTIALS_MAX; i++)
		hbs_free(&loaded.tpls[i]);
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
		if (strstr(e.text, c->want) == NULL || e.line != c->line ||
		    e.column != c->column)
			fail_msg("%s: got %d:%d: %s", c->source, e.line,
			    e.column, e.text);
		buf_done(&out);
	}
}

static void
values_are_written_as_javascript_writes_them(void **state)
{
	static const struct test_case cases[] = {
		{ "", "{}", "" },
		{ "plain } text {", "{}", "plain } text {" },
		{ "Hello {{name}}!", "{\"name\":\"Ann\"}", "Hello Ann!" },
		/* An empty name is the context, whatever follows it. */
		{ "{{[]}}{{\"\"}}{{[].b.c}}{{#with a}}{{../[]}}{{/with}}",
			"{\"\":1,\"a\":2}", "[object Object][object Object]"
			"[object Object][object Object]" },
		{ "{{ name }}{{{name}}}{{&name}}", "{\"name\":\"<\"}",
			"&lt;<<" },
		{ "{{a}}", "{\"a\":\"&<>\\\"'`=/\"}",
			"&amp;&lt;&gt;&quot;&#x27;&#x60;&#x3D;/" },
		{ "{{a}}|{{b}}|{{c}}|{{d}}",
			"{\"a\":true,\"b\":false,\"c\":null}", "true|false||" },
		{ "{{a}} {{b}} {{c}} {{d}}",
			"{\"a\":0,\"b\":-7,\"c\":1.50,\"d\":1.0}",
			"0 -7 1.5 1" },
		{ "{{a}} {{b}} {{c}} {{d}}",
			"{\"a\":1e21,\"b\":1e-7,\"c\":123456.789,\"d\":5e-324}",
			"1e+21 1e-7 123456.789 5e-324" },
		{ "{{a}} {{b}} {{c}}",
			"{\"a\":0.1,\"b\":1e20,\"c\":0.000001}",
			"0.1 100000000000000000000 0.000001" },
		{ "{{a}}", "{\"a\":[1,[2,null,\"<\"],{}]}",
			"1,2,,&lt;,[object Object]" },
		{ "{{a}}", "{\"a\":{\"b\":1}}", "[object Object]" },
		{ "{{.}} {{this}}", "\"x\"", "x x" },
		{ "{{.}}", "null", "" },
		{ "{{! a }}{{!-- {{b}} --}}x{{~! ~}}  y", "{}", "xy" },
		{ "{{[a b]}} {{\"a b\"}} {{12}} {{true}}",
			"{\"a b\":1,\"12\":2,\"true\":3}", "1 1 2 3" },
	};

	check_outputs(cases, NELEMS(cases));
}

static void
paths_lead_into_the_data_only(void **state)
{
	static const struct test_case cases[] = {
		{ "{{a.b.c}} {{a/b/c}} {{./a.b.c}} {{this.a.b.c}}",
			"{\"a\":{\"b\":{\"c\":7}}}", "7 7 7 7" },
		{ "{{a.[1]}} {{a.length}} {{a.[2]}}{{a.[01]}}{{a.[-1]}}",
			"{\"a\":[5,6]}", "6 2 " },
		{ "{{a.length}} {{a.[0]}}{{a.[1]}}",
			"{\"a\":\"\\u00e9\\ud83d\\ude00\"}",
			"3 \xC3\xA9\xEF\xBF\xBD" },
		{ "{{x.y.z}}{{a.b.c}}", "{\"a\":1}", "" },
		{ "{{constructor}}{{__proto__}}{{toString}}"
			"{{a.constructor.name}}{{hasOwnProperty}}",
			"{\"a\":[]}", "" },
		{ "{{constructor}}", "{\"constructor\":\"own\"}", "own" },
		{ "{{[this]}} {{a.[../b]}} {{[a.b]}}",
			"{\"this\":1,\"a\":{\"../b\":2},\"a.b\":3}", "1 2 3" },
		{ "{{#with a}}{{b}}{{../c}}{{@root.c}}{{/with}}",
			"{\"a\":{\"b\":1},\"c\":2}", "122" },
		{ "{{#with a}}{{#if b}}{{../c}}{{/if}}{{/with}}",
			"{\"a\":{\"b\":1},\"c\":2}", "2" },
		{ "{{#each a}}{{#each this}}{{../../c}}{{/each}}{{/each}}",
			"{\"a\":[[1,2],[3,4]],\"c\":\"x\"}", "xxxx" },
		/* [3] == 3: no level deeper, as JavaScript sees it. */
		{ "{{#each a}}{{#each this}}{{../c}}{{/each}}{{/each}}",
			"{\"a\":[[3]],\"c\":\"x\"}", "x" },
		{ "{{foo-bar}} {{a:b}} {{$}} {{_}} {{\xC3\xA4}}",
			"{\"foo-bar\":1,\"a:b\":2,\"$\":3,\"_\":4,"
			"\"\\u00e4\":5}", "1 2 3 4 5" },
		{ "{{lookup a \"b\"}}{{lookup c 1}}{{lookup a k}}{{lookup n 1}}",
			"{\"a\":{\"b\":1,\"z\":9},\"c\":[2,3],\"k\":\"z\"}",
			"139" },
		{ "{{lookup (lookup a k) \"x\"}}",
			"{\"a\":{\"q\":{\"x\":\"deep\"}},\"k\":\"q\"}", "deep" },
	};

	check_outputs(cases, NELEMS(cases));
}

static void
branches_follow_truth(void **state)
{
	static const struct test_case cases[] = {
		{ "{{#if a}}y{{else}}n{{/if}}", "{\"a\":true}", "y" },
		{ "{{#if a}}y{{else}}n{{/if}}", "{\"a\":0}", "n" },
		{ "{{#if a}}y{{else}}n{{/if}}", "{\"a\":\"\"}", "n" },
		{ "{{#if a}}y{{else}}n{{/if}}", "{\"a\":[]}", "n" },
		{ "{{#if a}}y{{else}}n{{/if}}", "{\"a\":{}}", "y" },
		{ "{{#if a}}y{{else}}n{{/if}}", "{\"a\":\"0\"}", "y" },
		{ "{{#if a includeZero=true}}y{{else}}n{{/if}}", "{\"a\":0}",
			"y" },
		{ "{{#if a}}y{{^}}n{{/if}}", "{}", "n" },
		{ "{{#unless a}}y{{else}}n{{/unless}}", "{}", "y" },
		{ "{{^if a}}y{{else}}n{{/if}}", "{}", "y" },
		{ "{{#if a}}1{{else if b}}2{{else if c}}3{{else}}4{{/if}}",
			"{\"c\":1}", "3" },
		{ "{{#if a}}1{{else if b}}2{{else}}4{{/if}}", "{}", "4" },
		{ "{{#if a}}1{{else unless b}}2{{/if}}", "{}", "2" },
		{ "{{#with a}}{{b}}{{else}}none{{/with}}", "{\"a\":[]}", "none" },
		{ "{{#with a as |x|}}{{x.b}}{{b}}{{/with}}",
			"{\"a\":{\"b\":1}}", "11" },
		{ "{{#a}}[{{.}}]{{/a}}{{^b}}no{{/b}}", "{\"a\":0}", "[0]no" },
		{ "{{#a}}{{x}}{{/a}}", "{\"a\":true,\"x\":1}", "1" },
		{ "{{#a}}{{x}}{{/a}}", "{\"a\":{\"x\":2},\"x\":1}", "2" },
		{ "{{#a}}{{x}},{{/a}}", "{\"a\":[{\"x\":1},{\"x\":2}]}",
			"1,2," },
		{ "{{#a}}x{{else}}y{{/a}}", "{\"a\":[]}", "y" },
	};

	check_outputs(cases, NELEMS(cases));
}

static void
loops_know_where_they_are(void **state)
{
	static const struct test_case cases[] = {
		{ "{{#each a}}{{@index}}{{@key}}{{.}}{{#if @first}}<{{/if}}"
			"{{#if @last}}>{{/if}} {{/each}}", "{\"a\":[7,8,9]}",
			"007< 118 229> " },
		{ "{{#each a}}{{@key}}={{this}}{{#unless @last}},{{/unless}}"
			"{{/each}}", "{\"a\":{\"x\":1,\"y\":2}}", "x=1,y=2" },
		{ "{{#each a}}{{@key}}{{/each}}",
			"{\"a\":{\"b\":0,\"10\":0,\"2\":0,\"a\":0}}", "210ba" },
		{ "{{#each a}}x{{else}}none{{/each}}", "{\"a\":[]}", "none" },
		{ "{{#each a}}x{{else}}none{{/each}}", "{\"a\":\"str\"}",
			"none" },
		{ "{{#each a as |v i|}}{{i}}{{v.n}}{{/each}}",
			"{\"a\":[{\"n\":5},{\"n\":6}]}", "0516" },
		{ "{{#each a as |v|}}{{#each v as |w|}}{{v.length}}{{w}}"
			"{{@../index}}{{@index}} {{/each}}{{/each}}",
			"{\"a\":[[1],[2,3]]}", "1100 2210 2311 " },
		{ "{{#each a}}{{#if @root.on}}{{../t}}{{.}}{{/if}}{{/each}}",
			"{\"a\":[1,2],\"on\":1,\"t\":\"-\"}", "-1-2" },
		{ "{{#each .}}{{.}}{{/each}}", "[null,1]", "1" },
	};

	check_outputs(cases, NELEMS(cases));
}

static void
white_space_goes_where_it_is_told(void **state)
{
	static const struct test_case cases[] = {
		{ " a {{~b~}} c ", "{\"b\":1}", " a1c " },
		{ "{{#if a}}\n  x\n{{else}}\n  y\n{{/if}}\nz\n", "{\"a\":1}",
			"  x\nz\n" },
		{ "{{#if a}}\n  x\n{{else}}\n  y\n{{/if}}\nz\n", "{}",
			"  y\nz\n" },
		{ "  {{#each a}}  \r\n{{.}}\r\n  {{/each}}\r\nend",
			"{\"a\":[1,2]}", "1\r\n2\r\nend" },
		{ "a\n  {{! note }}  \nb", "{}", "a\nb" },
		{ "a {{! note }}\nb", "{}", "a \nb" },
		{ "x {{#if a}} y {{/if}} z", "{\"a\":1}", "x  y  z" },
		{ "\xC2\xA0{{~a~}}\xE2\x80\x89z", "{\"a\":1}", "1z" },
		{ "{{#if a~}}  x  {{~else~}}  y  {{~/if}} z", "{}", "y z" },
		{ "{{#if a}}\nx\n{{else if b}}\ny\n{{/if}}\n", "{\"b\":1}",
			"y\n" },
		{ "a\n{{#if a}}\nx\n{{/if}}\nb", "{\"a\":1}",
			"a\n\nx\n\nb", .flags = HBS_IGNORE_STANDALONE },
	};

	check_outputs(cases, NELEMS(cases));
}

static void
backslashes_and_raw_blocks_keep_tags(void **state)
{
	static const struct test_case cases[] = {
		{ "\\{{a}} {{a}}", "{\"a\":1}", "{{a}} 1" },
		{ "\\\\{{a}}", "{\"a\":1}", "\\1" },
		{ "\\{{a}} \\{{b}} \\\\{{a}}", "{\"a\":1}",
			"{{a}} {{b}} \\1" },
		{ "C:\\dir {{a}}", "{\"a\":1}", "C:\\dir 1" },
		{ "{{{{if a}}}} {{b}} {{{{c}}}} {{{{/c}}}} {{{{/if}}}}",
			"{\"a\":1}", " {{b}} {{{{c}}}} {{{{/c}}}} " },
		{ "{{lookup a \"x\\\"y\"}} {{lookup a 'x\"y'}}"
			"{{lookup a [k\\]]}}",
			"{\"a\":{\"x\\\"y\":1,\"z\":2},\"k]\":\"z\"}", "1 12" },
	};

	check_outputs(cases, NELEMS(cases));
}

static void
partials_are_found_and_indented(void **state)
{
	static const struct test_case cases[] = {
		{ "<{{> p}}>", "{\"a\":1}", "<1>", { { "p", "{{a}}" } } },
		{ "{{> p b}}", "{\"b\":{\"a\":2}}", "2", { { "p", "{{a}}" } } },
		{ "{{> p b=3 c=\"x\"}}", "{\"a\":1}", "13x{\"a\"}",
			{ { "p", "{{a}}{{b}}{{c}}{\"a\"}" } } },
		{ "{{> (lookup . \"n\")}}", "{\"n\":\"p\"}", "P",
			{ { "p", "P" } } },
		{ "{{> a/b.c}}{{> [x y]}}{{> 'q'}}", "{}", "123",
			{ { "a/b.c", "1" }, { "x y", "2" }, { "q", "3" } } },
		{ "{{#each a}}\n  {{> p}}\n{{/each}}\n.",
			"{\"a\":[1,2]}", "  1\n  \n  -\n  2\n  \n  -\n.",
			{ { "p", "{{.}}\n\n-\n" } } },
		{ "  {{> p}}\n", "{}", "  a\nb\n",
			{ { "p", "a\nb\n" } }, .flags = HBS_PREVENT_INDENT },
		{ "{{#> p}}else{{/p}}", "{}", "else" },
		{ "{{#> p}}in{{/p}}", "{}", "<in>",
			{ { "p", "<{{> @partial-block}}>" } } },
		{ "{{#> p}}{{a}}{{/p}}", "{\"a\":1,\"b\":{\"a\":2}}", "12",
			{ { "p", "{{> @partial-block}}{{> @partial-block b}}" } } },
		{ "{{#*inline \"n\"}}N{{a}}{{/inline}}{{> n}}{{> n a=2}}",
			"{\"a\":1}", "N1N2" },
		/* A name is evaluated outside of where the partial is written. */
		{ "{{#each a}}{{#*inline (lookup . \"k\")}}I{{/inline}}{{> x}}"
			"{{/each}}", "{\"a\":[1],\"k\":\"x\"}", "I" },
		{ "{{#*inline (lookup . \"k\")}}I{{/inline}}{{> x}}",
			"{\"k\":\"x\"}", "P", { { "x", "P" } } },
		{ "{{#> page}}{{#*inline \"title\"}}T{{/inline}}body{{/page}}",
			"{}", "T:body;",
			{ { "page", "{{> title}}:{{> @partial-block}};" } } },
		/* It is found before the block that comes with the call. */
		{ "{{#> p}}given{{/p}}{{> p}}", "{}", "givenelse",
			{ { "p", "{{#> @partial-block}}else{{/@partial-block}}" } } },
		/* "undefined" hides nothing, but there is an object then. */
		{ "{{#each a}}{{> p x=undefined}}{{/each}}", "{\"a\":[\"s\"]}",
			"[object Object]", { { "p", "{{this}}" } } },
		{ "{{> p a=@key}}", "{}", "", { { "p", "{{a}}" } },
			.flags = HBS_STRICT },
		{ "{{> p a=undefined b=null}}", "{\"a\":1,\"b\":2}", "1a;b;",
			{ { "p", "{{a}}{{b}}{{#each .}}{{@key}};{{/each}}" } } },
		{ "{{#each a}}{{> p}}{{/each}}", "{\"a\":{\"x\":1}}", "I",
			{ { "p", "{{#*inline @key}}I{{/inline}}{{> x}}" } } },
		{ "{{#if @partial-block}}y{{else}}n{{/if}}{{#> p}}b{{/p}}"
			"{{#> p}}{{/p}}{{> p}}", "{}", "nynn",
			{ { "p", "{{#if @partial-block}}y{{else}}n{{/if}}" } } },
		{ "{{#> p}}<{{@root.a}}>{{/p}}", "{\"a\":1}", "&lt;&gt;",
			{ { "p", "{{@partial-block}}" } } },
		{ "{{> tree}}", "{\"v\":1,\"k\":[{\"v\":2,\"k\":[{\"v\":3}]}]}",
			"(1(2(3)))",
			{ { "tree", "({{v}}{{#each k}}{{> tree}}{{/each}})" } } },
		{ "{{#with b}}{{> p}}{{/with}}", "{\"a\":1,\"b\":{}}", "[]",
			{ { "p", "[{{../a}}]" } } },
		{ "{{#each a}}{{> p}}{{/each}}", "{\"a\":[5,6],\"r\":1}",
			"0110 1111 ",
			{ { "p", "{{@index}}{{@root.r}}{{#if @first}}1{{else}}1"
				"{{/if}}{{@key}} " } } },
	};

	check_outputs(cases, NELEMS(cases));
}

static void
options_change_the_meaning(void **state)
{
	static const struct test_case cases[] = {
		{ "{{#a}}{{b}}{{/a}}", "{\"a\":{},\"b\":1}", "1",
			.flags = HBS_COMPAT },
		{ "{{a}}", "{\"a\":\"<\"}", "<", .flags = HBS_NO_ESCAPE },
		{ "{{> p}}{{> p .}}", "{\"a\":1}", "1", { { "p", "{{a}}" } },
			.flags = HBS_EXPLICIT_PARTIAL_CONTEXT },
		{ "{{a}}{{#if b}}x{{/if}}", "{\"a\":1}", "1",
			.flags = HBS_STRICT },
	};

	check_outputs(cases, NELEMS(cases));
}

static void
errors_name_their_place(void **state)
{
	static const struct test_case cases[] = {
		{ "ab\ncd {{#if x}}", "{}", "\"if\" is not closed",
			.line = 2, .column = 7 },
		{ "\xC3\xA4\xC3\xB6 {{foo bar", "{}", "the end of the template",
			.line = 1, .column = 13 },
		{ "{{#if a}}{{/each}}", "{}", "\"if\" is closed by \"each\"",
			.line = 1, .column = 13 },
		{ "x{{/if}}", "{}", "without an open block", .line = 1,
			.column = 2 },
		{ "{{foo/../bar}}", "{}", "invalid path", .line = 1,
			.column = 3 },
		{ "{{a b\"c\"}}", "{}", "unexpected \"\"\"", .line = 1,
			.column = 6 },
		{ "{{{a}}", "{}", "expected \"}}}\"", .line = 1, .column = 5 },
		{ "{{a}}}", "{}", "expected \"}}\"", .line = 1, .column = 4 },
		{ "{{}}", "{}", "expected a name", .line = 1, .column = 3 },
		{ "{{!-- open", "{}", "a comment is not closed", .line = 1,
			.column = 1 },
		{ "{{{{a}}}} b", "{}", "raw block", .line = 1, .column = 5 },
		{ "{{* x}}", "{}", "decorators", .line = 1, .column = 1 },
		{ "{{a\r\n\t}\r\n}}", "{}", "unexpected \"}\"", .line = 2,
			.column = 2 },
		{ "\n{{#if}}{{/if}}", "{}", "#if requires exactly one argument",
			.line = 2, .column = 4 },
		{ "{{link_to x}}", "{}", "missing helper: \"link_to\"",
			.line = 1, .column = 3 },
		{ "{{if a}}", "{}", "needs a block", .line = 1, .column = 3 },
		{ "{{helperMissing}}", "{}", "cannot be called", .line = 1,
			.column = 3 },
		{ "a {{> nope}}", "{}", "\"nope\" could not be found",
			.line = 1, .column = 3 },
		{ "{{> p a b}}", "{}", "takes one context", .line = 1,
			.column = 9 },
		{ "{{> p}}", "{}", "nested too deeply", { { "p", "{{> p}}" } },
			.line = 1, .column = 1 },
		{ "{{a.b}}", "{\"a\":{}}", "\"b\" of \"a.b\" is not defined",
			.flags = HBS_STRICT, .line = 1, .column = 3 },
		{ "{{a.b.c}}", "{}", "is not defined",
			.flags = HBS_ASSUME_OBJECTS, .line = 1, .column = 3 },
		{ "{{f x}}", "{}", "unknown helper \"f\"",
			.flags = HBS_KNOWN_HELPERS_ONLY, .line = 1,
			.column = 3 },
	};

	check_errors(cases, NELEMS(cases));
}

static void
an_error_in_a_partial_names_it(void **state)
{
	const struct test_case c = { "a\n{{> p}}", "{}", "", {
		{ "p", "{{> q}}" }, { "q", "\n\n {{x y}}" } } };
	struct hbs_error e;
	struct buf out;

	buf_init(&out, 100);
	assert_int_equal(render_case(&c, &out, &e), -1);
	assert_string_equal(e.partial, "q");
	assert_int_equal(e.line, 3);
	assert_int_equal(e.column, 4);
	buf_done(&out);
}

static void
an_error_is_shown_with_its_line(void **state)
{
	static const char source[] = "one\n\ttwo \xC3\xA4 {{x y}}\nthree";
	struct hbs_error e = { .line = 2, .column = 10, .text = "no \"x\"" };
	struct buf out;

	buf_init(&out, 1000);
	hbs_error_format(&e, "mail.hbs", source, strlen(source), &out);
	assert_string_equal(out.data, "mail.hbs:2:10: no \"x\"\n"
	    "   two \xC3\xA4 {{x y}}\n"
	    "           ^\n");
	buf_reset(&out);
	hbs_error_format(&(struct hbs_error){ .text = "too large" }, "a", NULL,
	    0, &out);
	assert_string_equal(out.data, "a: too large\n");
	buf_reset(&out);
	e = (struct hbs_error){ 2, 3, "no \"x\"", "footer" };
	hbs_error_format(&e, "mail.hbs", source, strlen(source), &out);
	assert_string_equal(out.data,
	    "mail.hbs: partial footer:2:3: no \"x\"\n");
	buf_done(&out);
}

static char *
repeat(const char *text, size_t times)
{
	size_t len = strlen(text), i;
	char *all = malloc(len * times + 1);

	assert_non_null(all);
	for (i = 0; i < times; i++)
		memcpy(all + i * len, text, len);
	all[len * times] = '\0';
	return all;
}

/* Compiles and renders with small limits; the error's text must hold "want". */
static void
expect_limit(const char *source, const char *data, size_t max, const char *want)
{
	struct hbs_compile_params params = { .limits = { 2000000, 50 } };
	struct hbs_render_params how = { .depth = 40, .nodes = 1000 };
	json_t *json = json_loads(data, JSON_DECODE_ANY, NULL);
	struct hbs_template *tpl = NULL;
	struct hbs_error e;
	struct buf out;

	assert_non_null(json);
	buf_init(&out, max);
	if (hbs_compile(source, strlen(source), &params, &tpl, &e) == 0)
		assert_int_equal(hbs_render(tpl, json, &how, &out, &e), -1);
	if (strstr(e.text, want) == NULL)
		fail_msg("want \"%s\", got \"%s\"", want, e.text);
	hbs_free(&tpl);
	buf_done(&out);
	json_decref(json);
}

static void
limits_end_what_would_not_end(void **state)
{
	static const struct {
		const char *unit;
		const char *want;
	} deep[] = {
		{ "{{#a}}", "nested too deeply" },
		{ "{{#if a}}{{else if b}}", "nested too deeply" },
		{ "{{else}}", "without an open block" },
		{ "{{^a}}", "nested too deeply" },
		{ "{{#> a}}", "nested too deeply" },
		{ "{{a (", "expected a name" },
	};
	char *source;
	size_t i;

	for (i = 0; i < NELEMS(deep); i++) {
		source = repeat(deep[i].unit, 60000);
		expect_limit(source, "{}", 100, deep[i].want);
		free(source);
	}
	source = repeat("(aa ", 10000);
	memcpy(source, "{{a ", 4);
	expect_limit(source, "{}", 100, "nested too deeply");
	free(source);
	source = repeat("x", 2000001);
	expect_limit(source, "{}", 100, "at most 2000000 are allowed");
	free(source);
	expect_limit("{{#each a}}{{#each ../a}}{{#each ../../a}}{{b}}{{/each}}"
	    "{{/each}}{{/each}}", "{\"a\":[0,1,2,3,4,5,6,7,8,9,10]}", 100,
	    "too much to render");
	expect_limit("{{#each a}}0123456789{{/each}}",
	    "{\"a\":[0,1,2,3,4,5,6,7,8,9,10]}", 100,
	    "the output is larger than 100 bytes");
	expect_limit("{{#*inline \"r\"}}{{> r}}{{/inline}}{{> r}}", "{}", 100,
	    "nested too deeply");
}

static void
each_part_escapes_its_own_way(void **state)
{
	static const struct {
		enum hbs_escape escape;
		const char *want;
	} cases[] = {
		{ HBS_ESCAPE_HTML, "\"a&lt;&quot;\\/\r\n\n\xC3\xA9 z~|a<\"" },
		{ HBS_ESCAPE_NONE, "\"a<\"\\/\r\n\n\xC3\xA9 z~|a<\"" },
		{ HBS_ESCAPE_JSON, "\"a<\\\"\\\\/\\r\\n\\n\xC3\xA9 z~|a<\"" },
		{ HBS_ESCAPE_URL,
			"\"a%3C%22%5C%2F%0D%0A%0A%C3%A9%20z~|a<\"" },
		{ HBS_ESCAPE_HEADER, "\"a<\"\\/ \xC3\xA9 z~|a<\"" },
		{ HBS_ESCAPE_MARKDOWN,
			"\"a\\<\\\"\\\\\\/   \xC3\xA9 z\\~|a<\"" },
	};
	static const char source[] = "\"{{v}}|{{{w}}}\"";
	json_t *data = json_loads("{\"v\":\"a<\\\"\\\\/\\r\\n\\n\\u00e9 z~\","
	    "\"w\":\"a<\"}", 0, NULL);
	struct hbs_render_params how = { 0 };
	struct hbs_template *tpl;
	struct hbs_error e;
	struct buf out;
	size_t i;

	assert_int_equal(hbs_compile(source, strlen(source), NULL, &tpl, &e),
	    0);
	buf_init(&out, 1000);
	for (i = 0; i < NELEMS(cases); i++) {
		how.escape = cases[i].escape;
		buf_reset(&out);
		assert_int_equal(hbs_render(tpl, data, &how, &out, &e), 0);
		assert_string_equal(out.data, cases[i].want);
	}
	buf_done(&out);
	json_decref(data);
	hbs_free(&tpl);
}

static void
a_header_cannot_be_broken_by_raw_values(void **state)
{
	static const char source[] = "{{{v}}}{{#each l}}{{&.}}{{/each}}";
	json_t *data = json_loads("{\"v\":\"a\\r\\nBcc: x\","
	    "\"l\":[\"\\n\",\"b\\u0000c\"]}", JSON_ALLOW_NUL, NULL);
	struct hbs_render_params how = { .escape = HBS_ESCAPE_HEADER };
	struct hbs_template *tpl;
	struct hbs_error e;
	struct buf out;

	assert_int_equal(hbs_compile(source, strlen(source), NULL, &tpl, &e),
	    0);
	buf_init(&out, 1000);
	assert_int_equal(hbs_render(tpl, data, &how, &out, &e), 0);
	assert_string_equal(out.data, "a Bcc: x b c");
	buf_done(&out);
	json_decref(data);
	hbs_free(&tpl);
}

static void
note_text(void *arg, const char *text, size_t len)
{
	struct buf *notes = arg;

	buf_add(notes, text, len);
	buf_putc(notes, ' ');
}

static void
note_log(void *arg, enum hbs_log_level level, const char *text, size_t len)
{
	buf_printf(arg, "%d:", (int)level);
	note_text(arg, text, len);
}

static void
missing_values_and_logs_are_told(void **state)
{
	static const char source[] = "{{a}}{{b.c}}{{#each l}}{{x}}{{/each}}"
	    "{{log a l}}{{log \"q\" level=\"error\"}}{{#if no}}{{/if}}{{n}}";
	json_t *data = json_loads("{\"a\":1,\"l\":[1,2],\"n\":null}", 0, NULL);
	struct hbs_render_params how = { .calls = {
		.log = note_log, .missing = note_text } };
	struct hbs_template *tpl;
	struct hbs_error e;
	struct buf out, notes;

	buf_init(&out, 1000);
	buf_init(&notes, 1000);
	how.calls.arg = &notes;
	assert_int_equal(hbs_compile(source, strlen(source), NULL, &tpl, &e),
	    0);
	assert_int_equal(hbs_render(tpl, data, &how, &out, &e), 0);
	assert_string_equal(out.data, "1");
	assert_string_equal(notes.data, "b.c x x 1:1 1,2 3:q ");
	buf_done(&out);
	buf_done(&notes);
	json_decref(data);
	hbs_free(&tpl);
}

static void
paths_are_listed_from_the_root(void **state)
{
	static const char source[] = "{{user.name}}{{#each items}}{{price}}"
	    "{{../currency}}{{@index}}{{#if sale}}{{this.was}}{{/if}}{{/each}}"
	    "{{#each rows as |r|}}{{r.x}}{{/each}}{{#with a.b}}{{c}}{{/with}}"
	    "{{@root.z}}{{> p ctx k=hash}}{{lookup map key}}{{.}}";
	struct hbs_template *tpl;
	struct hbs_error e;
	struct buf notes;

	buf_init(&notes, 1000);
	assert_int_equal(hbs_compile(source, strlen(source), NULL, &tpl, &e),
	    0);
	hbs_list_paths(tpl, note_text, &notes);
	assert_string_equal(notes.data, "user.name items items[].price currency "
	    "items[].sale items[].was rows rows[].x a.b a.b.c z ctx hash map "
	    "key ");
	assert_true(hbs_size_bytes(tpl) > strlen(source));
	buf_done(&notes);
	hbs_free(&tpl);
	assert_null(tpl);
	hbs_free(&tpl);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_written_as_javascript_writes_them),
		cmocka_unit_test(paths_lead_into_the_data_only),
		cmocka_unit_test(branches_follow_truth),
		cmocka_unit_test(loops_know_where_they_are),
		cmocka_unit_test(white_space_goes_where_it_is_told),
		cmocka_unit_test(backslashes_and_raw_blocks_keep_tags),
		cmocka_unit_test(partials_are_found_and_indented),
		cmocka_unit_test(options_change_the_meaning),
		cmocka_unit_test(errors_name_their_place),
		cmocka_unit_test(an_error_in_a_partial_names_it),
		cmocka_unit_test(an_error_is_shown_with_its_line),
		cmocka_unit_test(limits_end_what_would_not_end),
		cmocka_unit_test(each_part_escapes_its_own_way),
		cmocka_unit_test(a_header_cannot_be_broken_by_raw_values),
		cmocka_unit_test(missing_values_and_logs_are_told),
		cmocka_unit_test(paths_are_listed_from_the_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
