/*
 * test_conn.c - what a connection is made with
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "db/conn.h"

/* The value that libpq goes by. */
static void
assert_option(PGconn *pg, const char *keyword, const char *value)
{
	PQconninfoOption *list = PQconninfo(pg), *o = list;

	while (strcmp(o->keyword, keyword) != 0)
		o++;
	assert_non_null(o->val);
	assert_string_equal(o->val, value);
	PQconninfoFree(list);
}

/* Unless the connection string says otherwise. */
static void
a_silent_host_is_noticed(void **state)
{
	struct db_params params = {
		.conninfo = "host=127.0.0.1 port=1 dbname=x keepalives_idle=77",
		.user = "u",
		.program = "belfry-test",
		.connect_timeout_ms = 1500,
	};
	struct db_conn c = { .params = &params };
	const char *keys[CONN_WORDS], *values[CONN_WORDS];
	char timeout[CONN_TIMEOUT_BYTES];

	conn_words(&c, keys, values, timeout);
	c.pg = PQconnectStartParams(keys, values, 1);
	assert_non_null(c.pg);
	assert_option(c.pg, "tcp_user_timeout", "15000");
	assert_option(c.pg, "keepalives_idle", "77");
	assert_option(c.pg, "keepalives_interval", "5");
	assert_option(c.pg, "user", "u");
	assert_option(c.pg, "dbname", "x");
	assert_option(c.pg, "connect_timeout", "2");
	PQfinish(c.pg);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_silent_host_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
