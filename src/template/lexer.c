/*
 * lexer.c - the source of a template as tokens
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One function per mode.  Within a tag the tokens are tried in the order in
 * which handlebars.js tries them: "else" before a name, a number before a name,
 * "}}}}" before "}}}" before "}}".
 */
#include "template/lexer.h"

#include <string.h>

#include "base/ensure.h"
#include "template/space.h"

void
lexer_init(struct lexer *lex, const char *source, size_t len)
{
	*lex = (struct lexer){
		.start = source, .end = source + len, .p = source };
}

static bool
begins(const char *p, const char *end, const char *what)
{
	size_t n = strlen(what);

	return (size_t)(end - p) >= n && memcmp(p, what, n) == 0;
}

/* The first occurrence of "what" at or after p, NULL when there is none. */
static const char *
find(const char *p, const char *end, const char *what)
{
	while (p < end && (p = memchr(p, *what, (size_t)(end - p))) != NULL) {
		if (begins(p, end, what))
			return p;
		p++;
	}
	return NULL;
}

static void
finish(struct lexer *lex, struct token *t, enum token_kind kind,
    const char *end)
{
	t->kind = kind;
	t->text = lex->p;
	t->len = (size_t)(end - lex->p);
	lex->p = end;
}

/* Content up to the next "{{".  A backslash before it makes the tag text, two
 * stand for one backslash before a real tag.  False when nothing is left. */
static bool
next_text(struct lexer *lex, struct token *t)
{
	const char *open = find(lex->p, lex->end, "{{");
	size_t drop = 0;

	if (open == NULL) {
		finish(lex, t, TOKEN_CONTENT, lex->end);
		return true;
	}
	lex->mode = LEXER_TAG;
	if (open > lex->p && open[-1] == '\\') {
		drop = 1;
		if (open - lex->p < 2 || open[-2] != '\\')
			lex->mode = LEXER_ESCAPED;
	}
	finish(lex, t, TOKEN_CONTENT, open);
	t->len -= drop;
	return t->len > 0;
}

/* From an escaped "{{" to the next one or to the backslashes before it. */
static void
next_escaped(struct lexer *lex, struct token *t)
{
	const char *open = find(lex->p + 2, lex->end, "{{");

	if (open == NULL)
		open = lex->end;
	else if (open - lex->p > 3 && open[-1] == '\\' && open[-2] == '\\')
		open -= 2;
	else if (open - lex->p > 2 && open[-1] == '\\')
		open -= 1;
	lex->mode = LEXER_TEXT;
	finish(lex, t, TOKEN_CONTENT, open);
}

/* True for what a name is made of; what is not ASCII may be white space. */
static bool
is_name_byte(char c)
{
	unsigned char u = (unsigned char)c;

	return u > ' ' && strchr("!\"#%&'()*+,./;<=>@[\\]^`{|}~", u) == NULL;
}

/* The end of the name at p; p itself when none begins there. */
static const char *
name_end(const char *p, const char *end)
{
	for (; p < end; p++) {
		if ((unsigned char)*p < ' ' && space_at(p, end) == 0)
			continue;
		if (!is_name_byte(*p) || space_at(p, end) > 0)
			break;
	}
	return p;
}

/* The end of {{{{/name}}}} at p, NULL when it is not that. */
static const char *
raw_end(const char *p, const char *end)
{
	const char *after;

	if (!begins(p, end, "{{{{/"))
		return NULL;
	after = name_end(p + 5, end);
	if (after == p + 5 || !begins(after, end, "}}}}"))
		return NULL;
	return after + 4;
}

/* Raw blocks may hold raw blocks, which are text like all the rest. */
static void
next_raw(struct lexer *lex, struct token *t)
{
	const char *p = lex->p, *end;

	if (begins(p, lex->end, "{{{{") && !begins(p, lex->end, "{{{{/") &&
	    lex->end - p > 4) {
		lex->raw_depth++;
		finish(lex, t, TOKEN_CONTENT, p + 4);
		return;
	}
	if ((end = raw_end(p, lex->end)) != NULL) {
		finish(lex, t, TOKEN_CONTENT, end);
		if (--lex->raw_depth > 0)
			return;
		lex->mode = LEXER_TEXT;
		t->kind = TOKEN_END_RAW;
		t->text = p + 5;
		t->len -= 9;
		return;
	}
	if ((end = find(p + 1, lex->end, "{{{{")) == NULL)
		finish(lex, t, TOKEN_UNCLOSED, lex->end);
	else
		finish(lex, t, TOKEN_CONTENT, end);
}

/* A comment, "body" being what follows the "{{!". */
static void
next_comment(struct lexer *lex, struct token *t, const char *body)
{
	const char *p = body, *close;

	lex->mode = LEXER_TEXT;
	if (!begins(body, lex->end, "--")) {
		close = find(body, lex->end, "}}");
		finish(lex, t, close ? TOKEN_COMMENT : TOKEN_UNCLOSED,
		    close ? close + 2 : lex->end);
		t->strip_close = close != NULL && close[-1] == '~';
		return;
	}
	for (p = body; (p = find(p, lex->end, "--")) != NULL; p++) {
		close = p + 2;
		if (close < lex->end && *close == '~')
			close++;
		if (!begins(close, lex->end, "}}"))
			continue;
		finish(lex, t, TOKEN_COMMENT, close + 2);
		t->strip_close = close[-1] == '~';
		return;
	}
	finish(lex, t, TOKEN_UNCLOSED, lex->end);
}

/* {{else}}, {{^}}, {{^name and {{else name; false when it is none of them. */
static bool
next_inverse(struct lexer *lex, struct token *t, const char *after)
{
	const char *p = space_skip(after, lex->end), *close;
	bool caret = begins(after, lex->end, "^");

	if (!caret && !begins(p, lex->end, "else"))
		return false;
	p = caret ? after + 1 : p + 4;
	close = space_skip(p, lex->end);
	t->strip_close = begins(close, lex->end, "~}}");
	if (t->strip_close || begins(close, lex->end, "}}")) {
		finish(lex, t, TOKEN_INVERSE,
		    close + (t->strip_close ? 3 : 2));
		lex->mode = LEXER_TEXT;
		return true;
	}
	if (!caret && p < lex->end && (*p == '_' ||
	    (*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') ||
	    (*p >= 'A' && *p <= 'Z')))
		return false;
	finish(lex, t, caret ? TOKEN_OPEN_INVERSE : TOKEN_OPEN_CHAIN, p);
	return true;
}

/* What begins with "{{". */
static void
next_open(struct lexer *lex, struct token *t)
{
	static const struct {
		const char *text;
		enum token_kind kind;
	} opens[] = {
		{ ">", TOKEN_OPEN_PARTIAL },
		{ "#>", TOKEN_OPEN_PARTIAL_BLOCK },
		{ "#*", TOKEN_OPEN_DECORATOR_BLOCK },
		{ "#", TOKEN_OPEN_BLOCK },
		{ "/", TOKEN_OPEN_END },
		{ "{", TOKEN_OPEN_UNESCAPED },
		{ "&", TOKEN_OPEN },
		{ "*", TOKEN_OPEN_DECORATOR },
		{ "", TOKEN_OPEN },
	};
	const char *p = lex->p + 2;
	size_t i = 0;

	if (begins(lex->p, lex->end, "{{{{")) {
		finish(lex, t, TOKEN_OPEN_RAW, lex->p + 4);
		return;
	}
	t->strip_open = begins(p, lex->end, "~");
	if (t->strip_open)
		p++;
	if (begins(p, lex->end, "!")) {
		next_comment(lex, t, p + 1);
		return;
	}
	if (next_inverse(lex, t, p))
		return;
	while (!begins(p, lex->end, opens[i].text))
		i++;
	t->raw = *opens[i].text == '&';
	finish(lex, t, opens[i].kind, p + strlen(opens[i].text));
}

/* "}}", "}}}" and "}}}}", each but the last with a "~"; false for others. */
static bool
next_close(struct lexer *lex, struct token *t)
{
	const char *p = lex->p, *end = lex->end;
	bool brace = *p == '}';

	if (begins(p, end, "}}}}")) {
		finish(lex, t, TOKEN_CLOSE_RAW, p + 4);
		lex->mode = LEXER_RAW;
		lex->raw_depth = 1;
		return true;
	}
	if (begins(p, end, "}}}") || begins(p, end, "}~}}")) {
		t->strip_close = p[1] == '~';
		finish(lex, t, TOKEN_CLOSE_UNESCAPED, p + 3 + t->strip_close);
	} else if (begins(p, end, "}}") || begins(p, end, "~}}")) {
		t->strip_close = !brace;
		finish(lex, t, TOKEN_CLOSE, p + 2 + t->strip_close);
	} else {
		return false;
	}
	lex->mode = LEXER_TEXT;
	return true;
}

/* "text", 'text' or [text], in which a backslash may stand before the closing
 * sign.  When only such signs follow, the last of them closes. */
static bool
next_quoted(struct lexer *lex, struct token *t, enum token_kind kind,
    char close)
{
	const char *p = lex->p + 1, *last = NULL;

	for (; p < lex->end && *p != close; p++) {
		if (*p == '\\' && p + 1 < lex->end && p[1] == close)
			last = ++p;
	}
	if (p == lex->end)
		p = last;
	if (p == NULL)
		return false;
	finish(lex, t, kind, p + 1);
	t->text++;
	t->len -= 2;
	t->quote = close;
	return true;
}

/* True when a literal may end before p. */
static bool
ends_literal(const char *p, const char *end)
{
	return p < end &&
	    (*p == '~' || *p == '}' || *p == ')' || space_at(p, end) > 0);
}

static bool
ends_name(const char *p, const char *end)
{
	return ends_literal(p, end) ||
	    (p < end && memchr("=/.|", *p, 4) != NULL);
}

static const char *
digits_end(const char *p, const char *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

static bool
next_number(struct lexer *lex, struct token *t)
{
	const char *p = lex->p + (*lex->p == '-' ? 1 : 0), *q;

	q = digits_end(p, lex->end);
	if (q == p)
		return false;
	if (q < lex->end && *q == '.' && digits_end(q + 1, lex->end) > q + 1)
		q = digits_end(q + 1, lex->end);
	if (!ends_literal(q, lex->end))
		return false;
	finish(lex, t, TOKEN_NUMBER, q);
	return true;
}

static bool
next_word(struct lexer *lex, struct token *t)
{
	static const struct {
		const char *text;
		enum token_kind kind;
	} words[] = {
		{ "true", TOKEN_TRUE },
		{ "false", TOKEN_FALSE },
		{ "undefined", TOKEN_UNDEFINED },
		{ "null", TOKEN_NULL },
	};
	const char *p;
	size_t i;

	for (i = 0; i < NELEMS(words); i++) {
		p = lex->p + strlen(words[i].text);
		if (begins(lex->p, lex->end, words[i].text) &&
		    ends_literal(p, lex->end)) {
			finish(lex, t, words[i].kind, p);
			return true;
		}
	}
	if (next_number(lex, t))
		return true;
	if (begins(lex->p, lex->end, "as") &&
	    (p = space_skip(lex->p + 2, lex->end)) > lex->p + 2 &&
	    begins(p, lex->end, "|")) {
		finish(lex, t, TOKEN_OPEN_NAMES, p + 1);
		return true;
	}
	p = name_end(lex->p, lex->end);
	if (p == lex->p)
		return false;
	finish(lex, t, TOKEN_ID, p);
	if (!ends_name(p, lex->end)) {
		t->kind = p == lex->end ? TOKEN_UNCLOSED : TOKEN_INVALID;
		t->at = p;
	}
	return true;
}

static bool
next_dot(struct lexer *lex, struct token *t)
{
	if (begins(lex->p, lex->end, ".."))
		finish(lex, t, TOKEN_ID, lex->p + 2);
	else if (*lex->p == '.' && ends_name(lex->p + 1, lex->end))
		finish(lex, t, TOKEN_ID, lex->p + 1);
	else
		finish(lex, t, TOKEN_SEPARATOR, lex->p + 1);
	return true;
}

/* A token that one character announces; false when it announces nothing. */
static bool
next_sign(struct lexer *lex, struct token *t)
{
	switch (*lex->p) {
	case '(':
		finish(lex, t, TOKEN_OPEN_SEXPR, lex->p + 1);
		return true;
	case ')':
		finish(lex, t, TOKEN_CLOSE_SEXPR, lex->p + 1);
		return true;
	case '=':
		finish(lex, t, TOKEN_EQUALS, lex->p + 1);
		return true;
	case '@':
		finish(lex, t, TOKEN_DATA, lex->p + 1);
		return true;
	case '|':
		finish(lex, t, TOKEN_CLOSE_NAMES, lex->p + 1);
		return true;
	case '.':
	case '/':
		return next_dot(lex, t);
	case '"':
	case '\'':
		return next_quoted(lex, t, TOKEN_STRING, *lex->p);
	case '[':
		return next_quoted(lex, t, TOKEN_SEGMENT, ']');
	case '~':
	case '}':
		return next_close(lex, t);
	default:
		return next_word(lex, t);
	}
}

static void
next_in_tag(struct lexer *lex, struct token *t)
{
	lex->p = space_skip(lex->p, lex->end);
	t->at = lex->p;
	if (lex->p == lex->end)
		t->kind = TOKEN_END;
	else if (begins(lex->p, lex->end, "{{"))
		next_open(lex, t);
	else if (!next_sign(lex, t))
		finish(lex, t, TOKEN_INVALID, lex->p + 1);
}

void
lexer_next(struct lexer *lex, struct token *t)
{
	*t = (struct token){ .kind = TOKEN_END, .at = lex->p, .text = lex->p };
	if (lex->mode == LEXER_RAW) {
		next_raw(lex, t);
		return;
	}
	while (lex->p < lex->end) {
		t->at = lex->p;
		if (lex->mode == LEXER_TAG) {
			next_in_tag(lex, t);
			return;
		}
		if (lex->mode == LEXER_ESCAPED) {
			next_escaped(lex, t);
			return;
		}
		if (next_text(lex, t))
			return;
	}
	t->kind = TOKEN_END;
}

const char *
token_name(enum token_kind kind)
{
	static const char *const names[] = {
		[TOKEN_END] = "the end of the template",
		[TOKEN_CONTENT] = "text",
		[TOKEN_COMMENT] = "a comment",
		[TOKEN_OPEN] = "\"{{\"",
		[TOKEN_OPEN_DECORATOR] = "\"{{*\"",
		[TOKEN_OPEN_UNESCAPED] = "\"{{{\"",
		[TOKEN_OPEN_BLOCK] = "\"{{#\"",
		[TOKEN_OPEN_DECORATOR_BLOCK] = "\"{{#*\"",
		[TOKEN_OPEN_INVERSE] = "\"{{^\"",
		[TOKEN_OPEN_CHAIN] = "\"{{else\"",
		[TOKEN_OPEN_END] = "\"{{/\"",
		[TOKEN_OPEN_PARTIAL] = "\"{{>\"",
		[TOKEN_OPEN_PARTIAL_BLOCK] = "\"{{#>\"",
		[TOKEN_OPEN_RAW] = "\"{{{{\"",
		[TOKEN_END_RAW] = "\"{{{{/\"",
		[TOKEN_INVERSE] = "\"{{else}}\"",
		[TOKEN_CLOSE] = "\"}}\"",
		[TOKEN_CLOSE_UNESCAPED] = "\"}}}\"",
		[TOKEN_CLOSE_RAW] = "\"}}}}\"",
		[TOKEN_OPEN_SEXPR] = "\"(\"",
		[TOKEN_CLOSE_SEXPR] = "\")\"",
		[TOKEN_EQUALS] = "\"=\"",
		[TOKEN_ID] = "a name",
		[TOKEN_SEGMENT] = "a name in brackets",
		[TOKEN_SEPARATOR] = "a path separator",
		[TOKEN_STRING] = "a string",
		[TOKEN_NUMBER] = "a number",
		[TOKEN_TRUE] = "\"true\"",
		[TOKEN_FALSE] = "\"false\"",
		[TOKEN_UNDEFINED] = "\"undefined\"",
		[TOKEN_NULL] = "\"null\"",
		[TOKEN_DATA] = "\"@\"",
		[TOKEN_OPEN_NAMES] = "\"as |\"",
		[TOKEN_CLOSE_NAMES] = "\"|\"",
		[TOKEN_INVALID] = "a character that cannot stand here",
		[TOKEN_UNCLOSED] = "the end of the template",
	};

	ensure((size_t)kind < NELEMS(names) && names[kind] != NULL);
	return names[kind];
}
