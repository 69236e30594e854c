/*
 * fuzz_request.c - any bytes as a body, a path or a query
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The first byte chooses: "b" a body for the table of send requests, "p" a path,
 * "q" a query, "d" a time span, anything else every form of a text.  What is taken
 * must keep the promises of the headers.  Built with clang -fsanitize=fuzzer and
 * -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION it searches; built without, it runs
 * over its corpus.
 */
#include <string.h>

#include "replay.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "notify/send_request.h"
#include "web/field.h"
#include "web/field_form.h"
#include "web/js.h"
#include "web/js_read.h"
#include "web/url.h"

enum { INPUT_BYTES_MAX = 1 << 16, DEPTH_MAX = 64 };

/* Written and read again it is the same. */
static json_t *
reread(struct arena *a, const json_t *json)
{
	struct buf *text = buf_new(a, 1 << 24);
	struct err e;
	json_t *again;

	js_write(text, json);
	ensure(!buf_overflowed(text));
	ensure(text_is_utf8(text->data, text->len));
	ensure(js_parse(a, text->data, text->len, DEPTH_MAX + 2, &again, &e) ==
	    0);
	return again;
}

/* What is read fast is what jansson reads. */
static void
try_fast(struct arena *a, const char *text, size_t len)
{
	json_t *json = js_read(a, text, len, DEPTH_MAX), *want;

	if (json == NULL)
		return;
	want = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY,
	    NULL);
	ensure(want != NULL && json_equal(json, want));
	json_decref(json);
	json_decref(want);
}

static void
check_faults(const struct field_errors *fe)
{
	const struct field_error *fault;
	size_t n = 0;

	ensure(fe->count > 0);
	for (fault = fe->first; fault != NULL; fault = fault->next, n++) {
		ensure(fault->pointer != NULL && fault->detail[0] != '\0');
		ensure(fault->pointer[0] == '\0' || fault->pointer[0] == '/');
	}
	ensure(n == fe->count || n == FIELD_ERRORS_MAX);
}

static void
try_body(struct arena *a, const char *text, size_t len)
{
	struct send_request request, again;
	struct field_errors fe;
	json_t *json, *written;
	struct err e;

	try_fast(a, text, len);
	if (js_parse(a, text, len, DEPTH_MAX, &json, &e) != 0) {
		ensure(e.kind == ERR_INVALID && e.text[0] != '\0');
		return;
	}
	ensure(json_equal(reread(a, json), json));
	(void)!json_equal(js_merge_patch(a, json, json), json);
	field_errors_init(&fe, a);
	if (fields_read(a, json, &send_request_table, &request, &fe) != 0) {
		check_faults(&fe);
		return;
	}
	written = fields_write(a, &send_request_table, &request);
	if (fields_read(a, reread(a, written), &send_request_table, &again,
	        &fe) != 0)
		panic("%s: %s", fe.first->pointer, fe.first->detail);
	ensure(json_equal(fields_write(a, &send_request_table, &again),
	    written));
}

static void
check_text(const char *s)
{
	ensure(text_is_utf8(s, strlen(s)) && !text_has_control(s));
}

static void
try_path(struct arena *a, const char *text)
{
	struct url_path path;
	struct err e;
	size_t i;

	if (url_path_parse(a, text, &path, &e) != 0)
		return;
	ensure(text[0] == '/' && path.n <= URL_SEGMENTS_MAX);
	for (i = 0; i < path.n; i++) {
		check_text(path.v[i]);
		ensure(strcmp(path.v[i], "..") != 0);
		ensure(strcmp(path.v[i], ".") != 0);
		ensure(path.v[i][0] != '\0' || i + 1 == path.n);
	}
}

static void
try_query(struct arena *a, const char *text)
{
	struct field_param *params;
	struct send_request request;
	struct field_errors fe;
	size_t i, count;
	struct err e;

	if (url_query_parse(a, text, &params, &count, &e) != 0)
		return;
	ensure(count <= URL_PARAMS_MAX);
	for (i = 0; i < count; i++) {
		check_text(params[i].name);
		check_text(params[i].value);
	}
	field_errors_init(&fe, a);
	(void)!fields_read_query(a, params, count, &send_request_table,
	    &request, &fe);
}

static void
try_duration(const char *text)
{
	char canonical[FORM_DURATION_BYTES];
	int64_t ms, again;

	if (form_duration_parse(text, &ms) != 0)
		return;
	ensure(ms >= 0);
	form_duration_format(ms, canonical);
	ensure(form_duration_parse(canonical, &again) == 0 && again == ms);
}

/* Whatever is an address can stand in a header, a URL can stand in quotes. */
static void
try_forms(const char *text)
{
	if (form_is_email(text))
		ensure(strpbrk(text, "\r\n\t <>,;\"") == NULL);
	if (form_is_url(text))
		ensure(strpbrk(text, "\r\n\t <>\"") == NULL &&
		    strncmp(text, "http", 4) == 0);
	if (form_is_phone(text))
		ensure(text[0] == '+' && strlen(text) <= 16);
	if (form_is_locale(text))
		ensure(strlen(text) <= 35);
	if (form_is_zone(text))
		ensure(strstr(text, "..") == NULL && text[0] != '/');
	ensure(form_length(text) <= strlen(text));
	ensure(form_distance(text, text, 2) == (strlen(text) < 64 ? 0 : 255));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct arena *a;
	char *text;

	if (len < 1 || len > INPUT_BYTES_MAX)
		return 0;
	a = arena_new(4096);
	text = arena_strndup(a, (const char *)bytes + 1, len - 1);
	switch (bytes[0]) {
	case 'b':
		try_body(a, text, len - 1);
		break;
	case 'p':
		try_path(a, text);
		break;
	case 'q':
		try_query(a, text);
		break;
	case 'd':
		try_duration(text);
		break;
	default:
		try_forms(text);
		break;
	}
	arena_free(&a);
	return 0;
}

#ifndef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
int
main(int argc, char **argv)
{
	return replay_main("request", argc, argv);
}
#endif
