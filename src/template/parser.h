/*
 * parser.h - tokens become a tree
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A descent by hand: one function per rule of the grammar.  parser.c reads
 * text, blocks and partials, expr.c what stands within one tag.  A function
 * that returns a pointer returns NULL when it failed, with p->e set.
 */
#ifndef BELFRY_TEMPLATE_PARSER_H
#define BELFRY_TEMPLATE_PARSER_H

#include <stdint.h>

#include "base/compiler.h"
#include "template/lexer.h"

struct arena;
struct call;
struct expr;
struct hbs_error;
struct hbs_helpers;
struct part;
struct path;
struct program;

/* The names of "as |a b|" that are in force, one level per program. */
struct names {
	const struct names *up;
	size_t count;
	const struct part *parts;
};

struct parser {
	struct arena *arena;
	struct lexer lexer;
	struct token token; /* the one to be read next */
	const char *source;
	unsigned flags;
	const struct hbs_helpers *helpers; /* NULL: none */
	unsigned depth;
	unsigned max_depth;
	const struct names *names;
	struct hbs_error *e;
};

/* Parses a whole source, which must stay as long as the tree. */
struct program *parse_template(struct parser *p, size_t len) MUST_CHECK;

/* For parser.c and expr.c. */

/* Steps to the next token. */
void parser_advance(struct parser *p);

/* The offset of the token to be read next. */
uint32_t parser_at(const struct parser *p);

/* Steps over a token of this kind; -1 with the error set for another one. */
int parser_expect(struct parser *p, enum token_kind kind) MUST_CHECK;

/* "found X where Y should be", for the token to be read next. */
int parser_unexpected(struct parser *p, const char *wanted);

/* One level deeper, -1 when that is too deep; and back. */
int parser_enter(struct parser *p) MUST_CHECK;
void parser_leave(struct parser *p);

/* name argument... key=value...: what is called, up to the closing token.
 * "in_block" is true for what begins a block. */
int parse_call(struct parser *p, struct call *call, bool in_block) MUST_CHECK;

/* The same without the name: the arguments, then the pairs. */
int parse_arguments(struct parser *p, struct call *call) MUST_CHECK;

/* A name as a block's end or a partial has it. */
struct path *parse_name(struct parser *p) MUST_CHECK;

/* (name argument...) */
struct expr *parse_sexpr(struct parser *p) MUST_CHECK;

/* The names of "as |a b|" if they come next.  -1 when they are wrong. */
int parse_block_params(struct parser *p, size_t *count_r,
    const struct part **params_r) MUST_CHECK;

#endif
