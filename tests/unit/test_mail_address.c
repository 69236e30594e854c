/*
 * test_mail_address.c - what may stand as an e-mail address
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "provider/mail_address.h"

#define TEN "aaaaaaaaaa"
#define SIXTY TEN TEN TEN TEN TEN TEN

static const struct {
	const char *addr;
	const char *fault; /* a part of the text, NULL for a good address */
	bool utf8;
} cases[] = {
	{ "ann@example.org", NULL, false },
	{ "a@b", NULL, false },
	{ "root@localhost", NULL, false },
	{ "a.b+tag=x!#$%&'*/?^_`{|}~-@sub.example.org", NULL, false },
	{ "a@xn--bcher-kva.example", NULL, false },
	{ "a@1and1.example", NULL, false },
	{ "a@\xc3\xbc" "ber.example", NULL, false },
	{ "j\xc3\xb6rg@example.org", NULL, true },
	{ "\xe6\x9d\x8e@\xe4\xbe\x8b.example", NULL, true },
	{ SIXTY "aaaa@example.org", NULL, false },
	{ SIXTY "aaaaa@example.org", "64 bytes", false },
	{ "a@" SIXTY "aaa.example", NULL, false },
	{ "a@" SIXTY "aaaa.example", "63 bytes", false },
	{ "a@" SIXTY "." SIXTY "." SIXTY "." SIXTY ".examplea", NULL, false },
	{ "a@" SIXTY "." SIXTY "." SIXTY "." SIXTY ".exampleaa", "254 bytes",
	    false },
	{ "", "is empty", false },
	{ "ann", "no \"@\"", false },
	{ "@example.org", "nothing before", false },
	{ "ann@", "empty label", false },
	{ "ann@example.org.", "empty label", false },
	{ "ann@.example.org", "empty label", false },
	{ "ann@example..org", "empty label", false },
	{ "ann@-example.org", "hyphen", false },
	{ "ann@example-.org", "hyphen", false },
	{ "ann@exa_mple.org", "not allowed in a domain", false },
	{ "ann@192.0.2.1", "ends in a number", false },
	{ "ann@[192.0.2.1]", "address literal", false },
	{ "ann@[IPv6:::1]", "address literal", false },
	{ ".ann@example.org", "dot at an end", false },
	{ "ann.@example.org", "dot at an end", false },
	{ "an..n@example.org", "two dots", false },
	{ "\"ann b\"@example.org", "quoted", false },
	{ "ann b@example.org", "not allowed before", false },
	{ "ann@example.org@example.net", "not allowed before", false },
	{ "ann,bob@example.org", "not allowed before", false },
	{ "<ann@example.org>", "not allowed", false },
	{ "ann@example.org>", "not allowed in a domain", false },
	{ "Ann <ann@example.org>", "not allowed", false },
	{ "ann@example.org, bob@example.org", "not allowed", false },
	{ "ann(comment)@example.org", "not allowed before", false },
	{ "ann@example.org\r\nRCPT TO:<x@y>", "control", false },
	{ "ann@example.org\n", "control", false },
	{ "ann\r@example.org", "control", false },
	{ "ann\t@example.org", "control", false },
	{ "ann\x7f@example.org", "control", false },
	{ "ann\xc2\x85@example.org", "invisible", false },
	{ "ann\xe2\x80\xae@example.org", "invisible", false },
	{ "ann\xe2\x81\xa6@example.org", "invisible", false },
	{ "ann\xef\xbb\xbf@example.org", "invisible", false },
	{ "ann\xe2\x80\x8b@example.org", "invisible", false },
	{ "ann@exam\xe2\x80\x8fple.org", "invisible", false },
	{ "ann\xed\xa0\x80@example.org", "UTF-8", false },
	{ "ann\xff@example.org", "UTF-8", false },
	{ "ann\xc0\x8a@example.org", "UTF-8", false },
};

static void
addresses_are_judged_as_the_table_says(void **state)
{
	struct err e;
	bool utf8;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int rc = mail_address_check(cases[i].addr, &utf8, &e);

		if ((rc == 0) != (cases[i].fault == NULL))
			fail_msg("%s: %s", cases[i].addr,
			    rc == 0 ? "was taken" : e.text);
		if (rc == 0) {
			assert_int_equal(utf8, cases[i].utf8);
			continue;
		}
		assert_int_equal(e.kind, ERR_UNPROCESSABLE);
		if (strstr(e.text, cases[i].fault) == NULL)
			fail_msg("%s: %s", cases[i].addr, e.text);
	}
}

static const struct {
	const char *addr;
	const char *ascii; /* NULL: refused */
} international[] = {
	{ "ann@example.org", "ann@example.org" },
	{ "Ann@Example.ORG", "Ann@Example.ORG" },
	{ "ann@b\xc3\xbc" "cher.example", "ann@xn--bcher-kva.example" },
	{ "ann@B\xc3\x9c" "CHER.example", "ann@xn--bcher-kva.example" },
	{ "j\xc3\xb6rg@b\xc3\xbc" "cher.example",
	    "j\xc3\xb6rg@xn--bcher-kva.example" },
	{ "a@\xe4\xbe\x8b\xe3\x81\x88.\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88",
	    "a@xn--r8jz45g.xn--zckzah" },
	{ "a@\xcc\x81.example", NULL },
	{ "a@\xf0\x9f\x98\x80\xcc.example", NULL },
};

static void
domains_become_a_labels_and_local_parts_stay(void **state)
{
	struct arena *a = arena_new(1024);
	struct err e;
	size_t i;

#ifndef HAVE_IDN2
	skip();
#endif
	for (i = 0; i < sizeof(international) / sizeof(international[0]); i++) {
		const char *ascii = NULL;
		int rc = mail_address_ascii(
		    a, international[i].addr, &ascii, &e);

		if (international[i].ascii == NULL)
			assert_int_equal(rc, -1);
		else if (rc < 0)
			fail_msg("%s: %s", international[i].addr, e.text);
		else
			assert_string_equal(ascii, international[i].ascii);
	}
	arena_free(&a);
}

static void
a_megabyte_takes_less_than_ten_milliseconds(void **state)
{
	static const char *const seeds[] = { "a", ".", "@", "a@", "a.", "\"",
		"\xc3\xbc", "a@a.", "(" };
	static char big[(1 << 20) + 8];
	struct err e;
	bool utf8;
	size_t i, n;

	for (i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
		int64_t before;

		for (n = 0; n < 1 << 20; n += strlen(seeds[i]))
			memcpy(big + n, seeds[i], strlen(seeds[i]) + 1);
		before = clock_mono_us();
		assert_int_equal(mail_address_check(big, &utf8, &e), -1);
		assert_true(clock_mono_us() - before < 10000);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_judged_as_the_table_says),
		cmocka_unit_test(domains_become_a_labels_and_local_parts_stay),
		cmocka_unit_test(a_megabyte_takes_less_than_ten_milliseconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
