/*
 * render_case.h - tables of templates, data and what they render to
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_TEST_RENDER_CASE_H
#define BELFRY_TEST_RENDER_CASE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>

#include "base/buf.h"
#include "template/hbs.h"
#include "template/hbs_extras.h"

/* A Monday: 2026-11-23T14:32:05Z. */
enum { NOW_S = 1795444325 };

struct test_case {
	const char *source;
	const char *data;
	const char *want; /* the output, or what the error must say */
	const char *locale; /* NULL: "en" */
	const char *zone; /* NULL: "UTC" */
	enum hbs_escape escape;
	int column; /* of the error, in line 1 */
};

static inline int
render_case(const struct test_case *c, struct buf *out, struct hbs_error *e)
{
	const struct hbs_compile_params params = {
		.flags = HBS_KNOWN_HELPERS_ONLY, .helpers = &hbs_extras };
	const struct hbs_render_params how = { .escape = c->escape,
		.locale = c->locale, .time_zone = c->zone,
		.now_ms = NOW_S * INT64_C(1000) };
	json_t *data = json_loads(c->data, JSON_DECODE_ANY, NULL);
	struct hbs_template *tpl;
	int status;

	assert_non_null(data);
	status = hbs_compile(c->source, strlen(c->source), &params, &tpl, e);
	if (status == 0) {
		status = hbs_render(tpl, data, &how, out, e);
		hbs_free(&tpl);
	}
	json_decref(data);
	return status;
}

static inline void
check_outputs(const struct test_case *cases, size_t count)
{
	struct hbs_error e;
	struct buf out;
	size_t i;

	for (i = 0; i < count; i++) {
		buf_init(&out, 1 << 16);
		if (render_case(&cases[i], &out, &e) < 0)
			fail_msg("%s: %d:%d: %s", cases[i].source, e.line,
			    e.column, e.text);
		if (strcmp(out.data, cases[i].want) != 0)
			fail_msg("%s with %s:\n got \"%s\"\nwant \"%s\"",
			    cases[i].source, cases[i].data, out.data,
			    cases[i].want);
		buf_done(&out);
	}
}

static inline void
check_errors(const struct test_case *cases, size_t count)
{
	const struct test_case *c;
	struct hbs_error e;
	struct buf out;
	size_t i;

	for (i = 0; i < count; i++) {
		c = &cases[i];
		buf_init(&out, 1 << 18);
		if (render_case(c, &out, &e) == 0)
			fail_msg("%s: rendered to \"%s\"", c->source, out.data);
		if (strstr(e.text, c->want) == NULL || e.line != 1 ||
		    e.column != c->column)
			fail_msg("%s: got %d:%d: %s", c->source, e.line,
			    e.column, e.text);
		buf_done(&out);
	}
}

#endif
