/*
 * test_field.c - field tables: every type, every limit, every fault
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

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "web/field.h"
#include "web/field_form.h"
#include "web/js.h"

struct person {
	struct field_mask mask;
	const char *name;
	const char *email;
	json_t *data;
};

static const struct field person_fields[] = {
	FIELD(struct person, name, TEXT, .max = 5, .flags = FIELD_ONE_LINE,
	    .help = "Who."),
	FIELD(struct person, email, EMAIL, .flags = FIELD_REQUIRED,
	    .help = "Where."),
	FIELD(struct person, data, JSON, .max = 2, .help = "What."),
};

static const struct field_table person_table = FIELD_TABLE("Person",
    struct person, person_fields, "A person.");

enum mood { MOOD_CALM, MOOD_LOUD };
static const char *const moods[] = { "calm", "loud", NULL };

struct order {
	struct field_mask mask;
	const char *key;
	const char *text;
	int64_t port;
	int64_t any;
	bool on;
	int64_t at;
	int64_t wait;
	enum mood mood;
	struct uuid id;
	const char *phone;
	const char *url;
	const char *locale;
	const char *zone;
	struct person *owner;
	struct person *to;
	size_t to_count;
	const char **tags;
	size_t tags_count;
	int *moods;
	size_t moods_count;
	const char *def;
	const char *password;
	int64_t version;
};

static const struct field order_fields[] = {
	FIELD(struct order, key, SLUG, .flags = FIELD_REQUIRED, .help = "h",
	    .example = "\"order-shipped\""),
	FIELD(struct order, text, TEXT, .min = 2, .max = 4,
	    .flags = FIELD_NULLABLE, .help = "h"),
	FIELD(struct order, port, INT, .min = 1, .max = 65535, .def = 25,
	    .flags = FIELD_DEFAULT, .help = "h"),
	FIELD(struct order, any, INT, .help = "h"),
	FIELD(struct order, on, BOOL, .help = "h"),
	FIELD(struct order, at, TIME, .max = INT64_C(4102444800000),
	    .help = "h"),
	FIELD(struct order, wait, DURATION, .min = 1000, .max = 60000,
	    .flags = FIELD_DEFAULT, .def = 5000, .help = "h"),
	FIELD(struct order, mood, ENUM, .words = moods, .help = "h"),
	FIELD(struct order, id, UUID, .help = "h"),
	FIELD(struct order, phone, PHONE, .help = "h"),
	FIELD(struct order, url, URL, .help = "h"),
	FIELD(struct order, locale, LOCALE, .help = "h"),
	FIELD(struct order, zone, ZONE, .help = "h"),
	FIELD_SUB(struct order, owner, &person_table, .help = "h"),
	FIELD_SUBS(struct order, to, &person_table, .min = 1, .max = 3,
	    .flags = FIELD_ONE_OR_MANY, .help = "h"),
	FIELD_LIST(struct order, tags, TEXT, .max = 3, .item_max = 3,
	    .flags = FIELD_UNIQUE, .help = "h"),
	FIELD_LIST(struct order, moods, ENUM, .words = moods, .max = 4,
	    .help = "h"),
	FIELD(struct order, def, TEXT, .as = "default", .def_text = "x",
	    .flags = FIELD_DEFAULT, .help = "h"),
	FIELD(struct order, password, TEXT, .flags = FIELD_SECRET,
	    .help = "h"),
	FIELD(struct order, version, INT, .flags = FIELD_READ_ONLY,
	    .help = "h"),
};

static const struct field_table order_table = FIELD_TABLE("Order",
    struct order, order_fields, "An order.");

static struct arena *a;
static struct field_errors fe;
static struct order order;

static int
setup(void **state)
{
	a = arena_new(4096);
	field_errors_init(&fe, a);
	return 0;
}

static int
teardown(void **state)
{
	arena_free(&a);
	return 0;
}

static json_t *
json_of(const char *text)
{
	json_t *json;
	struct err e;

	if (js_parse(a, text, strlen(text), 32, &json, &e) != 0)
		fail_msg("%s: %s", text, e.text);
	return json;
}

static int
read_order(const char *text)
{
	field_errors_init(&fe, a);
	return fields_read(a, json_of(text), &order_table, &order, &fe);
}

/* All faults as "pointer code" lines. */
static const char *
faults(void)
{
	struct buf *b = buf_new(a, 65536);
	const struct field_error *e;

	for (e = fe.first; e != NULL; e = e->next)
		buf_printf(b, "%s%s %s", e == fe.first ? "" : "|",
		    e->pointer != NULL ? e->pointer : e->parameter,
		    field_code_text(e->code));
	return b->data;
}

static void
all_types_are_read(void **state)
{
	assert_int_equal(read_order(
	    "{\"key\":\"k1\",\"text\":\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\","
	    "\"port\":65535,\"any\":-7,\"on\":true,"
	    "\"at\":\"1970-01-01T00:00:01.5Z\",\"wait\":\"30s\","
	    "\"mood\":\"loud\",\"id\":\"01890A5D-AC96-774B-BCCE-B302099A8057\","
	    "\"phone\":\"+43660123456\",\"url\":\"https://a.example/x?y#z\","
	    "\"locale\":\"de-AT\",\"zone\":\"Europe/Vienna\","
	    "\"owner\":{\"email\":\"o@example.org\"},"
	    "\"to\":[{\"email\":\"a@example.org\",\"name\":\"Ann\","
	    "\"data\":{\"seat\":1}},{\"email\":\"b@example.org\"}],"
	    "\"tags\":[\"a\",\"b\"],\"moods\":[\"loud\",\"calm\"],"
	    "\"default\":\"y\",\"password\":\"geheim\",\"version\":9}"), 0);
	assert_string_equal(order.key, "k1");
	assert_int_equal(strlen(order.text), 8);
	assert_int_equal(order.port, 65535);
	assert_int_equal(order.any, -7);
	assert_true(order.on);
	assert_int_equal(order.at, 1500);
	assert_int_equal(order.wait, 30000);
	assert_int_equal(order.mood, MOOD_LOUD);
	assert_int_equal(order.id.b[1], 0x89);
	assert_string_equal(order.phone, "+43660123456");
	assert_string_equal(order.url, "https://a.example/x?y#z");
	assert_string_equal(order.locale, "de-AT");
	assert_string_equal(order.zone, "Europe/Vienna");
	assert_string_equal(order.owner->email, "o@example.org");
	assert_int_equal(order.to_count, 2);
	assert_string_equal(order.to[0].name, "Ann");
	assert_int_equal(json_object_size(order.to[0].data), 1);
	assert_string_equal(order.to[1].email, "b@example.org");
	assert_null(order.to[1].name);
	assert_int_equal(order.tags_count, 2);
	assert_string_equal(order.tags[1], "b");
	assert_int_equal(order.moods_count, 2);
	assert_int_equal(order.moods[0], MOOD_LOUD);
	assert_string_equal(order.def, "y");
	assert_string_equal(order.password, "geheim");
	assert_int_equal(order.version, 0);
}

static void
absent_null_and_default_differ(void **state)
{
	assert_int_equal(read_order("{\"key\":\"k\",\"text\":null}"), 0);
	assert_null(order.text);
	assert_true(fields_given(&order_table, &order, &order.text));
	assert_true(fields_null(&order_table, &order, &order.text));
	assert_true(fields_given(&order_table, &order, &order.key));
	assert_false(fields_null(&order_table, &order, &order.key));
	assert_false(fields_given(&order_table, &order, &order.port));
	assert_int_equal(order.port, 25);
	assert_int_equal(order.wait, 5000);
	assert_string_equal(order.def, "x");
	assert_null(order.to);
	assert_int_equal(order.to_count, 0);
	assert_null(order.owner);
}

static void
one_counts_as_a_list_of_one(void **state)
{
	assert_int_equal(read_order(
	    "{\"key\":\"k\",\"to\":{\"email\":\"a@b.example\"}}"), 0);
	assert_int_equal(order.to_count, 1);
	assert_string_equal(order.to[0].email, "a@b.example");
	assert_int_equal(read_order("{\"key\":\"k\",\"to\":{\"name\":\"x\"}}"),
	    -1);
	assert_string_equal(faults(), "/to/email missing");
}

static void
texts_outlive_their_json(void **state)
{
	json_t *json = json_pack("{s:s}", "key", "kept");

	field_errors_init(&fe, a);
	assert_int_equal(fields_read(a, json, &order_table, &order, &fe), 0);
	json_decref(json);
	assert_string_equal(order.key, "kept");
}

static const struct {
	const char *json, *want;
} faulty[] = {
	{ "[]", " wrong_type" },
	{ "5", " wrong_type" },
	{ "{}", "/key missing" },
	{ "{\"key\":null}", "/key null_not_allowed" },
	{ "{\"key\":1}", "/key wrong_type" },
	{ "{\"key\":\"\"}", "/key malformed" },
	{ "{\"key\":\"Not A Slug\"}", "/key malformed" },
	{ "{\"key\":\"k\",\"text\":\"a\"}", "/text too_short" },
	{ "{\"key\":\"k\",\"text\":\"\"}", "/text too_short" },
	{ "{\"key\":\"k\",\"text\":\"abcde\"}", "/text too_long" },
	{ "{\"key\":\"k\",\"text\":\"\xc3\xa9\"}", "/text too_short" },
	{ "{\"key\":\"k\",\"port\":0}", "/port too_small" },
	{ "{\"key\":\"k\",\"port\":65536}", "/port too_large" },
	{ "{\"key\":\"k\",\"port\":1.0}", "/port wrong_type" },
	{ "{\"key\":\"k\",\"port\":\"25\"}", "/port wrong_type" },
	{ "{\"key\":\"k\",\"on\":0}", "/on wrong_type" },
	{ "{\"key\":\"k\",\"at\":\"tomorrow\"}", "/at malformed" },
	{ "{\"key\":\"k\",\"at\":\"2026-02-30T00:00:00Z\"}", "/at malformed" },
	{ "{\"key\":\"k\",\"at\":\"2200-01-01T00:00:00Z\"}", "/at too_large" },
	{ "{\"key\":\"k\",\"at\":1}", "/at wrong_type" },
	{ "{\"key\":\"k\",\"wait\":\"5\"}", "/wait malformed" },
	{ "{\"key\":\"k\",\"wait\":\"1ms\"}", "/wait too_small" },
	{ "{\"key\":\"k\",\"wait\":\"61s\"}", "/wait too_large" },
	{ "{\"key\":\"k\",\"mood\":\"LOUD\"}", "/mood not_allowed" },
	{ "{\"key\":\"k\",\"id\":\"xyz\"}", "/id malformed" },
	{ "{\"key\":\"k\",\"phone\":\"0660123456\"}", "/phone malformed" },
	{ "{\"key\":\"k\",\"url\":\"ftp://x\"}", "/url malformed" },
	{ "{\"key\":\"k\",\"locale\":\"de_AT\"}", "/locale malformed" },
	{ "{\"key\":\"k\",\"zone\":\"Europe/Vieena\"}", "/zone malformed" },
	{ "{\"key\":\"k\",\"owner\":[]}", "/owner wrong_type" },
	{ "{\"key\":\"k\",\"to\":[]}", "/to too_short" },
	{ "{\"key\":\"k\",\"to\":[1,{},{\"email\":\"x\"}]}",
	    "/to/0 wrong_type|/to/1/email missing|/to/2/email malformed" },
	{ "{\"key\":\"k\",\"to\":[{},{},{},{}]}", "/to too_long" },
	{ "{\"key\":\"k\",\"to\":[{\"email\":\"a@b.c\",\"name\":\"a\\nb\"}]}",
	    "/to/0/name malformed" },
	{ "{\"key\":\"k\",\"to\":[{\"email\":\"a@b.c\",\"data\":[]}]}",
	    "/to/0/data wrong_type" },
	{ "{\"key\":\"k\",\"to\":[{\"email\":\"a@b.c\","
	  "\"data\":{\"a\":1,\"b\":2,\"c\":3}}]}",
	    "/to/0/data too_long" },
	{ "{\"key\":\"k\",\"tags\":\"a\"}", "/tags wrong_type" },
	{ "{\"key\":\"k\",\"tags\":[\"a\",\"b\",\"a\"]}", "/tags/2 duplicate" },
	{ "{\"key\":\"k\",\"tags\":[\"abcd\",1,null]}",
	    "/tags/0 too_long|/tags/1 wrong_type|/tags/2 null_not_allowed" },
	{ "{\"key\":\"k\",\"moods\":[\"calm\",\"sad\"]}",
	    "/moods/1 not_allowed" },
	{ "{\"key\":\"k\",\"kee\":1,\"a/b~c\":2}",
	    "/kee unknown_field|/a~1b~0c unknown_field" },
	{ "{\"text\":5,\"port\":0,\"x\":1}",
	    "/key missing|/text wrong_type|/port too_small|/x unknown_field" },
};

static void
every_fault_is_told_with_its_place(void **state)
{
	size_t i;

	for (i = 0; i < NELEMS(faulty); i++) {
		if (read_order(faulty[i].json) == 0)
			fail_msg("took %s", faulty[i].json);
		if (strcmp(faults(), faulty[i].want) != 0)
			fail_msg("%s: %s", faulty[i].json, faults());
	}
}

static void
details_help(void **state)
{
	(void)!read_order("{\"key\":\"k\",\"prot\":1}");
	assert_string_equal(fe.first->detail,
	    "is not known; did you mean \"port\"?");
	(void)!read_order("{\"key\":\"k\",\"mood\":\"x\"}");
	assert_string_equal(fe.first->detail,
	    "must be one of \"calm\", \"loud\"");
	(void)!read_order("{\"key\":\"k\",\"wait\":\"2h\"}");
	assert_string_equal(fe.first->detail, "must be at most 1m");
	(void)!read_order("{\"key\":\"k\",\"port\":true}");
	assert_string_equal(fe.first->detail,
	    "must be a whole number, not a boolean");
}

static void
faults_are_counted_past_the_limit(void **state)
{
	struct buf *b = buf_new(a, 65536);
	int i;

	buf_puts(b, "{\"key\":\"k\"");
	for (i = 0; i < 300; i++)
		buf_printf(b, ",\"unknown-%d\":1", i);
	buf_puts(b, "}");
	assert_int_equal(read_order(b->data), -1);
	assert_int_equal(fe.count, 300);
}

static void
writing_reads_back_without_secrets(void **state)
{
	struct buf *b = buf_new(a, 65536);
	struct order again;

	assert_int_equal(read_order(
	    "{\"key\":\"k1\",\"port\":7,\"wait\":\"1m\",\"mood\":\"loud\","
	    "\"at\":\"2026-12-01T08:00:00Z\",\"tags\":[\"a\"],"
	    "\"to\":[{\"email\":\"a@b.example\",\"data\":{\"x\":[1]}}],"
	    "\"password\":\"geheim\"}"), 0);
	js_write(b, fields_write(a, &order_table, &order));
	assert_string_equal(b->data,
	    "{\"key\":\"k1\",\"text\":null,\"port\":7,\"any\":0,\"on\":false,"
	    "\"at\":\"2026-12-01T08:00:00.000Z\",\"wait\":\"1m\","
	    "\"mood\":\"loud\",\"to\":[{\"email\":\"a@b.example\","
	    "\"data\":{\"x\":[1]}}],\"tags\":[\"a\"],\"default\":\"x\","
	    "\"version\":0}");
	assert_int_equal(fields_read(a, json_of(b->data), &order_table, &again,
	                     &fe),
	    0);
	assert_int_equal(again.at, order.at);
	assert_null(again.password);
}

static void
secrets_are_split_off(void **state)
{
	json_t *shown, *secret;
	struct buf *b = buf_new(a, 1024);

	fields_split(a, &order_table,
	    json_of("{\"key\":\"k\",\"password\":\"geheim\",\"on\":true}"),
	    &shown, &secret);
	js_write(b, shown);
	buf_puts(b, " ");
	js_write(b, secret);
	assert_string_equal(b->data,
	    "{\"key\":\"k\",\"on\":true} {\"password\":\"geheim\"}");
}

static void
queries_are_read_by_the_same_tables(void **state)
{
	const struct field_param good[] = { { "key", "k" }, { "port", "80" },
		{ "on", "true" }, { "tags", "a,b" }, { "wait", "5s" } };
	const struct field_param bad[] = { { "key", "k" }, { "port", "8x" },
		{ "on", "1" }, { "tags", "a,abcd" }, { "key", "l" },
		{ "prot", "1" } };

	assert_int_equal(fields_read_query(a, good, NELEMS(good), &order_table,
	                     &order, &fe),
	    0);
	assert_int_equal(order.port, 80);
	assert_true(order.on);
	assert_int_equal(order.tags_count, 2);
	assert_int_equal(fields_read_query(a, bad, NELEMS(bad), &order_table,
	                     &order, &fe),
	    -1);
	assert_string_equal(faults(),
	    "key duplicate|port wrong_type|on wrong_type|tags too_long|"
	    "prot unknown_field");
}

static void
schemas_say_what_is_checked(void **state)
{
	json_t *components = js_keep(a, json_object());
	json_t *ref = js_keep(a, fields_schema(&order_table, components));
	json_t *p, *o;

	assert_string_equal(json_string_value(json_object_get(ref, "$ref")),
	    "#/components/schemas/Order");
	assert_int_equal(json_object_size(components), 2);
	o = json_object_get(components, "Order");
	assert_true(json_is_false(json_object_get(o, "additionalProperties")));
	assert_int_equal(json_array_size(json_object_get(o, "required")), 1);
	p = json_object_get(o, "properties");
	assert_int_equal(json_object_size(p), NELEMS(order_fields));
	assert_int_equal(json_integer_value(json_object_get(
	                     json_object_get(p, "port"), "maximum")),
	    65535);
	assert_int_equal(json_integer_value(json_object_get(
	                     json_object_get(p, "port"), "default")),
	    25);
	assert_true(json_is_true(json_object_get(
	    json_object_get(p, "password"), "writeOnly")));
	assert_true(json_is_array(json_object_get(
	    json_object_get(p, "to"), "oneOf")));
	assert_true(json_is_array(json_object_get(
	    json_object_get(p, "text"), "type")));
	fields_check(&order_table);
}

static void
an_open_table_takes_whatever_else_there_is(void **state)
{
	static const struct field_table open = FIELD_TABLE_OPEN("Open",
	    struct order, order_fields, "One that may grow.");
	json_t *components = js_keep(a, json_object());
	json_t *json = js_keep(a, json_pack("{s:s, s:b}", "key", "k", "new", 1));
	struct order o;

	js_keep(a, fields_schema(&open, components));
	assert_null(json_object_get(json_object_get(components, "Open"),
	    "additionalProperties"));
	field_errors_init(&fe, a);
	assert_int_equal(fields_read(a, json, &open, &o, &fe), 0);
	assert_int_equal(fields_read(a, json, &order_table, &o, &fe), -1);
}

static const struct {
	bool (*is)(const char *s);
	const char *text;
	bool want;
} texts[] = {
	{ form_is_email, "a@b", true },
	{ form_is_email, "ann.lee+tag@mail.example.org", true },
	{ form_is_email, "o'brien@example.org", true },
	{ form_is_email, "j\xc3\xbcrgen@m\xc3\xbcnchen.example", true },
	{ form_is_email, "", false },
	{ form_is_email, "@b", false },
	{ form_is_email, "a@", false },
	{ form_is_email, "a", false },
	{ form_is_email, "a@b@c", false },
	{ form_is_email, "a b@c", false },
	{ form_is_email, "a\r\nBcc: x@y", false },
	{ form_is_email, "a\n@b", false },
	{ form_is_email, "<a@b>", false },
	{ form_is_email, "a@b,c@d", false },
	{ form_is_email, ".a@b", false },
	{ form_is_email, "a.@b", false },
	{ form_is_email, "a..b@c", false },
	{ form_is_email, "a@-b", false },
	{ form_is_email, "a@b-", false },
	{ form_is_email, "a@b..c", false },
	{ form_is_email, "a@.b", false },
	{ form_is_email, "a@b.", false },
	{ form_is_email, "a@b.-c", false },
	{ form_is_email, "\"a\"@b", false },
	{ form_is_phone, "+43660123456", true },
	{ form_is_phone, "+123456789012345", true },
	{ form_is_phone, "+1234567890123456", false },
	{ form_is_phone, "+0660123456", false },
	{ form_is_phone, "+1", false },
	{ form_is_phone, "+43 660", false },
	{ form_is_phone, "+", false },
	{ form_is_phone, "", false },
	{ form_is_url, "https://example.org", true },
	{ form_is_url, "http://127.0.0.1:8080/a?b=c", true },
	{ form_is_url, "https://[::1]/x", true },
	{ form_is_url, "https://a:65535/", true },
	{ form_is_url, "https://a:65536/", false },
	{ form_is_url, "https://a:0", false },
	{ form_is_url, "https://[::1]:", false },
	{ form_is_url, "https://user@example.org/", false },
	{ form_is_url, "https://", false },
	{ form_is_url, "https://a b", false },
	{ form_is_url, "https://a/\r\nX: y", false },
	{ form_is_url, "https://a:/", false },
	{ form_is_url, "https://a:123456/", false },
	{ form_is_url, "javascript:alert(1)", false },
	{ form_is_url, "https://a/<b>", false },
	{ form_is_locale, "de", true },
	{ form_is_locale, "zh-Hant-TW", true },
	{ form_is_locale, "d", false },
	{ form_is_locale, "de-", false },
	{ form_is_locale, "de-AT-", false },
	{ form_is_locale, "de-123456789", false },
	{ form_is_locale, "", false },
	{ form_is_zone, "UTC", true },
	{ form_is_zone, "America/Argentina/Buenos_Aires", true },
	{ form_is_zone, "../etc/passwd", false },
	{ form_is_zone, "Europe", false },
	{ form_is_zone, "Europe//Vienna", false },
	{ form_is_zone, "/etc/passwd", false },
	{ form_is_zone, "", false },
};

static void
forms_are_judged(void **state)
{
	size_t i;

	for (i = 0; i < NELEMS(texts); i++)
		if (texts[i].is(texts[i].text) != texts[i].want)
			fail_msg("%zu: \"%s\"", i, texts[i].text);
}

static void
time_spans_are_read_and_written(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
		const char *back;
	} cases[] = {
		{ "0s", 0, "0s" },
		{ "250ms", 250, "250ms" },
		{ "90s", 90000, "1m30s" },
		{ "5m", 300000, "5m" },
		{ "1h30m", 5400000, "1h30m" },
		{ "7d", 604800000, "1w" },
		{ "", -1, NULL },
		{ "5", -1, NULL },
		{ "m", -1, NULL },
		{ "-5m", -1, NULL },
		{ "5m1h", -1, NULL },
		{ "5m5m", -1, NULL },
		{ "5 m", -1, NULL },
		{ "5M", -1, NULL },
		{ "1.5h", -1, NULL },
		{ "99999999999999999999s", -1, NULL },
		{ "9223372036854775807w", -1, NULL },
	};
	char back[FORM_DURATION_BYTES];
	int64_t ms;
	size_t i;

	for (i = 0; i < NELEMS(cases); i++) {
		ms = -1;
		if ((form_duration_parse(cases[i].text, &ms) == 0) !=
		        (cases[i].ms >= 0) ||
		    ms != cases[i].ms)
			fail_msg("%s: %lld", cases[i].text, (long long)ms);
		if (ms < 0)
			continue;
		form_duration_format(ms, back);
		assert_string_equal(back, cases[i].back);
	}
}

static void
a_megabyte_is_judged_in_linear_time(void **state)
{
	struct buf *b = buf_new(a, 2000000);
	size_t i;

	for (i = 0; i < 1000000; i++)
		buf_putc(b, i % 2 == 0 ? 'a' : '.');
	for (i = 0; i < 100; i++) {
		assert_false(form_is_email(b->data));
		assert_false(form_is_phone(b->data));
		assert_false(form_is_locale(b->data));
		assert_false(form_is_zone(b->data));
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(all_types_are_read),
		T(absent_null_and_default_differ),
		T(one_counts_as_a_list_of_one),
		T(texts_outlive_their_json),
		T(every_fault_is_told_with_its_place),
		T(details_help),
		T(faults_are_counted_past_the_limit),
		T(writing_reads_back_without_secrets),
		T(secrets_are_split_off),
		T(queries_are_read_by_the_same_tables),
		T(schemas_say_what_is_checked),
		T(an_open_table_takes_whatever_else_there_is),
		T(forms_are_judged),
		T(time_spans_are_read_and_written),
		T(a_megabyte_is_judged_in_linear_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
