/*
 * paths.c - which parts of the data a template names
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The tree is walked once with what each context is called seen from the root
 * of the data: "" there, "items[]" within {{#each items}}, NULL where only a
 * rendering can tell.
 */
#include <string.h>

#include "base/arena.h"
#include "template/hbs.h"
#include "template/tree.h"

/* What a context is called; "up" is what "../" leads to. */
struct place {
	const struct place *up;
	const char *name;
};

/* What the first name of "as |a b|" is called, one level per program. */
struct bound {
	const struct bound *up;
	const char *name;
};

struct where {
	const struct place *place;
	const struct bound *bound;
};

struct walk {
	struct arena *arena;
	void (*fn)(void *arg, const char *path, size_t len);
	void *arg;
};

static void walk_program(struct walk *w, const struct program *program,
    const struct where *outer, const char *context, const char *bound);

/* "a" and "b" make "a.b"; a step into nothing known stays unknown. */
static const char *
join(struct walk *w, const char *name, const struct part *part)
{
	if (name == NULL)
		return NULL;
	return arena_printf(w->arena, "%s%s%.*s", name,
	    *name == '\0' ? "" : ".", (int)part->len, part->text);
}

/* What the path is called from the root; NULL when that is not known. */
static const char *
name_path(struct walk *w, const struct where *where, const struct path *path)
{
	const struct place *place = where->place;
	const struct bound *bound = where->bound;
	const char *name = NULL;
	unsigned n;
	size_t i;

	switch (path->root) {
	case PATH_CONTEXT:
		for (n = path->depth; n > 0 && place != NULL; n--)
			place = place->up;
		name = place == NULL ? NULL : place->name;
		break;
	case PATH_DATA:
		name = path->data == DATA_ROOT ? "" : NULL;
		break;
	case PATH_BLOCK_PARAM:
		for (n = path->level; n > 0 && bound != NULL; n--)
			bound = bound->up;
		name = bound == NULL || path->index > 0 ? NULL : bound->name;
		break;
	}
	for (i = path->root == PATH_CONTEXT ? 0 : 1; i < path->count; i++)
		name = join(w, name, &path->parts[i]);
	return name;
}

static const char *
tell_path(struct walk *w, const struct where *where, const struct path *path)
{
	const char *name = name_path(w, where, path);

	if (name != NULL && *name != '\0')
		w->fn(w->arg, name, strlen(name));
	return name;
}

static void walk_call(struct walk *w, const struct where *where,
    const struct call *call);

/* Tells what the expression names; what that is called, as far as known. */
static const char *
walk_expr(struct walk *w, const struct where *where, const struct expr *expr)
{
	if (expr->kind == EXPR_PATH)
		return tell_path(w, where, expr->u.path);
	if (expr->kind == EXPR_CALL)
		walk_call(w, where, expr->u.call);
	return NULL;
}

static void
walk_pairs(struct walk *w, const struct where *where,
    const struct hash_pair *pair)
{
	for (; pair != NULL; pair = pair->next)
		walk_expr(w, where, pair->value);
}

static void
walk_call(struct walk *w, const struct where *where, const struct call *call)
{
	const struct expr *arg;

	if (!call->is_call)
		tell_path(w, where, call->path);
	for (arg = call->args; arg != NULL; arg = arg->next)
		walk_expr(w, where, arg);
	walk_pairs(w, where, call->pairs);
}

/* What the context is called within the block. */
static const char *
block_context(struct walk *w, const struct where *where,
    const struct call *call)
{
	const char *name = NULL;

	if (!call->is_call)
		return tell_path(w, where, call->path);
	if (call->helper != HELPER_EACH && call->helper != HELPER_WITH) {
		walk_call(w, where, call);
		return where->place->name;
	}
	if (call->args != NULL)
		name = walk_expr(w, where, call->args);
	walk_pairs(w, where, call->pairs);
	if (name == NULL || call->helper == HELPER_WITH)
		return name;
	return arena_printf(w->arena, "%s[]", name);
}

static void
walk_block(struct walk *w, const struct where *where, const struct block *block)
{
	const char *context = block_context(w, where, &block->call);

	if (block->program != NULL)
		walk_program(w, block->program, where, context, context);
	if (block->inverse != NULL)
		walk_program(w, block->inverse, where, where->place->name,
		    NULL);
}

static void
walk_partial(struct walk *w, const struct where *where,
    const struct partial *partial)
{
	const char *context = where->place->name;

	walk_expr(w, where, partial->name);
	if (partial->context != NULL)
		context = walk_expr(w, where, partial->context);
	walk_pairs(w, where, partial->pairs);
	if (partial->program != NULL)
		walk_program(w, partial->program, where, context, NULL);
}

static void
walk_program(struct walk *w, const struct program *program,
    const struct where *outer, const char *context, const char *name)
{
	struct place place = { .up = outer->place, .name = context };
	struct bound bound = { .up = outer->bound, .name = name };
	struct where where = { .place = outer->place, .bound = &bound };
	const struct node *node;

	if (where.place == NULL || context == NULL ||
	    where.place->name == NULL ||
	    strcmp(context, where.place->name) != 0)
		where.place = &place;
	for (node = program->inlines; node != NULL; node = node->next)
		walk_program(w, node->u.inlined.program, &where, NULL, NULL);
	for (node = program->first; node != NULL; node = node->next) {
		if (node->kind == NODE_MUSTACHE)
			walk_call(w, &where, &node->u.mustache.call);
		else if (node->kind == NODE_BLOCK)
			walk_block(w, &where, &node->u.block);
		else if (node->kind == NODE_PARTIAL)
			walk_partial(w, &where, &node->u.partial);
	}
}

void
hbs_list_paths(const struct hbs_template *tpl,
    void (*fn)(void *arg, const char *path, size_t len), void *arg)
{
	struct walk walk = { .arena = arena_new(4096), .fn = fn, .arg = arg };
	struct where nowhere = { .place = NULL };

	walk_program(&walk, tpl->program, &nowhere, "", NULL);
	arena_free(&walk.arena);
}
