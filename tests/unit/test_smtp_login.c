/*
 * test_smtp_login.c - logging in at a mail server
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/compiler.h"
#include "net/smtp_login.h"

static void
test_offers(void **state)
{
	static const struct {
		const char *line;
		unsigned want;
	} lines[] = {
		{ "AUTH PLAIN LOGIN\r\n", SMTP_AUTH_PLAIN | SMTP_AUTH_LOGIN },
		{ "auth cram-md5 Plain", SMTP_AUTH_CRAM_MD5 | SMTP_AUTH_PLAIN },
		{ "AUTH=LOGIN", SMTP_AUTH_LOGIN },
		{ "AUTH XOAUTH2 NTLM", SMTP_AUTH_UNKNOWN },
		{ "AUTH PLAINS", SMTP_AUTH_UNKNOWN },
		{ "AUTH", 0 },
		{ "AUTH ", 0 },
		{ "AUTHOR PLAIN", 0 },
		{ "SIZE 1000", 0 },
		{ "", 0 },
	};
	size_t i;

	for (i = 0; i < NELEMS(lines); i++)
		assert_int_equal(smtp_login_offers(lines[i].line,
		                     strlen(lines[i].line)),
		    lines[i].want);
}

static void
test_choice(void **state)
{
	const unsigned all = SMTP_AUTH_PLAIN | SMTP_AUTH_LOGIN |
	    SMTP_AUTH_CRAM_MD5;

	assert_int_equal(smtp_login_choose(all, true), SMTP_AUTH_PLAIN);
	assert_int_equal(smtp_login_choose(all, false), SMTP_AUTH_CRAM_MD5);
	assert_int_equal(smtp_login_choose(SMTP_AUTH_LOGIN, false),
	    SMTP_AUTH_LOGIN);
	assert_int_equal(smtp_login_choose(SMTP_AUTH_UNKNOWN, true), 0);
}

/* Lines of the client, and between them what the server asks; NULL: no more is known. */
static void
test_lines(void **state)
{
	static const struct {
		unsigned mechanism;
		const char *username, *password;
		const char *asked[3]; /* before the second line, and so on */
		const char *said[4];
	} logins[] = {
		{ SMTP_AUTH_PLAIN, "tim", "tanstaaftanstaaf", { "" },
		    { "AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm\r\n", NULL } },
		{ SMTP_AUTH_LOGIN, "tim", "tanstaaftanstaaf",
		    { "VXNlcm5hbWU6", "UGFzc3dvcmQ6", "" },
		    { "AUTH LOGIN\r\n", "dGlt\r\n", "dGFuc3RhYWZ0YW5zdGFhZg==\r\n",
		        NULL } },
		/* RFC 2195 section 2. */
		{ SMTP_AUTH_CRAM_MD5, "tim", "tanstaaftanstaaf",
		    { "PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+",
		        "" },
		    { "AUTH CRAM-MD5\r\n",
		        "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw\r\n",
		        NULL } },
		{ SMTP_AUTH_CRAM_MD5, "tim", "x", { "no base64!" },
		    { "AUTH CRAM-MD5\r\n", NULL } },
	};
	struct smtp_login l;
	struct buf out;
	size_t i, k;

	buf_init(&out, 1000);
	for (i = 0; i < NELEMS(logins); i++) {
		l = (struct smtp_login){ logins[i].mechanism,
			logins[i].username, logins[i].password, 0 };
		for (k = 0; logins[i].said[k] != NULL; k++) {
			buf_reset(&out);
			assert_int_equal(smtp_login_next(&l,
			                     k > 0 ? logins[i].asked[k - 1] : "",
			                     &out),
			    0);
			assert_string_equal(out.data, logins[i].said[k]);
		}
		assert_int_equal(smtp_login_next(&l, logins[i].asked[k - 1],
		                     &out),
		    -1);
	}
	buf_done(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_offers),
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
