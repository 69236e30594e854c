/*
 * test_parcel.c - what is packed comes out, and nothing else does
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

#include "base/arena.h"
#include "base/buf.h"
#include "notify/parcel.h"

static struct arena *a;
static struct delivery deliveries[2];
static struct provider_id providers[2];
static struct parcel sample;
static struct buf *packed;

static int
set_up(void **state)
{
	int i;

	a = arena_new(4096);
	sample = (struct parcel){
		.tenant = { 7 },
		.spooler = uuid_make(),
		.good_until_ms = 123456789,
		.generation = 42,
		.n = {
			.id = { uuid_make() },
			.priority = PRIORITY_NORMAL,
			.template_id = { uuid_make() },
			.template_version = 3,
			.category = "orders",
			.tracking = "{\"opens\":true}",
			.data = "{\"order\":\"42\"}",
			.expires_ms = -1,
			.created_ms = 1795581886972,
		},
		.count = 2,
		.deliveries = deliveries,
		.providers = providers,
	};
	for (i = 0; i < 2; i++) {
		deliveries[i] = (struct delivery){
			.id = { uuid_make() },
			.recipient_no = i,
			.channel = CHANNEL_EMAIL,
			.address = i == 0 ? "ann@example.org" : "",
			.recipient = "{}",
			.locale = i == 0 ? "de" : NULL,
			.created_ms = 5,
		};
		providers[i].u = uuid_make();
	}
	packed = buf_new(a, 65536);
	parcel_write(&sample, packed);
	return 0;
}

static int
tear_down(void **state)
{
	arena_free(&a);
	return 0;
}

static void
what_is_packed_comes_out(void **state)
{
	const struct delivery *d;
	struct parcel p;
	int i;

	assert_int_equal(parcel_read(a, packed->data, packed->len, &p), 0);
	assert_int_equal(p.tenant.n, 7);
	assert_int_equal(uuid_cmp(&p.spooler, &sample.spooler), 0);
	assert_int_equal(p.good_until_ms, 123456789);
	assert_int_equal(p.generation, 42);
	assert_int_equal(uuid_cmp(&p.n.id.u, &sample.n.id.u), 0);
	assert_ptr_equal(p.n.a, a);
	assert_int_equal(p.n.state, NOTIFICATION_ROUTED);
	assert_int_equal(p.n.priority, PRIORITY_NORMAL);
	assert_int_equal(p.n.template_version, 3);
	assert_string_equal(p.n.category, "orders");
	assert_string_equal(p.n.data, sample.n.data);
	assert_null(p.n.content);
	assert_null(p.n.locale);
	assert_int_equal(p.n.expires_ms, -1);
	assert_int_equal(p.n.created_ms, sample.n.created_ms);
	assert_int_equal(p.count, 2);
	for (i = 0; i < 2; i++) {
		d = &p.deliveries[i];
		assert_int_equal(uuid_cmp(&d->id.u, &deliveries[i].id.u), 0);
		assert_int_equal(uuid_cmp(&p.providers[i].u, &providers[i].u), 0);
		assert_int_equal(d->recipient_no, i);
		assert_int_equal(d->channel, CHANNEL_EMAIL);
		assert_int_equal(d->state, DELIVERY_SENDING);
		assert_int_equal(d->attempt, 1);
		assert_int_equal(d->lease_no, 1);
		assert_string_equal(d->address, i == 0 ? "ann@example.org" : "");
	}
	assert_string_equal(p.deliveries[0].locale, "de");
	assert_null(p.deliveries[1].locale);
}

static void
what_is_cut_or_too_long_is_refused(void **state)
{
	struct parcel p;
	size_t n;

	for (n = 0; n < packed->len; n++)
		assert_int_equal(parcel_read(a, packed->data, n, &p), -1);
	buf_putc(packed, 'x');
	assert_int_equal(parcel_read(a, packed->data, packed->len, &p), -1);
}

/* A value in its place that cannot be; it is put right again. */
static void
refuse(int *place, int value)
{
	struct buf *out = buf_new(a, 65536);
	int before = *place;
	struct parcel p;

	*place = value;
	parcel_write(&sample, out);
	assert_int_equal(parcel_read(a, out->data, out->len, &p), -1);
	*place = before;
}

static void
a_nul_inside_a_text_is_refused(void **state)
{
	char *at = memmem(packed->data, packed->len, "orders", 6);
	struct parcel p;

	assert_non_null(at);
	at[2] = '\0';
	assert_int_equal(parcel_read(a, packed->data, packed->len, &p), -1);
}

/* Whatever stands in it: it is read or refused. */
static void
noise_does_no_harm(void **state)
{
	static const unsigned char bytes[] = { 0, 1, 0x7f, 0x80, 0xff };
	struct arena *step = arena_new(4096);
	struct parcel p;
	size_t i, k;
	char *copy;

	for (i = 0; i < packed->len; i++)
		for (k = 0; k < sizeof(bytes); k++) {
			copy = arena_memdup(step, packed->data, packed->len);
			copy[i] = (char)bytes[k];
			if (parcel_read(step, copy, packed->len, &p) == 0)
				assert_in_range(p.count, 1,
				    PARCEL_DELIVERIES_MAX);
			arena_reset(step);
		}
	arena_free(&step);
}

static void
values_that_cannot_be_are_refused(void **state)
{
	struct buf *out = buf_new(a, 65536);
	struct parcel p;

	refuse(&sample.n.priority, PRIORITY_COUNT);
	refuse(&sample.n.priority, -1);
	refuse(&deliveries[1].recipient_no, -1);
	refuse((int *)&deliveries[1].channel, CHANNEL_NONE);
	refuse((int *)&deliveries[1].channel, CHANNEL_COUNT);
	sample.tenant.n = 0;
	parcel_write(&sample, out);
	assert_int_equal(parcel_read(a, out->data, out->len, &p), -1);
	buf_reset(out);
	sample.tenant.n = 7;
	sample.count = 0;
	parcel_write(&sample, out);
	assert_int_equal(parcel_read(a, out->data, out->len, &p), -1);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_is_packed_comes_out),
		TEST(what_is_cut_or_too_long_is_refused),
		TEST(a_nul_inside_a_text_is_refused),
		TEST(values_that_cannot_be_are_refused),
		TEST(noise_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
