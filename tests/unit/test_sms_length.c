/*
 * test_sms_length.c - how long a short message is on the air
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
#include "base/buf.h"
#include "base/compiler.h"
#include "model/sms_length.h"

/* "text" n times, with "before" in front and "then" at the end. */
static struct sms_length
measure(const char *before, const char *text, int n, const char *then)
{
	struct arena *a = arena_new(4096);
	struct buf *b = buf_new(a, 65536);
	struct sms_length l;

	buf_puts(b, before);
	while (n-- > 0)
		buf_puts(b, text);
	buf_puts(b, then);
	l = sms_length(b->data);
	arena_free(&a);
	return l;
}

static void
texts_are_measured(void **state)
{
	static const struct {
		const char *before, *text;
		int n;
		const char *then;
		enum sms_encoding encoding;
		size_t characters, units, segments;
	} cases[] = {
		{ "", "", 0, "", SMS_GSM7, 0, 0, 0 },
		{ "", "a", 1, "", SMS_GSM7, 1, 1, 1 },
		{ "", "a", 160, "", SMS_GSM7, 160, 160, 1 },
		{ "", "a", 161, "", SMS_GSM7, 161, 161, 2 },
		{ "", "a", 306, "", SMS_GSM7, 306, 306, 2 },
		{ "", "a", 307, "", SMS_GSM7, 307, 307, 3 },
		{ "Gr\u00fc\u00dfe, 5 ", "\u20ac", 1, "", SMS_GSM7, 10, 11, 1 },
		{ "", "[]{}~^|\\\f", 1, "", SMS_GSM7, 9, 18, 1 },
		{ "", "a", 158, "\u20ac", SMS_GSM7, 159, 160, 1 },
		{ "", "a", 159, "\u20ac", SMS_GSM7, 160, 161, 2 },
		/* Its two septets do not fit into the first 153: 306 become three. */
		{ "", "a", 152, "\u20ac", SMS_GSM7, 153, 154, 1 },
		{ "\u20ac", "a", 159, "", SMS_GSM7, 160, 161, 2 },
		{ "", "\u20ac", 153, "", SMS_GSM7, 153, 306, 3 },
		{ "", "\u044f", 70, "", SMS_UCS2, 70, 70, 1 },
		{ "", "\u044f", 71, "", SMS_UCS2, 71, 71, 2 },
		{ "", "\u044f", 134, "", SMS_UCS2, 134, 134, 2 },
		{ "", "\u044f", 135, "", SMS_UCS2, 135, 135, 3 },
		{ "", "a", 69, "\u201c", SMS_UCS2, 70, 70, 1 },
		{ "", "\U0001F514", 35, "", SMS_UCS2, 35, 70, 1 },
		/* 66 of the 67 units are used: no pair is cut in two. */
		{ "", "\U0001F514", 67, "", SMS_UCS2, 67, 134, 3 },
		{ "\n", "a", 1, "\r\n", SMS_GSM7, 4, 4, 1 },
		{ "\t", "a", 1, "", SMS_UCS2, 2, 2, 1 },
	};
	struct sms_length l;
	size_t i;

	for (i = 0; i < NELEMS(cases); i++) {
		l = measure(cases[i].before, cases[i].text, cases[i].n,
		    cases[i].then);
		assert_int_equal(l.encoding, cases[i].encoding);
		assert_int_equal(l.characters, cases[i].characters);
		assert_int_equal(l.units, cases[i].units);
		assert_int_equal(l.segments, cases[i].segments);
	}
}

static void
the_first_other_character_is_told(void **state)
{
	assert_int_equal(sms_length("na\u00efve \u201cx\u201d").first_other, 0xef);
	assert_int_equal(sms_length("\U0001F514").first_other, 0x1f514);
	assert_int_equal(sms_length("plain").first_other, 0);
}

/* Every character of the alphabet, one by one. */
static void
the_alphabet_is_whole(void **state)
{
	static const char *const basic =
	    "@\u00a3$\u00a5\u00e8\u00e9\u00f9\u00ec\u00f2\u00c7\n\u00d8\u00f8\r"
	    "\u00c5\u00e5\u0394_\u03a6\u0393\u039b\u03a9\u03a0\u03a8\u03a3\u0398"
	    "\u039e\u00c6\u00e6\u00df\u00c9 !\"#\u00a4%&'()*+,-./0123456789:;<=>?"
	    "\u00a1ABCDEFGHIJKLMNOPQRSTUVWXYZ\u00c4\u00d6\u00d1\u00dc\u00a7\u00bf"
	    "abcdefghijklmnopqrstuvwxyz\u00e4\u00f6\u00f1\u00fc\u00e0";
	struct sms_length l = sms_length(basic);

	/* 128 places, one of which leads to the extension table. */
	assert_int_equal(l.characters, 127);
	assert_int_equal(l.units, 127);
	assert_int_equal(l.encoding, SMS_GSM7);
	assert_string_equal(sms_encoding_name(SMS_GSM7), "gsm-7");
	assert_string_equal(sms_encoding_name(SMS_UCS2), "ucs-2");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_measured),
		cmocka_unit_test(the_first_other_character_is_told),
		cmocka_unit_test(the_alphabet_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
