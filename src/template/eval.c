/*
 * eval.c - what a path, a literal or a helper in parentheses yields
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "template/render.h"

#include <string.h>

#include "base/buf.h"

enum { LOG_BYTES_MAX = 4096 };

const struct closure *
eval_partial_block(const struct frame *frame)
{
	while (frame != NULL && !frame->has_block)
		frame = frame->up;
	return frame == NULL ? NULL : frame->block;
}

static struct hbs_value
loop_data(const struct frame *frame, enum data_name name)
{
	while (frame != NULL && !frame->is_loop)
		frame = frame->up;
	if (frame == NULL)
		return value_undefined;
	if (name == DATA_INDEX)
		return value_of_integer((json_int_t)frame->index);
	if (name == DATA_KEY)
		return *frame->key;
	return (struct hbs_value){ .kind = VALUE_BOOL,
		.u.truth = name == DATA_FIRST ? frame->first : frame->last };
}

/* The first part of an @path. */
static struct hbs_value
data_value(const struct render *r, const struct frame *frame,
    enum data_name name)
{
	switch (name) {
	case DATA_ROOT:
		return r->root;
	case DATA_INDEX:
	case DATA_KEY:
	case DATA_FIRST:
	case DATA_LAST:
		return loop_data(frame, name);
	case DATA_BLOCK:
		return eval_partial_block(frame) == NULL ? value_undefined :
		    (struct hbs_value){ .kind = VALUE_BLOCK };
	case DATA_OTHER:
		break;
	}
	return value_undefined;
}

static int
binding_value(struct render *r, const struct scope *scope,
    const struct path *path, struct hbs_value *v_r)
{
	const struct bindings *bindings = scope->bindings;
	unsigned level;

	for (level = path->level; level > 0 && bindings != NULL; level--)
		bindings = bindings->up;
	if (bindings == NULL || !bindings->given)
		return render_error(r, scope, path->at,
		    "block parameter \"%.*s\" has no value here",
		    (int)path->len, path->text);
	*v_r = path->index < bindings->count ?
	    bindings->values[path->index] : value_undefined;
	return 0;
}

/* The context "level" levels up; undefined where there is none. */
static const struct hbs_value *
context_at(const struct scope *scope, unsigned level)
{
	const struct depth *depth = scope->depths;

	if (level == 0)
		return scope->context;
	while (level-- > 0 && depth != NULL)
		depth = depth->up;
	return depth == NULL ? &value_undefined : depth->context;
}

/* The first context outwards that has the part, as Mustache looks for it. */
static struct hbs_value
search_contexts(const struct scope *scope, const struct part *part)
{
	const struct depth *depth;
	struct hbs_value v = value_undefined;

	for (depth = scope->depths; depth != NULL; depth = depth->up) {
		v = *depth->context;
		if (value_is_true(&v))
			value_step(&v, part);
		if (!value_is_nil(&v))
			return v;
	}
	return v;
}

static int
not_defined(struct render *r, const struct scope *scope,
    const struct path *path, const struct part *part)
{
	if (path->count == 1)
		return render_error(r, scope, path->at,
		    "\"%.*s\" is not defined", (int)path->len, path->text);
	return render_error(r, scope, path->at,
	    "\"%.*s\" of \"%.*s\" is not defined", (int)part->len, part->text,
	    (int)path->len, path->text);
}

static bool
has_properties(const struct hbs_value *v)
{
	return v->kind == VALUE_ARRAY || v->kind == VALUE_OBJECT ||
	    v->kind == VALUE_OVERLAY;
}

/* Steps through the parts from "first" on where each but the last must be
 * there; "strict" asks for the last one, too. */
static int
step_strictly(struct render *r, const struct scope *scope,
    const struct path *path, size_t first, bool strict, struct hbs_value *v)
{
	bool fits, given = false;
	size_t i;

	for (i = first; i < path->count; i++) {
		fits = strict && i + 1 == path->count ? has_properties(v) :
		    !value_is_nil(v);
		if (!fits)
			return not_defined(r, scope, path, &path->parts[i]);
		given = v->kind == VALUE_OVERLAY &&
		    value_has_pair(v, &path->parts[i]);
		value_step(v, &path->parts[i]);
	}
	if (strict && path->count > 0 && v->kind == VALUE_UNDEFINED && !given)
		return not_defined(r, scope, path,
		    &path->parts[path->count - 1]);
	return 0;
}

/* The same where a part that is missing makes the path lead to nothing. */
static int
step(struct render *r, const struct scope *scope, const struct path *path,
    size_t first, struct hbs_value *v)
{
	size_t i, cost;

	if (path->cost > 0 && render_charge(r, scope, path->at, path->cost) < 0)
		return -1;
	for (i = first; i < path->count; i++) {
		/* {{@root.x}} of a root that is 0 or false is that root. */
		if (path->root == PATH_DATA && !value_is_true(v))
			return 0;
		cost = v->kind == VALUE_STRING ? v->len / 64 :
		    v->kind == VALUE_OVERLAY ? v->u.overlay->cost : 0;
		if (cost > 0 && render_charge(r, scope, path->at, cost) < 0)
			return -1;
		value_step(v, &path->parts[i]);
	}
	return 0;
}

/* The frame that an @path starts in, NULL when there is none. */
static const struct frame *
frame_at(const struct scope *scope, unsigned depth)
{
	const struct frame *frame = scope->frame;

	for (; depth > 0 && frame != NULL; depth--)
		frame = frame->up;
	return frame;
}

/* The value that a path starts from, and the first part to step through. */
static int
start(struct render *r, const struct scope *scope, const struct path *path,
    size_t *first_r, struct hbs_value *v_r)
{
	unsigned flags = scope->unit->tpl->flags;
	const struct frame *frame;

	*first_r = 1;
	switch (path->root) {
	case PATH_CONTEXT:
		*first_r = 0;
		*v_r = *context_at(scope, path->depth);
		if ((flags & HBS_COMPAT) != 0 && !path->scoped &&
		    path->depth == 0 && path->count > 0)
			*v_r = search_contexts(scope,
			    &path->parts[(*first_r)++]);
		return 0;
	case PATH_DATA:
		frame = frame_at(scope, path->depth);
		if (frame == NULL &&
		    (flags & (HBS_STRICT | HBS_ASSUME_OBJECTS)) != 0)
			return not_defined(r, scope, path, &path->parts[0]);
		*v_r = frame == NULL ? value_undefined :
		    data_value(r, frame, path->data);
		return 0;
	case PATH_BLOCK_PARAM:
		break;
	}
	return binding_value(r, scope, path, v_r);
}

int
eval_path(struct render *r, const struct scope *scope, const struct path *path,
    bool head, struct hbs_value *v_r)
{
	unsigned flags = scope->unit->tpl->flags;
	const struct hbs_value *context;
	size_t first = 0;

	if (path->plain) {
		context = context_at(scope, path->depth);
		if (context->kind == VALUE_OBJECT) {
			value_set_json(v_r, json_object_getn(context->u.json,
			    path->parts[0].text, path->parts[0].len));
			return path->count == 1 ? 0 :
			    step(r, scope, path, 1, v_r);
		}
	}
	if (start(r, scope, path, &first, v_r) < 0)
		return -1;
	if ((flags & (HBS_STRICT | HBS_ASSUME_OBJECTS)) == 0)
		return step(r, scope, path, first, v_r);
	return step_strictly(r, scope, path, first, head &&
	    (flags & HBS_STRICT) != 0 && path->root != PATH_BLOCK_PARAM, v_r);
}

int
eval_pair(struct render *r, const struct scope *scope, const struct call *call,
    const char *name, struct hbs_value *v_r)
{
	const struct hash_pair *pair;
	struct hbs_value v;

	*v_r = value_undefined;
	for (pair = call->pairs; pair != NULL; pair = pair->next) {
		if (eval_expr(r, scope, pair->value, &v) < 0)
			return -1;
		if (pair->name.len == strlen(name) &&
		    memcmp(pair->name.text, name, pair->name.len) == 0)
			*v_r = v;
	}
	return 0;
}

/* Evaluates all arguments, so that an error in one is seen, and keeps the
 * first "count" of them; what is missing is undefined. */
static int
eval_arguments(struct render *r, const struct scope *scope,
    const struct call *call, size_t count, struct hbs_value *values)
{
	const struct expr *arg = call->args;
	struct hbs_value v;
	size_t i;

	if (render_charge(r, scope, call->path->at,
	    call->argc + call->pair_count) < 0)
		return -1;
	for (i = 0; i < count; i++)
		values[i] = value_undefined;
	for (i = 0; arg != NULL; arg = arg->next, i++) {
		if (eval_expr(r, scope, arg, &v) < 0)
			return -1;
		if (i < count)
			values[i] = v;
	}
	return call->pairs == NULL ? 0 : eval_pair(r, scope, call, "", &v);
}

/* {{lookup object key}}.  An object that is false, empty or missing is the
 * answer itself, whatever comes after it. */
static int
call_lookup(struct render *r, const struct scope *scope,
    const struct call *call, struct hbs_value *v_r)
{
	char room[VALUE_TEXT_BYTES];
	struct hbs_value args[2];
	struct part part;

	if (eval_arguments(r, scope, call, 2, args) < 0)
		return -1;
	if (call->argc > 0 && !value_is_true(&args[0])) {
		*v_r = args[0];
		return 0;
	}
	if (call->argc != 2)
		return render_error(r, scope, call->path->at,
		    "lookup requires an object and a key");
	if (write_text_of(r, scope, call->path->at, room, &args[1]) < 0 ||
	    render_charge(r, scope, call->path->at, args[1].len / 64) < 0)
		return -1;
	part_init(&part, args[1].u.text, args[1].len);
	value_step(&args[0], &part);
	*v_r = args[0];
	return 0;
}

static enum hbs_log_level
log_level(const struct hbs_value *v)
{
	static const char *const names[] = { "debug", "info", "warn", "error" };
	size_t i;

	for (i = 0; v->kind == VALUE_STRING && i < NELEMS(names); i++) {
		if (v->len == strlen(names[i]) &&
		    memcmp(v->u.text, names[i], v->len) == 0)
			return (enum hbs_log_level)i;
	}
	if (v->kind == VALUE_REAL && v->u.real >= 0 && v->u.real < 4)
		return (enum hbs_log_level)v->u.real;
	return HBS_LOG_INFO;
}

/* The arguments as text, separated by spaces; what is too long is cut off. */
static int
log_text(struct render *r, const struct scope *scope, const struct call *call,
    struct buf *text)
{
	char room[VALUE_TEXT_BYTES];
	const struct expr *arg;
	struct hbs_value v;

	for (arg = call->args; arg != NULL; arg = arg->next) {
		if (render_charge(r, scope, arg->at, 1) < 0 ||
		    eval_expr(r, scope, arg, &v) < 0 ||
		    write_text_of(r, scope, arg->at, room, &v) < 0)
			return -1;
		if (text->len > 0)
			buf_putc(text, ' ');
		buf_add(text, v.u.text,
		    v.len < LOG_BYTES_MAX / 4 ? v.len : LOG_BYTES_MAX / 4);
	}
	return 0;
}

static int
call_log(struct render *r, const struct scope *scope, const struct call *call,
    struct hbs_value *v_r)
{
	struct hbs_value level;
	struct buf text;
	int status;

	if (eval_pair(r, scope, call, "level", &level) < 0)
		return -1;
	buf_init(&text, LOG_BYTES_MAX);
	status = log_text(r, scope, call, &text);
	if (status == 0 && r->params.calls.log != NULL)
		r->params.calls.log(r->params.calls.arg, log_level(&level),
		    text.data, text.len);
	buf_done(&text);
	*v_r = value_undefined;
	return status;
}

/* A name that is no helper.  Without arguments it may lead to nothing; what it
 * does lead to cannot be called. */
static int
call_unknown(struct render *r, const struct scope *scope,
    const struct call *call, struct hbs_value *v_r)
{
	const struct path *path = call->path;
	struct hbs_value v;

	if (eval_arguments(r, scope, call, 0, NULL) < 0 ||
	    eval_path(r, scope, path, true, &v) < 0)
		return -1;
	if (value_is_true(&v))
		return render_error(r, scope, path->at,
		    "\"%.*s\" is a value, not a helper", (int)path->len,
		    path->text);
	if (call->argc > 0 || (scope->unit->tpl->flags & HBS_STRICT) != 0)
		return render_error(r, scope, path->at,
		    "missing helper: \"%.*s\"", (int)path->len, path->text);
	*v_r = value_undefined;
	return 0;
}

int
eval_call(struct render *r, const struct scope *scope, const struct call *call,
    struct hbs_value *v_r)
{
	if (!call->is_call)
		return eval_path(r, scope, call->path, true, v_r);
	switch (call->helper) {
	case HELPER_LOOKUP:
		return call_lookup(r, scope, call, v_r);
	case HELPER_LOG:
		return call_log(r, scope, call, v_r);
	case HELPER_REGISTERED:
		return call_value(r, scope, call, v_r);
	case HELPER_NONE:
		return call_unknown(r, scope, call, v_r);
	case HELPER_IF:
	case HELPER_UNLESS:
	case HELPER_EACH:
	case HELPER_WITH:
		return render_error(r, scope, call->path->at,
		    "\"%.*s\" needs a block: {{#%.*s ...}}",
		    (int)call->path->len, call->path->text,
		    (int)call->path->len, call->path->text);
	case HELPER_MISSING:
		break;
	}
	return render_error(r, scope, call->path->at,
	    "\"%.*s\" cannot be called", (int)call->path->len,
	    call->path->text);
}

int
eval_expr(struct render *r, const struct scope *scope, const struct expr *expr,
    struct hbs_value *v_r)
{
	switch (expr->kind) {
	case EXPR_PATH:
		return eval_path(r, scope, expr->u.path, false, v_r);
	case EXPR_LITERAL:
		*v_r = expr->u.literal;
		return 0;
	case EXPR_CALL:
		if (render_charge(r, scope, expr->at, 1) < 0)
			return -1;
		return eval_call(r, scope, expr->u.call, v_r);
	}
	return 0;
}
