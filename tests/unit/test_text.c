/*
 * test_text.c - bytes as text, and checks of text
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
#include "base/text.h"

static void
known_texts_are_written(void **state)
{
	struct arena *a = arena_new(256);

	assert_string_equal(text_base64url(a, "", 0), "");
	assert_string_equal(text_base64url(a, "f", 1), "Zg");
	assert_string_equal(text_base64url(a, "fo", 2), "Zm8");
	assert_string_equal(text_base64url(a, "foo", 3), "Zm9v");
	assert_string_equal(text_base64url(a, "\xfb\xff\xfe", 3), "-__-");
	assert_string_equal(text_base32(a, "", 0), "");
	assert_string_equal(text_base32(a, "\xff", 1), "zw");
	assert_string_equal(text_base32(a, "foobar", 6), "csqpyrk1e8");
	assert_string_equal(text_hex(a, "\x00\x9f\xff", 3), "009fff");
	arena_free(&a);
}

static void
every_length_comes_back(void **state)
{
	struct arena *a = arena_new(4096);
	uint8_t bytes[100], back[100];
	void *p;
	size_t n, i, len;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 73 + 255);
	for (n = 0; n <= sizeof(bytes); n++) {
		assert_int_equal(text_base64url_decode(a,
		                     text_base64url(a, bytes, n), &p, &len),
		    0);
		assert_int_equal(len, n);
		assert_memory_equal(p, bytes, n);
		assert_int_equal(
		    text_base32_decode(a, text_base32(a, bytes, n), &p, &len),
		    0);
		assert_int_equal(len, n);
		assert_memory_equal(p, bytes, n);
		assert_int_equal(((char *)p)[n], '\0');
		assert_int_equal(
		    text_hex_decode(text_hex(a, bytes, n), back, n), 0);
		assert_memory_equal(back, bytes, n);
	}
	arena_free(&a);
}

static void
decoding_is_strict(void **state)
{
	static const char *const bad64[] = { "A", "Zg=", "Zg==", "Zh", "Zm9",
		"Zm9vA", "Z g", "Zm+v", "Zm/v", "Zm9v\n", "Zm9\xc3" };
	static const char *const bad32[] = { "z", "zz", "zwz", "ZW", "zo", "il",
		"csqpyrk1e9", "csqpyr-k1e8", "zw=" };
	static const char *const bad16[] = { "", "0", "00a", "00", "00ag",
		"0x00", "00aa0", "00aa00", " 0aa", "00a " };
	struct arena *a = arena_new(256);
	uint8_t out[2] = { 7, 7 };
	void *p = a;
	size_t i, n = 99;

	for (i = 0; i < NELEMS(bad64); i++)
		if (text_base64url_decode(a, bad64[i], &p, &n) != -1)
			fail_msg("base64url took \"%s\"", bad64[i]);
	for (i = 0; i < NELEMS(bad32); i++)
		if (text_base32_decode(a, bad32[i], &p, &n) != -1)
			fail_msg("base32 took \"%s\"", bad32[i]);
	for (i = 0; i < NELEMS(bad16); i++)
		if (text_hex_decode(bad16[i], out, 2) != -1)
			fail_msg("hex took \"%s\"", bad16[i]);
	assert_ptr_equal(p, a);
	assert_int_equal(n, 99);
	assert_memory_equal(out, "\7\7", 2);
	assert_int_equal(text_hex_decode("Ab9F", out, 2), 0);
	assert_memory_equal(out, "\xab\x9f", 2);
	arena_free(&a);
}

static const struct {
	const char *s;
	size_t n;
	bool utf8;
} bytes[] = {
	{ "", 0, true },
	{ "plain text of more than eight bytes", 35, true },
	{ "a\0b", 3, true },
	{ "12345678\xc3\xa4", 10, true },
	{ "1234567\xc3\xa4", 9, true },
	{ "\xc2\x80\xdf\xbf", 4, true },
	{ "\xe0\xa0\x80\xef\xbf\xbf", 6, true },
	{ "\xed\x9f\xbf\xee\x80\x80", 6, true },
	{ "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 8, true },
	{ "\x80", 1, false },
	{ "12345678\xbf", 9, false },
	{ "\xc0\xaf", 2, false },
	{ "\xc1\xbf", 2, false },
	{ "\xc3", 1, false },
	{ "\xc3(", 2, false },
	{ "\xe0\x9f\xbf", 3, false },
	{ "\xed\xa0\x80", 3, false },
	{ "\xed\xbf\xbf", 3, false },
	{ "\xe2\x82", 2, false },
	{ "\xe2\x28\xa1", 3, false },
	{ "\xe2\x82\x28", 3, false },
	{ "\xf0\x8f\xbf\xbf", 4, false },
	{ "\xf4\x90\x80\x80", 4, false },
	{ "\xf0\x9f\x98", 3, false },
	{ "\xf0\x9f\x98\x28", 4, false },
	{ "\xf5\x80\x80\x80", 4, false },
	{ "\xff", 1, false },
	{ "\xfe\xff", 2, false },
};

static void
utf8_is_told_from_other_bytes(void **state)
{
	size_t i;

	for (i = 0; i < NELEMS(bytes); i++)
		if (text_is_utf8(bytes[i].s, bytes[i].n) != bytes[i].utf8)
			fail_msg("row %zu", i);
	assert_int_equal(text_utf8_len("\xf0\x9f\x98\x80z", 5), 4);
	assert_int_equal(text_utf8_len("\xf0\x9f\x98\x80z", 3), 0);
	assert_int_equal(text_utf8_len("", 0), 0);
	assert_int_equal(text_utf8_len("", 1), 1);
}

/* What U+0000 to U+10FFFF encode to is taken, surrogates are not. */
static void
every_code_point_is_judged_right(void **state)
{
	unsigned c;
	size_t n;
	char s[4];

	for (c = 0; c <= 0x110fff; c++) {
		n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
		s[0] = (char)(n == 1 ? c
		        : n == 2     ? 0xc0 | c >> 6
		        : n == 3     ? 0xe0 | c >> 12
		                     : 0xf0 | c >> 18);
		if (n > 1)
			s[n - 1] = (char)(0x80 | (c & 0x3f));
		if (n > 2)
			s[n - 2] = (char)(0x80 | (c >> 6 & 0x3f));
		if (n > 3)
			s[n - 3] = (char)(0x80 | (c >> 12 & 0x3f));
		if (text_is_utf8(s, n) !=
		    ((c < 0xd800 || c > 0xdfff) && c <= 0x10ffff))
			fail_msg("U+%04X", c);
	}
}

#define SIXTY "012345678901234567890123456789012345678901234567890123456789"

static void
slugs_and_controls(void **state)
{
	static const char *const slugs[] = { "a", "0", "order-shipped", "a-",
		SIXTY "abc" };
	static const char *const others[] = { "", "-a", "A", "a_b", "a b",
		"a\n", "\xc3\xa4",
		SIXTY "abcd" };
	size_t i;

	for (i = 0; i < NELEMS(slugs); i++)
		assert_true(text_is_slug(slugs[i]));
	for (i = 0; i < NELEMS(others); i++)
		assert_false(text_is_slug(others[i]));
	assert_false(text_has_control(""));
	assert_false(text_has_control("text \xc3\xa4 ~"));
	assert_false(text_has_control("\xc2\xa0 \xe2\x80\xa7 \xe2\x80\xaa"));
	assert_true(text_has_control("a\r"));
	assert_true(text_has_control("a\xc2\x85" "b"));
	assert_true(text_has_control("\xe2\x80\xa8"));
	assert_true(text_has_control("\xe2\x80\xa9x"));
	assert_true(text_has_control("\x1b[0m"));
	assert_true(text_has_control("a\x7f"));
	assert_true(text_has_control("\x01"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_texts_are_written),
		cmocka_unit_test(every_length_comes_back),
		cmocka_unit_test(decoding_is_strict),
		cmocka_unit_test(utf8_is_told_from_other_bytes),
		cmocka_unit_test(every_code_point_is_judged_right),
		cmocka_unit_test(slugs_and_controls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
