/*
 * paths.c - which parts of the data a template names
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The tree is walked once with what each context is called seen from the root
 * of the data: "" there, "items[]" within {{#each items}}, NULL where only a
 * rendering can tell.
 */
#include <stdbool.h>
#include <string.h>

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

/* A name being put together.  Names longer than that are not told. */
struct name {
	bool known;
	size_t len;
	char text[512];
};

struct walk {
	void (*fn)(void *arg, const char *path, size_t len);
	void *arg;
};

static void walk_program(struct walk *w, const struct program *program,
    const struct where *outer, const char *context, const char *bound);

static void
add(struct name *name, const char *text, size_t len)
{
	if (!name->known || len >= sizeof(name->text) - name->len) {
		name->known = false;
		return;
	}
	memcpy(name->text + name->len, text, len);
	name->len += len;
	name->text[name->len] = '\0';
}

static const char *
text_of(const struct name *name)
{
	return name->known ? name->text : NULL;
}

/* What the path starts from is called; NULL when that is not known. */
static const char *
name_root(const struct where *where, const struct path *path)
{
	const struct place *place = where->place;
	const struct bound *bound = where->bound;
	unsigned n;

	switch (path->root) {
	case PATH_CONTEXT:
		for (n = path->depth; n > 0 && place != NULL; n--)
			place = place->up;
		return place == NULL ? NULL : place->name;
	case PATH_DATA:
		return path->data == DATA_ROOT ? "" : NULL;
	case PATH_BLOCK_PARAM:
		for (n = path->level; n > 0 && bound != NULL; n--)
			bound = bound->up;
		return bound == NULL || path->index > 0 ? NULL : bound->name;
	}
	return NULL;
}

/* Tells of the path, and what it is called from the root of the data. */
static void
tell_path(struct walk *w, const struct where *where, const struct path *path,
    struct name *name)
{
	const char *root = name_root(where, path);
	size_t i;

	name->known = root != NULL;
	name->len = 0;
	name->text[0] = '\0';
	if (root != NULL)
		add(name, root, strlen(root));
	for (i = path->root == PATH_CONTEXT ? 0 : 1;
	     i < path->count && name->known; i++) {
		if (name->len > 0)
			add(name, ".", 1);
		add(name, path->parts[i].text, path->parts[i].len);
	}
	if (name->known && name->len > 0)
		w->fn(w->arg, name->text, name->len);
}

static void walk_call(struct walk *w, const struct where *where,
    const struct call *call);

/* Tells what the expression names, and what that is called, if it is known. */
static void
walk_expr(struct walk *w, const struct where *where, const struct expr *expr,
    struct name *name)
{
	name->known = false;
	if (expr->kind == EXPR_PATH)
		tell_path(w, where, expr->u.path, name);
	else if (expr->kind == EXPR_CALL)
		walk_call(w, where, expr->u.call);
}

static void
walk_pairs(struct walk *w, const struct where *where,
    const struct hash_pair *pair)
{
	struct name ignored;

	for (; pair != NULL; pair = pair->next)
		walk_expr(w, where, pair->value, &ignored);
}

static void
walk_call(struct walk *w, const struct where *where, const struct call *call)
{
	const struct expr *arg;
	struct name ignored;

	if (!call->is_call)
		tell_path(w, where, call->path, &ignored);
	for (arg = call->args; arg != NULL; arg = arg->next)
		walk_expr(w, where, arg, &ignored);
	walk_pairs(w, where, call->pairs);
}

/* What the context is called within the block, which may be put into "name". */
static const char *
block_context(struct walk *w, const struct where *where,
    const struct call *call, struct name *name)
{
	name->known = false;
	if (!call->is_call) {
		tell_path(w, where, call->path, name);
		return text_of(name);
	}
	if (call->helper != HELPER_EACH && call->helper != HELPER_WITH) {
		walk_call(w, where, call);
		return where->place->name;
	}
	if (call->args != NULL)
		walk_expr(w, where, call->args, name);
	walk_pairs(w, where, call->pairs);
	if (call->helper == HELPER_EACH)
		add(name, "[]", 2);
	return text_of(name);
}

static void
walk_block(struct walk *w, const struct where *where, const struct block *block)
{
	struct name name;
	const char *context = block_context(w, where, &block->call, &name);

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
	struct name name;

	walk_expr(w, where, partial->name, &name);
	if (partial->context != NULL) {
		walk_expr(w, where, partial->context, &name);
		context = text_of(&name);
	}
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
		walk_program(w, node->u.inlined.program, &where, context,
		    NULL);
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
	struct walk walk = { .fn = fn, .arg = arg };
	struct where nowhere = { .place = NULL };

	walk_program(&walk, tpl->program, &nowhere, "", NULL);
}
