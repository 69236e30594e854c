/*
 * test_serve.c - whole requests through the dispatcher
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

#include "fake_fcgi.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/err.h"
#include "base/log.h"
#include "web/field.h"
#include "web/js.h"
#include "web/openapi.h"
#include "web/request.h"
#include "web/response.h"
#include "web/router.h"
#include "web/serve.h"

struct note {
	struct field_mask mask;
	const char *text;
	int64_t count;
};

static const struct field note_fields[] = {
	FIELD(struct note, text, TEXT, .flags = FIELD_REQUIRED, .max = 10,
	    .help = "What to note.", .example = "\"milk\""),
	FIELD(struct note, count, INT, .min = 0, .max = 9, .help = "How many."),
};

static const struct field_table note_table = FIELD_TABLE("Note", struct note,
    note_fields, "A note.");

struct page {
	struct field_mask mask;
	int64_t limit;
};

static const struct field page_fields[] = {
	FIELD(struct page, limit, INT, .min = 1, .max = 200, .def = 50,
	    .flags = FIELD_DEFAULT, .help = "How many at most."),
};

static const struct field_table page_table = FIELD_TABLE("Page", struct page,
    page_fields, "A page.");

static int handled;

static int
note_add(struct request *rq, struct response *rs, struct err *e)
{
	handled++;
	response_header(rs, "Location", "/notes/%s", "1\r\nX: y");
	return response_record(rs, 201, &note_table, rq->body);
}

static int
note_list(struct request *rq, struct response *rs, struct err *e)
{
	const struct page *page = rq->query;

	handled++;
	buf_printf(response_body(rs, 200, "text/plain"), "%d",
	    (int)page->limit);
	return 0;
}

static int
note_patch(struct request *rq, struct response *rs, struct err *e)
{
	handled++;
	if (rq->body != NULL)
		return err_set(e, ERR_INTERNAL, "read too early");
	return response_json(rs, 200, rq->json);
}

static int
note_fail(struct request *rq, struct response *rs, struct err *e)
{
	buf_puts(response_body(rs, 200, "text/plain"), "half");
	if (strcmp(rq->args[0], "refuse") == 0)
		return request_refuse(rq, e, "/text", FIELD_ERR_NOT_FOUND,
		    "there is no \"%s\"", rq->args[0]);
	if (strcmp(rq->args[0], "empty") == 0) {
		response_clear(rs);
		return 0;
	}
	err_set(e, ERR_TEMPORARY, "could not reach the database");
	return err_detail(e, "secret detail");
}

static const struct route routes[] = {
	{ .method = HTTP_POST, .pattern = "/notes", .scope = "notes:write",
	    .body = &note_table, .answer = &note_table, .status = 201,
	    .handler = note_add, .summary = "Adds a note", .tags = "notes",
	    .flags = ROUTE_IDEMPOTENT, .body_max = 100 },
	{ .method = HTTP_GET, .pattern = "/notes", .query = &page_table,
	    .status = 200, .handler = note_list, .summary = "Lists notes",
	    .tags = "notes", .answer_type = "text/plain" },
	{ .method = HTTP_PATCH, .pattern = "/notes/{id}",
	    .scope = "notes:write", .body = &note_table, .status = 200,
	    .flags = ROUTE_MERGE_PATCH | ROUTE_ETAG, .handler = note_patch,
	    .summary = "Changes a note" },
	{ .method = HTTP_GET, .pattern = "/fail/{how}", .status = 200,
	    .handler = note_fail, .summary = "Fails" },
};

static int
authenticate(struct request *rq, struct err *e)
{
	const char *key = request_param(rq, "HTTP_AUTHORIZATION");

	if (key == NULL)
		return err_set(e, ERR_UNAUTHENTICATED, "no key");
	rq->scopes = strcmp(key, "Bearer w") == 0 ? 1 : 2;
	return 0;
}

static uint64_t
scope_bit(const char *scope)
{
	return strcmp(scope, "notes:write") == 0 ? 1 : 0;
}

static struct config config = { .api_url_prefix = "",
	.api_trusted_proxies = "", .api_json_depth = 5,
	.api_body_timeout = 1000, .api_body_max = 1024,
	.api_slow_request = 60000 };
static struct arena *a;
static struct web *w;
static struct fake_in *in;
static struct fake_out *out;

static int
setup(void **state)
{
	struct web_params p = { .config = &config, .routes = routes,
		.count = NELEMS(routes), .authenticate = authenticate,
		.scope_bit = scope_bit };

	a = arena_new(4096);
	w = web_new(a, &p);
	in = malloc(sizeof(*in));
	out = malloc(sizeof(*out));
	handled = 0;
	return 0;
}

static int
teardown(void **state)
{
	arena_free(&a);
	free(in);
	free(out);
	return 0;
}

/* Sends "METHOD URI" with a key, a content type and a body (each may be NULL);
 * returns what came back. */
static const char *
ask(const char *line, const char *key, const char *type, const char *body)
{
	const char *envp[8];
	const char *blank = strchr(line, ' '), *query = strchr(line, '?');
	size_t n = 0;

	envp[n++] = arena_printf(a, "REQUEST_METHOD=%.*s", (int)(blank - line),
	    line);
	envp[n++] = arena_printf(a, "REQUEST_URI=%s", blank + 1);
	envp[n++] = arena_printf(a, "QUERY_STRING=%s",
	    query != NULL ? query + 1 : "");
	envp[n++] = "HTTP_X_REQUEST_ID=request-0001";
	if (key != NULL)
		envp[n++] = arena_printf(a, "HTTP_AUTHORIZATION=%s", key);
	if (type != NULL)
		envp[n++] = arena_printf(a, "CONTENT_TYPE=%s", type);
	if (body != NULL)
		envp[n++] = arena_printf(a, "CONTENT_LENGTH=%zu", strlen(body));
	envp[n] = NULL;
	body = body != NULL ? body : "";
	fake_in(in, body, strlen(body), 8192);
	fake_out(out);
	web_serve_streams(w, (char *const *)(uintptr_t)envp, &in->s, &out->s,
	    -1);
	return out->text;
}

#define JSON "application/json"

/* "want" are texts that the answer holds, separated by "|". */
static const struct {
	const char *line, *key, *type, *body;
	const char *want;
} cases[] = {
	{ "POST /notes", "Bearer w", JSON, "{\"text\":\"milk\"}",
	    "Status: 201 Created\r\n|Content-Type: application/json\r\n|"
	    "Location: /notes/1  X: y\r\n|X-Request-Id: request-0001\r\n|"
	    "Cache-Control: no-store\r\n|X-Content-Type-Options: nosniff\r\n|"
	    "\r\n\r\n{\"text\":\"milk\",\"count\":0}" },
	{ "POST /notes", NULL, JSON, "{\"text\":\"milk\"}",
	    "Status: 401 |WWW-Authenticate: Bearer\r\n|\"unauthenticated\"" },
	{ "POST /notes", "Bearer r", JSON, "{\"text\":\"milk\"}",
	    "Status: 403 |\"forbidden\"|notes:write" },
	{ "POST /notes", "Bearer w", NULL, "{\"text\":\"milk\"}",
	    "Status: 415 |\"unsupported_media_type\"" },
	{ "POST /notes", "Bearer w", JSON, "{\"text\":\"milk\"",
	    "Status: 400 |line 1, column 15|\"invalid_request\"" },
	{ "POST /notes", "Bearer w", JSON, "", "Status: 400 |ends too early" },
	{ "POST /notes", "Bearer w", JSON, "[[[[[[]]]]]]",
	    "Status: 400 |nested too deep" },
	{ "POST /notes", "Bearer w", JSON, "{\"txt\":1,\"count\":10}",
	    "Status: 422 |\"validation_failed\"|3 fields are wrong|"
	    "\"pointer\":\"/text\"|\"missing\"|\"pointer\":\"/txt\"|"
	    "did you mean \\\"text\\\"?|\"too_large\"|"
	    "\"request_id\":\"request-0001\"" },
	{ "POST /notes", "Bearer w", JSON,
	    "{\"text\":\"0123456789012345678901234567890123456789012345678901"
	    "234567890123456789012345678901234567890123456789\"}",
	    "Status: 413 |\"too_large\"" },
	{ "GET /notes", NULL, NULL, NULL, "Status: 200 OK|\r\n\r\n50" },
	{ "GET /notes?limit=7", NULL, NULL, NULL, "Status: 200 OK|\r\n\r\n7" },
	{ "GET /notes?limit=x&lmit=2", NULL, NULL, NULL,
	    "Status: 422 |\"parameter\":\"limit\"|\"wrong_type\"|"
	    "\"parameter\":\"lmit\"|\"unknown_field\"" },
	{ "GET /nothing", NULL, NULL, NULL, "Status: 404 |\"not_found\"" },
	{ "GET /a/../notes", NULL, NULL, NULL,
	    "Status: 400 |\"invalid_request\"" },
	{ "GET /notes/%00", NULL, NULL, NULL, "Status: 400 " },
	{ "PUT /notes", NULL, NULL, NULL,
	    "Status: 405 |Allow: GET, HEAD, POST, OPTIONS\r\n|"
	    "\"method_not_allowed\"" },
	{ "TRACE /notes", NULL, NULL, NULL, "Status: 405 |Allow: " },
	{ "OPTIONS /notes", NULL, NULL, NULL,
	    "Status: 204 |Allow: GET, HEAD, POST, OPTIONS\r\n" },
	{ "PATCH /notes/7", "Bearer w", "application/merge-patch+json",
	    "{\"text\":null}", "Status: 200 |\r\n\r\n{\"text\":null}" },
	{ "GET /fail/refuse", NULL, NULL, NULL,
	    "Status: 422 |\"1 field is wrong\"|\"/text\"|\"not_found\"" },
	{ "GET /fail/empty", NULL, NULL, NULL, "Status: 500 |\"internal\"" },
	{ "GET /fail/database", NULL, NULL, NULL,
	    "Status: 503 |Retry-After: |\"temporary\"" },
};

static void
answers_are_as_they_should_be(void **state)
{
	const char *got, *want;
	size_t i, n;

	for (i = 0; i < NELEMS(cases); i++) {
		got = ask(cases[i].line, cases[i].key, cases[i].type,
		    cases[i].body);
		for (want = cases[i].want;; want += n + 1) {
			n = strcspn(want, "|");
			if (strstr(got, arena_strndup(a, want, n)) == NULL)
				fail_msg("%zu %s: no %s in\n%s", i,
				    cases[i].line, want, got);
			if (want[n] == '\0')
				break;
		}
		assert_null(strstr(got, "half"));
		assert_null(strstr(got, "secret"));
		assert_null(strstr(got, "\nX: y"));
	}
}

static void
head_has_the_headers_of_get(void **state)
{
	const char *got = ask("HEAD /notes", NULL, NULL, NULL);

	assert_non_null(strstr(got, "Status: 200 OK"));
	assert_non_null(strstr(got, "Content-Length: 2\r\n"));
	assert_string_equal(strstr(got, "\r\n\r\n"), "\r\n\r\n");
}

static void
no_handler_sees_a_bad_request(void **state)
{
	ask("POST /notes", "Bearer w", JSON, "{\"text\":1}");
	ask("POST /notes", "Bearer r", JSON, "{\"text\":\"x\"}");
	ask("POST /notes", "Bearer w", "text/plain", "{\"text\":\"x\"}");
	ask("GET /notes?limit=0", NULL, NULL, NULL);
	assert_int_equal(handled, 0);
	ask("POST /notes", "Bearer w", JSON, "{\"text\":\"x\"}");
	assert_int_equal(handled, 1);
}

static void
the_document_is_made_of_the_tables(void **state)
{
	const struct openapi_info info = { "Notes", "1.0", "All about notes.",
		"MIT" };
	json_t *doc = openapi_make(a, &info, routes, NELEMS(routes));
	json_t *post = json_object_get(json_object_get(json_object_get(doc,
	                                   "paths"), "/notes"), "post");
	json_t *schemas = json_object_get(json_object_get(doc, "components"),
	    "schemas");

	assert_int_equal(json_object_size(json_object_get(doc, "paths")), 3);
	assert_string_equal(json_string_value(json_object_get(post,
	                        "operationId")),
	    "post_notes");
	assert_non_null(json_object_get(post, "requestBody"));
	assert_int_equal(json_array_size(json_object_get(post, "security")), 1);
	assert_non_null(json_object_get(schemas, "Note"));
	assert_non_null(json_object_get(schemas, "Problem"));
	assert_null(json_object_get(schemas, "Page"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(answers_are_as_they_should_be),
		T(head_has_the_headers_of_get),
		T(no_handler_sees_a_bad_request),
		T(the_document_is_made_of_the_tables),
	};

	log_set_level(LOG_LEVEL_ERROR + 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
