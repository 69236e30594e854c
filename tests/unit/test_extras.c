/*
 * test_extras.c - the helpers that come with the engine, as tables
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>

#include "template/hbs_extras.h"

#include "render_case.h"

static void
the_table_is_in_order(void **state)
{
	size_t i;

	for (i = 1; i < hbs_extras.count; i++)
		assert_true(strcmp(hbs_extras.list[i - 1].name,
		    hbs_extras.list[i].name) < 0);
	for (i = 0; i < hbs_extras.count; i++) {
		assert_true(hbs_extras.list[i].args_max <= HBS_ARGS_MAX);
		assert_true(strlen(hbs_extras.list[i].name) <
		    HBS_HELPER_NAME_MAX);
	}
}

static void
comparisons(void **state)
{
	static const char data[] = "{\"n\":5,\"r\":5.0,\"t\":\"5\",\"s\":\"b\","
	    "\"z\":0,\"e\":\"\",\"f\":false,\"v\":null,\"l\":[1],"
	    "\"big\":9007199254740993,\"amount\":\" 54.80 \"}";
	static const struct test_case cases[] = {
		{ "{{eq n 5}} {{eq n r}} {{eq n t}} {{eq t \"5.0\"}}", data,
			"true true true false" },
		{ "{{eq z e}} {{eq z f}} {{eq e f}} {{eq z v}} {{eq v none}}",
			data, "false false false false true" },
		{ "{{eq l l}} {{eq l 1}} {{ne n 5}} {{ne s \"a\"}}", data,
			"true false false true" },
		{ "{{eq big 9007199254740992}} {{eq big big}}", data,
			"true true" },
		{ "{{lt n 6}} {{lt n 5}} {{le n 5}} {{gt n 4}} {{ge n 6}}",
			data, "true false true true false" },
		{ "{{lt \"a\" s}} {{gt \"bb\" s}} {{le s s}}", data,
			"true true true" },
		{ "{{gt amount 9}} {{gt amount \"9\"}} {{lt amount 54.9}}",
			data, "true true true" },
		{ "{{lt n s}} {{gt n s}} {{lt none 1}} {{ge none none}}", data,
			"false false false false" },
		{ "{{#if (eq s \"b\")}}yes{{else}}no{{/if}}", data, "yes" },
		{ "{{#eq s \"a\"}}yes{{else eq s \"b\"}}b{{else}}no{{/eq}}",
			data, "b" },
		{ "{{^eq s \"a\"}}differs{{/eq}}", data, "differs" },
		{ "{{#gt n 1}}{{../n}}{{n}}{{/gt}}", data, "5" },
	};

	check_outputs(cases, NELEMS(cases));
}

static void
conditions(void **state)
{
	static const char data[] = "{\"n\":5,\"z\":0,\"e\":\"\",\"f\":false,"
	    "\"l\":[],\"s\":\"x\",\"o\":{}}";
	static const struct test_case cases[] = {
		{ "{{and n s}} {{and z s}} {{and n e s}}", data, "x 0 " },
		{ "{{or e z n s}} {{or e l \"last\"}} {{or f z}}", data,
			"5 last 0" },
		{ "{{not n}} {{not z}} {{not l}} {{not o}} {{not none}}", data,
			"false true true false true" },
		{ "{{#if (and n (not e))}}a{{/if}}{{#unless (or e l)}}b"
		  "{{/unless}}", data, "ab" },
		{ "{{#and n s}}a{{else}}b{{/and}}{{#or l e}}a{{else}}b{{/or}}"
		  "{{#not n}}a{{else}}b{{/not}}", data, "abb" },
		{ "{{default e \"you\"}} {{default none \"you\"}} "
		  "{{default z 1}} {{default f 1}} {{default none e s}}", data,
			"you you 0 false x" },
		{ "{{default none \"<\"}}{{{default none \"<\"}}}", data,
			"&lt;<" },
	};

	check_outputs(cases, NELEMS(cases));
}

static void
helpers_do_not_hide_values(void **state)
{
	static const struct test_case cases[] = {
		{ "{{eq}} {{this.not}} {{default}}", "{\"eq\":1,\"not\":2}",
			"1 2 " },
		{ "{{#eq}}{{x}}{{/eq}}", "{\"eq\":{\"x\":1}}", "1" },
		{ "{{#each l as |eq|}}{{eq}}{{/each}}", "{\"l\":[1,2]}", "12" },
	};

	check_outputs(cases, NELEMS(cases));
}

static void
calls_are_checked_when_compiling(void **state)
{
	static const struct test_case cases[] = {
		{ .source = "{{eq a}}", .want = "\"eq\" takes 2 arguments, not 1",
			.column = 3 },
		{ .source = "{{#if (not a b)}}{{/if}}",
			.want = "\"not\" takes one argument, not 2",
			.column = 8 },
		{ .source = "{{or a}}",
			.want = "\"or\" takes 2 to 16 arguments, not 1",
			.column = 3 },
		{ .source = "{{eq a b c=d}}", .want = "\"eq\" knows no \"c=\"",
			.column = 12 },
		{ .source = "{{defualt a b}}", .want = "unknown helper "
			"\"defualt\"; did you mean \"default\"?",
			.column = 3 },
		{ .source = "x {{#iff a}}{{/iff}}",
			.want = "did you mean \"if\"?", .column = 6 },
		{ .source = "{{somethingelse a}}",
			.want = "unknown helper \"somethingelse\"",
			.column = 3 },
		{ .source = "{{#default a b}}{{/default}}",
			.want = "\"default\" takes no block", .column = 4 },
	};
	struct test_case c;
	size_t i;

	for (i = 0; i < NELEMS(cases); i++) {
		c = cases[i];
		c.data = "{}";
		check_errors(&c, 1);
	}
}

static void
texts(void **state)
{
	static const struct test_case cases[] = {
		{ "{{uppercase s}} {{lowercase s}} {{capitalize s}}",
			"{\"s\":\"aBc\"}", "ABC abc ABc" },
		{ "{{uppercase s}}", "{\"s\":\"stra\u00dfe\"}", "STRASSE" },
		{ "{{uppercase s}}", "{\"s\":\"istanbul\"}", "\u0130STANBUL",
			"tr" },
		{ "{{lowercase s}}", "{\"s\":\"ISI\"}", "\u0131s\u0131",
			"tr-TR" },
		{ "{{uppercase s locale=\"tr\"}}{{uppercase s}}",
			"{\"s\":\"i\"}", "\u0130I" },
		{ "{{capitalize s}}", "{\"s\":\"\u00fcber uns\"}",
			"\u00dcber uns", "de" },
		{ "{{capitalize s}}", "{\"s\":\"ijsland\"}", "IJsland", "nl" },
		{ "{{uppercase 12}}{{uppercase none}}{{uppercase t}}",
			"{\"t\":true}", "12TRUE" },
		{ "{{#uppercase}}a {{s}}{{/uppercase}}", "{\"s\":\"<b>\"}",
			"A &lt;B&gt;" },
		{ "{{uppercase (lowercase s)}}", "{\"s\":\"aB\"}", "AB" },
		{ "{{truncate s 5}}|{{truncate s 6}}|{{truncate s 1}}",
			"{\"s\":\"abcdef\"}", "abcd\u2026|abcdef|\u2026" },
		{ "{{truncate s 4 ellipsis=\"...\"}}", "{\"s\":\"abcdef\"}",
			"a..." },
		{ "{{truncate s 3 ellipsis=\"\"}}", "{\"s\":\"abcdef\"}",
			"abc" },
		{ "{{truncate s 12 words=true}}",
			"{\"s\":\"The quick brown fox\"}", "The quick\u2026" },
		{ "{{truncate s 3}}",
			"{\"s\":\"e\u0301e\u0301\U0001F468\u200D\U0001F469\u200D"
			"\U0001F467xyz\"}", "e\u0301e\u0301\u2026" },
		{ "{{truncate s 4 ellipsis=\"\"}}",
			"{\"s\":\"e\u0301e\u0301\U0001F468\u200D\U0001F469\u200D"
			"\U0001F467xyz\"}", "e\u0301e\u0301\U0001F468\u200D"
			"\U0001F469\u200D\U0001F467x" },
		{ "{{truncate s 1000000000000}}", "{\"s\":\"\u00e4\"}",
			"\u00e4" },
		{ "{{url_encode s}}", "{\"s\":\"a b/\u00e4?&-._~\"}",
			"a%20b%2F%C3%A4%3F%26-._~" },
		{ "{{#if (eq (url_encode s) \"%2F\")}}y{{/if}}",
			"{\"s\":\"/\"}", "y" },
	};

	check_outputs(cases, NELEMS(cases));
}

static void
numbers(void **state)
{
	static const char data[] = "{\"n\":1234567.891,\"i\":-1234,\"z\":0,"
	    "\"t\":\"12345678901234567890.125\",\"h\":1e308,\"x\":\"soon\","
	    "\"p\":0.256,\"e\":\"1.5e3\"}";
	static const struct test_case cases[] = {
		{ "{{number n}} {{number i}} {{number z}}", data,
			"1,234,567.891 -1,234 0" },
		{ "{{number n}} {{number i}}", data, "1.234.567,891 -1.234",
			"de" },
		{ "{{number n}}", data, "1\u00a0234\u00a0567,891", "de-AT" },
		{ "{{number n}}", data, "12,34,567.891", "hi" },
		{ "{{number i}}", data, "\u061c-\u0661\u066c\u0662\u0663\u0664",
			"ar-EG" },
		{ "{{number t}}", data, "12,345,678,901,234,567,890.125" },
		{ "{{number n digits=2}} {{number i digits=1}}", data,
			"1,234,567.89 -1,234.0" },
		{ "{{number 2.5 digits=0}} {{number 0.005 digits=2}}", data,
			"3 0.01" },
		{ "{{number p style=\"percent\"}} "
		  "{{number p style=\"percent\" digits=1}}", data,
			"26\u00a0% 25,6\u00a0%", "de" },
		{ "{{number n style=\"compact\"}}", data, "1.2M" },
		{ "{{number x}}{{number none}}{{number e}}", data,
			"soon1,500" },
		{ "{{number i locale=\"de\"}}{{number (number i)}}", data,
			"-1.234-1,234" },
		{ "{{number n}}", data, "1,234,567.891", "xx-unknown" },
		{ "{{number n}}", data, "1,234,567.891", "no_locale at all" },
	};

	check_outputs(cases, NELEMS(cases));
}

static void
currencies(void **state)
{
	static const char data[] = "{\"a\":54.8,\"c\":\"EUR\",\"m\":5480,"
	    "\"t\":\"1234567.05\",\"x\":\"free\",\"o\":\"POINTS\"}";
	static const struct test_case cases[] = {
		{ "{{currency a c}}|{{currency a \"gbp\"}}", data,
			"\u20ac54.80|\u00a354.80" },
		{ "{{currency a c}}", data, "54,80\u00a0\u20ac", "de" },
		{ "{{currency a c}}", data, "\u20ac\u00a054,80", "de-AT" },
		{ "{{currency t \"USD\"}}", data, "1.234.567,05\u00a0$", "de" },
		{ "{{currency m c minor=true}} {{currency m \"JPY\" minor=true}}",
			data, "\u20ac54.80 \u00a55,480" },
		{ "{{currency -12345 \"KWD\" minor=true}}", data,
			"-KWD\u00a012.345" },
		{ "{{currency m c digits=0}}", data, "\u20ac5,480" },
		{ "{{currency a c style=\"code\"}}|{{currency a c style=\"name\"}}",
			data, "EUR\u00a054.80|54.80 euros" },
		{ "{{currency -5 c style=\"accounting\"}}", data,
			"(\u20ac5.00)" },
		{ "{{currency x c}} {{currency none c}}|{{currency m o}}", data,
			"free |5,480 POINTS" },
		{ "{{currency a none}}", data, "54.8" },
	};

	check_outputs(cases, NELEMS(cases));
}

static void
plurals(void **state)
{
	static const char en[] = "{{#each l}}{{plural this zero=\"none\" "
	    "one=\"# item\" other=\"# items\"}} {{/each}}";
	static const char pl[] = "{{#each l}}{{plural this one=\"# plik\" "
	    "few=\"# pliki\" many=\"# plik\u00f3w\" other=\"# pliku\"}} "
	    "{{/each}}";
	static const char ar[] = "{{#each l}}{{plural this zero=\"z\" "
	    "one=\"o\" two=\"t\" few=\"f\" many=\"m\" other=\"x\"}}{{/each}}";
	static const struct test_case cases[] = {
		{ en, "{\"l\":[0,1,2,1.5,1000,-1,\"1\",\"some\",null]}",
			"none 1 item 2 items 1.5 items 1,000 items -1 item "
			"1 item some items  " },
		{ en, "{\"l\":[0,1,1000]}", "none 1 item 1.000 items ", "de" },
		{ pl, "{\"l\":[0,1,2,5,12,22,25,1.5]}", "0 plik\u00f3w 1 plik "
			"2 pliki 5 plik\u00f3w 12 plik\u00f3w 22 pliki "
			"25 plik\u00f3w 1,5 pliku ", "pl" },
		{ ar, "{\"l\":[0,1,2,3,10,11,99,100,102,103]}", "zotffmmxxf",
			"ar" },
		{ "{{plural 1 other=\"# item\"}} {{plural 3 one=\"a\" "
		  "other=\"## no. #\"}}", "{}", "1 item # no. 3" },
		{ "{{#each l}}{{plural this ordinal=true one=\"#st\" "
		  "two=\"#nd\" few=\"#rd\" other=\"#th\"}} {{/each}}",
			"{\"l\":[1,2,3,4,11,21,112]}",
			"1st 2nd 3rd 4th 11th 21st 112th " },
		{ "{{plural n one=a other=b}}", "{\"n\":2,\"b\":\"<#>\"}",
			"&lt;2&gt;" },
		{ "{{#if (eq (plural 2 one=\"a\" other=\"#b#\") \"2b2\")}}y"
		  "{{/if}}", "{}", "y" },
	};

	check_outputs(cases, NELEMS(cases));
}

static void
dates(void **state)
{
	static const struct test_case cases[] = {
		{ "{{date d}}|{{date d \"short\"}}|{{date d \"long\"}}|"
		  "{{date d \"full\"}}", "{\"d\":\"2026-12-07\"}",
			"Dec 7, 2026|12/7/26|December 7, 2026|"
			"Monday, December 7, 2026" },
		{ "{{date d}}|{{date d \"short\"}}|{{date d \"long\"}}|"
		  "{{date d \"full\"}}", "{\"d\":\"2026-12-07\"}",
			"07.12.2026|07.12.26|7. Dezember 2026|"
			"Montag, 7. Dezember 2026", "de" },
		{ "{{date d \"long\"}}", "{\"d\":\"2026-01-02\"}",
			"2. J\u00e4nner 2026", "de-AT" },
		/* A day is the same day everywhere. */
		{ "{{date d \"long\" time=\"short\"}}",
			"{\"d\":\"2026-12-07\"}", "December 7, 2026", NULL,
			"Pacific/Kiritimati" },
		{ "{{date d \"long\"}}", "{\"d\":\"2026-12-07\"}",
			"December 7, 2026", NULL, "Pacific/Pago_Pago" },
		/* A moment is not. */
		{ "{{date d}} {{date d \"none\" time=\"short\"}}",
			"{\"d\":\"2026-12-07T23:30:00Z\"}",
			"08.12.2026 00:30", "de", "Europe/Berlin" },
		{ "{{date d \"short\" time=\"medium\"}}",
			"{\"d\":\"2026-12-07T01:30:05.999+02:00\"}",
			"12/6/26, 11:30:05\u202fPM" },
		{ "{{date d \"none\" time=\"long\"}}",
			"{\"d\":\"2026-07-01T12:00:00Z\"}", "14:00:00 MESZ",
			"de", "Europe/Berlin" },
		{ "{{date d \"none\" time=\"short\" zone=\"Asia/Tokyo\"}}",
			"{\"d\":\"2026-12-07T00:00:00Z\"}", "09:00", "de",
			"Europe/Berlin" },
		/* A time without an offset is that of wherever the reader is. */
		{ "{{date d \"none\" time=\"long\"}}",
			"{\"d\":\"2026-07-01T12:00\"}", "12:00:00 MESZ", "de",
			"Europe/Berlin" },
		/* Spring forward and fall back. */
		{ "{{#each l}}{{date this \"none\" time=\"long\"}} {{/each}}",
			"{\"l\":[\"2026-03-29T00:59:59Z\","
			"\"2026-03-29T01:00:00Z\",\"2026-10-25T00:59:59Z\","
			"\"2026-10-25T01:00:00Z\",\"2026-03-29T02:30:00\"]}",
			"01:59:59 MEZ 03:00:00 MESZ 02:59:59 MESZ 02:00:00 MEZ "
			"03:30:00 MESZ ", "de", "Europe/Berlin" },
		{ "{{date d \"none\" time=\"full\"}}",
			"{\"d\":\"2026-11-01T09:30:00Z\"}",
			"1:30:00\u202fAM Pacific Standard Time", NULL,
			"America/Los_Angeles" },
		/* Numbers: seconds and milliseconds. */
		{ "{{date 1795444325}} {{date 1795444325000}} "
		  "{{date \"1795444325\"}} {{date 0}} {{date -1}}", "{}",
			"Nov 23, 2026 Nov 23, 2026 Nov 23, 2026 Jan 1, 1970 "
			"Dec 31, 1969" },
		{ "{{date \"now\" \"short\" time=\"short\"}}", "{}",
			"23.11.26, 15:32", "de", "Europe/Vienna" },
		{ "{{date d skeleton=\"yMMMd\"}}|{{date d skeleton=\"Hm\"}}|"
		  "{{date d skeleton=\"EEEEd\"}}",
			"{\"d\":\"2026-12-07T08:05:00Z\"}",
			"7. Dez. 2026|08:05|Montag, 7.", "de" },
		{ "{{date d pattern=\"dd.MM.yyyy 'um' HH:mm\"}}",
			"{\"d\":\"2026-12-07T08:05:00Z\"}",
			"07.12.2026 um 08:05" },
		{ "{{date d locale=\"fr\"}}", "{\"d\":\"2026-12-07\"}",
			"7 d\u00e9c. 2026", "de" },
		/* What is no date stands as it is. */
		{ "{{#each l}}[{{date this}}]{{/each}}",
			"{\"l\":[\"soon\",\"\",null,\"2026-13-01\","
			"\"2026-02-29\",\"2026-12-07T25:00Z\",\"2026-12\","
			"\"2026-12-07T10:00+25:00\",\"2026-12-07x\",1e300,"
			"-1e300,9007199254740993]}",
			"[soon][][][2026-13-01][2026-02-29][2026-12-07T25:00Z]"
			"[2026-12][2026-12-07T10:00+25:00][2026-12-07x][1e+300]"
			"[-1e+300][9007199254740993]" },
		{ "{{date d}} {{date e}}", "{\"d\":\"0001-01-01\","
			"\"e\":\"9999-12-31T23:59:59Z\"}",
			"Jan 3, 1 Dec 31, 9999" },
		{ "{{date d}}", "{\"d\":\"2026-12-07T00:00:00Z\"}",
			"Dec 7, 2026", NULL, "Nowhere/Land" },
	};

	check_outputs(cases, NELEMS(cases));
}

static void
lists(void **state)
{
	static const char data[] = "{\"l\":[\"a\",\"<b>\",3],\"e\":[],"
	    "\"o\":[{\"n\":\"x\"},{\"n\":\"y\"},{}],\"t\":\"text\"}";
	static const struct test_case cases[] = {
		{ "{{join l}}|{{join l \" / \"}}|{{join l \"\"}}", data,
			"a, &lt;b&gt;, 3|a / &lt;b&gt; / 3|a&lt;b&gt;3" },
		{ "{{join l \", \" last=\" & \"}}", data,
			"a, &lt;b&gt; &amp; 3" },
		{ "{{{join l}}}", data, "a, <b>, 3" },
		{ "{{join o field=\"n\"}}|{{join e}}|{{join none}}|{{join t}}",
			data, "x, y, |||text" },
		{ "{{join l style=\"and\"}}", data, "a, &lt;b&gt;, and 3" },
		{ "{{join l style=\"and\"}}|{{join l style=\"or\"}}", data,
			"a, &lt;b&gt; und 3|a, &lt;b&gt; oder 3", "de" },
		{ "{{uppercase (join l \"-\")}}", data, "A-&lt;B&gt;-3" },
		{ "{{join e style=\"and\"}}", data, "" },
	};

	check_outputs(cases, NELEMS(cases));
}

static void
json(void **state)
{
	static const char data[] = "{\"o\":{\"a\":[1,\"</x>\\\"\"]},"
	    "\"s\":\"it's\",\"n\":1.50,\"b\":false,\"v\":null}";
	static const struct test_case cases[] = {
		{ "{{{json o}}}", data,
			"{\"a\":[1,\"\\u003C/x\\u003E\\\"\"]}" },
		{ "{{json s}} {{json n}} {{json b}} {{json v}} {{json none}}",
			data, "&quot;it&#x27;s&quot; 1.5 false null null" },
		{ "{{{json o indent=1}}}", "{\"o\":{\"a\":[]}}",
			"{\n \"a\": []\n}" },
		{ "{\"a\":{{{json o}}},\"b\":\"{{json o}}\"}",
			"{\"o\":{\"x\":\"\\\"\"}}",
			"{\"a\":{\"x\":\"\\\"\"},\"b\":\"{\\\"x\\\":"
			"\\\"\\\\\\\"\\\"}\"}", NULL, NULL, HBS_ESCAPE_JSON },
	};

	check_outputs(cases, NELEMS(cases));
}

static void
markdown(void **state)
{
	static const struct test_case cases[] = {
		{ "{{markdown m}}", "{\"m\":\"Hello **you** & <b>me</b>\"}",
			"<p>Hello <strong>you</strong> &amp; &lt;b&gt;me"
			"&lt;/b&gt;</p>\n" },
		{ "{{markdown m inline=true}}", "{\"m\":\"a *b*\"}",
			"a <em>b</em>" },
		{ "{{markdown m}}", "{\"m\":\"<script>alert(1)</script>\"}",
			"<p>&lt;script&gt;alert(1)&lt;/script&gt;\n</p>\n" },
		{ "{{markdown m}}",
			"{\"m\":\"[a](javascript:x) [b](JAVASCRIPT:x) "
			"[c](data:text/html,x) [d](https://d.example/?a&b) "
			"[e](/path) [f](java&#115;cript:x) <vbscript:x>\"}",
			"<p>a b c <a href=\"https://d.example/?a&amp;b\">d</a> "
			"<a href=\"/path\">e</a> f vbscript:x</p>\n" },
		{ "{{markdown m}}",
			"{\"m\":\"![x](https://t.example/p.gif)![y](data:z) "
			"[![i](/i.png)](/l)\"}",
			"<p><a href=\"https://t.example/p.gif\">x</a>y "
			"<a href=\"/l\">i</a></p>\n" },
		{ "{{#markdown}}Dear *{{n}}*, [here]({{u}}){{/markdown}}",
			"{\"n\":\"**A** <b> [x](http://evil.example)\","
			"\"u\":\"https://a.example/?x=1&y=(2)\"}",
			"<p>Dear <em>**A** &lt;b&gt; [x](http://evil.example)"
			"</em>, <a href=\"https://a.example/?x=1&amp;y=(2)\">"
			"here</a></p>\n" },
		{ "{{markdown m}}",
			"{\"m\":\"# Title\\n\\nA *b* `c`\\nd [e](https://e)\\n\\n"
			"- x\\n- y\\n\\n1. one\\n2. two\\n\\n> q\\n> r\\n\\n"
			"    code\\n    more\\n\\n---\\n<b>\"}",
			"Title\n\nA b c\nd e (https://e)\n\n- x\n- y\n\n"
			"1. one\n2. two\n\n> q\n> r\n\ncode\nmore\n\n---\n\n"
			"<b>\n", NULL, NULL, HBS_ESCAPE_NONE },
		{ "{{markdown m}}",
			"{\"m\":\"<https://a> [b@c.example](mailto:b@c.example)\"}",
			"https://a b@c.example", NULL, NULL, HBS_ESCAPE_NONE },
		{ "\"{{markdown m}}\"", "{\"m\":\"a \\\"b\\\"\\n\\n**c**\"}",
			"\"a \\\"b\\\"\\n\\nc\"", NULL, NULL, HBS_ESCAPE_JSON },
		{ "{{markdown m}}",
			"{\"m\":\"- a\\n  - b\\n\\n    c\\n- > d\\n  > e\\n\\n"
			"> f\\n> \\n> - g\\n\\n2) h\\n3) i\"}",
			"- a\n  - b\n\n    c\n- > d\n  > e\n\n> f\n>\n> - g"
			"\n\n2. h\n3. i", NULL, NULL, HBS_ESCAPE_NONE },
		{ "{{markdown none}}{{markdown \"\"}}", "{}", "" },
	};

	check_outputs(cases, NELEMS(cases));
}

static void
answers_are_escaped_for_the_part(void **state)
{
	static const struct test_case cases[] = {
		{ "{{uppercase s}}", "{\"s\":\"a\\r\\nBcc: x\"}",
			"A BCC: X", NULL, NULL, HBS_ESCAPE_HEADER },
		{ "{{{uppercase s}}}{{{join l \"\\n\"}}}{{{default n s}}}",
			"{\"s\":\"a\\nb\",\"l\":[\"c\\rd\"]}", "A Bc da b",
			NULL, NULL, HBS_ESCAPE_HEADER },
		{ "{{markdown m}}{{{markdown m}}}", "{\"m\":\"a\\n\\nb\"}",
			"a ba b", NULL, NULL, HBS_ESCAPE_HEADER },
		{ "\"{{plural 1 other=s}}\"", "{\"s\":\"\\\"},{\\\"\"}",
			"\"\\\"},{\\\"\"", NULL, NULL, HBS_ESCAPE_JSON },
		{ "\"{{truncate s 3}}\"", "{\"s\":\"\\\"\\\\\\\"xyz\"}",
			"\"\\\"\\\\\u2026\"", NULL, NULL, HBS_ESCAPE_JSON },
		{ "{{uppercase s}}", "{\"s\":\"a b\"}", "A%20B", NULL, NULL,
			HBS_ESCAPE_URL },
	};

	check_outputs(cases, NELEMS(cases));
}

static void
wrong_arguments_are_named(void **state)
{
	static const struct test_case cases[] = {
		{ "{{number l}}", "{\"l\":[1]}",
			"\"number\" takes a number, not a list", .column = 10 },
		{ "{{currency o \"EUR\"}}", "{\"o\":{}}", "not an object",
			.column = 12 },
		{ "{{date b}}", "{\"b\":true}",
			"\"date\" takes a date, not true or false",
			.column = 8 },
		{ "{{date d \"meduim\"}}", "{}", "a date has the styles",
			.column = 10 },
		{ "{{date d zone=\"Europe/Wien\"}}", "{}",
			"\"zone\" is no time zone", .column = 15 },
		{ "{{number 1 style=\"x\"}}", "{}",
			"has the styles \"decimal\"", .column = 18 },
		{ "{{number 1 digits=30}}", "{}", "from 0 to 20",
			.column = 19 },
		{ "{{truncate s 0}}", "{}", "characters from 1 on",
			.column = 14 },
		{ "{{#truncate \"x\"}}abc{{/truncate}}", "{}",
			"characters from 1 on", .column = 13 },
		{ "{{plural 1 one=\"a\" few=\"b\"}}{{plural 2 one=\"a\"}}",
			"{}", "plural needs the form other=", .column = 38 },
		{ "{{t \"greeting\"}}", "{}",
			"there is no message \"greeting\"", .column = 5 },
		{ "{{plural 1 oter=\"x\"}}", "{}",
			"did you mean \"other=\"?", .column = 17 },
	};

	check_errors(cases, NELEMS(cases));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_in_order),
		cmocka_unit_test(comparisons),
		cmocka_unit_test(conditions),
		cmocka_unit_test(helpers_do_not_hide_values),
		cmocka_unit_test(calls_are_checked_when_compiling),
		cmocka_unit_test(texts),
		cmocka_unit_test(numbers),
		cmocka_unit_test(currencies),
		cmocka_unit_test(plurals),
		cmocka_unit_test(dates),
		cmocka_unit_test(lists),
		cmocka_unit_test(json),
		cmocka_unit_test(markdown),
		cmocka_unit_test(answers_are_escaped_for_the_part),
		cmocka_unit_test(wrong_arguments_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
