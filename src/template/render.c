/*
 * render.c - a compiled template, data and a buffer
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "template/render.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "template/emit.h"
#include "template/error.h"

enum {
	DEPTH_DEFAULT = 100,
	DEPTH_MAX = 500,
	NODES_DEFAULT = 200000,
	SCRATCH_BYTES = 4096,
};

int
render_error(struct render *r, const struct scope *scope, uint32_t at,
    const char *fmt, ...)
{
	char text[sizeof(r->e->text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	error_at(r->e, scope->unit->tpl->source, at, "%s", text);
	snprintf(r->e->partial, sizeof(r->e->partial), "%.*s",
	    (int)scope->unit->name_len,
	    scope->unit->name_len > 0 ? scope->unit->name : "");
	return -1;
}

int
render_charge(struct render *r, const struct scope *scope, uint32_t at,
    size_t n)
{
	if (n > r->nodes)
		return render_error(r, scope, at,
		    "too much to render: more than %zu steps",
		    r->params.nodes);
	r->nodes -= n;
	return 0;
}

struct arena *
render_scratch(struct render *r)
{
	if (r->scratch == NULL)
		r->scratch = arena_new(SCRATCH_BYTES);
	return r->scratch;
}

/* What leads to nothing is told, and null where JSON needs a value. */
static int
render_missing(struct render *r, const struct mustache *mustache)
{
	const struct path *path = mustache->call.path;

	if (r->params.calls.missing != NULL)
		r->params.calls.missing(r->params.calls.arg, path->text,
		    path->len);
	if (mustache->escaped && write_is_json_value(r))
		emit(r->out, "null", 4);
	return 0;
}

static int
render_mustache(struct render *r, const struct scope *scope,
    const struct node *node)
{
	const struct mustache *mustache = &node->u.mustache;
	const struct path *path = mustache->call.path;
	struct hbs_value v;

	if (mustache->call.is_call &&
	    mustache->call.helper == HELPER_REGISTERED)
		return call_write(r, scope, &mustache->call, NULL,
		    mustache->escaped);
	if (mustache->call.is_call ?
	    eval_call(r, scope, &mustache->call, &v) < 0 :
	    eval_path(r, scope, path, true, &v) < 0)
		return -1;
	if (v.kind == VALUE_UNDEFINED)
		return mustache->call.is_call ? 0 :
		    render_missing(r, mustache);
	if (v.kind == VALUE_BLOCK && render_block_value(r, scope, node->at,
	    &value_nothing, &v) < 0)
		return -1;
	return write_value(r, scope, node->at, &v, mustache->escaped);
}

static int
render_node(struct render *r, const struct scope *scope,
    const struct node *node)
{
	switch (node->kind) {
	case NODE_TEXT:
		emit(r->out, node->u.text.text, node->u.text.len);
		return 0;
	case NODE_MUSTACHE:
		return render_mustache(r, scope, node);
	case NODE_BLOCK:
		return render_block(r, scope, node);
	case NODE_PARTIAL:
		return render_partial(r, scope, node);
	case NODE_COMMENT:
	case NODE_INLINE:
		break;
	}
	return 0;
}

static int
render_nodes(struct render *r, const struct program *program,
    const struct scope *scope)
{
	const struct node *node;

	for (node = program->first; node != NULL; node = node->next) {
		if (r->nodes == 0)
			return render_charge(r, scope, node->at, 1);
		r->nodes--;
		if (render_node(r, scope, node) < 0)
			return -1;
		if (r->out->overflowed)
			return render_error(r, scope, node->at,
			    "the output is larger than %zu bytes",
			    r->out->max);
	}
	return 0;
}

/* True when entering with this context goes a level deeper for "../". */
static bool
is_deeper(const struct depth *depths, const struct hbs_value *context)
{
	if (depths == NULL)
		return true;
	if (context == depths->context)
		return false;
	if (context->kind == VALUE_OBJECT &&
	    depths->context->kind == VALUE_OBJECT)
		return context->u.json != depths->context->u.json;
	if (context == &value_nothing && depths->context->kind == VALUE_NULL)
		return false;
	return !value_equals(context, depths->context);
}

/* Renders with the program's inline partials in force. */
static int
render_with_inlines(struct render *r, const struct program *program,
    const struct scope *outer, const struct scope *scope)
{
	struct unit *unit = scope->unit;
	struct inlines inlines = { .up = unit->inlines, .program = program,
		.scope = outer };
	int status;

	unit->inlines = &inlines;
	status = render_nodes(r, program, scope);
	unit->inlines = inlines.up;
	return status;
}

int
render_program(struct render *r, const struct program *program,
    const struct scope *outer, const struct entry *entry)
{
	struct depth depth = { .up = outer->depths,
		.context = entry->context };
	struct bindings bindings = { .up = outer->bindings,
		.given = entry->given, .count = entry->count,
		.values = entry->values };
	struct scope scope = { .context = entry->context,
		.depths = outer->depths, .frame = entry->frame,
		.bindings = &bindings, .unit = outer->unit };
	int status;

	if (program == NULL || program->first == NULL)
		return 0;
	if (r->depth == 0)
		return render_error(r, outer, program->first->at,
		    "nested too deeply: at most %u levels of blocks and "
		    "partials", r->params.depth);
	if (is_deeper(outer->depths, entry->context))
		scope.depths = &depth;
	r->depth--;
	if (program->inlines != NULL)
		status = render_with_inlines(r, program, outer, &scope);
	else
		status = render_nodes(r, program, &scope);
	r->depth++;
	return status;
}

static void
set_params(struct render *r, const struct hbs_render_params *params)
{
	if (params != NULL)
		r->params = *params;
	if (r->params.depth == 0)
		r->params.depth = DEPTH_DEFAULT;
	if (r->params.depth > DEPTH_MAX)
		r->params.depth = DEPTH_MAX;
	if (r->params.nodes == 0)
		r->params.nodes = NODES_DEFAULT;
	r->depth = r->params.depth;
	r->nodes = r->params.nodes;
}

/* Renders the layout with the template as its block. */
static int
render_in_layout(struct render *r, const struct hbs_template *tpl,
    const struct scope *scope, const struct entry *entry)
{
	struct inlines given = { .program = tpl->program, .scope = scope };
	const char *name = r->params.layout_name;
	struct unit unit = { .tpl = r->params.layout,
		.inlines = tpl->program->inlines != NULL ? &given : NULL,
		.name = name, .name_len = name != NULL ? strlen(name) : 0 };
	struct closure closure = { .program = tpl->program, .scope = scope };
	struct frame frame = { .up = entry->frame, .has_block = true,
		.block = &closure };
	struct scope outer = { .context = &value_undefined, .unit = &unit,
		.frame = &frame };
	struct entry inner = *entry;

	inner.frame = &frame;
	return render_program(r, unit.tpl->program, &outer, &inner);
}

int
hbs_render(const struct hbs_template *tpl, const json_t *data,
    const struct hbs_render_params *params, struct buf *out,
    struct hbs_error *e)
{
	struct render r = { .root = value_of_json(data), .out = out, .e = e,
		.json_start = out->len, .json_at = out->len };
	struct unit unit = { .tpl = tpl };
	struct frame frame = { .up = NULL };
	struct scope outer = { .context = &value_undefined, .unit = &unit,
		.frame = &frame };
	struct entry entry = { .context = &r.root, .frame = &frame };
	int status;

	memset(e, 0, sizeof(*e));
	set_params(&r, params);
	status = r.params.layout != NULL
	    ? render_in_layout(&r, tpl, &outer, &entry)
	    : render_program(&r, tpl->program, &outer, &entry);
	arena_free(&r.scratch);
	return status;
}
