/*
 * test_template.c - stored templates, their locales and parts
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
#include "base/err.h"
#include "model/locale.h"
#include "model/template.h"

#define HEAD                                                                   \
	"\"id\": \"01a20967-adf2-743c-9253-a2d8f6df17a3\", \"key\": \"k\", "     \
	"\"category\": \"orders\", \"default_locale\": \"en-GB\", "             \
	"\"version\": 3, "

static const char whole[] = "{" HEAD
    "\"variables\": {\"order\": {\"required\": true}},"
    "\"parts\": {"
    " \"en-GB\": {\"email.subject\": \"en-GB s\", \"email.text\": \"en-GB t\","
    "  \"sms\": \"en-GB sms\"},"
    " \"en\": {\"push.json\": \"en p\"},"
    " \"de\": {\"email.subject\": \"de s\", \"unheard.of\": \"x\"},"
    " \"de-AT\": {\"email.text\": \"de-AT t\"}}}";

static struct template *
load(const char *text)
{
	struct template *tpl = NULL;
	struct err e;

	if (template_from_text(text, strlen(text), &tpl, &e) == -1)
		fail_msg("%s: %s", e.text, e.detail);
	return tpl;
}

static void
the_nearest_part_is_taken(void **state)
{
	static const struct {
		const char *locale; /* NULL: none is known */
		enum template_part part;
		const char *want; /* NULL: there is none */
		const char *from;
	} cases[] = {
		{ "de-AT", TEMPLATE_EMAIL_TEXT, "de-AT t", "de-AT" },
		{ "de-at", TEMPLATE_EMAIL_TEXT, "de-AT t", "de-AT" },
		{ "de-AT", TEMPLATE_EMAIL_SUBJECT, "de s", "de" },
		{ "de-CH-1996", TEMPLATE_EMAIL_SUBJECT, "de s", "de" },
		{ "de", TEMPLATE_EMAIL_TEXT, "en-GB t", "en-GB" },
		{ "de-AT", TEMPLATE_SMS, "en-GB sms", "en-GB" },
		{ "fr", TEMPLATE_EMAIL_SUBJECT, "en-GB s", "en-GB" },
		{ NULL, TEMPLATE_EMAIL_SUBJECT, "en-GB s", "en-GB" },
		{ "", TEMPLATE_EMAIL_SUBJECT, "en-GB s", "en-GB" },
		{ "fr", TEMPLATE_PUSH_JSON, "en p", "en" },
		{ "en", TEMPLATE_SMS, "en-GB sms", "en-GB" },
		{ "de", TEMPLATE_EMAIL_HTML, NULL, NULL },
		{ "d", TEMPLATE_EMAIL_SUBJECT, "en-GB s", "en-GB" },
	};
	struct template *tpl = load(whole);
	const struct hbs_template *part;
	const char *from;
	size_t i, len;

	for (i = 0; i < NELEMS(cases); i++) {
		part = template_part(tpl, &(struct locale_wish){ cases[i].locale },
		    cases[i].part, &from);
		if (cases[i].want == NULL) {
			assert_null(part);
			continue;
		}
		assert_non_null(part);
		assert_string_equal(hbs_source(part, &len), cases[i].want);
		assert_string_equal(from, cases[i].from);
	}
	template_free(&tpl);
	assert_null(tpl);
	template_free(&tpl);
}

static void
the_tenants_default_goes_before_the_templates(void **state)
{
	struct template *tpl = load(whole);
	const char *from;

	(void)template_part(tpl, &(struct locale_wish){ "fr", "de-CH" },
	    TEMPLATE_EMAIL_SUBJECT, &from);
	assert_string_equal(from, "de");
	(void)template_part(tpl, &(struct locale_wish){ NULL, "de-AT" },
	    TEMPLATE_EMAIL_TEXT, &from);
	assert_string_equal(from, "de-AT");
	(void)template_part(tpl, &(struct locale_wish){ "fr", "de" },
	    TEMPLATE_SMS, &from);
	assert_string_equal(from, "en-GB");
	template_free(&tpl);
}

/* The default locale of the template may have moved on since the version was
 * made. */
static void
the_first_locale_is_the_last_resort(void **state)
{
	struct template *tpl = load("{" HEAD "\"variables\": {}, \"parts\": "
	    "{\"fr\": {\"sms\": \"fr\"}, \"it\": {\"sms\": \"it\"}}}");
	size_t len;

	assert_string_equal(
	    hbs_source(template_part(tpl, &(struct locale_wish){ "de" }, TEMPLATE_SMS,
	                   NULL), &len), "fr");
	assert_string_equal(
	    hbs_source(template_part(tpl, &(struct locale_wish){ "it" }, TEMPLATE_SMS,
	                   NULL), &len), "it");
	template_free(&tpl);
}

static void
what_is_stored_is_there(void **state)
{
	struct template *tpl = load(whole);

	assert_string_equal(tpl->key, "k");
	assert_string_equal(tpl->category, "orders");
	assert_int_equal(tpl->version, 3);
	assert_int_equal(tpl->locale_count, 4);
	assert_int_equal(json_object_size(tpl->variables), 1);
	assert_int_equal(tpl->channels, 1u << CHANNEL_EMAIL | 1u << CHANNEL_SMS |
	        1u << CHANNEL_PUSH);
	assert_true(tpl->size_bytes > 1000);
	template_free(&tpl);
}

static void
broken_texts_are_errors(void **state)
{
	static const char *const texts[] = {
		"",
		"[]",
		"{}",
		"{" HEAD "\"variables\": {}}",
		"{" HEAD "\"variables\": {}, \"parts\": {\"en\": {\"sms\": 1}}}",
		"{" HEAD "\"variables\": {}, \"parts\": {\"en\": {\"sms\": "
		"\"{{\"}}}",
	};
	struct template *tpl = NULL;
	struct err e;
	size_t i;

	for (i = 0; i < NELEMS(texts); i++) {
		assert_int_equal(template_from_text(texts[i], strlen(texts[i]),
		                     &tpl, &e), -1);
		assert_int_equal(e.kind, ERR_INTERNAL);
		assert_null(tpl);
	}
}

static void
channels_need_their_parts(void **state)
{
	static const struct {
		unsigned parts, channels;
	} cases[] = {
		{ 0, 0 },
		{ 1u << TEMPLATE_EMAIL_SUBJECT, 0 },
		{ 1u << TEMPLATE_EMAIL_HTML, 0 },
		{ 1u << TEMPLATE_EMAIL_SUBJECT | 1u << TEMPLATE_EMAIL_HTML,
		    1u << CHANNEL_EMAIL },
		{ 1u << TEMPLATE_EMAIL_SUBJECT | 1u << TEMPLATE_EMAIL_TEXT,
		    1u << CHANNEL_EMAIL },
		{ 1u << TEMPLATE_SMS, 1u << CHANNEL_SMS },
		{ 1u << TEMPLATE_INAPP_JSON | 1u << TEMPLATE_WHATSAPP_JSON,
		    1u << CHANNEL_INAPP | 1u << CHANNEL_WHATSAPP },
	};
	size_t i;

	for (i = 0; i < NELEMS(cases); i++)
		assert_int_equal(template_part_channels(cases[i].parts),
		    cases[i].channels);
}

static void
parts_have_names(void **state)
{
	int i;

	for (i = 0; i < TEMPLATE_PART_COUNT; i++) {
		const char *name = template_part_name((enum template_part)i);

		assert_int_equal(template_part_parse(name, strlen(name)), i);
	}
	assert_int_equal(template_part_parse("email", 5), TEMPLATE_PART_COUNT);
	assert_int_equal(template_part_parse("", 0), TEMPLATE_PART_COUNT);
	assert_int_equal(template_part_escape(TEMPLATE_EMAIL_SUBJECT),
	    HBS_ESCAPE_HEADER);
	assert_int_equal(template_part_escape(TEMPLATE_PUSH_JSON),
	    HBS_ESCAPE_JSON);
}

static void
heads_tell_what_is_required(void **state)
{
	static const char text[] = "{" HEAD
	    "\"variables\": {\"a\": {\"required\": true}, \"b.c\": {\"required\": "
	    "false, \"type\": \"integer\"}, \"c\": {}}, \"release\": 7,"
	    "\"parts\": [\"email.html\", \"email.subject\", \"sms\"]}";
	struct arena *a = arena_new(1024);
	struct template_head *head;
	struct err e;

	assert_int_equal(
	    template_head_from_text(a, text, strlen(text), &head, &e), 0);
	assert_int_equal(head->channels, 1u << CHANNEL_EMAIL | 1u << CHANNEL_SMS);
	assert_int_equal(head->release, 7);
	assert_int_equal(head->variable_count, 3);
	assert_string_equal(head->variables[0].path, "a");
	assert_true(head->variables[0].required);
	assert_int_equal(head->variables[0].type, TEMPLATE_ANY);
	assert_string_equal(head->variables[1].path, "b.c");
	assert_false(head->variables[1].required);
	assert_int_equal(head->variables[1].type, TEMPLATE_INTEGER);
	arena_free(&a);
}

static void
types_fit_their_values(void **state)
{
	static const struct {
		const char *type, *value;
		bool fits;
	} cases[] = {
		{ "string", "\"a\"", true }, { "string", "1", false },
		{ "number", "1", true }, { "number", "1.5", true },
		{ "number", "\"1\"", false }, { "integer", "1", true },
		{ "integer", "1.0", false }, { "boolean", "true", true },
		{ "boolean", "false", true }, { "boolean", "0", false },
		{ "array", "[]", true }, { "array", "{}", false },
		{ "object", "{}", true }, { "object", "[]", false },
	};
	json_t *value;
	size_t i;

	for (i = 0; i < NELEMS(cases); i++) {
		value = json_loads(cases[i].value, JSON_DECODE_ANY, NULL);
		assert_int_equal(
		    template_type_fits(template_type_parse(cases[i].type), value),
		    cases[i].fits);
		json_decref(value);
	}
	assert_int_equal(template_type_parse("text"), TEMPLATE_TYPE_COUNT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_nearest_part_is_taken),
		cmocka_unit_test(the_tenants_default_goes_before_the_templates),
		cmocka_unit_test(the_first_locale_is_the_last_resort),
		cmocka_unit_test(what_is_stored_is_there),
		cmocka_unit_test(broken_texts_are_errors),
		cmocka_unit_test(channels_need_their_parts),
		cmocka_unit_test(parts_have_names),
		cmocka_unit_test(heads_tell_what_is_required),
		cmocka_unit_test(types_fit_their_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
