/*
 * test_mime.c - a mail as the bytes that go over the wire
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a second parser makes of these messages is the matter of
 * tests/integration/test_mime.py.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "provider/mime.h"
#include "provider/mime_body.h"
#include "provider/mime_check.h"
#include "provider/mime_header.h"

#define BODY(s) { (s), sizeof(s) - 1 }

static const struct mail simple = {
	.from = "shop@example.org",
	.to = "ann@example.net",
	.message_id = "d1@belfry.example",
	.date_ms = 1764576000123,
	.text = BODY("hello\n"),
};

static void
a_simple_mail_is_one_part(void **state)
{
	struct arena *a = arena_new(4096);
	struct buf *out = buf_new(a, 65536);
	struct mail m = simple;
	struct err e;

	m.from_name = "The Shop, Inc.";
	m.subject = "Order 42";
	m.reply_to = "help@example.org";
	assert_int_equal(mime_build(a, &m, out, &e), 0);
	assert_string_equal(out->data,
	    "Date: Mon, 1 Dec 2025 08:00:00 +0000\r\n"
	    "From: \"The Shop, Inc.\" <shop@example.org>\r\n"
	    "To: ann@example.net\r\n"
	    "Reply-To: help@example.org\r\n"
	    "Subject: Order 42\r\n"
	    "Message-ID: <d1@belfry.example>\r\n"
	    "Auto-Submitted: auto-generated\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: 7bit\r\n"
	    "\r\n"
	    "hello\r\n");
	arena_free(&a);
}

static void
parts_nest_and_bytes_repeat(void **state)
{
	struct arena *a = arena_new(4096);
	struct buf *out = buf_new(a, 65536), *again = buf_new(a, 65536);
	struct mail_attachment at = { .name = "r.pdf",
		.type = "application/pdf", .bytes = "%PDF", .size_bytes = 4 };
	struct mail m = simple;
	struct err e;
	const char *mixed, *alternative;

	m.html = (struct mail_body)BODY("<p>hello</p>");
	m.attachments = &at;
	m.attachments_count = 1;
	assert_int_equal(mime_build(a, &m, out, &e), 0);
	assert_int_equal(mime_build(a, &m, again, &e), 0);
	assert_string_equal(out->data, again->data);
	mixed = strstr(out->data, "multipart/mixed");
	alternative = strstr(out->data, "multipart/alternative");
	assert_non_null(mixed);
	assert_true(alternative > mixed);
	assert_non_null(strstr(out->data,
	    "Content-Disposition: attachment;\r\n filename=r.pdf\r\n\r\n"
	    "JVBERg==\r\n"));
	arena_free(&a);
}

static const struct {
	const char *text;
	const char *quoted;
	bool plain;
} bodies[] = {
	{ "", "", true },
	{ "a", "a\r\n", true },
	{ "a\nb\rc\r\nd\r\n", "a\r\nb\r\nc\r\nd\r\n", true },
	{ "a\r\r\nb", "a\r\n\r\nb\r\n", true },
	{ "a\n\rb", "a\r\n\r\nb\r\n", true },
	{ "a b ", "a b=20\r\n", false },
	{ "a\t\nb", "a=09\r\nb\r\n", false },
	{ "1=1", "1=3D1\r\n", true },
	{ ".\n..a\n", "=2E\r\n=2E.a\r\n", false },
	{ "\n.\n", "\r\n=2E\r\n", false },
	{ "From me", "=46rom me\r\n", false },
	{ "Fromage", "Fromage\r\n", true },
	{ "--x", "--x\r\n", false },
	{ "--=_a", "--=3D_a\r\n", false },
	{ "\x01\x1b", "=01=1B\r\n", false },
	{ "\xc3\xa4", "=C3=A4\r\n", false },
	/* 76 fit, the 77th breaks the line, and what then stands first is
	 * protected again. */
	{ "1234567890123456789012345678901234567890123456789012345678901234567890"
	  "123456",
	    "1234567890123456789012345678901234567890123456789012345678901234567"
	    "890123456\r\n",
	    true },
	{ "1234567890123456789012345678901234567890123456789012345678901234567890"
	  "12345.7",
	    "1234567890123456789012345678901234567890123456789012345678901234567"
	    "89012345=\r\n=2E7\r\n",
	    true },
	{ "1234567890123456789012345678901234567890123456789012345678901234567890"
	  "1234=",
	    "1234567890123456789012345678901234567890123456789012345678901234567"
	    "8901234=\r\n=3D\r\n",
	    true },
};

static void
bodies_are_encoded_as_the_table_says(void **state)
{
	struct buf out;
	size_t i, len;

	for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		len = strlen(bodies[i].text);
		buf_init(&out, 1000);
		mime_body_quoted(&out, bodies[i].text, len);
		assert_string_equal(out.data, bodies[i].quoted);
		assert_int_equal(
		    mime_body_is_plain(bodies[i].text, len), bodies[i].plain);
		buf_done(&out);
	}
}

static const struct {
	const char *value;
	const char *field;
} texts[] = {
	{ "plain", "S: plain\r\n" },
	{ "", "S: \r\n" },
	{ " led by a space", "S: =?UTF-8?Q?_led_by_a_space?=\r\n" },
	{ "two  spaces", "S: =?UTF-8?Q?two__spaces?=\r\n" },
	{ "=?UTF-8?Q?x?=", "S: =?UTF-8?Q?=3D=3FUTF-8=3FQ=3Fx=3F=3D?=\r\n" },
	{ "Gr\xc3\xbc\xc3\x9f" "e", "S: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=\r\n" },
	{ "\xd0\x9f\xd1\x80\xd0\xb8", "S: =?UTF-8?B?0J/RgNC4?=\r\n" },
	{ "aaaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb "
	  "cccccccccccccc dddddddd",
	    "S: aaaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb "
	    "cccccccccccccc\r\n dddddddd\r\n" },
};

static void
free_text_is_encoded_as_the_table_says(void **state)
{
	struct buf out;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		buf_init(&out, 1000);
		mime_header_text(&out, "S", texts[i].value);
		assert_string_equal(out.data, texts[i].field);
		buf_done(&out);
	}
}

static const struct {
	const char *value;
	const char *param;
} params[] = {
	{ "a.pdf", ";\r\n n=a.pdf" },
	{ "a b.pdf", ";\r\n n=\"a b.pdf\"" },
	{ "a/b.pdf", ";\r\n n=\"a/b.pdf\"" },
	{ "a*b", ";\r\n n=\"a*b\"" },
	{ "", ";\r\n n=\"\"" },
	{ "a\"b", ";\r\n n*=UTF-8''a%22b" },
	{ "\xe2\x82\xac.pdf", ";\r\n n*=UTF-8''%E2%82%AC.pdf" },
	{ "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffff.pdf",
	    ";\r\n n*0*=UTF-8''aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee"
	    ";\r\n n*1*=ffff.pdf" },
};

static void
parameters_are_encoded_as_the_table_says(void **state)
{
	struct buf out;
	size_t i;

	for (i = 0; i < sizeof(params) / sizeof(params[0]); i++) {
		buf_init(&out, 1000);
		mime_header_param(&out, "n", params[i].value);
		assert_string_equal(out.data, params[i].param);
		buf_done(&out);
	}
}

static void
expect_fault(const struct mail *m, const char *text)
{
	struct arena *a = arena_new(4096);
	struct buf *out = buf_new(a, 65536);
	struct err e;

	if (mime_build(a, m, out, &e) == 0)
		fail_msg("taken: %s", text);
	assert_int_equal(e.kind, ERR_UNPROCESSABLE);
	assert_string_equal(e.text, text);
	assert_int_equal(out->len, 0);
	arena_free(&a);
}

static void
faults_name_their_field(void **state)
{
	struct mail m = simple;

	m.subject = "a\r\nBcc: x@example.org";
	expect_fault(&m, "\"subject\" holds a control character");
	m = simple;
	m.from_name = "a\nb";
	expect_fault(&m, "\"from_name\" holds a control character");
	m = simple;
	m.to_name = "\xed\xa0\x80";
	expect_fault(&m, "\"to_name\" is not UTF-8");
	m = simple;
	m.to = "a@b\r\n";
	expect_fault(&m, "\"to\": address holds a control character");
	m = simple;
	m.reply_to = "nobody";
	expect_fault(&m, "\"reply_to\": address has no \"@\"");
	m = simple;
	m.message_id = "a@b>";
	expect_fault(&m,
	    "\"message_id\" holds a character that is not allowed in a "
	    "message id");
	m = simple;
	m.text = (struct mail_body)BODY("a\0b");
	expect_fault(&m, "\"text\" holds a NUL character");
	m = simple;
	m.text.p = NULL;
	expect_fault(&m, "\"text\" is missing, and so is \"html\"");
}

static const struct {
	struct mail_header header;
	const char *text; /* NULL: taken */
} headers[] = {
	{ { "X-Order", "42" }, NULL },
	{ { "X-Order", "\xc3\xa4" }, NULL },
	{ { "List-Unsubscribe", "<https://example.org/u/1>" }, NULL },
	{ { "Auto-Submitted", "auto-replied" }, NULL },
	{ { "bcc", "x@example.org" },
	    "\"headers/0/name\" names a header field that cannot be set" },
	{ { "Content-Type", "text/html" },
	    "\"headers/0/name\" names a header field that cannot be set" },
	{ { "SUBJECT", "x" },
	    "\"headers/0/name\" names a header field that cannot be set" },
	{ { "X: y\r\nBcc", "x" },
	    "\"headers/0/name\" holds a character that is not allowed in the "
	    "name of a header field" },
	{ { "", "x" }, "\"headers/0/name\" is empty" },
	{ { "X-Order", "4\n2" }, "\"headers/X-Order\" holds a control character" },
	{ { "List-Unsubscribe", "<https://example.org/\xc3\xa4>" },
	    "\"headers/List-Unsubscribe\" holds a character that is not "
	    "ASCII" },
};

static void
headers_are_judged_as_the_table_says(void **state)
{
	struct mail m = simple;
	struct err e;
	size_t i;

	for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		struct arena *a = arena_new(4096);

		m.headers = &headers[i].header;
		m.headers_count = 1;
		if (headers[i].text != NULL)
			expect_fault(&m, headers[i].text);
		else
			assert_int_equal(
			    mime_build(a, &m, buf_new(a, 65536), &e), 0);
		arena_free(&a);
	}
}

static void
attachment_types_are_checked(void **state)
{
	static const struct {
		const char *type;
		const char *text;
	} types[] = {
		{ "text", "\"attachments/0/type\" is not a media type" },
		{ "text/", "\"attachments/0/type\" is not a media type" },
		{ "a/b\r\nX: y", "\"attachments/0/type\" is not a media type" },
		{ "a/b; c", "\"attachments/0/type\" is not a media type" },
		{ "message/rfc822", "\"attachments/0/type\" is a type that "
		                    "cannot be attached" },
	};
	struct mail_attachment at = { .name = "x", .bytes = "" };
	struct mail m = simple;
	size_t i;

	m.attachments = &at;
	m.attachments_count = 1;
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		at.type = types[i].type;
		expect_fault(&m, types[i].text);
	}
	at.type = "text/calendar; method=REQUEST";
	at.name = "a\rb";
	expect_fault(&m, "\"attachments/0/name\" holds a control character");
}

static void
content_ids_are_checked(void **state)
{
	static const char *const bad[] = { "", "a b", "a>b", "<a>", "a\r\nX: y", "@a",
		"a@", "a@b@c", "\303\244", "a\"b" };
	struct mail_attachment at = { .name = "x", .type = "image/png",
		.bytes = "" };
	struct arena *a = arena_new(4096);
	struct mail m = simple;
	size_t i;

	m.html = (struct mail_body)BODY("<img src=\"cid:x\">");
	m.attachments = &at;
	m.attachments_count = 1;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		at.content_id = bad[i];
		assert_non_null(mime_content_id_fault(bad[i]));
		expect_fault(&m, arena_printf(a, "\"attachments/0/content_id\" %s",
		    mime_content_id_fault(bad[i])));
	}
	assert_null(mime_content_id_fault("logo"));
	assert_null(mime_content_id_fault("logo-1_a+b.png@example.org"));
	at.content_id = "logo";
	m.html.p = NULL;
	expect_fault(&m, "\"html\" is missing, which would show an attachment");
	arena_free(&a);
}

static void
a_mail_that_does_not_fit_is_too_large(void **state)
{
	struct arena *a = arena_new(4096);
	struct err e;

	assert_int_equal(mime_build(a, &simple, buf_new(a, 100), &e), -1);
	assert_int_equal(e.kind, ERR_TOO_LARGE);
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_simple_mail_is_one_part),
		cmocka_unit_test(parts_nest_and_bytes_repeat),
		cmocka_unit_test(bodies_are_encoded_as_the_table_says),
		cmocka_unit_test(free_text_is_encoded_as_the_table_says),
		cmocka_unit_test(parameters_are_encoded_as_the_table_says),
		cmocka_unit_test(faults_name_their_field),
		cmocka_unit_test(headers_are_judged_as_the_table_says),
		cmocka_unit_test(attachment_types_are_checked),
		cmocka_unit_test(content_ids_are_checked),
		cmocka_unit_test(a_mail_that_does_not_fit_is_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
