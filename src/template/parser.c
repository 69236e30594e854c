/*
 * parser.c - tokens become a tree: text, mustaches, blocks and partials
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "template/parser.h"

#include <stddef.h>
#include <string.h>

#include "base/arena.h"
#include "template/error.h"
#include "template/hbs.h"
#include "template/tree.h"

static struct program *parse_program(struct parser *p, size_t param_count,
    const struct part *params);
static int parse_inverse(struct parser *p, struct block *block);

void
parser_advance(struct parser *p)
{
	lexer_next(&p->lexer, &p->token);
}

uint32_t
parser_at(const struct parser *p)
{
	return (uint32_t)(p->token.at - p->source);
}

int
parser_unexpected(struct parser *p, const char *wanted)
{
	const struct token *t = &p->token;

	if (t->kind == TOKEN_INVALID && (unsigned char)*t->at > ' ' &&
	    (unsigned char)*t->at < 0x7F)
		return error_at(p->e, p->source, parser_at(p),
		    "unexpected \"%c\", expected %s", *t->at, wanted);
	return error_at(p->e, p->source, parser_at(p),
	    "found %s, expected %s", token_name(t->kind), wanted);
}

int
parser_expect(struct parser *p, enum token_kind kind)
{
	if (p->token.kind != kind)
		return parser_unexpected(p, token_name(kind));
	parser_advance(p);
	return 0;
}

int
parser_enter(struct parser *p)
{
	if (p->depth == p->max_depth)
		return error_at(p->e, p->source, parser_at(p),
		    "nested too deeply: at most %u levels", p->max_depth);
	p->depth++;
	return 0;
}

void
parser_leave(struct parser *p)
{
	p->depth--;
}

/* A node with room for what its kind needs and no more. */
static struct node *
node_new(struct parser *p, enum node_kind kind)
{
	static const size_t sizes[] = {
		[NODE_TEXT] = sizeof(struct text),
		[NODE_COMMENT] = 0,
		[NODE_MUSTACHE] = sizeof(struct mustache),
		[NODE_BLOCK] = sizeof(struct block),
		[NODE_PARTIAL] = sizeof(struct partial),
		[NODE_INLINE] = sizeof(struct inline_partial),
	};
	struct node *node = arena_zalloc(p->arena, 1,
	    offsetof(struct node, u) + sizes[kind]);

	node->kind = kind;
	node->at = parser_at(p);
	node->strip.open = p->token.strip_open;
	node->strip.close = p->token.strip_close;
	return node;
}

/* Steps over the token that closes a tag and notes its "~". */
static int
parse_close(struct parser *p, enum token_kind kind, struct strip *strip)
{
	bool close = p->token.strip_close;

	if (parser_expect(p, kind) < 0)
		return -1;
	strip->close = close;
	return 0;
}

static struct node *
parse_text(struct parser *p)
{
	struct node *node = node_new(p, NODE_TEXT);

	node->u.text = (struct text){
		.text = p->token.text,
		.len = p->token.len,
		.original = p->token.text,
		.original_len = p->token.len,
	};
	parser_advance(p);
	return node;
}

static struct node *
parse_comment(struct parser *p)
{
	struct node *node = node_new(p, NODE_COMMENT);

	parser_advance(p);
	return node;
}

static struct node *
parse_mustache(struct parser *p)
{
	struct node *node = node_new(p, NODE_MUSTACHE);
	bool triple = p->token.kind == TOKEN_OPEN_UNESCAPED;

	node->u.mustache.escaped = !triple && !p->token.raw &&
	    (p->flags & HBS_NO_ESCAPE) == 0;
	parser_advance(p);
	if (parse_call(p, &node->u.mustache.call, false) < 0 ||
	    parse_close(p, triple ? TOKEN_CLOSE_UNESCAPED : TOKEN_CLOSE,
	    &node->strip) < 0)
		return NULL;
	return node;
}

/* {{/name}}, which must be called as its opening tag is. */
static int
parse_end(struct parser *p, const struct path *open, struct strip *strip)
{
	bool strip_open = p->token.strip_open;
	struct path *path;

	if (p->token.kind != TOKEN_OPEN_END) {
		error_at(p->e, p->source, open->at,
		    "\"%.*s\" is not closed: found %s", (int)open->len,
		    open->text, token_name(p->token.kind));
		return -1;
	}
	parser_advance(p);
	if ((path = parse_name(p)) == NULL)
		return -1;
	if (path->named != open->named || path->len != open->len ||
	    memcmp(path->text, open->text, open->len) != 0)
		return error_at(p->e, p->source, path->at,
		    "\"%.*s\" is closed by \"%.*s\"", (int)open->len,
		    open->text, (int)path->len, path->text);
	strip->open = strip_open;
	return parse_close(p, TOKEN_CLOSE, strip);
}

/* The tag of a block after its opening sign, and the program it begins. */
static struct program *
parse_block_open(struct parser *p, struct node *node)
{
	const struct part *params = NULL;
	size_t count = 0;

	parser_advance(p);
	if (parse_call(p, &node->u.block.call, true) < 0 ||
	    parse_block_params(p, &count, &params) < 0 ||
	    parse_close(p, TOKEN_CLOSE, &node->strip) < 0)
		return NULL;
	return parse_program(p, count, params);
}

/* {{else}} and what it begins.  The strip is that of the tag. */
static struct program *
parse_else(struct parser *p, struct strip *strip)
{
	strip->open = p->token.strip_open;
	strip->close = p->token.strip_close;
	parser_advance(p);
	return parse_program(p, 0, NULL);
}

/* {{else name ...}}: a program that holds just the block of that name, which
 * may have a chain of its own. */
static struct program *
parse_chain(struct parser *p, struct strip *strip)
{
	struct program *chain = arena_object(p->arena, struct program);
	struct names level = { .up = p->names };
	struct node *node = node_new(p, NODE_BLOCK);
	struct block *block = &node->u.block;

	chain->chained = true;
	chain->first = chain->last = node;
	if (parser_enter(p) < 0)
		return NULL;
	p->names = &level;
	if ((block->program = parse_block_open(p, node)) == NULL ||
	    parse_inverse(p, block) < 0)
		return NULL;
	p->names = level.up;
	parser_leave(p);
	*strip = node->strip;
	block->close_strip = *strip;
	return chain;
}

/* The branches of a block after its first program. */
static int
parse_inverse(struct parser *p, struct block *block)
{
	if (p->token.kind == TOKEN_OPEN_CHAIN)
		block->inverse = parse_chain(p, &block->inverse_strip);
	else if (p->token.kind == TOKEN_INVERSE)
		block->inverse = parse_else(p, &block->inverse_strip);
	else
		return 0;
	return block->inverse == NULL ? -1 : 0;
}

static struct node *
parse_block(struct parser *p)
{
	struct node *node = node_new(p, NODE_BLOCK);
	struct block *block = &node->u.block;

	if ((block->program = parse_block_open(p, node)) == NULL ||
	    parse_inverse(p, block) < 0 ||
	    parse_end(p, block->call.path, &block->close_strip) < 0)
		return NULL;
	if (block->inverse != NULL && block->inverse->chained)
		block->inverse->first->u.block.close_strip =
		    block->close_strip;
	return node;
}

/* {{^name}}: a block whose first program is the inverse. */
static struct node *
parse_inverse_block(struct parser *p)
{
	struct node *node = node_new(p, NODE_BLOCK);
	struct block *block = &node->u.block;

	if ((block->inverse = parse_block_open(p, node)) == NULL)
		return NULL;
	if (p->token.kind == TOKEN_INVERSE &&
	    (block->program = parse_else(p, &block->inverse_strip)) == NULL)
		return NULL;
	if (parse_end(p, block->call.path, &block->close_strip) < 0)
		return NULL;
	return node;
}

/* {{{{name}}}} text {{{{/name}}}} */
static struct node *
parse_raw_block(struct parser *p)
{
	struct node *node = node_new(p, NODE_BLOCK), *text;
	struct block *block = &node->u.block;
	const struct path *path;

	parser_advance(p);
	if (parse_call(p, &block->call, true) < 0 ||
	    parser_expect(p, TOKEN_CLOSE_RAW) < 0)
		return NULL;
	block->program = arena_object(p->arena, struct program);
	while (p->token.kind == TOKEN_CONTENT) {
		text = parse_text(p);
		text->prev = block->program->last;
		if (text->prev != NULL)
			text->prev->next = text;
		else
			block->program->first = text;
		block->program->last = text;
	}
	path = block->call.path;
	if (p->token.kind != TOKEN_END_RAW || p->token.len != path->len ||
	    memcmp(p->token.text, path->text, path->len) != 0) {
		error_at(p->e, p->source, path->at,
		    "raw block \"%.*s\" is not closed by \"{{{{/%.*s}}}}\"",
		    (int)path->len, path->text, (int)path->len, path->text);
		return NULL;
	}
	parser_advance(p);
	return node;
}

static struct expr *
expr_of_name(struct parser *p, const struct path *path)
{
	struct expr *expr = arena_object(p->arena, struct expr);

	expr->kind = EXPR_LITERAL;
	expr->at = path->at;
	expr->u.literal = value_of_text(path->text, path->len);
	return expr;
}

/* A pair that says "undefined" is none: the context shows through. */
static void
drop_undefined(struct call *call)
{
	struct hash_pair **at = &call->pairs;
	const struct expr *value;

	while (*at != NULL) {
		value = (*at)->value;
		if (value->kind != EXPR_LITERAL ||
		    value->u.literal.kind != VALUE_UNDEFINED) {
			at = &(*at)->next;
			continue;
		}
		*at = (*at)->next;
		call->pair_count--;
	}
}

/* name context key=value..., up to the end of the tag of a partial. */
static int
parse_partial_open(struct parser *p, struct node *node,
    const struct path **path_r)
{
	struct partial *partial = &node->u.partial;
	struct call call = { 0 };
	struct path *path = NULL;

	parser_advance(p);
	if (p->token.kind == TOKEN_OPEN_SEXPR)
		partial->name = parse_sexpr(p);
	else if ((path = parse_name(p)) != NULL)
		partial->name = expr_of_name(p, path);
	if (partial->name == NULL || parse_arguments(p, &call) < 0)
		return -1;
	if (call.argc > 1)
		return error_at(p->e, p->source, call.args->next->at,
		    "a partial takes one context, not %u", call.argc);
	partial->overlaid = call.pairs != NULL;
	drop_undefined(&call);
	partial->context = call.args;
	partial->pairs = call.pairs;
	partial->pair_count = call.pair_count;
	*path_r = path;
	return parse_close(p, TOKEN_CLOSE, &node->strip);
}

static struct node *
parse_partial(struct parser *p)
{
	struct node *node = node_new(p, NODE_PARTIAL);
	const struct path *path;

	return parse_partial_open(p, node, &path) < 0 ? NULL : node;
}

/* {{#> name}}...{{/name}} */
static struct node *
parse_partial_block(struct parser *p)
{
	struct node *node = node_new(p, NODE_PARTIAL);
	struct partial *partial = &node->u.partial;
	const struct path *path = NULL;

	if (parse_partial_open(p, node, &path) < 0)
		return NULL;
	if (path == NULL) {
		error_at(p->e, p->source, node->at,
		    "a partial with a block needs a plain name");
		return NULL;
	}
	if ((partial->program = parse_program(p, 0, NULL)) == NULL ||
	    parse_end(p, path, &partial->close_strip) < 0)
		return NULL;
	return node;
}

/* {{#*inline name}}...{{/inline}} */
static struct node *
parse_inline(struct parser *p)
{
	struct node *node = node_new(p, NODE_INLINE);
	struct inline_partial *inlined = &node->u.inlined;
	struct call call = { 0 };
	struct path *path;
	const struct part *params = NULL;
	size_t count = 0;

	parser_advance(p);
	if ((path = parse_name(p)) == NULL || parse_arguments(p, &call) < 0)
		return NULL;
	if (path->len != 6 || memcmp(path->text, "inline", 6) != 0) {
		error_at(p->e, p->source, path->at,
		    "unknown decorator \"%.*s\"", (int)path->len, path->text);
		return NULL;
	}
	if (call.argc == 0) {
		error_at(p->e, p->source, path->at,
		    "an inline partial needs a name");
		return NULL;
	}
	inlined->name = call.args;
	if (parse_block_params(p, &count, &params) < 0 ||
	    parse_close(p, TOKEN_CLOSE, &node->strip) < 0 ||
	    (inlined->program = parse_program(p, count, params)) == NULL ||
	    parse_end(p, path, &inlined->close_strip) < 0)
		return NULL;
	return node;
}

static struct node *
parse_decorator(struct parser *p)
{
	error_at(p->e, p->source, parser_at(p),
	    "decorators are not known, but for {{#*inline name}}");
	return NULL;
}

/* What reads that which begins with a token.  Where nothing does, the program
 * has ended. */
static struct node *(*const parse_fns[])(struct parser *p) = {
	[TOKEN_CONTENT] = parse_text,
	[TOKEN_COMMENT] = parse_comment,
	[TOKEN_OPEN] = parse_mustache,
	[TOKEN_OPEN_DECORATOR] = parse_decorator,
	[TOKEN_OPEN_UNESCAPED] = parse_mustache,
	[TOKEN_OPEN_BLOCK] = parse_block,
	[TOKEN_OPEN_DECORATOR_BLOCK] = parse_inline,
	[TOKEN_OPEN_INVERSE] = parse_inverse_block,
	[TOKEN_OPEN_PARTIAL] = parse_partial,
	[TOKEN_OPEN_PARTIAL_BLOCK] = parse_partial_block,
	[TOKEN_OPEN_RAW] = parse_raw_block,
};

static void
append(struct program *program, struct node *node)
{
	node->prev = program->last;
	if (node->prev == NULL)
		program->first = node;
	else
		node->prev->next = node;
	program->last = node;
}

static struct program *
parse_program(struct parser *p, size_t param_count, const struct part *params)
{
	struct program *program = arena_object(p->arena, struct program);
	struct names level = { p->names, param_count, params };
	struct node *node;

	program->param_count = param_count;
	program->params = params;
	if (parser_enter(p) < 0)
		return NULL;
	p->names = &level;
	while ((size_t)p->token.kind < NELEMS(parse_fns) &&
	    parse_fns[p->token.kind] != NULL) {
		if ((node = parse_fns[p->token.kind](p)) == NULL)
			return NULL;
		append(program, node);
	}
	p->names = level.up;
	parser_leave(p);
	return program;
}

struct program *
parse_template(struct parser *p, size_t len)
{
	struct program *program;

	lexer_init(&p->lexer, p->source, len);
	parser_advance(p);
	program = parse_program(p, 0, NULL);
	if (program == NULL || p->token.kind == TOKEN_END)
		return program;
	if (p->token.kind == TOKEN_UNCLOSED)
		error_at(p->e, p->source, parser_at(p),
		    "a comment is not closed");
	else
		error_at(p->e, p->source, parser_at(p),
		    "%s without an open block", token_name(p->token.kind));
	return NULL;
}
