/*
 * test_tenant_settings.c - settings of a tenant that nobody has checked
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/compiler.h"
#include "notify/tenant_settings.h"
#include "web/field.h"
#include "web/js.h"

/* What is stored, what counts of it, and where it is broken. */
static const struct {
	const char *stored, *want, *faults;
} cases[] = {
	{ "{}", "{}", "" },
	{ "{\"queue_max\":5,\"channels\":[\"email\"]}",
	    "{\"queue_max\":5,\"channels\":[\"email\"]}", "" },
	{ "{\"queue_max\":\"many\",\"delivery_rate\":5}",
	    "{\"delivery_rate\":5}", "/queue_max" },
	{ "{\"queue_max\":123456789012345678901234567890,\"delivery_rate\":5}",
	    "{\"delivery_rate\":5}", "/queue_max" },
	{ "{\"queue_max\":-1e999,\"delivery_rate\":-1,"
	  "\"branding\":{\"name\":\"-1e999 \\\" 1e999\"}}",
	    "{\"branding\":{\"name\":\"-1e999 \\\" 1e999\"}}",
	    "/delivery_rate /queue_max" },
	{ "{\"branding\":{\"name\":\"A\",\"color\":\"red\",\"url\":7}}",
	    "{\"branding\":{\"name\":\"A\"}}", "/branding/url /branding/color" },
	/* Without what it must have the whole of it is nothing. */
	{ "{\"limits\":{\"send\":{\"rate\":\"x\",\"burst\":5},"
	  "\"read\":{\"rate\":7}}}",
	    "{\"limits\":{\"read\":{\"rate\":7}}}",
	    "/limits/send/rate /limits/send/rate" },
	{ "{\"channels\":[\"pigeon\",\"sms\",7,\"email\"]}",
	    "{\"channels\":[\"sms\",\"email\"]}", "/channels/0 /channels/1" },
	{ "{\"channels\":[\"pigeon\"]}", "{}", "/channels/0 /channels" },
	{ "{\"retention\":{\"days\":30,\"rules\":[{\"channel\":\"sms\"},"
	  "{\"days\":7}]}}",
	    "{\"retention\":{\"days\":30,\"rules\":[{\"days\":7}]}}",
	    "/retention/rules/0/days" },
	{ "{\"quiet_hours\":{\"from\":\"25:00\",\"to\":\"07:00\"},"
	  "\"no_such\":1}", "{}", "/no_such /quiet_hours" },
	/* Its secrets are elsewhere. */
	{ "{\"user_service\":{\"url\":\"https://u.example.org/{user_id}\","
	  "\"oauth\":{\"token_url\":\"https://i.example.org/t\","
	  "\"client_id\":\"belfry\"},\"timeout\":\"soon\"}}",
	    "{\"user_service\":{\"url\":\"https://u.example.org/{user_id}\","
	    "\"oauth\":{\"token_url\":\"https://i.example.org/t\","
	    "\"client_id\":\"belfry\"}}}", "/user_service/timeout" },
	{ "{\"a/b~c\":1,\"~1\":2,\"\":3,\"queue_max\":5}", "{\"queue_max\":5}",
	    "/a~1b~0c /~01 /" },
	{ "{\"branding\":{\"x\":{\"/\":1}},\"queue_max\":5}",
	    "{\"branding\":{},\"queue_max\":5}", "/branding/x" },
	{ "{\"limits\":{\"send\":{\"rate\":0.25,\"burst\":5}}}",
	    "{\"limits\":{\"send\":{\"rate\":0.25,\"burst\":5}}}", "" },
	{ "{\"limits\":{\"send\":{\"rate\":-0.25}}}", "{\"limits\":{}}",
	    "/limits/send/rate /limits/send/rate" },
	{ "7", "{}", "" },
	{ "[]", "{}", "" },
	{ "{\"queue_max\":", "{}", "" },
};

static void
test_broken_members_count_as_absent(void **state)
{
	struct arena *a = arena_new(4096);
	const struct field_error *f;
	struct field_errors fe;
	struct buf out, faults;
	json_t *json;
	size_t i;

	buf_init(&out, 10000);
	buf_init(&faults, 10000);
	for (i = 0; i < NELEMS(cases); i++) {
		buf_reset(&out);
		buf_reset(&faults);
		field_errors_init(&fe, a);
		json = tenant_settings_stored(a, cases[i].stored, &fe);
		js_write(&out, json);
		assert_string_equal(out.data, cases[i].want);
		for (f = fe.first; f != NULL; f = f->next)
			buf_printf(&faults, "%s%s", f == fe.first ? "" : " ",
			    f->pointer);
		assert_string_equal(faults.data, cases[i].faults);
	}
	buf_done(&out);
	buf_done(&faults);
	arena_free(&a);
}

static void
test_good_ones_are_not_copied(void **state)
{
	struct arena *a = arena_new(4096);
	json_t *stored = js_keep(a, json_pack("{s:i}", "queue_max", 5));
	struct field_errors fe;

	field_errors_init(&fe, a);
	assert_ptr_equal(tenant_settings_heal(a, stored, &fe), stored);
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_broken_members_count_as_absent),
		cmocka_unit_test(test_good_ones_are_not_copied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
