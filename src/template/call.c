/*
 * call.c - registered helpers while a template is rendered
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Where {{name ...}} stands what a helper says goes to the output at once;
 * within a tag it is kept in the scratch memory of the rendering.
 */
#include "template/hbs_helper.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "template/emit.h"
#include "template/escape.h"
#include "template/render.h"

const struct hbs_value *
hbs_call_pair(const struct hbs_call *call, const char *name)
{
	const struct hash_pair *pair = call->source->pairs;
	size_t i, len;

	if (pair == NULL)
		return &value_undefined;
	len = strlen(name);
	for (i = 0; pair != NULL; i++, pair = pair->next)
		if (pair->name.len == len &&
		    memcmp(pair->name.text, name, len) == 0)
			return &call->pairs[i];
	return &value_undefined;
}

int
hbs_call_pair_at(const struct hbs_call *call, size_t n, const char **name_r,
    size_t *len_r, const struct hbs_value **v_r)
{
	const struct hash_pair *pair = call->source->pairs;
	size_t i;

	if (n >= call->source->pair_count)
		return 0;
	for (i = 0; i < n; i++)
		pair = pair->next;
	*name_r = pair->name.text;
	*len_r = pair->name.len;
	*v_r = &call->pairs[n];
	return 1;
}

void
hbs_say_value(struct hbs_call *call, const struct hbs_value *v)
{
	call->answer = *v;
}

void
hbs_say_bool(struct hbs_call *call, bool truth)
{
	call->answer.kind = VALUE_BOOL;
	call->answer.u.truth = truth;
}

/* Keeps what is said for an argument: the first text as it comes, several put
 * together. */
static void
keep(struct hbs_call *call, const char *text, size_t len)
{
	struct arena *a = render_scratch(call->render);

	if (call->answer.kind != VALUE_STRING) {
		call->answer = value_of_text(arena_strndup(a, text, len), len);
		return;
	}
	if (call->said == NULL) {
		call->said = buf_new(a, call->render->out->max);
		buf_add(call->said, call->answer.u.text, call->answer.len);
	}
	buf_add(call->said, text, len);
	call->answer = value_of_text(call->said->data, call->said->len);
}

void
hbs_say(struct hbs_call *call, const char *text, size_t len)
{
	struct render *r = call->render;
	enum hbs_escape escape = r->params.escape;

	if (call->direct) {
		if (!call->escaped && escape != HBS_ESCAPE_HEADER)
			escape = HBS_ESCAPE_NONE;
		escape_text(r->out, escape, text, len);
		return;
	}
	keep(call, text, len);
}

void
hbs_say_ready(struct hbs_call *call, const char *text, size_t len)
{
	if (call->direct)
		emit(call->render->out, text, len);
	else
		keep(call, text, len);
}

int
hbs_call_text(struct hbs_call *call, const struct hbs_value *v,
    char room[VALUE_TEXT_BYTES], const char **text_r, size_t *len_r)
{
	struct hbs_value text = *v;

	*text_r = "";
	*len_r = 0;
	if (value_is_nil(v))
		return 0;
	if (write_text_of(call->render, call->scope, call->source->path->at,
	    room, &text) < 0)
		return -1;
	*text_r = text.u.text;
	*len_r = text.len;
	return 0;
}

int
hbs_call_charge(struct hbs_call *call, size_t n)
{
	return render_charge(call->render, call->scope,
	    call->source->path->at, n);
}

void *
hbs_call_memory(struct hbs_call *call, size_t size_bytes)
{
	return arena_alloc(render_scratch(call->render), size_bytes);
}

size_t
hbs_call_room(const struct hbs_call *call)
{
	return call->render->out->max - call->render->out->len;
}

static int
error_here(struct hbs_call *call, uint32_t at, const char *fmt, va_list ap)
{
	char text[sizeof(call->render->e->text)];

	vsnprintf(text, sizeof(text), fmt, ap);
	return render_error(call->render, call->scope, at, "%s", text);
}

int
hbs_call_error(struct hbs_call *call, unsigned arg, const char *fmt, ...)
{
	const struct expr *expr = call->source->args;
	va_list ap;
	int status;

	/* The first argument of a block is its text. */
	for (; expr != NULL && arg > call->block; arg--)
		expr = expr->next;
	va_start(ap, fmt);
	status = error_here(call, expr == NULL || (call->block && arg == 0) ?
	    call->source->path->at : expr->at, fmt, ap);
	va_end(ap);
	return status;
}

int
hbs_call_pair_error(struct hbs_call *call, const char *name, const char *fmt,
    ...)
{
	const struct hash_pair *pair = call->source->pairs;
	va_list ap;
	int status;

	while (pair != NULL && (pair->name.len != strlen(name) ||
	    memcmp(pair->name.text, name, pair->name.len) != 0))
		pair = pair->next;
	va_start(ap, fmt);
	status = error_here(call, pair == NULL ? call->source->path->at :
	    pair->value->at, fmt, ap);
	va_end(ap);
	return status;
}

/* Tells of an argument that leads to nothing. */
static void
tell_missing(struct render *r, const struct hbs_helper *helper,
    const struct expr *arg)
{
	if (r->params.calls.missing == NULL || arg->kind != EXPR_PATH ||
	    (helper->flags & (HBS_HELPER_TEST | HBS_HELPER_MAY_MISS)) != 0)
		return;
	r->params.calls.missing(r->params.calls.arg, arg->u.path->text,
	    arg->u.path->len);
}

/* Evaluates the arguments from the one "first" on. */
static int
evaluate(struct hbs_call *call, struct hbs_value *args, size_t first,
    struct hbs_value *pairs)
{
	const struct hash_pair *pair = call->source->pairs;
	const struct expr *arg = call->source->args;
	struct hbs_value *v;

	for (v = args + first; arg != NULL; arg = arg->next, v++) {
		if (eval_expr(call->render, call->scope, arg, v) < 0)
			return -1;
		if (v->kind == VALUE_UNDEFINED)
			tell_missing(call->render, call->helper, arg);
	}
	for (v = pairs; pair != NULL; pair = pair->next, v++)
		if (eval_expr(call->render, call->scope, pair->value, v) < 0)
			return -1;
	return 0;
}

/* Runs the helper; "body" is the text of its block or NULL. */
static int
run(struct hbs_call *call, const struct hbs_value *body)
{
	struct hbs_value args[HBS_ARGS_MAX], pairs[MAX_PAIRS];
	const struct call *source = call->source;

	call->helper = source->registered;
	call->how = &call->render->params;
	call->block = body != NULL;
	call->args = args;
	call->argc = source->argc + call->block;
	call->pairs = pairs;
	if (body != NULL)
		args[0] = *body;
	if (hbs_call_charge(call, call->argc + source->pair_count) < 0 ||
	    evaluate(call, args, call->block, pairs) < 0)
		return -1;
	return call->helper->run(call);
}

int
call_value(struct render *r, const struct scope *scope,
    const struct call *source, struct hbs_value *v_r)
{
	struct hbs_call call = { .render = r, .scope = scope,
		.source = source, .answer = { .kind = VALUE_UNDEFINED } };

	if (run(&call, NULL) < 0)
		return -1;
	*v_r = call.answer;
	return 0;
}

int
call_write(struct render *r, const struct scope *scope,
    const struct call *source, const struct hbs_value *body, bool escaped)
{
	struct hbs_call call = { .render = r, .scope = scope,
		.source = source, .direct = true, .escaped = escaped,
		.answer = { .kind = VALUE_UNDEFINED } };

	call.json_value = escaped && write_is_json_value(r);
	if (call.json_value)
		call.direct = (source->registered->flags & HBS_HELPER_JSON) !=
		    0;

	if (run(&call, body) < 0)
		return -1;
	if (call.answer.kind == VALUE_UNDEFINED) {
		if (!call.json_value || call.direct)
			return 0;
		call.answer.kind = VALUE_NULL;
	}
	return write_value(r, scope, source->path->at, &call.answer, escaped);
}

int
hbs_call_heavy(struct hbs_call *call, unsigned long n)
{
	struct render *r = call->render;

	r->heavy += n;
	if (r->heavy <= HBS_HEAVY_MAX)
		return 0;
	return render_error(r, call->scope, call->source->path->at,
	    "too many languages, time zones and formats: more than %d",
	    HBS_HEAVY_MAX);
}

int
hbs_call_message(struct hbs_call *call, const char *key, size_t len,
    const struct hbs_template **tpl_r)
{
	struct render *r = call->render;
	const struct hbs_calls *calls = &r->params.calls;
	int found;

	if (calls->message == NULL)
		return 0;
	r->e->text[0] = '\0';
	found = calls->message(calls->arg, key, len, tpl_r, r->e);
	if (found < 0 && r->e->text[0] == '\0')
		return hbs_call_error(call, 0,
		    "could not load the message \"%.*s\"",
		    len < 80 ? (int)len : 80, key);
	return found;
}

/* Renders the template with the pairs of the call laid over its context. */
static int
render_with_pairs(struct hbs_call *call, const struct hbs_template *tpl)
{
	const struct scope *scope = call->scope;
	struct overlay overlay = { .base = *scope->context, .cost = 1,
		.count = call->source->pair_count,
		.pairs = call->source->pairs, .values = call->pairs };
	struct hbs_value context = *scope->context;
	struct unit unit = { .tpl = tpl };
	struct scope outer = { .context = &value_undefined, .unit = &unit };
	struct entry entry = { .context = &context, .frame = scope->frame };

	if (overlay.base.kind == VALUE_OVERLAY)
		overlay.cost += overlay.base.u.overlay->cost;
	if (overlay.base.kind == VALUE_STRING)
		overlay.cost += overlay.base.len / 64;
	if (overlay.count > 0)
		context = (struct hbs_value){ .kind = VALUE_OVERLAY,
			.u.overlay = &overlay };
	return render_program(call->render, tpl->program, &outer, &entry);
}

int
hbs_say_template(struct hbs_call *call, const struct hbs_template *tpl,
    const char *name, size_t len)
{
	struct render *r = call->render;
	enum hbs_escape escape = r->params.escape;
	size_t start = r->out->len, said;
	bool as_it_is = call->direct && (escape == HBS_ESCAPE_NONE ||
	    (!call->escaped && escape != HBS_ESCAPE_HEADER));
	const char *text;
	int status;

	if (!as_it_is)
		r->params.escape = HBS_ESCAPE_NONE;
	status = render_with_pairs(call, tpl);
	r->params.escape = escape;
	if (status < 0 && r->e->partial[0] == '\0')
		snprintf(r->e->partial, sizeof(r->e->partial), "%.*s",
		    (int)len, name);
	if (status < 0 || as_it_is)
		return status;
	said = r->out->len - start;
	text = arena_strndup(render_scratch(r), r->out->data + start, said);
	buf_truncate(r->out, start);
	if (call->direct)
		hbs_say(call, text, said);
	else
		call->answer = value_of_text(text, said);
	return hbs_call_charge(call, said / 64);
}
