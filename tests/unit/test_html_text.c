/*
 * test_html_text.c - plain text made from HTML
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "provider/html_text.h"

#define W "word "
#define TEN_WORDS W W W W W W W W W W

static const struct {
	const char *html;
	const char *text;
} cases[] = {
	{ "", "" },
	{ "   \n ", "" },
	{ "hello", "hello\n" },
	{ "  a \n\t b  ", "a b\n" },
	{ "<p>one</p><p>two</p>", "one\n\ntwo\n" },
	{ "<p>one<p>two", "one\n\ntwo\n" },
	{ "<div>one</div><div>two</div>three", "one\ntwo\nthree\n" },
	{ "<div><div></div></div><div>x</div>", "x\n" },
	{ "one<br>two<br/>three<BR />four", "one\ntwo\nthree\nfour\n" },
	{ "one<br><br>two", "one\n\ntwo\n" },
	{ "one<br><br><br><br>two", "one\n\ntwo\n" },
	{ "<b>b</b>old <i>i</i>", "bold i\n" },
	{ "<h1>Title</h1>text", "Title\n\ntext\n" },
	{ "a<hr>b", "a\n\n--------------------\n\nb\n" },
	/* Lists. */
	{ "<ul><li>one</li><li>two</li></ul>", "* one\n* two\n" },
	{ "<ul><li>one<li>two</ul>x", "* one\n* two\n\nx\n" },
	{ "<ol><li>one<li>two</ol>", "1. one\n2. two\n" },
	{ "<ul><li>one<ul><li>in</ul><li>two</ul>",
	    "* one\n  * in\n* two\n" },
	{ "<ul><li><p>one</p></li></ul>", "* one\n" },
	{ "<li>alone", "* alone\n" },
	{ "</ul></ol></li>x", "x\n" },
	{ "<ul><li>" TEN_WORDS TEN_WORDS "</ul>",
	    "* word word word word word word word word word word word word "
	    "word word word\n  word word word word word\n" },
	{ "<blockquote>said</blockquote>x", "  said\n\nx\n" },
	/* Tables. */
	{ "<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr>"
	  "</table>",
	    "a  b\n1  2\n" },
	{ "<table><tr><td></td><td>x</td></tr></table>y", "x\ny\n" },
	{ "<table><tr><td><table><tr><td>in</td></tr></table></td>"
	  "<td>out</td></tr></table>",
	    "in\nout\n" },
	/* Links. */
	{ "<a href=\"https://example.org/x\">look</a>",
	    "look <https://example.org/x>\n" },
	{ "<a href='https://example.org/?a=1&amp;b=2&copy=3'>look</a>!",
	    "look <https://example.org/?a=1&b=2&copy=3>!\n" },
	{ "<a href=https://example.org>https://example.org</a>",
	    "https://example.org\n" },
	{ "<a href=https://example.org>example.org</a>", "example.org\n" },
	{ "<a href=\"mailto:ann@example.org\">ann@example.org</a>",
	    "ann@example.org\n" },
	{ "<a href=\"mailto:ann@example.org\">mail us</a>",
	    "mail us <ann@example.org>\n" },
	{ "<a href=\"#top\">up</a> <a href=\"javascript:x()\">no</a>",
	    "up no\n" },
	{ "<a href=\"https://example.org/\"><img src=x alt=\"Shop\"></a>",
	    "Shop <https://example.org/>\n" },
	{ "<a href=\"https://example.org/\"><img src=x></a>",
	    "<https://example.org/>\n" },
	{ "<a href=\"https://example.org/ a>b\">no</a>", "no\n" },
	{ "<a href=\"https://example.org/\">open", "open <https://example.org/>\n" },
	/* What is left out. */
	{ "<style>p { color: red }</style>x", "x\n" },
	{ "<script>if (a < b) document.write('<p>no</p>')</script>x", "x\n" },
	{ "<SCRIPT>no</sCRIPT >x", "x\n" },
	{ "<script>never ends", "" },
	{ "<html><head><title>no</title><meta charset=utf-8></head>"
	  "<body>x</body></html>",
	    "x\n" },
	{ "<head><title>no</title><body>x", "x\n" },
	{ "a<!-- no > no -- no -->b<!DOCTYPE html>c", "abc\n" },
	{ "a<!-->b-->c", "ac\n" },
	{ "a<!--[if mso]><p>no</p><![endif]-->b", "ab\n" },
	{ "a<!-- never ends", "a\n" },
	{ "<div style=\"display:none\">no<div>no</div>no</div>x", "x\n" },
	{ "<span style='color:red; DISPLAY: none'>no</span>x", "x\n" },
	{ "<svg><text>no</text></svg>x", "x\n" },
	{ "<template><p>no</template>x", "x\n" },
	/* Entities. */
	{ "&lt;b&gt; &amp;amp; &quot;&apos;&#39;&#x41;&#X42;", "<b> &amp; \"''AB\n" },
	{ "&auml;&euro;&hellip;&#128512;",
	    "\xc3\xa4\xe2\x82\xac\xe2\x80\xa6\xf0\x9f\x98\x80\n" },
	{ "a&nbsp;b", "a b\n" },
	{ "a&nbsp; &nbsp;b", "a   b\n" },
	{ "a\xc2\xa0" "b", "a b\n" },
	{ "&nbsp;&zwnj;&#8203;", "" },
	{ "&unknown; &amp &; &#; &#x; & &", "&unknown; &amp &; &#; &#x; & &\n" },
	{ "&#0;&#xd800;&#x110000;&#99999999999999999999;",
	    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\n" },
	{ "a&#13;&#10;b", "a b\n" },
	{ "so&shy;ft", "soft\n" },
	/* Not quite HTML. */
	{ "a < b > c", "a < b > c\n" },
	{ "1 <2 </ 3", "1 <2 </ 3\n" },
	{ "a<b c", "a\n" },
	{ "<p title='a>b' class=x>y", "y\n" },
	{ "<p title=\"never ends>x", "" },
	{ "<verylongelementname>x</verylongelementname>", "x\n" },
	{ "a\x01" "b\x7f" "c", "abc\n" },
	{ "<pre>a  b\n  c\n\nd</pre>e", "a  b\n  c\n\nd\n\ne\n" },
	/* Wrapping. */
	{ TEN_WORDS TEN_WORDS,
	    "word word word word word word word word word word word word word "
	    "word word\nword word word word word\n" },
	{ "a https://example.org/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaa b",
	    "a\nhttps://example.org/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nb\n" },
};

static void
html_becomes_the_text_of_the_table(void **state)
{
	struct buf out;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_init(&out, 65536);
		html_text(&out, cases[i].html, strlen(cases[i].html));
		assert_string_equal(out.data, cases[i].text);
		buf_done(&out);
	}
}

static void
the_result_is_bounded(void **state)
{
	struct buf out;
	char html[2000];

	memset(html, 'x', sizeof(html));
	buf_init(&out, 1000);
	html_text(&out, html, sizeof(html));
	assert_true(out.len <= 1000);
	buf_done(&out);
}

static void
a_megabyte_of_anything_is_linear(void **state)
{
	static const char *const seeds[] = { "<", "<a ", "<!--", "&", "&#", "<a>",
		"<ul><li>", "<a href='x", "<pre> \n", "<script>", "</script",
		"<div style='display:none'>", "<td>", "&nbsp;", "x", "<a =" };
	static char big[(1 << 20) + 64];
	struct buf out;
	size_t i, n;

	for (i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
		int64_t before;

		for (n = 0; n < 1 << 20; n += strlen(seeds[i]))
			memcpy(big + n, seeds[i], strlen(seeds[i]) + 1);
		buf_init(&out, 64 << 20);
		before = clock_mono_us();
		html_text(&out, big, 1 << 20);
		/* A quadratic step would take minutes. */
		if (clock_mono_us() - before > 2000000)
			fail_msg("%s: too slow", seeds[i]);
		buf_done(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(html_becomes_the_text_of_the_table),
		cmocka_unit_test(the_result_is_bounded),
		cmocka_unit_test(a_megabyte_of_anything_is_linear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
