/*
 * tree.h - a compiled template: programs, nodes and expressions
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * README.md draws the picture.  Everything here lives in the template's arena
 * and does not change once hbs_compile() has returned.
 */
#ifndef BELFRY_TEMPLATE_TREE_H
#define BELFRY_TEMPLATE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "template/value.h"

struct arena;
struct hbs_helper;

/* What a path starts from. */
enum path_root {
	PATH_CONTEXT, /* the context "depth" levels up */
	PATH_DATA, /* @name, "depth" frames up */
	PATH_BLOCK_PARAM, /* a name of "as |name|" */
};

/* The @names that have a meaning. */
enum data_name {
	DATA_ROOT,
	DATA_INDEX,
	DATA_KEY,
	DATA_FIRST,
	DATA_LAST,
	DATA_BLOCK, /* @partial-block */
	DATA_OTHER, /* leads to nothing */
};

/* Literals stand where a name is expected, too: {{"a name"}}, {{12}}. */
enum name_kind {
	NAME_PATH,
	NAME_STRING,
	NAME_NUMBER,
	NAME_BOOL,
	NAME_UNDEFINED,
	NAME_NULL,
};

struct path {
	uint32_t at; /* offset in the source */
	uint8_t root; /* enum path_root */
	uint8_t named; /* enum name_kind */
	uint8_t data; /* PATH_DATA: what the first part says, enum data_name */
	uint8_t index; /* PATH_BLOCK_PARAM: which of the names */
	uint16_t level; /* PATH_BLOCK_PARAM: programs outwards */
	uint16_t depth; /* how many "../" */
	bool scoped; /* "./x" or "this.x": never a helper nor a block param */
	bool simple; /* one name, could be a helper */
	bool plain; /* names of a context, no option in force: the fast way */
	uint32_t cost; /* steps that it counts for: 0 unless it is long */
	uint32_t count;
	uint32_t len;
	struct part *parts;
	const char *text; /* as written, without brackets, len bytes */
};

/* The helpers that the language brings along. */
enum helper {
	HELPER_NONE, /* no such name: an error when called */
	HELPER_IF,
	HELPER_UNLESS,
	HELPER_EACH,
	HELPER_WITH,
	HELPER_LOOKUP,
	HELPER_LOG,
	HELPER_REGISTERED, /* one of the caller's, call.registered */
	HELPER_MISSING, /* helperMissing and blockHelperMissing: no calling */
};

enum {
	MAX_PAIRS = 32, /* key=value, of one tag */
	MAX_BLOCK_PARAMS = 32, /* as |a b|, of one block */
	MAX_UPWARDS = 1000, /* ../, of one path */
};

/* key=value.  As in handlebars.js the last pair of a tag comes first, and of
 * two pairs with the same key the one that stands first counts. */
struct hash_pair {
	struct part name;
	struct expr *value;
	struct hash_pair *next;
};

/* {{name argument... key=value...}}, the same in a block or in parentheses. */
struct call {
	enum helper helper;
	bool is_call; /* false for a plain {{path}} */
	uint32_t argc;
	uint32_t pair_count;
	struct path *path;
	const struct hbs_helper *registered;
	struct expr *args; /* argc of them, linked by "next" */
	struct hash_pair *pairs; /* pair_count of them */
};

enum expr_kind {
	EXPR_PATH,
	EXPR_LITERAL,
	EXPR_CALL, /* in parentheses */
};

struct expr {
	enum expr_kind kind;
	uint32_t at;
	struct expr *next; /* the next argument */
	union {
		struct path *path;
		struct hbs_value literal;
		struct call *call;
	} u;
};

/* The "~" of a tag. */
struct strip {
	bool open;
	bool close;
};

enum node_kind {
	NODE_TEXT,
	NODE_COMMENT, /* only until white space control is done */
	NODE_MUSTACHE,
	NODE_BLOCK,
	NODE_PARTIAL, /* also with a block */
	NODE_INLINE, /* {{#*inline}}: moved to its program's "inlines" */
};

struct text {
	const char *text;
	size_t len;
	const char *original; /* before white space control */
	size_t original_len;
	bool left_stripped;
	bool right_stripped;
};

struct mustache {
	struct call call;
	bool escaped;
};

struct block {
	struct call call;
	struct program *program; /* NULL in {{^x}} without else */
	struct program *inverse; /* NULL without else */
	struct strip inverse_strip;
	struct strip close_strip;
};

struct partial {
	struct expr *name; /* a string, or what names it while rendering */
	struct expr *context; /* NULL: the current one */
	bool overlaid; /* there are pairs, if only such as say "undefined" */
	size_t pair_count;
	struct hash_pair *pairs;
	const char *indent; /* what stood before it on its own line */
	size_t indent_len;
	struct program *program; /* {{#> name}}...{{/name}}, or NULL */
	struct strip close_strip;
};

struct inline_partial {
	struct expr *name;
	struct program *program;
	struct strip close_strip;
};

struct node {
	enum node_kind kind;
	uint32_t at;
	struct strip strip; /* of the (opening) tag */
	struct node *next;
	struct node *prev;
	union {
		struct text text;
		struct mustache mustache;
		struct block block;
		struct partial partial;
		struct inline_partial inlined;
	} u;
};

/* A run of nodes: the template itself, or one branch of a block. */
struct program {
	struct node *first;
	struct node *last;
	struct node *inlines; /* linked by "next", in the order of the source */
	size_t param_count; /* as |a b| */
	const struct part *params;
	bool chained; /* holds just the block of an {{else if}} */
};

struct hbs_template {
	struct arena *arena; /* holds this too */
	const char *source;
	size_t len;
	unsigned flags; /* of enum hbs_flag */
	struct program *program;
};

#endif
