/*
 * test_log.c - one event is one line of JSON
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <jansson.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/log.h"

static char directory[] = "/tmp/belfry-log-XXXXXX";
static char path[64], moved[64];
static char text[1 << 16];

static void
open_log(void)
{
	struct err e;

	unlink(path);
	assert_int_equal(log_open("tester", path, LOG_LEVEL_INFO, &e), 0);
}

static size_t
read_file(const char *name)
{
	FILE *f = fopen(name, "r");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	return n;
}

/* The only line of the log, parsed. */
static json_t *
only_line(void)
{
	size_t n = read_file(path), i;
	json_t *line;

	assert_true(n > 0 && n <= 4096);
	assert_int_equal(text[n - 1], '\n');
	for (i = 0; i < n - 1; i++)
		assert_true((unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
	line = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	if (line == NULL)
		fail_msg("not JSON: %s", text);
	return line;
}

static const char *
field(json_t *line, const char *key)
{
	return json_string_value(json_object_get(line, key));
}

static void
a_line_has_its_fields(void **state)
{
	struct log_scope scope;
	int64_t at_ms;
	json_t *line;

	open_log();
	log_scope_reset(&scope);
	log_scope_add(&scope, (struct log_field)LF_STR("request_id", "r-1"));
	log_scope_add(&scope, (struct log_field)LF_INT("tenant", 7));
	log_warn(&scope, "something is wrong", LF_STR("text", "abc"),
	    LF_STR("nothing", NULL), LF_INT("least", INT64_MIN),
	    LF_BOOL("yes", true), LF_BOOL("no", false));
	line = only_line();
	assert_int_equal(clock_parse(field(line, "at"), &at_ms), 0);
	assert_in_range(clock_wall_ms() - at_ms, 0, 60000);
	assert_string_equal(field(line, "level"), "warn");
	assert_string_equal(field(line, "program"), "tester");
	assert_int_equal(json_integer_value(json_object_get(line, "pid")),
	    getpid());
	assert_string_equal(field(line, "msg"), "something is wrong");
	assert_string_equal(field(line, "request_id"), "r-1");
	assert_int_equal(json_integer_value(json_object_get(line, "tenant")),
	    7);
	assert_string_equal(field(line, "text"), "abc");
	assert_null(json_object_get(line, "nothing"));
	assert_true(json_integer_value(json_object_get(line, "least")) ==
	    INT64_MIN);
	assert_true(json_is_true(json_object_get(line, "yes")));
	assert_true(json_is_false(json_object_get(line, "no")));
	assert_int_equal(json_object_size(line), 11);
	json_decref(line);
}

static void
fields_cannot_make_a_second_line(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "", "" },
		{ "a\r\nb\tc", "a\r\nb\tc" },
		{ "\"},{\\", "\"},{\\" },
		{ "\x1b[31m\x01\x7f", "\x1b[31m\x01\x7f" },
		{ "\xc2\x9b" "31m", "\xc2\x9b" "31m" },
		{ "%n%s", "%n%s" },
		{ "gr\xc3\xbc\xc3\x9f \xf0\x9f\x94\x94",
		    "gr\xc3\xbc\xc3\x9f \xf0\x9f\x94\x94" },
		{ "\xff" "a\xc3", "\xef\xbf\xbd" "a\xef\xbf\xbd" },
		{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	};
	json_t *line;
	size_t i;

	for (i = 0; i < NELEMS(rows); i++) {
		open_log();
		log_info(NULL, "m", LF_STR("f", rows[i].in));
		line = only_line();
		assert_string_equal(field(line, "f"), rows[i].out);
		assert_null(strchr(text, '\x1b'));
		assert_null(strstr(text, "\xc2\x9b"));
		json_decref(line);
	}
}

static void
every_length_of_every_kind_of_text_stays_json(void **state)
{
	static const char *const units[] = { "x", "\"", "\x01", "\xff",
		"\xc3\xa4", "\xf0\x9f\x94\x94" };
	static char big[6000];
	size_t u, n, len;
	json_t *line;

	for (u = 0; u < NELEMS(units); u++) {
		len = strlen(units[u]);
		for (n = 1; n * len < sizeof(big); n += n < 1100 ? 23 : 509) {
			size_t i;

			for (i = 0; i < n * len; i++)
				big[i] = units[u][i % len];
			big[n * len] = '\0';
			open_log();
			log_info(NULL, "m", LF_STR("a", big), LF_STR("b", big),
			    LF_STR("c", big), LF_STR("d", big), LF_INT("e", 1));
			line = only_line();
			if (n >= 1100)
				assert_true(json_is_true(
				    json_object_get(line, "cut")));
			json_decref(line);
		}
	}
}

static void
a_long_text_is_cut_and_says_so(void **state)
{
	char big[3001];
	json_t *line;

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	open_log();
	log_info(NULL, "m", LF_STR("big", big), LF_INT("after", 1));
	line = only_line();
	assert_int_equal(strlen(field(line, "big")), 1024 + 3);
	assert_string_equal(field(line, "big") + 1020, "xxxx...");
	assert_true(json_is_true(json_object_get(line, "cut")));
	assert_int_equal(json_integer_value(json_object_get(line, "after")), 1);
	json_decref(line);
}

static void
a_field_that_does_not_fit_a_scope_is_left_out_whole(void **state)
{
	struct log_scope scope;
	char big[600];
	json_t *line;

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	log_scope_reset(&scope);
	log_scope_add(&scope, (struct log_field)LF_STR("one", "1"));
	log_scope_add(&scope, (struct log_field)LF_STR("big", big));
	big[400] = '\0';
	log_scope_add(&scope, (struct log_field)LF_STR("two", big));
	log_scope_add(&scope, (struct log_field)LF_STR("more", big));
	log_scope_add(&scope, (struct log_field)LF_INT("three", 3));
	open_log();
	log_info(&scope, "m");
	line = only_line();
	assert_string_equal(field(line, "one"), "1");
	assert_null(json_object_get(line, "big"));
	assert_string_equal(field(line, "two"), big);
	assert_null(json_object_get(line, "more"));
	assert_int_equal(json_integer_value(json_object_get(line, "three")), 3);
	json_decref(line);
}

static void
levels_filter_and_parse(void **state)
{
	enum log_level level;

	open_log();
	log_debug(NULL, "not shown");
	assert_int_equal(read_file(path), 0);
	log_set_level(LOG_LEVEL_ERROR);
	log_warn(NULL, "not shown");
	assert_int_equal(read_file(path), 0);
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug(NULL, "shown");
	assert_true(read_file(path) > 0);
	assert_int_equal(log_level_parse("warn", &level), 0);
	assert_int_equal(level, LOG_LEVEL_WARN);
	assert_int_equal(log_level_parse("WARN", &level), -1);
	assert_int_equal(log_level_parse("", &level), -1);
}

static void
a_moved_file_is_opened_anew(void **state)
{
	struct stat st;

	open_log();
	log_info(NULL, "first");
	assert_int_equal(rename(path, moved), 0);
	log_info(NULL, "second");
	log_reopen();
	log_info(NULL, "third");
	read_file(moved);
	assert_non_null(strstr(text, "first"));
	assert_non_null(strstr(text, "second"));
	read_file(path);
	assert_non_null(strstr(text, "third"));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07137, 0);
}

static void
a_file_that_cannot_be_opened_leaves_the_log_as_it_was(void **state)
{
	char wrong[96];
	struct err e;
	json_t *line;

	open_log();
	snprintf(wrong, sizeof(wrong), "%s/none/log", directory);
	assert_int_equal(log_open("x", wrong, LOG_LEVEL_DEBUG, &e), -1);
	assert_int_equal(e.kind, ERR_TEMPORARY);
	log_debug(NULL, "not shown");
	log_info(NULL, "shown", LF_ERR(&e));
	line = only_line();
	assert_string_equal(field(line, "program"), "tester");
	assert_string_equal(field(line, "code"), "temporary");
	assert_non_null(strstr(field(line, "error"), "No such file"));
	assert_null(json_object_get(line, "detail"));
	json_decref(line);
}

/* A full disk tears a line; the ones after it are whole and count it. */
static void
lost_lines_are_counted(void **state)
{
	struct rlimit old, low;
	char *second;
	json_t *line;

	open_log();
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	low = old;
	low.rlim_cur = 20;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	log_info(NULL, "torn");
	log_info(NULL, "lost");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	log_info(NULL, "there");
	read_file(path);
	second = strchr(text, '\n');
	assert_non_null(second);
	assert_int_equal(second - text, 20);
	line = json_loads(second + 1, 0, NULL);
	assert_non_null(line);
	assert_int_equal(json_integer_value(json_object_get(line, "lost")), 2);
	assert_string_equal(field(line, "msg"), "there");
	json_decref(line);
	open_log();
	log_info(NULL, "m");
	line = only_line();
	assert_null(json_object_get(line, "lost"));
	json_decref(line);
}

static void
addresses_are_masked(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "", "***" },
		{ "anna@example.org", "a***@example.org" },
		{ "a@example.org", "***@example.org" },
		{ "@example.org", "***@example.org" },
		{ "\"a@b\"@example.org", "\"***@example.org" },
		{ "\xc3\xa4nne@example.org", "\xc3\xa4***@example.org" },
		{ "+43660123456", "+43***56" },
		{ "+4366012", "+43***" },
		{ "+436", "+***" },
		{ "fcm-token-0123456789", "f***" },
	};
	char masked[64];
	size_t i;

	for (i = 0; i < NELEMS(rows); i++) {
		log_mask_address(rows[i].in, masked, sizeof(masked));
		assert_string_equal(masked, rows[i].out);
	}
	log_mask_address("anna@example.org", masked, 8);
	assert_string_equal(masked, "a***@ex");
}

static int
make_directory(void **state)
{
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/log", directory);
	snprintf(moved, sizeof(moved), "%s/log.1", directory);
	return 0;
}

static int
remove_directory(void **state)
{
	struct err e;
	int rc = log_open("tester", "stderr", LOG_LEVEL_INFO, &e);

	unlink(path);
	unlink(moved);
	return rc != 0 ? rc : rmdir(directory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_its_fields),
		cmocka_unit_test(fields_cannot_make_a_second_line),
		cmocka_unit_test(every_length_of_every_kind_of_text_stays_json),
		cmocka_unit_test(a_long_text_is_cut_and_says_so),
		cmocka_unit_test(
		    a_field_that_does_not_fit_a_scope_is_left_out_whole),
		cmocka_unit_test(levels_filter_and_parse),
		cmocka_unit_test(a_moved_file_is_opened_anew),
		cmocka_unit_test(
		    a_file_that_cannot_be_opened_leaves_the_log_as_it_was),
		cmocka_unit_test(lost_lines_are_counted),
		cmocka_unit_test(addresses_are_masked),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
