/*
 * test_template_draft.c - drafts are checked, written to files and read back
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <sodium.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "model/template_dir.h"
#include "model/template_draft.h"

static struct arena *a;

static void
defer_json(void *p)
{
	json_decref(p);
}

static json_t *
parsed(const char *text)
{
	json_error_t fault;
	json_t *json = json_loads(text, 0, &fault);

	if (json == NULL)
		fail_msg("%s: %s", text, fault.text);
	arena_defer(a, defer_json, json);
	return json;
}

static struct template_draft
sound(void)
{
	return (struct template_draft){
		.key = "order-shipped",
		.name = "Order shipped",
		.description = "",
		.category = "orders",
		.default_locale = "en",
		.variables = parsed("{\"order\": {\"required\": true}}"),
		.sample = parsed("{\"en\": {\"order\": \"42\"}}"),
		.parts = parsed("{\"en\": {\"email.subject\": \"Order {{order}}\","
		                " \"push.json\": \"{\\\"title\\\": "
		                "\\\"{{order}}\\\"}\"},"
		                " \"de\": {\"sms\": \"Nr. {{order}}\\n\"}}"),
	};
}

/* The faults as "member locale/part:line:column; ...". */
static const char *
faults_of(const struct template_draft *d)
{
	struct template_faults faults;
	const struct template_fault *f;
	const char *out = "";

	template_faults_init(&faults, a);
	if (template_check(d, &faults) == 0)
		assert_int_equal(faults.count, 0);
	for (f = faults.first; f != NULL; f = f->next)
		out = arena_printf(a, "%s%s%s %s/%s:%d:%d", out,
		    out[0] != '\0' ? "; " : "", f->member,
		    f->locale != NULL ? f->locale : "",
		    f->part != NULL ? f->part : "", f->line, f->column);
	return out;
}

static void
a_sound_draft_has_no_faults(void **state)
{
	struct template_draft d = sound();

	assert_string_equal(faults_of(&d), "");
}

static void
every_fault_is_named(void **state)
{
	static const struct {
		const char *member, *value, *want;
	} cases[] = {
		{ "key", "Order", "key /:0:0" },
		{ "key", "", "key /:0:0" },
		{ "name", "", "name /:0:0" },
		{ "name", "a\nb", "name /:0:0" },
		{ "category", "a\tb", "category /:0:0" },
		{ "default_locale", "x",
		    "default_locale /:0:0; parts /:0:0" },
		{ "default_locale", "fr", "parts /:0:0" },
		{ "variables", "[]", "variables /:0:0" },
		{ "variables", "{\"a\": 1}", "variables /:0:0" },
		{ "variables", "{\"a\": {\"required\": \"yes\"}}",
		    "variables /:0:0" },
		{ "sample", "{\"en\": 1}", "sample /:0:0" },
		{ "sample", "{\"x\": {}}", "sample /:0:0" },
		{ "parts", "[]", "parts /:0:0" },
		{ "parts", "{\"en\": {}}", "parts /:0:0" },
		{ "parts", "{\"en\": {\"sms\": \"x\"}, \"../x\": {\"sms\": \"\"}}",
		    "parts /:0:0" },
		{ "parts", "{\"en\": {\"fax\": \"x\"}}", "parts en/:0:0" },
		{ "parts", "{\"en\": {\"sms\": 1}}", "parts en/:0:0" },
		{ "parts", "{\"en\": {\"sms\": \"a\\nb {{#if x}}\"}}",
		    "parts en/sms:2:6" },
		{ "parts",
		    "{\"en\": {\"sms\": \"{{\", \"email.text\": \"ok\"}, "
		    "\"de\": {\"email.html\": \"\\n{{/if}}\"}}",
		    "parts en/sms:1:3; parts de/email.html:2:1" },
		{ "parts", "{\"en\": {\"push.json\": \"{{order}}\"}}",
		    "parts en/push.json:0:0" },
		{ "parts", "{\"en\": {\"inapp.json\": \"[]\"}}",
		    "parts en/inapp.json:0:0" },
		{ "parts",
		    "{\"en\": {\"sms\": \"x\"}, \"de\": {\"push.json\": "
		    "\"{\\\"n\\\": {{order}} }\"}}",
		    "" },
	};
	size_t i;

	for (i = 0; i < NELEMS(cases); i++) {
		struct template_draft d = sound();
		const char *value = cases[i].value;

		if (strcmp(cases[i].member, "key") == 0)
			d.key = value;
		else if (strcmp(cases[i].member, "name") == 0)
			d.name = value;
		else if (strcmp(cases[i].member, "category") == 0)
			d.category = value;
		else if (strcmp(cases[i].member, "default_locale") == 0)
			d.default_locale = value;
		else if (strcmp(cases[i].member, "variables") == 0)
			d.variables = parsed(value);
		else if (strcmp(cases[i].member, "sample") == 0)
			d.sample = parsed(value);
		else
			d.parts = parsed(value);
		if (strcmp(faults_of(&d), cases[i].want) != 0)
			fail_msg("%s = %s: %s", cases[i].member, value,
			    faults_of(&d));
	}
}

static void
the_error_tells_the_first_fault(void **state)
{
	struct template_draft d = sound();
	struct template_faults faults;
	struct err e;

	d.parts = parsed("{\"en\": {\"sms\": \"{{\", \"email.text\": \"{{\"}}");
	template_faults_init(&faults, a);
	assert_int_equal(template_check(&d, &faults), -1);
	assert_int_equal(template_faults_err(&d, &faults, &e), -1);
	assert_int_equal(e.kind, ERR_UNPROCESSABLE);
	assert_non_null(strstr(e.text,
	    "template \"order-shipped\": en/sms, line 1, column 3: "));
	assert_non_null(strstr(e.text, "(and 1 more)"));
}

static void
the_checksum_is_of_the_content(void **state)
{
	struct template_draft d = sound();
	uint8_t one[TEMPLATE_CHECKSUM_BYTES], two[TEMPLATE_CHECKSUM_BYTES];

	template_checksum(&d, one);
	d.name = "Another";
	d.parts = parsed("{\"de\": {\"sms\": \"Nr. {{order}}\\n\"},"
	                 " \"en\": {\"push.json\": \"{\\\"title\\\": "
	                 "\\\"{{order}}\\\"}\","
	                 " \"email.subject\": \"Order {{order}}\"}}");
	template_checksum(&d, two);
	assert_memory_equal(one, two, sizeof(one));
	d.sample = parsed("{}");
	template_checksum(&d, two);
	assert_memory_not_equal(one, two, sizeof(one));
}

/* ---- Directories
 * ------------------------------------------------------------- */

static char top[64];

static const char *
path(const char *name)
{
	return arena_printf(a, "%s/%s", top, name);
}

static void
put(const char *name, const char *text)
{
	FILE *f = fopen(path(name), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void
remove_tree(const char *directory)
{
	DIR *dir = opendir(directory);
	const struct dirent *entry;

	if (dir == NULL) {
		unlink(directory);
		return;
	}
	while ((entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			remove_tree(arena_printf(a, "%s/%s", directory,
			    entry->d_name));
	closedir(dir);
	rmdir(directory);
}

static void
what_is_written_is_read_back(void **state)
{
	struct template_draft d = sound(), *back = NULL;
	const char *directory = path("order-shipped");
	struct err e;

	d.sample = parsed("{\"en\": {\"order\": \"42\"}, \"de\": {}}");
	d.parts = parsed("{\"en\": {\"email.subject\": \"Order {{order}}\","
	                 " \"email.text\": \"a\\n\\nb\\n\", \"sms\": \"x\"},"
	                 " \"de-AT\": {\"email.html\": \"<p>\"},"
	                 " \"de\": {\"sms\": \"y\"}}");
	if (template_dir_write(a, directory, &d, &e) == -1 ||
	    template_dir_read(a, arena_printf(a, "%s//", directory), &back, &e) ==
	        -1)
		fail_msg("%s", e.text);
	assert_string_equal(back->key, d.key);
	assert_string_equal(back->name, d.name);
	assert_string_equal(back->category, d.category);
	assert_string_equal(back->default_locale, d.default_locale);
	assert_true(json_equal(back->parts, d.parts));
	assert_true(json_equal(back->sample, d.sample));
	assert_true(json_equal(back->variables, d.variables));
	assert_string_equal(faults_of(back), "");
	assert_null(back->fallback);
	assert_false(back->says_fallback || back->says_quiet_exempt);

	/* A part that is gone is gone from the directory too. */
	d.parts = parsed("{\"en\": {\"sms\": \"x\"}, \"de\": {\"sms\": \"y\"}}");
	assert_int_equal(template_dir_write(a, directory, &d, &e), 0);
	assert_int_equal(access(path("order-shipped/email.text.hbs"), F_OK), -1);
}

/* What a push would bring back, and nothing else. */
static void
what_is_gone_is_gone_from_the_directory_too(void **state)
{
	static const struct {
		const char *path;
		bool stays;
	} files[] = {
		{ "sample.json", false }, { "notes.txt", true },
		{ "fr/sms.hbs", false }, { "fr/messages.json", false },
		{ "fr/sample.json", false }, { "fr", false },
		{ "it/email.html.hbs", false }, { "it/notes.txt", true },
		{ "en/sms.hbs", false }, { "de/sample.json", false },
		{ "de/sms.hbs", true }, { "expected/sms.hbs", true },
		{ "other/template.json", true }, { "other/sms.hbs", true },
		{ "_drafts/sms.hbs", true }, { ".fr/sms.hbs", true },
	};
	struct template_draft d = sound(), *back;
	const char *place;
	struct err e;
	size_t i;

	remove_tree(path("t"));
	assert_int_equal(mkdir(path("t"), 0700), 0);
	for (i = 0; i < NELEMS(files); i++) {
		place = arena_printf(a, "t/%s", files[i].path);
		if (strrchr(place, '/') != place + 1)
			(void)mkdir(path(arena_strndup(a, place,
			                (size_t)(strrchr(place, '/') - place))),
			    0700);
		if (strchr(place, '.') != NULL)
			put(place, "{}");
	}
	d.sample = parsed("{}");
	d.parts = parsed("{\"en\": {\"sms\": \"x\"}, \"de\": {\"sms\": \"y\"}}");
	if (template_dir_write(a, path("t"), &d, &e) == -1)
		fail_msg("%s", e.text);
	for (i = 0; i < NELEMS(files); i++) {
		place = arena_printf(a, "t/%s", files[i].path);
		if ((access(path(place), F_OK) == 0) != files[i].stays)
			fail_msg("%s", place);
	}
	/* What others have put there is theirs to take away. */
	remove_tree(path("t/other"));
	remove_tree(path("t/it"));
	if (template_dir_read(a, path("t"), &back, &e) == -1)
		assert_non_null(strstr(e.text, "_drafts"));
	remove_tree(path("t/_drafts"));
	if (template_dir_read(a, path("t"), &back, &e) == -1)
		fail_msg("%s", e.text);
	assert_true(json_equal(back->parts, d.parts));
	assert_int_equal(json_object_size(back->sample), 0);
}

static void
defaults_are_said_cleared_or_left_alone(void **state)
{
	static const struct {
		const char *more;
		bool says_fallback, has_fallback, says_exempt, exempt;
	} cases[] = {
		{ "", false, false, false, false },
		{ ", \"fallback\": null, \"quiet_exempt\": null", true, false, true,
		    false },
		{ ", \"fallback\": [{}, {}]", true, true, false, false },
		{ ", \"quiet_exempt\": false", false, false, true, false },
		{ ", \"quiet_exempt\": true", false, false, true, true },
	};
	struct template_draft *d, *back;
	struct err e;
	size_t i;

	for (i = 0; i < NELEMS(cases); i++) {
		remove_tree(path("t"));
		assert_int_equal(mkdir(path("t"), 0700), 0);
		put("t/template.json",
		    arena_printf(a, "{\"name\": \"x\"%s}", cases[i].more));
		if (template_dir_read(a, path("t"), &d, &e) == -1 ||
		    template_dir_write(a, path("t"), d, &e) == -1 ||
		    template_dir_read(a, path("t"), &back, &e) == -1)
			fail_msg("%s", e.text);
		assert_int_equal(d->says_fallback, cases[i].says_fallback);
		assert_int_equal(d->fallback != NULL, cases[i].has_fallback);
		assert_int_equal(d->says_quiet_exempt, cases[i].says_exempt);
		assert_int_equal(d->quiet_exempt, cases[i].exempt);
		assert_int_equal(back->quiet_exempt, cases[i].exempt);
		assert_true(d->fallback == back->fallback ||
		    json_equal(d->fallback, back->fallback));
	}
}

static void
wrong_directories_name_the_file(void **state)
{
	static const struct {
		const char *file, *text, *want;
	} cases[] = {
		{ "t/template.json", "{", "t/template.json:1:1: " },
		{ "t/template.json", "[]", "t/template.json: this is no JSON" },
		{ "t/template.json", "{}", "t/template.json: " },
		{ "t/template.json", "{\"name\": \"x\", \"nmae\": \"x\"}",
		    "t/template.json: " },
		{ "t/template.json", "{\"name\": \"x\", \"quiet_exempt\": 1}",
		    "t/template.json: \"quiet_exempt\" is neither" },
		{ "t/sms.hbs", "\xff", "t/sms.hbs\" is not UTF-8" },
		{ "t/fax.hbs", "x", "t/fax.hbs\" is no part" },
		{ "t/sample.json", "{\"a\": 1, \"a\": 2}", "t/sample.json:1" },
		{ "t/en/sms.hbs", "x", "t/en\" is the default locale" },
		{ "t/x/sms.hbs", "x", "t/x\" is no locale" },
	};
	struct template_draft *d;
	struct err e;
	size_t i;

	for (i = 0; i < NELEMS(cases); i++) {
		remove_tree(path("t"));
		assert_int_equal(mkdir(path("t"), 0700), 0);
		mkdir(path("t/en"), 0700);
		mkdir(path("t/x"), 0700);
		if (strncmp(cases[i].file, "t/en", 4) != 0)
			rmdir(path("t/en"));
		if (strncmp(cases[i].file, "t/x", 3) != 0)
			rmdir(path("t/x"));
		put("t/template.json", "{\"name\": \"x\"}");
		put("t/README", "not ours");
		put(cases[i].file, cases[i].text);
		assert_int_equal(template_dir_read(a, path("t"), &d, &e), -1);
		assert_int_equal(e.kind, ERR_UNPROCESSABLE);
		if (strstr(e.text, cases[i].want) == NULL)
			fail_msg("%s: %s", cases[i].file, e.text);
	}
	assert_int_equal(template_dir_read(a, path("nowhere"), &d, &e), -1);
	assert_int_equal(e.kind, ERR_NOT_FOUND);
}

static void
faults_have_a_place_in_a_file(void **state)
{
	struct template_draft d = sound();
	static const struct {
		struct template_fault fault;
		const char *want;
	} cases[] = {
		{ { .member = "name" }, "d/template.json" },
		{ { .member = "sample" }, "d/sample.json" },
		{ { .member = "parts", .locale = "en", .part = "sms", .line = 2,
		      .column = 7 },
		    "d/sms.hbs:2:7" },
		{ { .member = "parts", .locale = "de", .part = "sms", .line = 2,
		      .column = 7 },
		    "d/de/sms.hbs:2:7" },
		{ { .member = "parts", .locale = "de", .part = "sms" },
		    "d/de/sms.hbs" },
		{ { .member = "parts", .locale = "de" }, "d/de" },
	};
	size_t i;

	for (i = 0; i < NELEMS(cases); i++)
		assert_string_equal(
		    template_dir_place(a, "d", &d, &cases[i].fault),
		    cases[i].want);
}

static int
setup(void **state)
{
	assert_true(sodium_init() >= 0);
	a = arena_new(4096);
	snprintf(top, sizeof(top), "/tmp/belfry-draft.XXXXXX");
	return mkdtemp(top) == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	remove_tree(top);
	arena_free(&a);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sound_draft_has_no_faults),
		cmocka_unit_test(every_fault_is_named),
		cmocka_unit_test(the_error_tells_the_first_fault),
		cmocka_unit_test(the_checksum_is_of_the_content),
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(what_is_gone_is_gone_from_the_directory_too),
		cmocka_unit_test(defaults_are_said_cleared_or_left_alone),
		cmocka_unit_test(wrong_directories_name_the_file),
		cmocka_unit_test(faults_have_a_place_in_a_file),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
