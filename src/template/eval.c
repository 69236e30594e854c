/*
 * eval.c - what a path, a literal or a helper in parentheses yields
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "template/render.h"

#include <string.h>

#include "base/buf.h"
#include "template/render.h"

enum { LOG_BYTES_MAX = 4096 };

static const struct hbs_value undefined = { .kind = VALUE_UNDEFINED };

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
		return undefined;
	if (name == DATA_INDEX)
		return value_of_integer((json_int_t)frame->index);
	if (name == DATA_KEY)
		return frame->key;
	return (struct hbs_value){ .kind = VALUE_BOOL,
		.u.truth = name == DATA_FIRST ? frame->first : frame->last };
}

/* The first part of an @path, "depth" frames up. */
static struct hbs_value
data_value(const struct render *r, const struct scope *scope,
    const struct path *path)
{
	const struct frame *frame = scope->frame;
	unsigned depth;

	for (depth = path->depth; depth > 0 && frame != NULL; depth--)
		frame = frame->up;
	if (frame == NULL)
		return undefined;
	switch (path->data) {
	case DATA_ROOT:
		return r->root;
	case DATA_INDEX:
	case DATA_KEY:
	case DATA_FIRST:
	case DATA_LAST:
		return loop_data(frame, path->data);
	case DATA_BLOCK:
		return eval_partial_block(frame) == NULL ? undefined :
		    (struct hbs_value){ .kind = VALUE_BLOCK };
	case DATA_OTHER:
		break;
	}
	return undefined;
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
	    bindings->values[path->index] : undefined;
	return 0;
}

static struct hbs_value
context_at(const struct scope *scope, unsigned level)
{
	const struct depth *depth = scope->depths;

	if (level == 0)
		return scope->context;
	while (level-- > 0 && depth != NULL)
		depth = depth->up;
	return depth == NULL ? undefined : depth->context;
}

/* The first context outwards that has the part, as Mustache looks for it. */
static struct hbs_value
search_contexts(const struct scope *scope, const struct part *part)
{
	const struct depth *depth;
	struct hbs_value v = undefined;

	for (depth = scope->depths; depth != NULL; depth = depth->up) {
		v = value_get(&depth->context, part);
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

/* Steps through the parts from "first" on.  "strict" asks that the last one be
 * there; the others must be when a template is compiled so. */
static int
step(struct render *r, const struct scope *scope, const struct path *path,
    size_t first, bool strict, struct hbs_value *v)
{
	bool objects = (scope->unit->tpl->flags &
	    (HBS_STRICT | HBS_ASSUME_OBJECTS)) != 0;
	size_t i;

	for (i = first; i < path->count; i++) {
		if (objects && value_is_nil(v))
			return not_defined(r, scope, path, &path->parts[i]);
		if (v->kind == VALUE_STRING && v->len > 4096 &&
		    render_charge(r, scope, path->at, v->len / 64) < 0)
			return -1;
		*v = value_get(v, &path->parts[i]);
	}
	if (strict && path->count > 0 && v->kind == VALUE_UNDEFINED)
		return not_defined(r, scope, path,
		    &path->parts[path->count - 1]);
	return 0;
}

/* "head" is true for what is written or called, false for an argument: strict
 * mode asks only of the former that it be there. */
static int
eval_path(struct render *r, const struct scope *scope, const struct path *path,
    bool head, struct hbs_value *v_r)
{
	unsigned flags = scope->unit->tpl->flags;
	bool strict = head && (flags & HBS_STRICT) != 0;
	struct hbs_value v = undefined;
	size_t first = 0;

	switch (path->root) {
	case PATH_CONTEXT:
		v = context_at(scope, path->depth);
		if ((flags & HBS_COMPAT) != 0 && !path->scoped &&
		    path->depth == 0 && path->count > 0)
			v = search_contexts(scope, &path->parts[first++]);
		break;
	case PATH_DATA:
		v = data_value(r, scope, path);
		first = 1;
		break;
	case PATH_BLOCK_PARAM:
		if (binding_value(r, scope, path, &v) < 0)
			return -1;
		strict = false;
		first = 1;
		break;
	}
	if (step(r, scope, path, first, strict, &v) < 0)
		return -1;
	*v_r = v;
	return 0;
}

int
eval_pair(struct render *r, const struct scope *scope, const struct call *call,
    const char *name, struct hbs_value *v_r)
{
	const struct hash_pair *pair;

	*v_r = undefined;
	for (pair = call->pairs; pair != NULL; pair = pair->next) {
		if (pair->name.len == strlen(name) &&
		    memcmp(pair->name.text, name, pair->name.len) == 0)
			return eval_expr(r, scope, pair->value, v_r);
	}
	return 0;
}

/* {{lookup object key}}.  An object that is false, empty or missing is the
 * answer itself, whatever comes after it. */
static int
call_lookup(struct render *r, const struct scope *scope,
    const struct call *call, struct hbs_value *v_r)
{
	struct hbs_value object, key;
	struct part part;

	if (call->argc == 0)
		return render_error(r, scope, call->path->at,
		    "lookup requires an object and a key");
	if (eval_expr(r, scope, call->args, &object) < 0)
		return -1;
	if (!value_is_true(&object)) {
		*v_r = object;
		return 0;
	}
	if (call->argc != 2)
		return render_error(r, scope, call->path->at,
		    "lookup requires an object and a key");
	if (eval_expr(r, scope, call->args->next, &key) < 0 ||
	    write_text_of(r, scope, call->path->at, &key, &key) < 0 ||
	    render_charge(r, scope, call->path->at, key.len / 64) < 0)
		return -1;
	part_init(&part, key.u.text, key.len);
	*v_r = value_get(&object, &part);
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

static int
call_log(struct render *r, const struct scope *scope, const struct call *call,
    struct hbs_value *v_r)
{
	const struct expr *arg;
	struct hbs_value v;
	struct buf *text = buf_new(render_scratch(r), LOG_BYTES_MAX);

	for (arg = call->args; arg != NULL; arg = arg->next) {
		if (eval_expr(r, scope, arg, &v) < 0 ||
		    write_text_of(r, scope, call->path->at, &v, &v) < 0)
			return -1;
		if (text->len > 0)
			buf_putc(text, ' ');
		buf_add(text, v.u.text, v.len);
	}
	if (eval_pair(r, scope, call, "level", &v) < 0)
		return -1;
	if (r->params.calls.log != NULL)
		r->params.calls.log(r->params.calls.arg, log_level(&v),
		    text->data, text->len);
	*v_r = undefined;
	return 0;
}

/* A name that is no helper.  Without arguments it may lead to nothing; what it
 * does lead to cannot be called. */
static int
call_unknown(struct render *r, const struct scope *scope,
    const struct call *call, struct hbs_value *v_r)
{
	const struct path *path = call->path;
	struct hbs_value v;

	if (eval_path(r, scope, path, true, &v) < 0)
		return -1;
	if (value_is_true(&v))
		return render_error(r, scope, path->at,
		    "\"%.*s\" is a value, not a helper", (int)path->len,
		    path->text);
	if (call->argc > 0 || (scope->unit->tpl->flags & HBS_STRICT) != 0)
		return render_error(r, scope, path->at,
		    "missing helper: \"%.*s\"", (int)path->len, path->text);
	*v_r = undefined;
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
