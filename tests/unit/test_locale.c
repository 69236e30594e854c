/*
 * test_locale.c - locales and their parents
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "model/locale.h"

static void
the_form_is_checked(void **state)
{
	static const struct {
		const char *text;
		int valid;
	} cases[] = {
		{ "de", 1 },
		{ "de-AT", 1 },
		{ "zh-Hant-TW", 1 },
		{ "es-419", 1 },
		{ "sl-nedis", 1 },
		{ "abcdefgh", 1 },
		{ "aa-12345678-12345678-12345678-12345", 1 },
		{ "aa-12345678-12345678-12345678-123456", 0 },
		{ "", 0 },
		{ "d", 0 },
		{ "abcdefghi", 0 },
		{ "de-", 0 },
		{ "-de", 0 },
		{ "de--AT", 0 },
		{ "de_AT", 0 },
		{ "de-123456789", 0 },
		{ "d1", 0 },
		{ "../de", 0 },
		{ "de/AT", 0 },
		{ "d\xc3\xa9", 0 },
	};
	size_t i;

	for (i = 0; i < NELEMS(cases); i++)
		assert_int_equal(locale_is_valid(cases[i].text), cases[i].valid);
}

static void
parents_end(void **state)
{
	const char *s = "zh-Hant-TW";
	size_t n = locale_parent(s, strlen(s));

	assert_int_equal(n, strlen("zh-Hant"));
	n = locale_parent(s, n);
	assert_int_equal(n, strlen("zh"));
	assert_int_equal(locale_parent(s, n), 0);
	assert_int_equal(locale_parent(s, 0), 0);
}

static void
case_does_not_matter(void **state)
{
	assert_true(locale_is("de-AT", 5, "de-at"));
	assert_true(locale_is("de-AT", 2, "de"));
	assert_false(locale_is("de-AT", 2, "de-AT"));
	assert_false(locale_is("de", 2, "d"));
	assert_false(locale_is("de", 2, "deu"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_form_is_checked),
		cmocka_unit_test(parents_end),
		cmocka_unit_test(case_does_not_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
