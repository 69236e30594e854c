/*
 * test_problem.c - every kind of error as problem+json
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
#include "base/err.h"
#include "web/field.h"
#include "web/problem.h"
#include "web/request.h"
#include "web/response.h"

static const enum err_kind kinds[] = {
#define X(name, status, code, retry, title) ERR_##name,
#include "base/err.def"
#undef X
};

static struct arena *a;
static struct response rs;
static struct request rq;

static int
setup(void **state)
{
	a = arena_new(4096);
	rq = (struct request){ .id = "id-12345678" };
	field_errors_init(&rq.errors, a);
	response_init(&rs, a, buf_new(a, 4096), buf_new(a, 65536));
	return 0;
}

static int
teardown(void **state)
{
	arena_free(&a);
	return 0;
}

static const char *
text(const json_t *json, const char *key)
{
	return json_string_value(json_object_get(json, key));
}

static void
every_kind_has_its_members(void **state)
{
	struct err e;
	json_t *json;
	size_t i;

	for (i = 0; i < NELEMS(kinds); i++) {
		err_set(&e, kinds[i], "it is \"so\"\n");
		err_detail(&e, "the secret of the log");
		problem_write(&rs, &e, &rq);
		assert_int_equal(rs.status, err_http_status(kinds[i]));
		assert_string_equal(rs.type, "application/problem+json");
		json = json_loads(rs.body->data, JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(json);
		assert_string_equal(text(json, "type"),
		    arena_printf(a, "urn:belfry:error:%s",
		        err_code(kinds[i])));
		assert_string_equal(text(json, "code"), err_code(kinds[i]));
		assert_string_equal(text(json, "title"), err_title(kinds[i]));
		assert_string_equal(text(json, "detail"), "it is \"so\"\n");
		assert_string_equal(text(json, "request_id"), "id-12345678");
		assert_int_equal(json_integer_value(json_object_get(json,
		                     "status")),
		    rs.status);
		assert_null(json_object_get(json, "errors"));
		assert_null(strstr(rs.body->data, "secret"));
		assert_int_equal(strstr(rs.head->data, "Retry-After") != NULL,
		    rs.status == 503 || kinds[i] == ERR_QUEUE_FULL);
		assert_int_equal(strstr(rs.head->data, "WWW-Auth") != NULL,
		    rs.status == 401);
		json_decref(json);
	}
}

static void
faults_stand_in_it_one_by_one(void **state)
{
	struct err e;
	json_t *json, *list;

	field_errors_add(&rq.errors, "/to/0/email", FIELD_ERR_MALFORMED, "must \"be\"");
	field_errors_add(&rq.errors, "", FIELD_ERR_WRONG_TYPE, "must");
	err_set(&e, ERR_UNPROCESSABLE, "2 fields are wrong");
	problem_write(&rs, &e, &rq);
	json = json_loads(rs.body->data, JSON_REJECT_DUPLICATES, NULL);
	list = json_object_get(json, "errors");
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(text(json_array_get(list, 0), "pointer"),
	    "/to/0/email");
	assert_string_equal(text(json_array_get(list, 0), "code"), "malformed");
	assert_string_equal(text(json_array_get(list, 0), "detail"),
	    "must \"be\"");
	assert_string_equal(text(json_array_get(list, 1), "pointer"), "");
	json_decref(json);
	err_set(&e, ERR_CONFLICT, "no faults here");
	problem_write(&rs, &e, &rq);
	assert_null(strstr(rs.body->data, "errors"));
}

static void
it_names_the_limits_that_refused(void **state)
{
	struct err e;

	rq.limits[rq.limits_count++] = (struct rate_state){ .policy = "a" };
	rq.limits[rq.limits_count++] = (struct rate_state){ .policy = "b",
		.wait_s = 1 };
	err_set(&e, ERR_LIMITED, "too fast");
	problem_write(&rs, &e, &rq);
	assert_non_null(strstr(rs.body->data, ",\"violated-policies\":[\"b\"]}"));
	err_set(&e, ERR_NOT_FOUND, "no");
	problem_write(&rs, &e, &rq);
	assert_null(strstr(rs.body->data, "violated"));
}

static void
what_was_set_before_is_gone(void **state)
{
	struct err e;

	response_header(&rs, "Location", "/secret/%d", 1);
	buf_puts(response_body(&rs, 202, "application/json"), "half a bo");
	err_set(&e, ERR_INTERNAL, "broken");
	problem_write(&rs, &e, &rq);
	assert_null(strstr(rs.head->data, "Location"));
	assert_int_equal(rs.body->data[0], '{');
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_kind_has_its_members),
		T(faults_stand_in_it_one_by_one),
		T(it_names_the_limits_that_refused),
		T(what_was_set_before_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
