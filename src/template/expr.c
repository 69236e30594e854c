/*
 * expr.c - what stands within a tag: paths, literals, arguments, names
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Each path is resolved here as far as the source allows: is it a helper's
 * name, a block parameter, an @name.  Rendering never compares names of these.
 */
#include "template/parser.h"

#include <string.h>

#include "base/arena.h"
#include "template/error.h"
#include "template/hbs_helper.h"
#include "template/helper.h"
#include "template/number.h"
#include "template/tree.h"

static bool
is_text(const char *text, size_t len, const char *what)
{
	return len == strlen(what) && memcmp(text, what, len) == 0;
}

/* The text of a string or of a name in brackets, without its backslashes. */
static const char *
unquote(struct parser *p, const struct token *t, size_t *len_r)
{
	char *text;
	size_t i, n = 0;

	*len_r = t->len;
	if (t->quote == '\0' || memchr(t->text, '\\', t->len) == NULL)
		return t->text;
	text = arena_alloc(p->arena, t->len + 1);
	for (i = 0; i < t->len; i++) {
		if (t->text[i] == '\\' && i + 1 < t->len &&
		    (t->text[i + 1] == t->quote ||
		    (t->quote == ']' && t->text[i + 1] == '\\')))
			i++;
		text[n++] = t->text[i];
	}
	text[n] = '\0';
	*len_r = n;
	return text;
}

static bool
is_segment(const struct token *t)
{
	return t->kind == TOKEN_ID || t->kind == TOKEN_SEGMENT;
}

/* What a path will need. */
struct measure {
	size_t count; /* segments */
	size_t bytes; /* of its text, at most */
	bool verbatim; /* its text stands in the source just so */
};

static struct measure
measure_path(const struct parser *p)
{
	struct measure m = { .bytes = 1, .verbatim = true };
	struct lexer ahead = p->lexer;
	struct token t = p->token;
	const char *end = t.at;

	for (;;) {
		m.count++;
		m.bytes += t.len + 1;
		m.verbatim = m.verbatim && t.kind == TOKEN_ID && t.at == end;
		end = t.at + t.len;
		lexer_next(&ahead, &t);
		if (t.kind != TOKEN_SEPARATOR)
			return m;
		m.verbatim = m.verbatim && t.at == end;
		end = t.at + 1;
		lexer_next(&ahead, &t);
	}
}

/* Adds a segment to the path.  "text" grows to what error messages and the ends
 * of blocks call the path; NULL when that is at hand already. */
static int
add_segment(struct parser *p, struct path *path, char *text)
{
	const struct token *t = &p->token;
	size_t len;
	const char *name = unquote(p, t, &len);
	bool is_up = t->kind == TOKEN_ID && is_text(name, len, "..");

	if (text != NULL)
		memcpy(text + path->len, name, len);
	path->len += (uint32_t)len;
	if (is_up || (t->kind == TOKEN_ID &&
	    (is_text(name, len, ".") || is_text(name, len, "this")))) {
		if (path->count > 0)
			return error_at(p->e, p->source, path->at,
			    "invalid path \"%.*s\": \"%.*s\" can only begin it",
			    (int)path->len, path->text, (int)len, name);
		if (is_up && ++path->depth > MAX_UPWARDS)
			return error_at(p->e, p->source, path->at,
			    "too many \"..\" in a path: at most %d",
			    MAX_UPWARDS);
		return 0;
	}
	part_init(&path->parts[path->count++], name, len);
	return 0;
}

static bool
is_word(char c)
{
	return c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z');
}

/* Handlebars takes every path for scoped that begins with "." or in which
 * "this" ends a word: "./x" and "this.x", but "[like this]" too. */
static bool
is_scoped(const char *text, size_t len)
{
	size_t i;

	if (len > 0 && text[0] == '.')
		return true;
	for (i = 0; i + 4 <= len; i++) {
		if (memcmp(text + i, "this", 4) == 0 &&
		    (i + 4 == len || !is_word(text[i + 4])))
			return true;
	}
	return false;
}

static enum data_name
data_name(const struct part *part)
{
	static const struct {
		const char *text;
		enum data_name name;
	} names[] = {
		{ "root", DATA_ROOT },
		{ "index", DATA_INDEX },
		{ "key", DATA_KEY },
		{ "first", DATA_FIRST },
		{ "last", DATA_LAST },
		{ "partial-block", DATA_BLOCK },
	};
	size_t i;

	for (i = 0; i < NELEMS(names); i++) {
		if (is_text(part->text, part->len, names[i].text))
			return names[i].name;
	}
	return DATA_OTHER;
}

/* Makes the path a block parameter when one of that name is in force. */
static void
find_block_param(const struct parser *p, struct path *path)
{
	const struct names *names;
	unsigned level = 0;
	size_t i;

	if (path->depth > 0 || path->scoped || path->count == 0)
		return;
	for (names = p->names; names != NULL; names = names->up, level++) {
		for (i = 0; i < names->count; i++) {
			if (names->parts[i].len != path->parts[0].len ||
			    memcmp(names->parts[i].text, path->parts[0].text,
			    path->parts[0].len) != 0)
				continue;
			path->root = PATH_BLOCK_PARAM;
			path->level = (uint16_t)level;
			path->index = (uint8_t)i;
			return;
		}
	}
}

/* An empty name, {{[]}} or {{""}}, stands for the context as {{this}} does, with
 * all that follows it, as handlebars.js has it. */
static void
resolve_path(const struct parser *p, struct path *path)
{
	path->scoped = is_scoped(path->text, path->len);
	path->cost = path->len / 64 + path->count / 16;
	path->simple = path->count == 1 && !path->scoped && path->depth == 0;
	if (path->root == PATH_DATA)
		path->data = path->count == 0 ? DATA_OTHER :
		    data_name(&path->parts[0]);
	find_block_param(p, path);
	if (path->root != PATH_BLOCK_PARAM && path->count > 0 &&
	    path->parts[0].len == 0) {
		path->root = PATH_CONTEXT;
		path->count = 0;
	}
	path->plain = path->root == PATH_CONTEXT && path->count > 0 &&
	    path->cost == 0 && (p->flags &
	    (HBS_STRICT | HBS_ASSUME_OBJECTS | HBS_COMPAT)) == 0;
}

static int
parse_segments(struct parser *p, struct path *path, char *text)
{
	while (is_segment(&p->token)) {
		if (add_segment(p, path, text) < 0)
			return -1;
		parser_advance(p);
		if (p->token.kind != TOKEN_SEPARATOR)
			return 0;
		if (text != NULL)
			text[path->len] = *p->token.text;
		path->len++;
		parser_advance(p);
	}
	return parser_unexpected(p, "a name");
}

static struct path *
parse_path(struct parser *p)
{
	struct path *path = arena_object(p->arena, struct path);
	char *text = NULL;
	struct measure m;

	path->at = parser_at(p);
	if (p->token.kind == TOKEN_DATA) {
		path->root = PATH_DATA;
		parser_advance(p);
	}
	m = measure_path(p);
	path->text = p->source + path->at;
	if (!m.verbatim || (path->root == PATH_DATA &&
	    p->token.at != path->text + 1))
		path->text = text = arena_zalloc(p->arena, m.bytes, 1);
	if (path->root == PATH_DATA) {
		if (text != NULL)
			*text = '@';
		path->len = 1;
	}
	path->parts = arena_zalloc(p->arena, m.count, sizeof(struct part));
	if (parse_segments(p, path, text) < 0)
		return NULL;
	resolve_path(p, path);
	return path;
}

/* What a literal is called where a name is expected. */
static struct path *
path_of_literal(struct parser *p, const struct hbs_value *v, uint32_t at)
{
	static const enum name_kind kinds[] = {
		[VALUE_UNDEFINED] = NAME_UNDEFINED,
		[VALUE_NULL] = NAME_NULL,
		[VALUE_BOOL] = NAME_BOOL,
		[VALUE_REAL] = NAME_NUMBER,
		[VALUE_STRING] = NAME_STRING,
	};
	struct path *path = arena_object(p->arena, struct path);
	char room[VALUE_TEXT_BYTES];
	const char *text;
	size_t len;

	value_text(v, room, &text, &len);
	if (value_is_nil(v)) {
		text = v->kind == VALUE_NULL ? "null" : "undefined";
		len = strlen(text);
	}
	path->len = (uint32_t)len;
	path->at = at;
	path->named = kinds[v->kind];
	path->text = arena_strndup(p->arena, text, path->len);
	path->count = 1;
	path->parts = arena_object(p->arena, struct part);
	part_init(path->parts, path->text, path->len);
	resolve_path(p, path);
	return path;
}

/* Reads a literal; false when the next token is none. */
static bool
parse_literal(struct parser *p, struct hbs_value *v)
{
	const struct token *t = &p->token;
	size_t len;

	*v = (struct hbs_value){ .kind = VALUE_UNDEFINED };
	switch ((int)t->kind) {
	case TOKEN_STRING:
		v->u.text = unquote(p, t, &len);
		v->kind = VALUE_STRING;
		v->len = len;
		break;
	case TOKEN_NUMBER:
		v->kind = VALUE_REAL;
		v->u.real = number_read(t->text, t->len);
		break;
	case TOKEN_TRUE:
	case TOKEN_FALSE:
		v->kind = VALUE_BOOL;
		v->u.truth = t->kind == TOKEN_TRUE;
		break;
	case TOKEN_NULL:
		v->kind = VALUE_NULL;
		break;
	case TOKEN_UNDEFINED:
		break;
	default:
		return false;
	}
	parser_advance(p);
	return true;
}

struct path *
parse_name(struct parser *p)
{
	uint32_t at = parser_at(p);
	struct hbs_value literal;

	if (is_segment(&p->token) || p->token.kind == TOKEN_DATA)
		return parse_path(p);
	if (parse_literal(p, &literal))
		return path_of_literal(p, &literal, at);
	parser_unexpected(p, "a name");
	return NULL;
}

struct expr *
parse_sexpr(struct parser *p)
{
	struct expr *expr = arena_object(p->arena, struct expr);

	expr->kind = EXPR_CALL;
	expr->at = parser_at(p);
	expr->u.call = arena_object(p->arena, struct call);
	expr->u.call->is_call = true;
	if (parser_enter(p) < 0)
		return NULL;
	parser_advance(p);
	if (parse_call(p, expr->u.call, false) < 0 ||
	    parser_expect(p, TOKEN_CLOSE_SEXPR) < 0)
		return NULL;
	parser_leave(p);
	return expr;
}

/* True when an argument can begin with this token. */
static bool
begins_argument(enum token_kind kind)
{
	return kind == TOKEN_ID || kind == TOKEN_SEGMENT ||
	    kind == TOKEN_DATA || kind == TOKEN_OPEN_SEXPR ||
	    (kind >= TOKEN_STRING && kind <= TOKEN_NULL);
}

static struct expr *
parse_argument(struct parser *p)
{
	struct expr *expr;

	if (p->token.kind == TOKEN_OPEN_SEXPR)
		return parse_sexpr(p);
	expr = arena_object(p->arena, struct expr);
	expr->at = parser_at(p);
	expr->kind = EXPR_LITERAL;
	if (begins_argument(p->token.kind) &&
	    parse_literal(p, &expr->u.literal))
		return expr;
	expr->kind = EXPR_PATH;
	expr->u.path = parse_name(p);
	return expr->u.path == NULL ? NULL : expr;
}

/* True when "key=" comes next. */
static bool
at_pair(const struct parser *p)
{
	struct lexer ahead = p->lexer;
	struct token t;

	if (!is_segment(&p->token))
		return false;
	lexer_next(&ahead, &t);
	return t.kind == TOKEN_EQUALS;
}

static bool
has_pair(const struct call *call, const struct part *name)
{
	const struct hash_pair *pair;

	for (pair = call->pairs; pair != NULL; pair = pair->next) {
		if (pair->name.len == name->len &&
		    memcmp(pair->name.text, name->text, name->len) == 0)
			return true;
	}
	return false;
}

static int
parse_pair(struct parser *p, struct call *call)
{
	struct hash_pair *pair = arena_object(p->arena, struct hash_pair);
	size_t len;
	const char *name = unquote(p, &p->token, &len);

	part_init(&pair->name, name, len);
	parser_advance(p);
	parser_advance(p);
	if ((pair->value = parse_argument(p)) == NULL)
		return -1;
	if (has_pair(call, &pair->name))
		return 0;
	if (++call->pair_count > MAX_PAIRS)
		return error_at(p->e, p->source, parser_at(p),
		    "too many name=value pairs: at most %d", MAX_PAIRS);
	pair->next = call->pairs;
	call->pairs = pair;
	return 0;
}

int
parse_arguments(struct parser *p, struct call *call)
{
	struct expr **tail = &call->args;

	while (begins_argument(p->token.kind) && !at_pair(p)) {
		if ((*tail = parse_argument(p)) == NULL)
			return -1;
		tail = &(*tail)->next;
		call->argc++;
	}
	while (at_pair(p)) {
		if (parse_pair(p, call) < 0)
			return -1;
	}
	return 0;
}

static enum helper
helper_named(const struct path *path)
{
	static const struct {
		const char *text;
		enum helper helper;
	} helpers[] = {
		{ "if", HELPER_IF },
		{ "unless", HELPER_UNLESS },
		{ "each", HELPER_EACH },
		{ "with", HELPER_WITH },
		{ "lookup", HELPER_LOOKUP },
		{ "log", HELPER_LOG },
		{ "helperMissing", HELPER_MISSING },
		{ "blockHelperMissing", HELPER_MISSING },
	};
	size_t i;

	for (i = 0; path->count > 0 && i < NELEMS(helpers); i++) {
		if (is_text(path->parts[0].text, path->parts[0].len,
		    helpers[i].text))
			return helpers[i].helper;
	}
	return HELPER_NONE;
}

static void
find_registered(const struct parser *p, struct call *call)
{
	const struct path *path = call->path;

	if (p->helpers == NULL || path->count != 1 || path->scoped ||
	    path->depth > 0 || path->root != PATH_CONTEXT)
		return;
	call->registered = helper_find(p->helpers, path->parts[0].text,
	    path->parts[0].len);
	if (call->registered != NULL)
		call->helper = HELPER_REGISTERED;
}

/* True when the helper can be called without arguments.  One that cannot does
 * not hide a value of its name. */
static bool
needs_nothing(const struct call *call, bool in_block)
{
	unsigned flags = call->registered->flags;

	return call->registered->args_min <= (in_block &&
	    (flags & (HBS_HELPER_BODY | HBS_HELPER_MARKDOWN_BODY)) != 0);
}

/* A helper is called when there are arguments or when a lone name is one; a
 * block parameter is never called. */
int
parse_call(struct parser *p, struct call *call, bool in_block)
{
	bool in_parentheses = call->is_call;
	struct path *path = parse_name(p);

	if (path == NULL || parse_arguments(p, call) < 0)
		return -1;
	call->path = path;
	call->is_call = false;
	if (path->root == PATH_BLOCK_PARAM && path->simple)
		return 0;
	call->helper = helper_named(path);
	if (call->helper == HELPER_NONE)
		find_registered(p, call);
	call->is_call = in_parentheses || call->argc > 0 ||
	    call->pairs != NULL || (path->simple &&
	    (call->helper == HELPER_REGISTERED ? needs_nothing(call, in_block) :
	    call->helper != HELPER_NONE));
	if (call->is_call && call->helper == HELPER_NONE &&
	    (p->flags & HBS_KNOWN_HELPERS_ONLY) != 0)
		return helper_unknown(p, path);
	return helper_check(p, call, in_block);
}

int
parse_block_params(struct parser *p, size_t *count_r,
    const struct part **params_r)
{
	struct lexer ahead;
	struct token t;
	struct part *params;
	size_t count = 0, i, len;
	const char *name;

	if (p->token.kind != TOKEN_OPEN_NAMES)
		return 0;
	ahead = p->lexer;
	for (lexer_next(&ahead, &t); is_segment(&t); lexer_next(&ahead, &t))
		count++;
	params = arena_zalloc(p->arena, count, sizeof(*params));
	parser_advance(p);
	for (i = 0; i < count; i++) {
		name = unquote(p, &p->token, &len);
		part_init(&params[i], name, len);
		parser_advance(p);
	}
	if (count == 0)
		return parser_unexpected(p, "a name");
	if (count > MAX_BLOCK_PARAMS)
		return error_at(p->e, p->source, parser_at(p),
		    "too many block parameters: at most %d", MAX_BLOCK_PARAMS);
	*count_r = count;
	*params_r = params;
	return parser_expect(p, TOKEN_CLOSE_NAMES);
}
