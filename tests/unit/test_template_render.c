/*
 * test_template_render.c - layouts, partials, messages and locales together
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
#include <unistd.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/log.h"
#include "model/template.h"
#include "model/template_release.h"
#include "model/template_render.h"

#define ROW(key, more, parts)                                                  \
	"{\"id\": \"01a20967-adf2-743c-9253-a2d8f6df17a3\", \"key\": \"" key      \
	"\", \"category\": \"\", \"default_locale\": \"en\", \"version\": 1, " more  \
	"\"variables\": {}, \"parts\": " parts "}"

/* English and German, with all that can surround a part. */
static const char own[] = ROW("hello", "\"layout\": \"default\", ",
    "{\"en\": {\"email.html\": \"{{#*inline \\\"title\\\"}}T{{/inline}}Hello "
    "{{name}}{{> sign who=name}}\", \"sms\": \"hi {{name}}\","
    " \"messages\": {\"bye\": \"Bye {{name}}\"}},"
    " \"de\": {\"email.html\": \"Hallo {{name}}{{> sign who=name}}\"},"
    " \"fr\": {\"email.html\": \"{{> nobody}}\"},"
    " \"it\": {\"email.html\": \"a\\n{{#each l}}{{> bad}}{{/each}}\"},"
    " \"es\": {\"email.html\": \"a\\n  {{{lookup}}} {{> sign}}\"}}");
static const char shared[] = "["
    ROW("layout:default", "",
        "{\"en\": {\"email.html\": \"[{{#> title}}-{{/title}}|{{> "
        "@partial-block}}|{{brand}}]\"},"
        " \"de\": {\"email.html\": \"<{{#> title}}-{{/title}}|{{> "
        "@partial-block}}>\"}}") ","
    ROW("partial:sign", "", "{\"en\": {\"email.html\": \" ({{who}})\"}}") ","
    ROW("partial:bad", "", "{\"en\": {\"email.html\": \"\\n {{> nobody}}\"}}")
    "]";

struct fixture {
	struct arena *a;
	struct template *tpl;
	json_t *data;
};

static struct fixture
load(const char *text)
{
	struct fixture f = { .a = arena_new(4096) };
	struct err e;

	if (template_from_text(text, strlen(text), &f.tpl, &e) == -1 ||
	    template_release_from_text(shared, strlen(shared), 3,
	        &f.tpl->release, &e) == -1)
		fail_msg("%s: %s", e.text, e.detail);
	f.data = json_pack("{s:s, s:s, s:[i]}", "name", "A&B", "brand", "Larkspur",
	    "l", 1);
	return f;
}

static void
drop(struct fixture *f)
{
	json_decref(f->data);
	template_free(&f->tpl);
	arena_free(&f->a);
}

static int
render(struct fixture *f, const char *locale, enum template_part part,
    struct buf **out_r, struct template_trouble *t)
{
	struct template_rendering rn = { .tpl = f->tpl,
		.wish = { .locale = locale }, .data = f->data };

	*out_r = buf_new(f->a, 4096);
	return template_render(&rn, part, *out_r, NULL, t);
}

static void
a_part_stands_in_its_layout(void **state)
{
	struct fixture f = load(own);
	struct template_trouble t;
	struct buf *out;

	assert_int_equal(render(&f, "en", TEMPLATE_EMAIL_HTML, &out, &t), 1);
	assert_string_equal(out->data, "[T|Hello A&amp;B (A&amp;B)|Larkspur]");
	assert_int_equal(render(&f, "de-AT", TEMPLATE_EMAIL_HTML, &out, &t), 1);
	assert_string_equal(out->data, "<-|Hallo A&amp;B (A&amp;B)>");
	/* The layout has nothing for this part. */
	assert_int_equal(render(&f, "de", TEMPLATE_SMS, &out, &t), 1);
	assert_string_equal(out->data, "hi A&B");
	assert_int_equal(render(&f, "de", TEMPLATE_PUSH_JSON, &out, &t), 0);
	drop(&f);
}

static void
trouble_tells_the_source(void **state)
{
	static const struct {
		const char *locale, *place;
		int line, column;
		const char *text;
	} cases[] = {
		{ "fr", "hello/fr/email.html", 1, 1,
		    "the partial \"nobody\" could not be found" },
		{ "it", "partial:bad/en/email.html", 2, 2,
		    "the partial \"nobody\" could not be found" },
	};
	struct fixture f = load(own);
	struct template_trouble t;
	struct buf *out;
	size_t i;

	for (i = 0; i < NELEMS(cases); i++) {
		assert_int_equal(render(&f, cases[i].locale, TEMPLATE_EMAIL_HTML,
		                     &out, &t),
		    -1);
		assert_string_equal(t.e.text, cases[i].text);
		assert_string_equal(template_trouble_place(f.a, &t),
		    cases[i].place);
		assert_int_equal(t.e.line, cases[i].line);
		assert_int_equal(t.e.column, cases[i].column);
		assert_non_null(t.source);
	}
	drop(&f);
}

static void
a_layout_that_is_not_there_is_trouble(void **state)
{
	struct fixture f = load(ROW("x", "\"layout\": \"none\", ",
	    "{\"en\": {\"sms\": \"a\"}}"));
	struct template_trouble t;
	struct buf *out;

	assert_int_equal(render(&f, "en", TEMPLATE_SMS, &out, &t), -1);
	assert_string_equal(t.e.text, "the layout \"none\" is not in use");
	drop(&f);
}

static void
messages_are_found_in_the_same_order(void **state)
{
	struct fixture f = load(own);
	const struct hbs_template *m;
	size_t len;

	m = template_message(f.tpl, &(struct locale_wish){ "de" }, "bye", 3);
	assert_non_null(m);
	assert_string_equal(hbs_source(m, &len), "Bye {{name}}");
	assert_null(template_message(f.tpl, &(struct locale_wish){ "de" }, "by",
	    2));
	drop(&f);
}

static void
list(void *arg, const char *path, size_t len)
{
	buf_printf(arg, "%.*s ", (int)len, path);
}

static void
paths_are_those_of_the_layout_too(void **state)
{
	struct fixture f = load(own);
	struct template_rendering rn = { .tpl = f.tpl };
	struct buf *out = buf_new(f.a, 4096);

	template_list_paths(&rn, TEMPLATE_EMAIL_HTML, list, out);
	assert_string_equal(out->data, "name name brand ");
	drop(&f);
}

/* Many templates hold one release; the last one frees it. */
static void
a_release_is_shared(void **state)
{
	struct fixture f = load(own), g = load(own);

	template_release_drop(&g.tpl->release);
	g.tpl->release = template_release_hold(f.tpl->release);
	assert_int_equal(f.tpl->release->held, 2);
	drop(&f);
	assert_int_equal(g.tpl->release->held, 1);
	assert_int_equal(g.tpl->release->count, 3);
	assert_non_null(template_release_find(g.tpl->release, "partial:", "sign",
	    4));
	assert_null(template_release_find(g.tpl->release, "partial:", "sig", 3));
	assert_null(template_release_find(NULL, "partial:", "sign", 4));
	drop(&g);
}

/* Renders a template that logs "A&B"; what stands in our log then. */
static const char *
log_of(struct arena *a, enum log_level level)
{
	static const char says[] = ROW("hello", "",
	    "{\"en\": {\"sms\": \"{{log name level='error'}}hi\"}}");
	char path[] = "/tmp/belfry-test.XXXXXX", *text = arena_zalloc(a, 4096, 1);
	struct fixture f = load(says);
	struct template_trouble t;
	struct buf *out;
	struct err e;
	FILE *file;
	int fd = mkstemp(path);

	assert_true(fd != -1);
	close(fd);
	assert_int_equal(log_open("tester", path, level, &e), 0);
	assert_int_equal(render(&f, "en", TEMPLATE_SMS, &out, &t), 1);
	assert_string_equal(out->data, "hi");
	assert_int_equal(log_open("tester", "stderr", LOG_LEVEL_INFO, &e), 0);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_true(fread(text, 1, 4095, file) < 4095);
	fclose(file);
	unlink(path);
	drop(&f);
	return text;
}

/* It may be somebody's data: only who asks for debugging sees it. */
static void
what_a_template_logs_is_in_the_log(void **state)
{
	struct arena *a = arena_new(16384);
	const char *text = log_of(a, LOG_LEVEL_DEBUG);

	assert_non_null(strstr(text, "\"text\":\"A&B\""));
	assert_non_null(strstr(text, "\"template\":\"hello\""));
	assert_non_null(strstr(text, "\"as\":\"error\""));
	assert_string_equal(log_of(a, LOG_LEVEL_INFO), "");
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_part_stands_in_its_layout),
		cmocka_unit_test(trouble_tells_the_source),
		cmocka_unit_test(a_layout_that_is_not_there_is_trouble),
		cmocka_unit_test(messages_are_found_in_the_same_order),
		cmocka_unit_test(paths_are_those_of_the_layout_too),
		cmocka_unit_test(a_release_is_shared),
		cmocka_unit_test(what_a_template_logs_is_in_the_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
