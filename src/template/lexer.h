/*
 * lexer.h - the source of a template as tokens
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The lexer is a value: copying it keeps a place to return to, which is how
 * the parser looks more than one token ahead.
 */
#ifndef BELFRY_TEMPLATE_LEXER_H
#define BELFRY_TEMPLATE_LEXER_H

#include <stdbool.h>
#include <stddef.h>

enum token_kind {
	TOKEN_END, /* the end of the source */
	TOKEN_CONTENT, /* text between tags */
	TOKEN_COMMENT, /* {{! }} or {{!-- --}} */
	TOKEN_OPEN, /* {{ or {{& */
	TOKEN_OPEN_DECORATOR, /* {{* */
	TOKEN_OPEN_UNESCAPED, /* {{{ */
	TOKEN_OPEN_BLOCK, /* {{# */
	TOKEN_OPEN_DECORATOR_BLOCK, /* {{#* */
	TOKEN_OPEN_INVERSE, /* {{^name */
	TOKEN_OPEN_CHAIN, /* {{else name */
	TOKEN_OPEN_END, /* {{/ */
	TOKEN_OPEN_PARTIAL, /* {{> */
	TOKEN_OPEN_PARTIAL_BLOCK, /* {{#> */
	TOKEN_OPEN_RAW, /* {{{{ */
	TOKEN_END_RAW, /* {{{{/name}}}} */
	TOKEN_INVERSE, /* {{else}} or {{^}} */
	TOKEN_CLOSE, /* }} */
	TOKEN_CLOSE_UNESCAPED, /* }}} */
	TOKEN_CLOSE_RAW, /* }}}} */
	TOKEN_OPEN_SEXPR, /* ( */
	TOKEN_CLOSE_SEXPR, /* ) */
	TOKEN_EQUALS, /* = */
	TOKEN_ID, /* name, .., . or this */
	TOKEN_SEGMENT, /* [name], text without the brackets */
	TOKEN_SEPARATOR, /* . or / within a path */
	TOKEN_STRING, /* text without the quotes */
	TOKEN_NUMBER,
	TOKEN_TRUE,
	TOKEN_FALSE,
	TOKEN_UNDEFINED,
	TOKEN_NULL,
	TOKEN_DATA, /* @ */
	TOKEN_OPEN_NAMES, /* as | */
	TOKEN_CLOSE_NAMES, /* | */
	TOKEN_INVALID, /* what cannot stand here */
	TOKEN_UNCLOSED, /* a comment or raw block without its end */
};

struct token {
	enum token_kind kind;
	const char *at; /* the first byte in the source */
	const char *text; /* what it holds: content, name, inside of quotes */
	size_t len;
	char quote; /* of a string or segment: what a \ may stand before */
	bool raw; /* TOKEN_OPEN: {{& */
	bool strip_open; /* {{~ */
	bool strip_close; /* ~}} */
};

enum lexer_mode {
	LEXER_TEXT, /* between tags */
	LEXER_ESCAPED, /* at a {{ that a backslash made text */
	LEXER_TAG, /* within {{ }} */
	LEXER_RAW, /* within a raw block */
};

struct lexer {
	const char *start;
	const char *end;
	const char *p; /* the next byte */
	enum lexer_mode mode;
	unsigned raw_depth; /* raw blocks open at p */
};

void lexer_init(struct lexer *lex, const char *source, size_t len);

/* Reads the next token.  At the end it gives TOKEN_END as often as asked. */
void lexer_next(struct lexer *lex, struct token *t);

/* What to call the kind in a message. */
const char *token_name(enum token_kind kind);

#endif
