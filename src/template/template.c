/*
 * template.c - compiling a source and what a compiled template tells of itself
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "template/error.h"
#include "template/hbs.h"
#include "template/parser.h"
#include "template/tree.h"
#include "template/whitespace.h"

enum {
	SOURCE_BYTES_DEFAULT = 1 << 20,
	SOURCE_BYTES_MAX = 64 << 20,
	DEPTH_DEFAULT = 100,
	DEPTH_MAX = 500,
	CHUNK_BYTES = 4096,
};

static struct hbs_limits
limits_of(const struct hbs_compile_params *params)
{
	struct hbs_limits limits = { 0 };

	if (params != NULL)
		limits = params->limits;
	if (limits.source_bytes == 0)
		limits.source_bytes = SOURCE_BYTES_DEFAULT;
	if (limits.source_bytes > SOURCE_BYTES_MAX)
		limits.source_bytes = SOURCE_BYTES_MAX;
	if (limits.depth == 0)
		limits.depth = DEPTH_DEFAULT;
	if (limits.depth > DEPTH_MAX)
		limits.depth = DEPTH_MAX;
	return limits;
}

static int
check_source(const char *source, size_t len, const struct hbs_limits *limits,
    struct hbs_error *e)
{
	const char *nul;

	if (len > limits->source_bytes)
		return error_at(e, NULL, 0,
		    "the template has %zu bytes, at most %zu are allowed", len,
		    limits->source_bytes);
	nul = len > 0 ? memchr(source, '\0', len) : NULL;
	if (nul != NULL)
		return error_at(e, source, (size_t)(nul - source),
		    "a NUL byte cannot stand in a template");
	return 0;
}

int
hbs_compile(const char *source, size_t len,
    const struct hbs_compile_params *params, struct hbs_template **tpl_r,
    struct hbs_error *e)
{
	struct hbs_limits limits = limits_of(params);
	struct hbs_template *tpl;
	struct parser parser;
	struct arena *a;

	memset(e, 0, sizeof(*e));
	if (check_source(source, len, &limits, e) < 0)
		return -1;
	a = arena_new(CHUNK_BYTES);
	tpl = arena_object(a, struct hbs_template);
	tpl->arena = a;
	tpl->source = arena_strndup(a, source, len);
	tpl->len = len;
	tpl->flags = params == NULL ? 0 : params->flags;
	parser = (struct parser){ .arena = a, .source = tpl->source,
		.flags = tpl->flags,
		.helpers = params == NULL ? NULL : params->helpers,
		.max_depth = limits.depth, .e = e };
	tpl->program = parse_template(&parser, len);
	if (tpl->program == NULL) {
		arena_free(&a);
		return -1;
	}
	whitespace_control(tpl->program,
	    (tpl->flags & HBS_IGNORE_STANDALONE) != 0);
	*tpl_r = tpl;
	return 0;
}

void
hbs_free(struct hbs_template **tplp)
{
	struct arena *a;

	if (*tplp == NULL)
		return;
	a = (*tplp)->arena;
	*tplp = NULL;
	arena_free(&a);
}

size_t
hbs_size_bytes(const struct hbs_template *tpl)
{
	return arena_used_bytes(tpl->arena);
}

const char *
hbs_source(const struct hbs_template *tpl, size_t *len_r)
{
	*len_r = tpl->len;
	return tpl->source;
}
