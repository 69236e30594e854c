/*
 * test_network.c - addresses of hosts and networks
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
#include "base/network.h"
#include "net/fetch.h"
#include "net/guard.h"

static struct network
address(const char *text)
{
	struct network n;

	if (network_parse(text, false, &n) != 0)
		fail_msg("%s", text);
	return n;
}

static void
what_is_an_address(void **state)
{
	static const char *const wrong[] = { "", "1.2.3", "1.2.3.4.5", "256.0.0.1",
		"1.2.3.4 ", "01.2.3.4x", "::g", "[::1", "localhost", "1.2.3.4/",
		"1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/8", "10.0.0.1/8",
		"::1/129", "2001:db8::1/32", "1.2.3.4/032/1", "0x7f.1", "127.1" };
	struct network n;
	size_t i;

	for (i = 0; i < NELEMS(wrong); i++)
		if (network_parse(wrong[i], true, &n) == 0)
			fail_msg("%s", wrong[i]);
	assert_int_equal(network_parse("10.0.0.0/8", true, &n), 0);
	assert_int_equal(network_parse("10.0.0.0/8", false, &n), -1);
	assert_int_equal(network_parse("[2001:db8::1]", false, &n), 0);
}

static void
what_lies_in_a_network(void **state)
{
	static const struct {
		const char *network, *address;
		bool in;
	} cases[] = {
		{ "10.0.0.0/8", "10.255.1.2", true },
		{ "10.0.0.0/8", "11.0.0.0", false },
		{ "10.1.2.3", "10.1.2.3", true },
		{ "10.1.2.3", "10.1.2.2", false },
		{ "0.0.0.0/0", "192.0.2.1", true },
		{ "0.0.0.0/0", "::1", false },
		{ "::/0", "2001:db8::1", true },
		{ "2001:db8::/33", "2001:db8:8000::1", false },
		{ "10.0.0.0/8", "::ffff:10.0.0.1", true },
		{ "::ffff:10.0.0.0/104", "10.0.0.1", true },
	};
	struct network n, a;
	size_t i;

	for (i = 0; i < NELEMS(cases); i++) {
		assert_int_equal(network_parse(cases[i].network, true, &n), 0);
		a = address(cases[i].address);
		if (network_contains(&n, &a) != cases[i].in)
			fail_msg("%s in %s", cases[i].address,
			    cases[i].network);
	}
}

static void
what_is_public(void **state)
{
	static const char *const open[] = { "8.8.8.8", "93.184.216.34",
		"172.15.0.1", "172.32.0.1", "2606:2800:220:1::1", "2a00::1" };
	static const char *const closed[] = { "0.0.0.0", "10.0.0.1",
		"100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1",
		"192.168.1.1", "198.18.0.1", "203.0.113.9", "224.0.0.1",
		"255.255.255.255", "::", "::1", "::ffff:127.0.0.1",
		"::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "fe80::1",
		"fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1",
		"2002:7f00:1::", "2001:0:1::1", "::7f00:1" };
	struct network n;
	size_t i;

	for (i = 0; i < NELEMS(open); i++) {
		n = address(open[i]);
		if (!network_is_public(&n))
			fail_msg("%s", open[i]);
	}
	for (i = 0; i < NELEMS(closed); i++) {
		n = address(closed[i]);
		if (network_is_public(&n))
			fail_msg("%s", closed[i]);
	}
}

static void
lists(void **state)
{
	struct arena *a = arena_new(1024);
	struct network *list, n = address("192.0.2.7");
	size_t count;

	assert_null(network_list_parse(a, " 10.0.0.0/8, 192.0.2.0/24\t::1 ",
	    &list, &count));
	assert_int_equal(count, 3);
	assert_true(network_list_contains(list, count, &n));
	assert_false(network_list_contains(list, 1, &n));
	assert_null(network_list_parse(a, "", &list, &count));
	assert_int_equal(count, 0);
	assert_string_equal(network_list_parse(a, "::1 no", &list, &count),
	    "no");
	arena_free(&a);
}

/* What may be fetched at all; who may be connected to is decided by the address. */
static void
urls(void **state)
{
	static const struct {
		const char *url;
		bool operators, tenants;
	} cases[] = {
		{ "https://sso.example.org/keys", true, true },
		{ "HTTPS://sso.example.org", true, true },
		{ "http://sso.example.org/keys", false, false },
		{ "http://127.0.0.1:8080/keys", true, false },
		{ "http://[::1]:8080/keys", true, false },
		{ "http://localhost/keys", true, false },
		{ "http://localhost.example.org/keys", false, false },
		{ "http://127.0.0.1.example.org/", false, false },
		{ "http://127.0.0.1@example.org/", false, false },
		{ "https://ann@example.org/", false, false },
		{ "https://", false, false },
		{ "file:///etc/passwd", false, false },
		{ "gopher://127.0.0.1/", false, false },
		{ "", false, false },
	};
	size_t i;

	for (i = 0; i < NELEMS(cases); i++)
		if (fetch_url_is_good(cases[i].url, NULL) !=
		        cases[i].operators ||
		    fetch_url_is_good(cases[i].url, "") != cases[i].tenants)
			fail_msg("%s", cases[i].url);
}

static void
what_a_tenant_may_name(void **state)
{
	static const struct {
		const char *url;
		bool closed, open; /* with nothing allowed, with OPEN */
	} cases[] = {
		{ "https://example.org/x?y=http://127.0.0.1", true, true },
		{ "smtp.example.org", true, true },
		{ "https://93.184.216.34:8443", true, true },
		{ "https://[2606:2800:220:1::1]/", true, true },
		{ "http://127.0.0.1:8080", false, true },
		{ "127.0.0.1", false, true },
		{ "::1", false, true },
		{ "http://[::1]:25/", false, true },
		{ "http://[::ffff:127.0.0.1]/", false, true },
		{ "http://2130706433/", false, true },
		{ "http://0x7f.1/", false, true },
		{ "http://0177.0.0.1", false, true },
		{ "http://localhost./", false, true },
		{ "http://a.LOCALHOST", false, true },
		{ "https://user@127.0.0.1/", false, true },
		{ "https://example.org@10.1.2.3/", false, true },
		{ "http://10.1.2.3", false, true },
		{ "http://10.2.0.1", false, false },
		{ "http://169.254.169.254/latest", false, false },
		{ "http://0/", false, false },
		{ "http://[fd00::1]/", false, false },
		{ "http://[fe80::1]/", false, false },
		{ "http://[64:ff9b::7f00:1]/", false, false },
		{ "http://[2002:7f00:1::]/", false, false },
		{ "http://", false, false },
		{ "", false, false },
	};
	size_t i;

	for (i = 0; i < NELEMS(cases); i++)
		if (guard_allows_url("", cases[i].url) != cases[i].closed ||
		    guard_allows_url("127.0.0.0/8 ::1, 10.1.0.0/16",
		        cases[i].url) != cases[i].open)
			fail_msg("%s", cases[i].url);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_an_address),
		cmocka_unit_test(what_lies_in_a_network),
		cmocka_unit_test(what_is_public),
		cmocka_unit_test(lists),
		cmocka_unit_test(urls),
		cmocka_unit_test(what_a_tenant_may_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
