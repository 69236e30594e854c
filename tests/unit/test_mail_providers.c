/*
 * test_mail_providers.c - settings, requests and files of the mail providers
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/err.h"
#include "net/transfer.h"
#include "provider/dkim.h"
#include "provider/maildir.h"
#include "provider/smtp.h"
#include "provider/verdict.h"
#include "rsa_keys.h"
#include "settings_of.h"

static struct arena *arena;
static char base[] = "/tmp/test_mail_providers.XXXXXX";

static const struct message hello = {
	.delivery = { { { 1, 0x93, 0xe2, 0xc4, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0,
	    1 } } },
	.attempt = 1,
	.created_ms = 1764576000123,
	.address = "ann@example.net",
	.name = "Ann",
	.subject = "Hello",
	.html = "<p>Hello, <b>Ann</b></p>",
};

static int
setup(void **state)
{
	arena = arena_new(4096);
	return mkdtemp(base) == NULL ? -1 : 0;
}

static void
remove_tree(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		const char *name = entry->d_name;
		const char *below = arena_printf(arena, "%s/%s", path, name);

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		if (unlink(below) < 0)
			remove_tree(below);
	}
	if (dir != NULL)
		closedir(dir);
	rmdir(path);
}

static int
teardown(void **state)
{
	remove_tree(base);
	arena_free(&arena);
	return 0;
}

#define FROM "\"from\": \"shop@example.org\""

static const struct {
	const char *settings;
	const char *url; /* NULL: refused */
	const char *text; /* a part of why */
	enum transfer_tls tls;
} accounts[] = {
	{ "{\"host\": \"mx\", " FROM "}", "smtp://mx:587/", NULL,
	    TRANSFER_TLS_STARTTLS },
	{ "{\"host\": \"mx\", \"tls\": \"tls\", " FROM "}", "smtps://mx:465/",
	    NULL, TRANSFER_TLS_IMPLICIT },
	{ "{\"host\": \"mx\", \"tls\": \"none\", " FROM "}", "smtp://mx:25/", NULL,
	    TRANSFER_TLS_NONE },
	{ "{\"host\": \"mx\", \"port\": 2525, \"helo\": \"a.b\", " FROM "}",
	    "smtp://mx:2525/a.b", NULL, TRANSFER_TLS_STARTTLS },
	{ "{\"host\": \"[::1]\", \"tls\": \"none\", " FROM "}",
	    "smtp://[::1]:25/", NULL, TRANSFER_TLS_NONE },
	{ "{\"host\": \"mx\", \"username\": \"u\", \"password\": \"p\", " FROM
	  "}",
	    "smtp://mx:587/", NULL, TRANSFER_TLS_STARTTLS },
	{ "{" FROM "}", NULL, "/host", 0 },
	{ "{\"host\": \"mx\"}", NULL, "/from", 0 },
	{ "{\"host\": \"mx/x\", " FROM "}", NULL, "\"host\"", 0 },
	{ "{\"host\": \"u@mx\", " FROM "}", NULL, "\"host\"", 0 },
	{ "{\"host\": \"[::1\", " FROM "}", NULL, "\"host\"", 0 },
	{ "{\"host\": \"mx\\r\\n\", " FROM "}", NULL, "/host", 0 },
	{ "{\"host\": \"mx\", \"port\": 65536, " FROM "}", NULL, "/port", 0 },
	{ "{\"host\": \"mx\", \"tls\": \"maybe\", " FROM "}", NULL, "/tls", 0 },
	{ "{\"host\": \"mx\", \"helo\": \"a b\", " FROM "}", NULL, "\"helo\"",
	    0 },
	{ "{\"host\": \"mx\", \"username\": \"u\", " FROM "}", NULL,
	    "\"username\"", 0 },
	{ "{\"host\": \"mx\", \"ca_file\": \"x\", " FROM "}", NULL,
	    "\"ca_file\"", 0 },
	{ "{\"host\": \"mx\", \"from\": \"shop\"}", NULL, "from", 0 },
};

static void
smtp_settings_become_requests(void **state)
{
	struct provider p = { .ops = &smtp_ops };
	struct transfer_request req;
	struct err e;
	size_t i;

	for (i = 0; i < sizeof(accounts) / sizeof(accounts[0]); i++) {
		p.settings = settings_of(arena, &smtp_ops, accounts[i].settings, &e);
		if ((p.settings == NULL) != (accounts[i].url == NULL))
			fail_msg("%s", accounts[i].settings);
		if (p.settings == NULL) {
			if (strstr(e.text, accounts[i].text) == NULL)
				fail_msg("%s: %s", accounts[i].settings, e.text);
			continue;
		}
		assert_int_equal(smtp_ops.build(arena, &p, &hello, &req, &e), 0);
		assert_string_equal(req.url, accounts[i].url);
		assert_int_equal(req.tls, accounts[i].tls);
		assert_int_equal(req.kind, TRANSFER_SMTP);
		assert_string_equal(req.from, "shop@example.org");
		assert_string_equal(req.rcpt, "ann@example.net");
		assert_false(req.smtputf8);
	}
}

/* The settings of a DKIM key come from tenants. */
static void
a_key_that_cannot_sign_is_no_key(void **state)
{
	static const char settings[] = "{\"host\": \"mx\", " FROM
		", \"dkim_selector\": \"s\", \"dkim_key\": \"" RSA_PEM("%s") "\"}";
	struct dkim_key key = { .domain = "example.org", .selector = "s" };
	struct dkim_mail mail = { .header = "From: a@example.org\r\n",
		.header_bytes = 21 };
	struct buf *out = buf_new(arena, 4096);
	const char *even;
	json_t *json;
	struct err e;

	assert_non_null(settings_of(arena, &smtp_ops,
	    rsa_keys_put(arena, arena_printf(arena, settings, RSA_1024)), &e));
	assert_null(settings_of(arena, &smtp_ops,
	    rsa_keys_put(arena, arena_printf(arena, settings, RSA_LARGE)), &e));
	even = rsa_keys_put(arena, arena_printf(arena, settings, RSA_EVEN));
	assert_null(settings_of(arena, &smtp_ops, even, &e));
	assert_string_equal(e.text,
	    "setting \"dkim_key\": the private key cannot sign");
	/* One that was stored before it was tried. */
	assert_int_equal(js_parse(arena, even, strlen(even), 8, &json, &e), 0);
	key.pem = json_string_value(json_object_get(json, "dkim_key"));
	assert_int_equal(dkim_key_read(arena, &key, &e), 0);
	mail.body = dkim_body_new(arena);
	assert_int_equal(dkim_sign(arena, &key, 1, &mail, out, &e), -1);
}

static void
each_attempt_sends_the_same_bytes(void **state)
{
	struct provider p = { .ops = &smtp_ops };
	struct message again = hello;
	struct transfer_request one, two;
	struct err e;

	p.settings = settings_of(arena, &smtp_ops, accounts[0].settings, &e);
	assert_int_equal(smtp_ops.build(arena, &p, &hello, &one, &e), 0);
	again.attempt = 7;
	assert_int_equal(smtp_ops.build(arena, &p, &again, &two, &e), 0);
	assert_int_equal(one.body_len, two.body_len);
	assert_memory_equal(one.body, two.body, one.body_len);
	assert_non_null(strstr(one.body,
	    "Message-ID: <0193e2c4-0000-7000-8000-000000000001@example.org>"));
	assert_non_null(strstr(one.body, "Content-Type: text/plain"));
	assert_non_null(strstr(one.body, "\r\nHello, Ann\r\n"));
}

static void
what_can_never_be_sent_says_why(void **state)
{
	struct provider p = { .ops = &smtp_ops };
	struct message m = hello;
	struct transfer_request req;
	struct err e;

	p.settings = settings_of(arena, &smtp_ops, accounts[0].settings, &e);
	m.subject = "a\r\nBcc: x@example.org";
	assert_int_equal(smtp_ops.build(arena, &p, &m, &req, &e), -1);
	assert_string_equal(e.text, "\"subject\" holds a control character");
	m = hello;
	m.address = "nobody";
	assert_int_equal(smtp_ops.build(arena, &p, &m, &req, &e), -1);
	assert_string_equal(e.text, "the recipient's address has no \"@\"");
	m.address = "j\xc3\xb6rg@example.org";
	assert_int_equal(smtp_ops.build(arena, &p, &m, &req, &e), 0);
	assert_true(req.smtputf8);
}

static const void *
maildir_settings_of(const char *directory, struct err *e)
{
	return settings_of(arena, &maildir_ops,
	    arena_printf(arena, "{\"directory\": \"%s\"}", directory), e);
}

static void
maildirs_are_below_the_base(void **state)
{
	static const struct {
		const char *below;
		bool good;
	} directories[] = { { "", true }, { "/", true }, { "/a", true },
		{ "/a/b/", true }, { "/.hidden", true }, { "/a/..b", true },
		{ "/..", false }, { "/a/../b", false }, { "/.", false },
		{ "/a/./b", false }, { "x", false }, { "/a/..", false } };
	struct err e;
	size_t i;

	maildir_set_base(NULL);
	assert_null(maildir_settings_of(base, &e));
	maildir_set_base(base);
	for (i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
		const char *directory = arena_printf(
		    arena, "%s%s", base, directories[i].below);

		if ((maildir_settings_of(directory, &e) != NULL) !=
		    directories[i].good)
			fail_msg("%s", directory);
	}
	assert_null(maildir_settings_of("/etc", &e));
	assert_null(maildir_settings_of("relative", &e));
}

static void
certificates_are_below_their_base(void **state)
{
	static const struct {
		const char *base, *file;
		bool good;
	} cases[] = { { "/etc/ssl", "/etc/ssl/a.pem", true },
		{ "/etc/ssl/", "/etc/ssl/certs/a.pem", true },
		{ "/etc/ssl", "/etc/ssl", false },
		{ "/etc/ssl", "/etc/ssl/", false },
		{ "/etc/ssl", "/etc/ssl/../passwd", false },
		{ "/etc/ssl", "/etc/ssl2/a.pem", false },
		{ "/etc/ssl", "/etc/passwd", false },
		{ "/etc/ssl", "a.pem", false },
		{ "/", "/anywhere/a.pem", true }, { "/", "/../a", false } };
	struct config config = { .maildir_base = base, .network_allowed = "" };
	struct err e = { .text = "" };
	size_t i;

	assert_int_equal(provider_ca_file_check(NULL, &e), 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		config.network_ca_base = cases[i].base;
		provider_configure(&config);
		if ((provider_ca_file_check(cases[i].file, &e) == 0) !=
		    cases[i].good)
			fail_msg("%s in %s", cases[i].file, cases[i].base);
	}
	config.network_ca_base = "/etc/ssl";
	provider_configure(&config);
	assert_null(settings_of(arena, &smtp_ops,
	    "{\"host\": \"mx\", \"ca_file\": \"/etc/passwd\", " FROM "}", &e));
	assert_string_equal(e.text, "setting \"ca_file\": not a path below "
	    "\"/etc/ssl\", which the configuration key [network] ca_base allows");
	assert_non_null(settings_of(arena, &smtp_ops,
	    "{\"host\": \"mx\", \"ca_file\": \"/etc/ssl/a\", " FROM "}", &e));
}

static size_t
count_files(const char *directory)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;
	size_t count = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

static void
a_delivery_is_one_file_however_often(void **state)
{
	const char *directory = arena_printf(arena, "%s/deep/mail", base);
	struct provider p = { .ops = &maildir_ops };
	struct message m = hello;
	struct verdict v;
	struct stat st;
	struct err e;

	maildir_set_base(base);
	p.settings = maildir_settings_of(directory, &e);
	assert_non_null(p.settings);
	maildir_ops.deliver(arena, &p, &m, &v);
	assert_int_equal(v.class, VERDICT_ACCEPTED);
	assert_string_equal(v.code, "written");
	assert_string_equal(v.provider_ref,
	    "1764576000.0193e2c4-0000-7000-8000-000000000001.belfry");
	assert_int_equal(stat(arena_printf(arena, "%s/new/%s", directory,
	                     v.provider_ref), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	m.attempt = 2;
	maildir_ops.deliver(arena, &p, &m, &v);
	assert_int_equal(v.class, VERDICT_ACCEPTED);
	assert_string_equal(v.code, "repeated");
	assert_int_equal(
	    count_files(arena_printf(arena, "%s/new", directory)), 1);
	assert_int_equal(
	    count_files(arena_printf(arena, "%s/tmp", directory)), 0);
}

static void
a_way_through_a_link_is_not_taken(void **state)
{
	struct provider p = { .ops = &maildir_ops };
	const char *link = arena_printf(arena, "%s/link", base);
	struct verdict v;
	struct err e;

	maildir_set_base(base);
	assert_int_equal(symlink("/tmp", link), 0);
	p.settings = maildir_settings_of(link, &e);
	assert_non_null(p.settings);
	maildir_ops.deliver(arena, &p, &hello, &v);
	assert_int_equal(v.class, VERDICT_RETRY);
	assert_string_equal(v.code, "not_written");
}

static void
what_cannot_be_a_mail_is_not_written(void **state)
{
	struct provider p = { .ops = &maildir_ops };
	struct message m = hello;
	struct verdict v;
	struct err e;

	maildir_set_base(base);
	p.settings = maildir_settings_of(base, &e);
	m.html = NULL;
	maildir_ops.deliver(arena, &p, &m, &v);
	assert_int_equal(v.class, VERDICT_BAD_MESSAGE);
	assert_non_null(strstr(v.text, "missing"));
	maildir_set_base("/somewhere/else");
	maildir_ops.deliver(arena, &p, &hello, &v);
	assert_int_equal(v.class, VERDICT_RETRY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(smtp_settings_become_requests),
		cmocka_unit_test(a_key_that_cannot_sign_is_no_key),
		cmocka_unit_test(certificates_are_below_their_base),
		cmocka_unit_test(each_attempt_sends_the_same_bytes),
		cmocka_unit_test(what_can_never_be_sent_says_why),
		cmocka_unit_test(maildirs_are_below_the_base),
		cmocka_unit_test(a_delivery_is_one_file_however_often),
		cmocka_unit_test(a_way_through_a_link_is_not_taken),
		cmocka_unit_test(what_cannot_be_a_mail_is_not_written),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
