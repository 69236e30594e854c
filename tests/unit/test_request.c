/*
 * test_request.c - the head and the body of a request
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "fake_fcgi.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/err.h"
#include "web/request.h"

static struct config config = { .api_url_prefix = "", .api_trusted_proxies = "",
	.api_body_timeout = 20000 };
static struct arena *a;
static struct request rq;
static struct err e;

static int
setup(void **state)
{
	a = arena_new(4096);
	err_clear(&e);
	return 0;
}

static int
teardown(void **state)
{
	arena_free(&a);
	return 0;
}

/* A request with one parameter beyond the usual ones. */
static int
with(const char *parameter)
{
	static const char *envp[6];

	envp[0] = "REQUEST_METHOD=POST";
	envp[1] = "REMOTE_ADDR=127.0.0.1";
	envp[2] = parameter;
	envp[3] = strncmp(parameter, "REQUEST_URI=", 12) == 0
	    ? NULL
	    : "REQUEST_URI=/a/b?x=1";
	envp[4] = NULL;
	return request_init(&rq, a, &config, (char *const *)(uintptr_t)envp,
	    &e);
}

static int
with_two(const char *first, const char *second)
{
	static const char *envp[6];

	envp[0] = "REQUEST_METHOD=POST";
	envp[1] = "REMOTE_ADDR=10.0.0.1";
	envp[2] = "REQUEST_URI=/a";
	envp[3] = first;
	envp[4] = second;
	return request_init(&rq, a, &config, (char *const *)(uintptr_t)envp,
	    &e);
}

/* lighttpd passes X_Foo on, too: both become HTTP_X_FOO. */
static void
headers_stand_once(void **state)
{
	assert_int_equal(with_two("HTTP_X_FOO=1", "HTTP_X_FOOT=1"), 0);
	assert_int_equal(with_two("HTTP_X_FOO=1", "HTTP_X_FOO=1"), -1);
	assert_int_equal(with_two("HTTP_AUTHORIZATION=a",
	                     "HTTP_AUTHORIZATION=b"), -1);
	assert_int_equal(with_two("CONTENT_LENGTH=1", "CONTENT_LENGTH=2"), -1);
	assert_int_equal(with_two("CONTENT_TYPE=a", "CONTENT_TYPE=a"), -1);
	assert_int_equal(e.kind, ERR_INVALID);
	/* What the server itself says twice is the same. */
	assert_int_equal(with_two("SCRIPT_NAME=/a", "SCRIPT_NAME=/a"), 0);
	assert_int_equal(with("HTTP_X_HTTP_METHOD_OVERRIDE=DELETE"), -1);
}

static void
proxies_tell_where_a_client_is(void **state)
{
	static const struct {
		const char *trusted, *said, *remote;
	} cases[] = {
		{ "", "192.0.2.1", "10.0.0.1" },
		{ "10.0.0.2", "192.0.2.1", "10.0.0.1" },
		{ "10.0.0.1", "192.0.2.1", "192.0.2.1" },
		{ "10.0.0.0/8", "127.0.0.1, 192.0.2.1", "192.0.2.1" },
		{ "10.0.0.0/8", "127.0.0.1, 192.0.2.1 , 10.0.0.7", "192.0.2.1" },
		{ "10.0.0.0/8", "10.0.0.8,10.0.0.7", "10.0.0.8" },
		{ "10.0.0.0/8", "2001:db8::1", "2001:db8::1" },
		{ "10.0.0.0/8", "192.0.2.1, unknown", "10.0.0.1" },
		{ "10.0.0.0/8", "", "10.0.0.1" },
		{ "10.0.0.0/8", ",,", "10.0.0.1" },
	};
	size_t i;

	for (i = 0; i < NELEMS(cases); i++) {
		config.api_trusted_proxies = cases[i].trusted;
		assert_int_equal(with_two(arena_printf(a,
		                              "HTTP_X_FORWARDED_FOR=%s",
		                              cases[i].said), NULL), 0);
		assert_string_equal(rq.remote, cases[i].remote);
	}
	config.api_trusted_proxies = "";
}

static void
ids_are_taken_when_sane(void **state)
{
	static const struct {
		const char *id;
		bool taken;
	} cases[] = {
		{ "abcdefgh", true },
		{ "A.b_c-9012345678901234567890123456789012345678901234567890"
		  "123456",
		    true },
		{ "A.b_c-9012345678901234567890123456789012345678901234567890"
		  "1234567",
		    false },
		{ "abcdefg", false },
		{ "", false },
		{ "abcdefg h", false },
		{ "abcdefgh\n", false },
		{ "abcdefgh\"", false },
		{ "abcdefg\xc3\xa9", false },
	};
	struct uuid u;
	size_t i;

	for (i = 0; i < NELEMS(cases); i++) {
		assert_int_equal(with(arena_printf(a, "HTTP_X_REQUEST_ID=%s",
		                     cases[i].id)),
		    0);
		assert_int_equal(strcmp(rq.id, cases[i].id) == 0,
		    cases[i].taken);
		if (!cases[i].taken)
			assert_int_equal(uuid_parse(rq.id, &u), 0);
	}
}

#define TRACE "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static void
traceparents_are_checked(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "00-" TRACE, "00-" TRACE },
		{ "01-" TRACE, "00-" TRACE },
		{ "01-" TRACE "-more", "00-" TRACE },
		{ "00-" TRACE "-more", NULL },
		{ "01-" TRACE "x", NULL },
		{ "ff-" TRACE, NULL },
		{ "0x-" TRACE, NULL },
		{ "", NULL },
		{ "00", NULL },
		{ "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		    NULL },
		{ "00-00000000000000000000000000000000-b7ad6b7169203331-01",
		    NULL },
		{ "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
		    NULL },
		{ "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",
		    NULL },
		{ "00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01",
		    NULL },
	};
	size_t i;

	for (i = 0; i < NELEMS(cases); i++) {
		assert_int_equal(with(arena_printf(a, "HTTP_TRACEPARENT=%s",
		                     cases[i].text)),
		    0);
		if (cases[i].want == NULL)
			assert_null(rq.traceparent);
		else
			assert_string_equal(rq.traceparent, cases[i].want);
	}
}

static void
the_head_is_read(void **state)
{
	assert_int_equal(with("HTTP_IF_MATCH=x"), 0);
	assert_int_equal(rq.method, HTTP_POST);
	assert_string_equal(rq.remote, "127.0.0.1");
	assert_int_equal(rq.path.n, 2);
	assert_string_equal(request_param(&rq, "HTTP_IF_MATCH"), "x");
	assert_null(request_param(&rq, "HTTP_IF_MATC"));
	assert_null(request_param(&rq, "HTTP_IF_MATCH_"));
	assert_int_equal(with("REQUEST_URI=/a/../b"), -1);
	assert_int_equal(e.kind, ERR_INVALID);
	assert_true(strlen(rq.id) > 8);
	assert_int_equal(with("REQUEST_URI="), -1);
	assert_int_equal(with("QUERY_STRING=a=%00"), -1);
}

static void
a_prefix_is_cut_off(void **state)
{
	static const struct {
		const char *prefix, *parameter;
		size_t n;
		const char *first;
	} cases[] = {
		{ "/a", "REQUEST_URI=/a/b", 1, "b" },
		{ "/a/", "REQUEST_URI=/a/b", 1, "b" },
		{ "/a/b", "REQUEST_URI=/a/b/c/d", 2, "c" },
		{ "/a", "REQUEST_URI=/ab/b", 1, "" },
		{ "/a", "REQUEST_URI=/b", 1, "" },
		{ "/a/b", "REQUEST_URI=/a", 1, "" },
	};
	size_t i;

	for (i = 0; i < NELEMS(cases); i++) {
		config.api_url_prefix = cases[i].prefix;
		assert_int_equal(with(cases[i].parameter), 0);
		assert_int_equal(rq.path.n, cases[i].n);
		assert_string_equal(rq.path.v[0], cases[i].first);
	}
	config.api_url_prefix = "";
}

enum { BODY_MAX = 65536 };

static void
bodies_are_read_whole_or_refused(void **state)
{
	static const struct {
		const char *length; /* NULL: none is given */
		size_t sent;
		int error; /* how the stream ends */
		int want; /* enum err_kind, 0: read */
	} cases[] = {
		{ "", 0, 0, 0 },
		{ NULL, 0, 0, 0 },
		{ "0", 0, 0, 0 },
		{ "1", 1, 0, 0 },
		{ "60000", 60000, 0, 0 },
		{ "65536", 65536, 0, 0 },
		{ "", 65536, 0, 0 },
		{ NULL, 5000, 0, 0 },
		{ "65537", 0, 0, ERR_TOO_LARGE },
		{ "100000000", 0, 0, ERR_TOO_LARGE },
		{ NULL, 65537, 0, ERR_TOO_LARGE },
		{ "100", 65537, 0, ERR_TOO_LARGE },
		{ "100", 101, 0, ERR_INVALID },
		{ "100", 99, 0, ERR_INVALID },
		{ "100", 0, 0, ERR_INVALID },
		{ "100", 50, FCGX_PROTOCOL_ERROR, ERR_INVALID },
		{ NULL, 50, FCGX_PROTOCOL_ERROR, ERR_INVALID },
		{ NULL, 50, EAGAIN, ERR_INVALID },
		{ "-1", 0, 0, ERR_INVALID },
		{ "1x", 1, 0, ERR_INVALID },
		{ " 1", 1, 0, ERR_INVALID },
		{ "99999999999999999999", 1, 0, ERR_INVALID },
	};
	static const size_t steps[] = { 1, 7, 8192, 70000 };
	static char sent[70000];
	struct buf *body = buf_new(a, BODY_MAX + 1);
	struct fake_in *in = malloc(sizeof(*in));
	size_t i, k;
	int rc;

	for (i = 0; i < sizeof(sent); i++)
		sent[i] = (char)('a' + i % 26);
	for (i = 0; i < NELEMS(cases) * NELEMS(steps); i++) {
		k = i / NELEMS(steps);
		buf_reset(body);
		err_clear(&e);
		rc = with(cases[k].length == NULL
		        ? "X=y"
		        : arena_printf(a, "CONTENT_LENGTH=%s",
		              cases[k].length));
		assert_int_equal(rc, 0);
		fake_in(in, sent, cases[k].sent, steps[i % NELEMS(steps)]);
		in->error = cases[k].error;
		rc = request_read_body(&rq, &in->s, -1, body, BODY_MAX, &e);
		if ((rc == 0 ? 0 : (int)e.kind) != cases[k].want)
			fail_msg("%zu: %d %s", k, rc, e.text);
		if (rc != 0)
			continue;
		assert_int_equal(body->len, cases[k].sent);
		assert_memory_equal(body->data, sent, body->len);
	}
	free(in);
}

/* Each fill takes longer than the whole body may. */
static void
slow_fill(FCGX_Stream *s)
{
	clock_shift_for_test(0, 25000);
	fake_fill(s);
}

static void
a_body_that_dribbles_meets_the_deadline(void **state)
{
	struct buf *body = buf_new(a, BODY_MAX + 1);
	struct fake_in *in = malloc(sizeof(*in));

	assert_int_equal(with("CONTENT_LENGTH=10"), 0);
	fake_in(in, "0123456789", 10, 1);
	in->s.fillBuffProc = slow_fill;
	assert_int_equal(request_read_body(&rq, &in->s, -1, body, BODY_MAX, &e),
	    -1);
	assert_non_null(strstr(e.text, "did not arrive within 20000 ms"));
	assert_true(in->given < 10);
	clock_shift_for_test(0, 0);
	free(in);
}

static void
a_connection_gets_a_time_limit(void **state)
{
	struct buf *body = buf_new(a, BODY_MAX + 1);
	struct fake_in *in = malloc(sizeof(*in));
	struct timeval tv = { 0 };
	socklen_t len = sizeof(tv);
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(with("CONTENT_LENGTH=2"), 0);
	fake_in(in, "{}", 2, 2);
	assert_int_equal(request_read_body(&rq, &in->s, fds[0], body, BODY_MAX,
	                     &e),
	    0);
	assert_int_equal(getsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &tv, &len),
	    0);
	assert_int_equal(tv.tv_sec, 20);
	close(fds[0]);
	close(fds[1]);
	free(in);
}

static void
content_types_are_checked(void **state)
{
	static const struct {
		const char *type;
		bool plain, patch;
	} cases[] = {
		{ "application/json", true, true },
		{ "Application/JSON", true, true },
		{ "application/json; charset=utf-8", true, true },
		{ "application/json;charset=\"UTF-8\"", true, true },
		{ "application/json; charset=latin1", false, false },
		{ "application/jsonx", false, false },
		{ "application/merge-patch+json", false, true },
		{ "application/json-patch+json", false, false },
		{ "text/plain", false, false },
		{ "", false, false },
		{ "application/x-www-form-urlencoded", false, false },
	};
	size_t i;

	for (i = 0; i < NELEMS(cases); i++) {
		assert_int_equal(with(arena_printf(a, "CONTENT_TYPE=%s",
		                     cases[i].type)),
		    0);
		assert_int_equal(request_check_type(&rq, false, &e) == 0,
		    cases[i].plain);
		assert_int_equal(request_check_type(&rq, true, &e) == 0,
		    cases[i].patch);
	}
	assert_int_equal(with("X=y"), 0);
	assert_int_equal(request_check_type(&rq, false, &e), -1);
	assert_int_equal(e.kind, ERR_MEDIA_TYPE);
}

static void
etags_are_compared(void **state)
{
	static const struct {
		const char *list;
		bool match;
	} cases[] = {
		{ "\"v3\"", true },
		{ "*", true },
		{ "\"v1\", \"v3\"", true },
		{ "\"v1\",W/\"v3\"", true },
		{ "\"v33\"", false },
		{ "\"v\"", false },
		{ "v3", false },
		{ "", false },
	};
	size_t i;

	for (i = 0; i < NELEMS(cases); i++) {
		assert_int_equal(with(arena_printf(a, "HTTP_IF_MATCH=%s",
		                     cases[i].list)),
		    0);
		assert_int_equal(request_check_match(&rq, "\"v3\"", &e) == 0,
		    cases[i].match);
		assert_int_equal(with(arena_printf(a, "HTTP_IF_NONE_MATCH=%s",
		                     cases[i].list)),
		    0);
		assert_int_equal(request_none_match(&rq, "\"v3\""),
		    cases[i].match);
		assert_int_equal(request_check_match(&rq, "\"v3\"", &e), 0);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(headers_stand_once),
		T(proxies_tell_where_a_client_is),
		T(ids_are_taken_when_sane),
		T(traceparents_are_checked),
		T(the_head_is_read),
		T(a_prefix_is_cut_off),
		T(bodies_are_read_whole_or_refused),
		T(a_body_that_dribbles_meets_the_deadline),
		T(a_connection_gets_a_time_limit),
		T(content_types_are_checked),
		T(etags_are_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
