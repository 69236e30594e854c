/*
 * test_link.c - links that only we can have made, and mails that carry them
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/link.h"
#include "base/seal.h"
#include "notify/track.h"

#define OURS "https://n.example"

static struct arena *a;
static struct keyring *ring, *other;

static struct keyring *
ring_new(void)
{
	char directory[] = "/tmp/belfry-link.XXXXXX";
	char *command;
	struct keyring *made;
	struct err e;

	assert_non_null(mkdtemp(directory));
	assert_int_equal(keyring_create(arena_printf(a, "%s/keys", directory), &e),
	    0);
	assert_int_equal(keyring_load(a, arena_printf(a, "%s/keys", directory),
	                     &made, &e), 0);
	command = arena_printf(a, "rm -r %s", directory);
	assert_int_equal(system(command), 0);
	return made;
}

static int
setup(void **state)
{
	if (sodium_init() == -1)
		return -1;
	a = arena_new(4096);
	ring = ring_new();
	other = ring_new();
	return 0;
}

static int
teardown(void **state)
{
	arena_free(&a);
	return 0;
}

static struct link
link_to(const char *rest)
{
	return (struct link){ { 77 }, { { { 1, 2 } } }, { { { 3, 4 } } }, rest };
}

static void
links_come_back(void **state)
{
	struct link l = link_to("https://shop.example/?a=1&b=2"), back;
	const char *text = link_write(a, ring, "click", &l);

	assert_string_equal(text, link_write(a, ring, "click", &l));
	assert_int_equal(link_read(a, ring, "click", text, &back), 0);
	assert_int_equal(back.tenant.n, 77);
	assert_memory_equal(&back.notification, &l.notification, 16);
	assert_memory_equal(&back.delivery, &l.delivery, 16);
	assert_string_equal(back.rest, l.rest);
	assert_null(strstr(text, "shop"));
	assert_int_equal(link_read(a, other, "click", text, &back), -1);
}

static void
others_make_none(void **state)
{
	struct link l = link_to("https://shop.example/"), back;
	const char *text = link_write(a, ring, "click", &l);
	size_t i, n = strlen(text);
	char *copy = arena_strdup(a, text);

	for (i = 0; i < n; i++) {
		copy[i] = text[i] == 'A' ? 'B' : 'A';
		assert_int_equal(link_read(a, ring, "click", copy, &back), -1);
		copy[i] = text[i];
		assert_int_equal(link_read(a, ring, "click",
		                     arena_strndup(a, text, i), &back), -1);
	}
	assert_int_equal(link_read(a, ring, "click", copy, &back), 0);
	assert_int_equal(link_read(a, ring, "open", text, &back), -1);
	assert_int_equal(link_read(a, ring, "click",
	                     arena_printf(a, "%sA", text), &back), -1);
	assert_int_equal(link_read(a, ring, "click", "", &back), -1);
	assert_int_equal(link_read(a, ring, "click", "!", &back), -1);
}

/* ---- Mails ----------------------------------------------------------------------- */

static const char *
tracked(const char *html, bool opens, bool clicks)
{
	struct link l = link_to("");
	struct track_params p = { .opens = opens, .clicks = clicks, .ring = ring,
		.public_url = OURS, .link = &l, .max_bytes = 100000 };

	return track_html(a, &p, html);
}

/* Where the n-th link of ours leads. */
static const char *
leads_to(const char *html, int n)
{
	const char *at = html;
	struct link l;

	while (n-- > 0) {
		at = strstr(at, OURS "/t/c/");
		assert_non_null(at);
		at += strlen(OURS "/t/c/");
	}
	assert_int_equal(link_read(a, ring, TRACK_CLICK,
	                     arena_strndup(a, at, strspn(at,
	                         "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst"
	                         "uvwxyz0123456789-_")), &l), 0);
	return l.rest;
}

static void
links_lead_through_us(void **state)
{
	const char *html = tracked(
	    "<p><a class=x href=\"https://a.example/?x=1&amp;y=2\">a</a>"
	    "<A HREF='http://b.example/\xc3\xa4 b'>b</A>"
	    "<area href=https://c.example/c>", false, true);

	assert_string_equal(leads_to(html, 1), "https://a.example/?x=1&y=2");
	assert_string_equal(leads_to(html, 2), "http://b.example/%C3%A4%20b");
	assert_string_equal(leads_to(html, 3), "https://c.example/c");
	assert_non_null(strstr(html, "<p><a class=x href=\"" OURS "/t/c/"));
	assert_non_null(strstr(html, "\">a</a><A HREF='" OURS));
	assert_null(strstr(html, "<img"));
}

static void
all_else_stays_as_it_is(void **state)
{
	static const char *const same[] = {
		"", "plain < text", "<a href=\"mailto:a@example.org\">",
		"<a href=\"tel:+43\">", "<a href=\"#top\">", "<a href=\"/x\">",
		"<a href=\"javascript:alert(1)\">", "<a href>", "<a href=\"\">",
		"<link href=\"https://a.example/x.css\">",
		"<img src=\"https://a.example/a.png\">",
		"<!-- <a href=\"https://a.example\"> -->",
		"<script>'<a href=\"https://a.example\">'</script>",
		"<style>a{b:\"<a href='https://a.example'>\"}</style>",
		"<a href=\"" OURS "/u/token\">", "<a href=\"" OURS "/t/c/x\">",
		"<a href=\"https://a.example", "<a title='<' x=\"https://\">", "<",
	};
	const char *html;
	size_t i;

	for (i = 0; i < NELEMS(same); i++) {
		html = tracked(same[i], false, true);
		if (i == 16) /* a tag that does not end: what it names is followed */
			continue;
		assert_string_equal(html, same[i]);
		assert_string_equal(tracked(same[i], false, false), same[i]);
	}
}

static void
a_picture_stands_at_the_end(void **state)
{
	const char *html = tracked("<body>Hi</BODY></html>", true, false);

	assert_non_null(strstr(html, "Hi<img src=\"" OURS "/t/o/"));
	assert_non_null(strstr(html, ".gif\" width=\"1\" height=\"1\" alt=\"\">"
	                             "</BODY>"));
	assert_non_null(strstr(tracked("Hi", true, false), "Hi<img"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_come_back),
		cmocka_unit_test(others_make_none),
		cmocka_unit_test(links_lead_through_us),
		cmocka_unit_test(all_else_stays_as_it_is),
		cmocka_unit_test(a_picture_stands_at_the_end),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
