/*
 * eval.c - belfryctl template eval: the door for conformance suites
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A line in, a line out, each a JSON object.  What has been answered is written
 * before more is waited for, so a suite may ask one question after the other
 * through a pipe, or all of them at once.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "template/hbs.h"
#include "web/js.h"

enum {
	LINE_BYTES_MAX = 64 << 20,
	OUTPUT_BYTES_MAX = 64 << 20,
	CHUNK_BYTES = 1 << 16,
};

/* A partial that was asked for. */
struct loaded {
	struct loaded *next;
	const char *name;
	struct hbs_template *tpl;
};

/* A line being answered. */
struct question {
	struct arena *a; /* until the next one */
	json_t *line;
	struct hbs_compile_params how;
	struct loaded *loaded;
	struct hbs_template *tpl;
	struct buf *answer;
};

static const struct {
	const char *name;
	enum hbs_flag flag;
} options[] = {
	{ "assumeObjects", HBS_ASSUME_OBJECTS },
	{ "compat", HBS_COMPAT },
	{ "explicitPartialContext", HBS_EXPLICIT_PARTIAL_CONTEXT },
	{ "ignoreStandalone", HBS_IGNORE_STANDALONE },
	{ "knownHelpersOnly", HBS_KNOWN_HELPERS_ONLY },
	{ "noEscape", HBS_NO_ESCAPE },
	{ "preventIndent", HBS_PREVENT_INDENT },
	{ "strict", HBS_STRICT },
};

static void
defer_question(void *p)
{
	struct question *q = p;
	struct loaded *loaded;

	hbs_free(&q->tpl);
	for (loaded = q->loaded; loaded != NULL; loaded = loaded->next)
		hbs_free(&loaded->tpl);
}

/* Begins an answer.  The id is null when the line told none. */
static void
write_id(struct question *q, const json_t *id)
{
	buf_puts(q->answer, "{\"id\":");
	if (id != NULL)
		js_write(q->answer, id);
	else
		buf_puts(q->answer, "null");
}

static void
refuse(struct question *q, const json_t *id, const char *text)
{
	buf_reset(q->answer);
	write_id(q, id);
	buf_puts(q->answer, ",\"error\":");
	js_write_text(q->answer, text);
	buf_puts(q->answer, "}\n");
}

static void
refuse_fault(struct question *q, const struct hbs_error *fault)
{
	struct buf *text = buf_new(q->a, CHUNK_BYTES);

	hbs_error_format(fault, "template", NULL, 0, text);
	buf_truncate(text, strcspn(text->data, "\n"));
	refuse(q, json_object_get(q->line, "id"), text->data);
}

/* A partial is compiled when it is first asked for, with the options of the
 * template, as handlebars.js does. */
static int
load_partial(void *arg, const char *name, size_t len,
    const struct hbs_template **tpl_r, struct hbs_error *fault)
{
	struct question *q = arg;
	struct loaded *loaded;
	const json_t *source = json_object_getn(
	    json_object_get(q->line, "partials"), name, len);

	if (!json_is_string(source))
		return 0;
	for (loaded = q->loaded; loaded != NULL; loaded = loaded->next) {
		if (strlen(loaded->name) != len ||
		    memcmp(loaded->name, name, len) != 0)
			continue;
		*tpl_r = loaded->tpl;
		return 1;
	}
	loaded = arena_object(q->a, struct loaded);
	if (hbs_compile(json_string_value(source), json_string_length(source),
	        &q->how, &loaded->tpl, fault) == -1)
		return -1;
	loaded->name = arena_strndup(q->a, name, len);
	loaded->next = q->loaded;
	q->loaded = loaded;
	*tpl_r = loaded->tpl;
	return 1;
}

static void
render(struct question *q)
{
	const struct hbs_render_params params = { .escape = HBS_ESCAPE_HTML,
		.calls = { .partial = load_partial, .arg = q } };
	json_t *source = json_object_get(q->line, "template");
	json_t *id = json_object_get(q->line, "id"), *text;
	struct buf *out = buf_new(q->a, OUTPUT_BYTES_MAX);
	struct hbs_error fault;

	if (hbs_compile(json_string_value(source), json_string_length(source),
	        &q->how, &q->tpl, &fault) == -1 ||
	    hbs_render(q->tpl, json_object_get(q->line, "data"), &params, out,
	        &fault) == -1) {
		refuse_fault(q, &fault);
		return;
	}
	text = json_stringn(out->data, out->len);
	if (text == NULL) {
		refuse(q, id, "the output is not UTF-8");
		return;
	}
	write_id(q, id);
	buf_puts(q->answer, ",\"output\":");
	js_write(q->answer, js_keep(q->a, text));
	buf_puts(q->answer, "}\n");
}

/* What an option counts as in JavaScript. */
static bool
is_on(const json_t *value)
{
	switch ((int)(value == NULL ? JSON_NULL : json_typeof(value))) {
	case JSON_FALSE:
	case JSON_NULL:
		return false;
	case JSON_INTEGER:
	case JSON_REAL:
		return json_number_value(value) < 0 ||
		    json_number_value(value) > 0;
	case JSON_STRING:
		return json_string_length(value) > 0;
	default:
		return true;
	}
}

static void
read_options(struct question *q)
{
	const json_t *given = json_object_get(q->line, "options");
	size_t i;

	for (i = 0; i < NELEMS(options); i++)
		if (is_on(json_object_get(given, options[i].name)))
			q->how.flags |= options[i].flag;
}

/* What is wrong with the members of a line, NULL when nothing is. */
static const char *
fault_of(const json_t *line)
{
	const json_t *partials = json_object_get(line, "partials");
	const json_t *given = json_object_get(line, "options");

	if (!json_is_object(line))
		return "the line is no JSON object";
	if (json_object_get(line, "template") == NULL)
		return "the member \"template\" is missing";
	if (!json_is_string(json_object_get(line, "template")))
		return "\"template\" is no string";
	if (partials != NULL && !json_is_null(partials) &&
	    !json_is_object(partials))
		return "\"partials\" is no object";
	if (given != NULL && !json_is_null(given) && !json_is_object(given))
		return "\"options\" is no object";
	return NULL;
}

/* The id of a line that is no JSON, should it stand there whole. */
static json_t *
guess_id(struct arena *a, const char *line, size_t len)
{
	static const char name[] = "\"id\"";
	const char *p = memmem(line, len, name, sizeof(name) - 1);
	const char *end = line + len;
	json_t *id;

	if (p == NULL)
		return NULL;
	for (p += sizeof(name) - 1; p < end && (*p == ' ' || *p == ':'); p++)
		continue;
	id = json_loadb(p, (size_t)(end - p),
	    JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK, NULL);
	return id == NULL ? NULL : js_keep(a, id);
}

/* Reads a line as JavaScript does: of members with one name the last counts, and
 * a whole number may be as large as a fraction. */
static json_t *
parse_line(const char *line, size_t len, json_error_t *error)
{
	const size_t flags = JSON_ALLOW_NUL | JSON_DECODE_ANY;
	json_t *json = json_loadb(line, len, flags, error);

	if (json == NULL &&
	    json_error_code(error) == json_error_numeric_overflow)
		json = json_loadb(
		    line, len, flags | JSON_DECODE_INT_AS_REAL, error);
	return json;
}

static void
answer(const char *line, size_t len)
{
	struct arena *a = arena_new(CHUNK_BYTES);
	struct question q = { .a = a,
		.answer = buf_new(a, 8 * (size_t)LINE_BYTES_MAX) };
	json_error_t error;
	const char *fault;

	arena_defer(a, defer_question, &q);
	q.line = parse_line(line, len, &error);
	if (q.line == NULL) {
		refuse(&q, guess_id(a, line, len),
		    arena_printf(a, "the line is no JSON: %s at column %d",
		        error.text, error.column));
	} else {
		js_keep(a, q.line);
		fault = fault_of(q.line);
		read_options(&q);
		if (fault != NULL)
			refuse(&q, json_object_get(q.line, "id"), fault);
		else
			render(&q);
	}
	if (buf_overflowed(q.answer))
		refuse(&q, NULL, "the answer is too large");
	fwrite(q.answer->data, 1, q.answer->len, stdout);
	arena_free(&a);
}

static bool
is_blank(const char *line, size_t len)
{
	return strspn(line, " \t\r") >= len;
}

/* Answers the lines that are whole and keeps the rest. */
static void
answer_lines(struct buf *in, bool ended)
{
	const char *p = in->data, *end = in->data + in->len, *stop;

	for (; p < end; p = stop + 1) {
		stop = memchr(p, '\n', (size_t)(end - p));
		if (stop == NULL && !ended)
			break;
		if (stop == NULL)
			stop = end;
		if (!is_blank(p, (size_t)(stop - p)))
			answer(p, (size_t)(stop - p));
	}
	if (p >= end) {
		buf_reset(in);
		return;
	}
	memmove(in->data, p, (size_t)(end - p));
	buf_truncate(in, (size_t)(end - p));
}

int
command_template_eval(struct ctl *c, struct err *e)
{
	struct buf *in = buf_new(c->a, LINE_BYTES_MAX);
	ssize_t n;

	do {
		/* What is written must be out before we wait. */
		if (fflush(stdout) != 0)
			return err_set(e, ERR_INTERNAL,
			    "could not write the answers: %s", strerror(errno));
		if (!buf_reserve(in, CHUNK_BYTES))
			return err_set(e, ERR_UNPROCESSABLE,
			    "a line has more than %d bytes",
			    LINE_BYTES_MAX - CHUNK_BYTES);
		n = read(STDIN_FILENO, in->data + in->len, CHUNK_BYTES);
		if (n == -1 && errno != EINTR)
			return err_set(e, ERR_INTERNAL,
			    "could not read the lines: %s", strerror(errno));
		if (n > 0)
			buf_grown(in, (size_t)n);
		if (n >= 0)
			answer_lines(in, n == 0);
	} while (n != 0);
	return 0;
}
