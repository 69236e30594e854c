/*
 * partial.c - {{> name}}, {{#> name}}, @partial-block and inline partials
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A name leads to the inline partial written nearest, else to a template of the
 * caller's, else to the block given with it.  A template begins with contexts
 * and block parameters of its own; a block and an inline partial keep those of
 * the place they are written at.
 */
#include "template/render.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ensure.h"

/* A partial about to be rendered. */
struct use {
	const struct node *node;
	struct hbs_value name;
	char room[VALUE_TEXT_BYTES]; /* of a name that is a number */
	struct hbs_value context;
	struct entry entry;
};

static bool
is_named(const struct hbs_value *name, const char *text)
{
	return name->len == strlen(text) &&
	    memcmp(name->u.text, text, name->len) == 0;
}

/* Renders the block as it is written, where the @partial-block of that place
 * is in force again. */
static int
render_closure(struct render *r, const struct closure *closure,
    const struct entry *outer)
{
	struct frame frame = { .up = outer->frame, .has_block = true,
		.block = closure->outer };
	struct entry entry = *outer;

	entry.frame = &frame;
	entry.given = true;
	return render_program(r, closure->program, closure->scope, &entry);
}

int
render_block_value(struct render *r, const struct scope *scope, uint32_t at,
    const struct hbs_value *context, struct hbs_value *text_r)
{
	const struct closure *closure = eval_partial_block(scope->frame);
	struct hbs_value root = r->root;
	struct entry entry = { .context = context };
	size_t start = r->out->len, len;
	int status;

	ensure(closure != NULL);
	r->root = value_undefined;
	status = render_closure(r, closure, &entry);
	r->root = root;
	if (status < 0)
		return -1;
	len = r->out->len - start;
	*text_r = value_of_text(arena_strndup(render_scratch(r),
	    r->out->data + start, len), len);
	buf_truncate(r->out, start);
	write_forget_place(r);
	return render_charge(r, scope, at, len / 64);
}

/* The inline partial of that name, the last one written nearest.  Returns 1
 * and where it is, 0 when there is none, -1 when a name cannot be evaluated. */
static int
find_inline(struct render *r, const struct scope *scope,
    const struct hbs_value *name, const struct inlines **in_r,
    const struct node **node_r)
{
	const struct inlines *in;
	const struct node *node, *found = NULL;
	char room[VALUE_TEXT_BYTES];
	struct hbs_value v;

	for (in = scope->unit->inlines; in != NULL; in = in->up) {
		for (node = in->program->inlines; node != NULL;
		     node = node->next) {
			if (render_charge(r, scope, node->at, 1) < 0 ||
			    eval_expr(r, in->scope, node->u.inlined.name,
			    &v) < 0 ||
			    write_text_of(r, scope, node->at, room, &v) < 0)
				return -1;
			if (v.len == name->len &&
			    memcmp(v.u.text, name->u.text, v.len) == 0)
				found = node;
		}
		if (found != NULL) {
			*in_r = in;
			*node_r = found;
			return 1;
		}
	}
	return 0;
}

/* Says that the error is in the partial; returns -1. */
static int
name_partial(struct render *r, const struct use *use)
{
	if (r->e->partial[0] == '\0')
		snprintf(r->e->partial, sizeof(r->e->partial), "%.*s",
		    (int)use->name.len, use->name.u.text);
	return -1;
}

/* Renders a template of the caller's.  The inline partials of a block that
 * comes with it are in force in it. */
static int
render_template(struct render *r, const struct scope *scope,
    const struct hbs_template *tpl, const struct use *use)
{
	const struct program *block = use->node->u.partial.program;
	struct inlines given = { .up = scope->unit->inlines, .program = block,
		.scope = scope };
	struct unit unit = { .tpl = tpl, .inlines = block != NULL &&
		block->inlines != NULL ? &given : given.up,
		.name = use->name.u.text, .name_len = use->name.len };
	struct scope outer = { .context = &value_undefined,
		.frame = use->entry.frame, .unit = &unit };

	if ((scope->unit->tpl->flags & HBS_COMPAT) != 0)
		outer.depths = scope->depths;
	return render_program(r, tpl->program, &outer, &use->entry);
}

static int
find_template(struct render *r, const struct scope *scope,
    const struct use *use, const struct hbs_template **tpl_r)
{
	const struct hbs_calls *calls = &r->params.calls;
	int found;

	if (calls->partial == NULL)
		return 0;
	memset(r->e, 0, sizeof(*r->e));
	found = calls->partial(calls->arg, use->name.u.text, use->name.len,
	    tpl_r, r->e);
	if (found < 0 && r->e->text[0] == '\0')
		return render_error(r, scope, use->node->at,
		    "could not load partial \"%.*s\"", (int)use->name.len,
		    use->name.u.text);
	/* A place is one in the source that could not be compiled. */
	return found < 0 && r->e->line > 0 ? name_partial(r, use) : found;
}

static int
render_found(struct render *r, const struct scope *scope,
    const struct use *use, const struct closure *given)
{
	const struct closure *block = NULL;
	const struct inlines *in;
	const struct node *node;
	const struct hbs_template *tpl;
	int found;

	if ((found = find_inline(r, scope, &use->name, &in, &node)) < 0)
		return -1;
	if (found > 0)
		return render_program(r, node->u.inlined.program, in->scope,
		    &use->entry);
	if (is_named(&use->name, "@partial-block") &&
	    use->node->u.partial.name->kind != EXPR_CALL)
		block = eval_partial_block(scope->frame);
	else if ((found = find_template(r, scope, use, &tpl)) < 0)
		return -1;
	else if (found > 0)
		return render_template(r, scope, tpl, use);
	if (block == NULL)
		block = given;
	if (block != NULL)
		return render_closure(r, block, &use->entry);
	return render_error(r, scope, use->node->at,
	    "the partial \"%.*s\" could not be found", (int)use->name.len,
	    use->name.u.text);
}

/* Renders the partial with the block that comes with it, if one does, as its
 * @partial-block. */
static int
render_use(struct render *r, const struct scope *scope, struct use *use)
{
	struct closure closure = {
		.program = use->node->u.partial.program,
		.scope = scope,
		.outer = eval_partial_block(scope->frame),
	};
	struct frame frame = { .up = scope->frame, .has_block = true,
		.block = &closure };

	int status;

	use->entry.frame = scope->frame;
	if (closure.program == NULL)
		return render_found(r, scope, use, NULL);
	use->entry.frame = &frame;
	status = render_found(r, scope, use, &closure);
	use->entry.frame = NULL;
	return status;
}

/* The same with name=value pairs laid over the context. */
static int
render_overlaid(struct render *r, const struct scope *scope, struct use *use)
{
	const struct partial *partial = &use->node->u.partial;
	struct hbs_value values[MAX_PAIRS];
	struct overlay overlay = { .base = use->context,
		.count = partial->pair_count, .pairs = partial->pairs,
		.values = values };
	const struct hash_pair *pair = partial->pairs;
	size_t i;

	overlay.cost = 1 +
	    (overlay.base.kind == VALUE_STRING ? overlay.base.len / 64 :
	    overlay.base.kind == VALUE_OVERLAY ?
	    overlay.base.u.overlay->cost : 0);
	for (i = 0; i < overlay.count; i++, pair = pair->next) {
		if (eval_expr(r, scope, pair->value, &values[i]) < 0)
			return -1;
	}
	use->context = (struct hbs_value){ .kind = VALUE_OVERLAY,
		.u.overlay = &overlay };
	return render_use(r, scope, use);
}

/* Puts the indent before each line of the output from "start" on, the last one
 * left out when it is empty. */
static void
indent_output(struct buf *out, size_t start, const char *indent, size_t len)
{
	size_t lines = 0, i, to;

	for (i = start; i < out->len; i++)
		lines += i == start || out->data[i - 1] == '\n';
	if (lines == 0 || !buf_reserve(out, lines * len))
		return;
	i = out->len;
	buf_grown(out, lines * len);
	to = out->len;
	while (i > start) {
		out->data[--to] = out->data[--i];
		if (i == start || out->data[i - 1] == '\n') {
			to -= len;
			memcpy(out->data + to, indent, len);
		}
	}
	ensure(to == start);
}

static int
evaluate(struct render *r, const struct scope *scope, struct use *use)
{
	const struct partial *partial = &use->node->u.partial;
	unsigned flags = scope->unit->tpl->flags;

	if (eval_expr(r, scope, partial->name, &use->name) < 0)
		return -1;
	if (!value_is_true(&use->name) && partial->name->kind == EXPR_CALL)
		use->name = (struct hbs_value){ .kind = VALUE_UNDEFINED };
	if (write_text_of(r, scope, use->node->at, use->room, &use->name) < 0)
		return -1;
	use->entry.given = true;
	use->entry.context = &use->context;
	if (partial->context != NULL)
		return eval_expr(r, scope, partial->context, &use->context);
	if ((flags & HBS_EXPLICIT_PARTIAL_CONTEXT) == 0)
		use->context = *scope->context;
	return 0;
}

int
render_partial(struct render *r, const struct scope *scope,
    const struct node *node)
{
	const struct partial *partial = &node->u.partial;
	bool prevent = (scope->unit->tpl->flags & HBS_PREVENT_INDENT) != 0;
	struct use use = { .node = node };
	size_t start;
	int status;

	if (evaluate(r, scope, &use) < 0)
		return -1;
	if (prevent)
		buf_add(r->out, partial->indent, partial->indent_len);
	start = r->out->len;
	status = partial->overlaid ? render_overlaid(r, scope, &use) :
	    render_use(r, scope, &use);
	if (status < 0 || prevent || partial->indent_len == 0)
		return status;
	indent_output(r->out, start, partial->indent, partial->indent_len);
	write_forget_place(r);
	return render_charge(r, scope, node->at, (r->out->len - start) / 64);
}
