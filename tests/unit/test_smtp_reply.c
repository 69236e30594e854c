/*
 * test_smtp_reply.c - what an SMTP server answers
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"
#include "net/smtp_reply.h"

static const struct {
	const char *lines; /* each ends in LF */
	int rc; /* of the last line */
	int code;
	const char *enhanced;
	const char *text;
} cases[] = {
	{ "250 ok\r\n", 1, 250, "", "ok" },
	{ "250\r\n", 1, 250, "", "" },
	{ "250 \r\n", 1, 250, "", "" },
	{ "250 2.0.0 queued as 1\r\n", 1, 250, "2.0.0", "queued as 1" },
	{ "550 5.1.1 <a@b>: no such user\n", 1, 550, "5.1.1",
	    "<a@b>: no such user" },
	{ "550-5.1.1 no such\r\n550 5.1.1 user\r\n", 1, 550, "5.1.1",
	    "no such user" },
	{ "550-5.7.26 a\r\n550-5.7.26 b\r\n550 5.7.26 c\r\n", 1, 550, "5.7.26",
	    "a b c" },
	{ "550 5.1.1\r\n", 1, 550, "5.1.1", "" },
	{ "250-a\r\n", 0, 250, "", "a" },
	{ "250-a\r\n550 b\r\n", -1, 250, "", "a" },
	{ "250 a\r\n550 b\r\n", 1, 550, "", "b" },
	/* An enhanced code of another class, or none at all. */
	{ "550 4.1.1 x\r\n", 1, 550, "", "4.1.1 x" },
	{ "550 5.1.1x\r\n", 1, 550, "", "5.1.1x" },
	{ "550 5.1 x\r\n", 1, 550, "", "5.1 x" },
	{ "550 5..1 x\r\n", 1, 550, "", "5..1 x" },
	{ "550 5.1234.1 x\r\n", 1, 550, "", "5.1234.1 x" },
	{ "354 3.0.0 go\r\n", 1, 354, "", "3.0.0 go" },
	{ "421 4.7.0 slow\tdown\r\n", 1, 421, "4.7.0", "slow down" },
	{ "550 \xc3\xa4\r\n", 1, 550, "", "\xc3\xa4" },
	{ "550 \xe4\r\n", 1, 550, "", "?" },
	{ "550 a\x1b[0mb\r\n", 1, 550, "", "a [0mb" },
	{ "", 2, 0, "", "" },
	{ "\r\n", -1, 0, "", "" },
	{ "25\r\n", -1, 0, "", "" },
	{ "2500 x\r\n", -1, 0, "", "" },
	{ "150 x\r\n", -1, 0, "", "" },
	{ "650 x\r\n", -1, 0, "", "" },
	{ "HTTP/1.1 200 OK\r\n", -1, 0, "", "" },
};

static void
replies_are_read_as_the_table_says(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct smtp_reply r = { .code = 0 };
		const char *s = cases[i].lines, *end;
		int rc = 2;

		while ((end = strchr(s, '\n')) != NULL) {
			rc = smtp_reply_line(&r, s, (size_t)(end + 1 - s));
			s = end + 1;
		}
		assert_int_equal(rc, cases[i].rc);
		assert_int_equal(r.code, cases[i].code);
		assert_string_equal(r.enhanced, cases[i].enhanced);
		assert_string_equal(r.text, cases[i].text);
	}
}

static void
long_replies_are_cut_at_a_character(void **state)
{
	struct smtp_reply r = { .code = 0 };
	char line[2048] = "550-";
	size_t i;

	for (i = 4; i + 2 < sizeof(line); i += 2)
		memcpy(line + i, "\xc3\xa4", 2);
	assert_int_equal(smtp_reply_line(&r, line, i), 0);
	assert_int_equal(smtp_reply_line(&r, line, i), 0);
	line[3] = ' ';
	assert_int_equal(smtp_reply_line(&r, line, i), 1);
	assert_true(strlen(r.text) > 390);
	assert_true(text_is_utf8(r.text, strlen(r.text)));
	assert_null(strchr(r.text, '?'));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies_are_read_as_the_table_says),
		cmocka_unit_test(long_replies_are_cut_at_a_character),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
