/*
 * render.h - the state of a rendering
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * All of it lives on the C stack, each struct in the function that enters what
 * it stands for, linked to the one further out.  What a block remembers of the
 * place it was written at (a partial's block, an inline partial) is never used
 * after that place has been left, so pointers to these structs are enough.
 */
#ifndef BELFRY_TEMPLATE_RENDER_H
#define BELFRY_TEMPLATE_RENDER_H

#include "base/compiler.h"
#include "template/hbs.h"
#include "template/tree.h"

/* The contexts that "../" climbs. */
struct depth {
	const struct depth *up;
	const struct hbs_value *context;
};

/* A block that a partial may render as @partial-block. */
struct closure;

/* The @names.  A frame shows what it does not set itself from further out. */
struct frame {
	const struct frame *up;
	bool is_loop; /* sets key, index, first and last */
	bool first;
	bool last;
	size_t index;
	const struct hbs_value *key;
	bool has_block; /* sets @partial-block, to nothing when it is NULL */
	const struct closure *block;
};

/* The values of "as |a b|", one level per program. */
struct bindings {
	const struct bindings *up;
	bool given; /* the block came with values */
	size_t count;
	const struct hbs_value *values;
};

/* A template being rendered, and the inline partials in force in it now. */
struct unit {
	const struct hbs_template *tpl;
	const struct inlines *inlines;
	const char *name; /* what errors call it, name_len bytes */
	size_t name_len; /* 0: it is the template itself */
};

/* Where something stands: all that an expression can name. */
struct scope {
	const struct hbs_value *context;
	const struct depth *depths; /* the first holds the context */
	const struct frame *frame;
	const struct bindings *bindings;
	struct unit *unit;
};

/* The inline partials of a program, with the surroundings they see. */
struct inlines {
	const struct inlines *up;
	const struct program *program;
	const struct scope *scope;
};

struct closure {
	const struct program *program;
	const struct scope *scope; /* where the block is written */
	const struct closure *outer; /* what is @partial-block there */
};

/* What a program is entered with. */
struct entry {
	const struct hbs_value *context;
	const struct frame *frame;
	bool given;
	size_t count;
	const struct hbs_value *values;
};

struct render {
	struct hbs_render_params params;
	struct hbs_value root;
	struct buf *out;
	struct hbs_error *e;
	size_t nodes; /* left to be visited */
	unsigned depth; /* left to be entered */
	struct arena *scratch; /* made when first needed */
	unsigned long heavy; /* hbs_call_heavy() so far */
	size_t json_start; /* where in the output this rendering began */
	size_t json_at; /* up to where the next is known */
	bool json_in_string; /* ends within a string */
};

/* render.c */

/* Renders the program as it is written in "scope"; NULL renders to nothing. */
int render_program(struct render *r, const struct program *program,
    const struct scope *scope, const struct entry *entry) MUST_CHECK;

/* Sets the error with its place in the template of this scope; returns -1. */
int render_error(struct render *r, const struct scope *scope, uint32_t at,
    const char *fmt, ...) PRINTF_LIKE(4, 5);

/* Takes n off the nodes that may still be visited. */
int render_charge(struct render *r, const struct scope *scope, uint32_t at,
    size_t n) MUST_CHECK;

/* Memory until the end of the rendering. */
struct arena *render_scratch(struct render *r);

/* block.c */
int render_block(struct render *r, const struct scope *scope,
    const struct node *node) MUST_CHECK;

/* block.c: renders a branch of a block in the context that it stands in. */
int render_here(struct render *r, const struct scope *scope,
    const struct program *program) MUST_CHECK;

/* partial.c */
int render_partial(struct render *r, const struct scope *scope,
    const struct node *node) MUST_CHECK;

/* What the block given to the partial being rendered renders to, as a condition
 * or a value asks for it: without the context, the @names and the root. */
int render_block_value(struct render *r, const struct scope *scope,
    uint32_t at, const struct hbs_value *context, struct hbs_value *text_r)
    MUST_CHECK;

/* write.c: adds a value to the output as {{x}} or {{{x}}} does. */
int write_value(struct render *r, const struct scope *scope, uint32_t at,
    const struct hbs_value *v, bool escaped) MUST_CHECK;

/* True in a part of JSON where the output so far ends outside of strings. */
bool write_is_json_value(struct render *r);

/* After the output was changed elsewhere than at its end. */
void write_forget_place(struct render *r);

/* Turns *v into its text, "undefined" and "null" included.  "room" is where the
 * text may be written and so must stay as long. */
int write_text_of(struct render *r, const struct scope *scope, uint32_t at,
    char room[VALUE_TEXT_BYTES], struct hbs_value *v) MUST_CHECK;

/* eval.c */

/* "head" is true for what is written or called, false for an argument: strict
 * mode asks only of the former that it be there. */
int eval_path(struct render *r, const struct scope *scope,
    const struct path *path, bool head, struct hbs_value *v_r) MUST_CHECK;

int eval_expr(struct render *r, const struct scope *scope,
    const struct expr *expr, struct hbs_value *v_r) MUST_CHECK;

/* What a mustache or a block names: a helper's answer or a value. */
int eval_call(struct render *r, const struct scope *scope,
    const struct call *call, struct hbs_value *v_r) MUST_CHECK;

/* Evaluates all pairs.  *v_r becomes the value of the one of that name, or
 * undefined. */
int eval_pair(struct render *r, const struct scope *scope,
    const struct call *call, const char *name, struct hbs_value *v_r)
    MUST_CHECK;

/* call.c: helpers of the caller's.  The answer as a value, and written to the
 * output; "body" is the text of a block or NULL. */
int call_value(struct render *r, const struct scope *scope,
    const struct call *call, struct hbs_value *v_r) MUST_CHECK;
int call_write(struct render *r, const struct scope *scope,
    const struct call *call, const struct hbs_value *body, bool escaped)
    MUST_CHECK;

/* eval.c: the block of the partial being rendered, NULL when it has none. */
const struct closure *eval_partial_block(const struct frame *frame);

#endif
