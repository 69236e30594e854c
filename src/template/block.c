/*
 * block.c - {{#if}}, {{#unless}}, {{#each}}, {{#with}} and {{#value}}
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "template/render.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "template/hbs_helper.h"
#include "template/number.h"
#include "template/utf16.h"

/* A loop over the properties of an object or the elements of an array. */
struct loop {
	struct render *r;
	const struct scope *scope;
	const struct node *node;
	struct frame frame;
	size_t count;
};

/* A property that was taken out of an object to be put in order. */
struct property {
	struct part name;
	size_t order;
	struct hbs_value value;
};

/* What a helper has as "this": an empty object where the context is nothing. */
static const struct hbs_value *
this_of(const struct scope *scope)
{
	return value_is_nil(scope->context) ? &value_nothing : scope->context;
}

int
render_here(struct render *r, const struct scope *scope,
    const struct program *program)
{
	struct entry entry = { .context = this_of(scope),
		.frame = scope->frame };

	return render_program(r, program, scope, &entry);
}

/* The only argument.  A partial's block stands for what it renders to. */
static int
one_argument(struct render *r, const struct scope *scope,
    const struct call *call, struct hbs_value *v_r)
{
	if (call->argc != 1)
		return render_error(r, scope, call->path->at,
		    "#%.*s requires exactly one argument",
		    (int)call->path->len, call->path->text);
	if (eval_expr(r, scope, call->args, v_r) < 0)
		return -1;
	if (v_r->kind == VALUE_BLOCK)
		return render_block_value(r, scope, call->path->at,
		    &value_undefined, v_r);
	return 0;
}

static int
render_if(struct render *r, const struct scope *scope,
    const struct block *block, bool want)
{
	struct hbs_value v, zero;
	bool holds;

	if (one_argument(r, scope, &block->call, &v) < 0 ||
	    eval_pair(r, scope, &block->call, "includeZero", &zero) < 0)
		return -1;
	holds = value_is_true(&v);
	if (value_is_true(&zero))
		holds = !value_is_empty(&v);
	else
		holds = holds && !value_is_empty(&v);
	return render_here(r, scope,
	    holds == want ? block->program : block->inverse);
}

static int
render_with(struct render *r, const struct scope *scope,
    const struct block *block)
{
	struct hbs_value v, ignored;
	struct entry entry = { .frame = scope->frame, .given = true,
		.count = 1, .values = &v };

	if (one_argument(r, scope, &block->call, &v) < 0 ||
	    eval_pair(r, scope, &block->call, "", &ignored) < 0)
		return -1;
	if (value_is_empty(&v))
		return render_here(r, scope, block->inverse);
	entry.context = &v;
	return render_program(r, block->program, scope, &entry);
}

/* One turn; values are the element and its key. */
static int
turn(struct loop *loop, const struct hbs_value values[2])
{
	struct entry entry = { .context = &values[0], .frame = &loop->frame,
		.given = true, .count = 2, .values = values };
	struct frame *frame = &loop->frame;

	if (render_charge(loop->r, loop->scope, loop->node->at, 1) < 0)
		return -1;
	frame->key = &values[1];
	frame->first = frame->index == 0;
	frame->last = frame->index + 1 == loop->count;
	if (render_program(loop->r, loop->node->u.block.program, loop->scope,
	    &entry) < 0)
		return -1;
	frame->index++;
	return 0;
}

static int
each_element(struct loop *loop, const json_t *array)
{
	struct hbs_value values[2];
	size_t i;

	loop->count = json_array_size(array);
	values[1].kind = VALUE_INTEGER;
	for (i = 0; i < loop->count; i++) {
		value_set_json(&values[0], json_array_get(array, i));
		values[1].u.integer = (json_int_t)i;
		if (turn(loop, values) < 0)
			return -1;
	}
	return 0;
}

/* jansson's iterators want an object that may be changed; ours is not. */
static json_t *
writable(const json_t *json)
{
	union {
		const json_t *in;
		json_t *out;
	} u = { .in = json };

	return u.out;
}

/* JavaScript lists the keys that are array indices first, in their order. */
static bool
has_index_keys(json_t *object)
{
	struct part part;
	void *iter;

	for (iter = json_object_iter(object); iter != NULL;
	     iter = json_object_iter_next(object, iter)) {
		if (*json_object_iter_key(iter) > '9' ||
		    *json_object_iter_key(iter) < '0')
			continue;
		part_init(&part, json_object_iter_key(iter),
		    json_object_iter_key_len(iter));
		if (part.index >= 0)
			return true;
	}
	return false;
}

static int
by_index(const void *a, const void *b)
{
	const struct property *p = a, *q = b;

	if (p->name.index >= 0 && q->name.index >= 0)
		return p->name.index < q->name.index ? -1 : 1;
	if (p->name.index >= 0 || q->name.index >= 0)
		return p->name.index >= 0 ? -1 : 1;
	return p->order < q->order ? -1 : p->order > q->order;
}

/* How many properties the value has at most. */
static size_t
count_properties(const struct hbs_value *v)
{
	switch ((int)v->kind) {
	case VALUE_OBJECT:
		return json_object_size(v->u.json);
	case VALUE_ARRAY:
		return json_array_size(v->u.json);
	case VALUE_STRING:
		return utf16_length(v->u.text, v->len);
	case VALUE_OVERLAY:
		return v->u.overlay->count +
		    count_properties(&v->u.overlay->base);
	default:
		return 0;
	}
}

static void
add_property(struct property *list, size_t *count, const struct part *name,
    struct hbs_value value)
{
	list[*count] = (struct property){ *name, *count, value };
	*count += 1;
}

static void
add_object(struct property *list, size_t *count, json_t *object)
{
	struct part part;
	void *iter;

	for (iter = json_object_iter(object); iter != NULL;
	     iter = json_object_iter_next(object, iter)) {
		part_init(&part, json_object_iter_key(iter),
		    json_object_iter_key_len(iter));
		add_property(list, count, &part,
		    value_of_json(json_object_iter_value(iter)));
	}
}

/* The elements of an array or the characters of a string, as an overlay on it
 * has them: by number. */
static void
add_elements(struct render *r, struct property *list, size_t *count,
    const struct hbs_value *v)
{
	char room[NUMBER_TEXT_BYTES];
	struct hbs_value element;
	struct part part;
	size_t i, len, most = count_properties(v);

	for (i = 0; i < most; i++) {
		len = number_write_integer((long long)i, room);
		part_init(&part, arena_strndup(render_scratch(r), room, len),
		    len);
		element = *v;
		value_step(&element, &part);
		add_property(list, count, &part, element);
	}
}

/* The pairs of an overlay, in place of what lies below with the same name. */
static void
add_pairs(struct property *list, size_t *count, const struct overlay *overlay)
{
	const struct hash_pair *pair = overlay->pairs;
	size_t i, seen;

	for (i = 0; i < overlay->count; i++, pair = pair->next) {
		for (seen = 0; seen < *count; seen++) {
			if (list[seen].name.len == pair->name.len &&
			    memcmp(list[seen].name.text, pair->name.text,
			    pair->name.len) == 0)
				break;
		}
		if (seen == *count)
			add_property(list, count, &pair->name,
			    overlay->values[i]);
		else
			list[seen].value = overlay->values[i];
	}
}

static void
add_properties(struct render *r, struct property *list, size_t *count,
    const struct hbs_value *v)
{
	if (v->kind == VALUE_OBJECT) {
		add_object(list, count, writable(v->u.json));
	} else if (v->kind == VALUE_OVERLAY) {
		add_properties(r, list, count, &v->u.overlay->base);
		add_pairs(list, count, v->u.overlay);
	} else {
		add_elements(r, list, count, v);
	}
}

static int
each_in_order(struct loop *loop, const struct hbs_value *v)
{
	size_t i, count = 0, most = count_properties(v);
	struct property *list;
	struct hbs_value values[2];

	if (render_charge(loop->r, loop->scope, loop->node->at, most) < 0)
		return -1;
	list = arena_zalloc(render_scratch(loop->r), most + 1, sizeof(*list));
	add_properties(loop->r, list, &count, v);
	qsort(list, count, sizeof(*list), by_index);
	loop->count = count;
	for (i = 0; i < count; i++) {
		values[0] = list[i].value;
		values[1] = value_of_text(list[i].name.text, list[i].name.len);
		if (turn(loop, values) < 0)
			return -1;
	}
	return 0;
}

static int
each_property(struct loop *loop, const struct hbs_value *v)
{
	json_t *object = writable(v->u.json);
	struct hbs_value values[2];
	void *iter;

	if (has_index_keys(object))
		return each_in_order(loop, v);
	loop->count = json_object_size(object);
	for (iter = json_object_iter(object); iter != NULL;
	     iter = json_object_iter_next(object, iter)) {
		value_set_json(&values[0], json_object_iter_value(iter));
		values[1] = value_of_text(json_object_iter_key(iter),
		    json_object_iter_key_len(iter));
		if (turn(loop, values) < 0)
			return -1;
	}
	return 0;
}

static int
loop_over(struct render *r, const struct scope *scope, const struct node *node,
    const struct hbs_value *v)
{
	struct loop loop = { .r = r, .scope = scope, .node = node,
		.frame = { .up = scope->frame, .is_loop = true } };
	int status = 0;

	if (v->kind == VALUE_ARRAY)
		status = each_element(&loop, v->u.json);
	else if (v->kind == VALUE_OBJECT)
		status = each_property(&loop, v);
	else if (v->kind == VALUE_OVERLAY)
		status = each_in_order(&loop, v);
	if (status == 0 && loop.count == 0)
		return render_here(r, scope, node->u.block.inverse);
	return status;
}

static int
render_each(struct render *r, const struct scope *scope,
    const struct node *node)
{
	const struct call *call = &node->u.block.call;
	struct hbs_value v, ignored;

	if (one_argument(r, scope, call, &v) < 0 ||
	    eval_pair(r, scope, call, "", &ignored) < 0)
		return -1;
	return loop_over(r, scope, node, &v);
}

/* {{#value}}: a loop when it is an array, a branch when it is true or false,
 * else the block with the value as its context, 0 and "" included. */
static int
render_section(struct render *r, const struct scope *scope,
    const struct node *node)
{
	const struct block *block = &node->u.block;
	struct entry entry = { .frame = scope->frame, .given = true };
	struct hbs_value v;

	if (eval_call(r, scope, &block->call, &v) < 0)
		return -1;
	if (v.kind == VALUE_ARRAY)
		return loop_over(r, scope, node, &v);
	entry.context = &v;
	if (v.kind != VALUE_BOOL && !value_is_nil(&v))
		return render_program(r, block->program, scope, &entry);
	entry.context = scope->context;
	entry.given = false;
	return render_program(r, value_is_true(&v) ? block->program :
	    block->inverse, scope, &entry);
}

/* What the block renders to, without escaping, as an argument. */
static int
body_text(struct render *r, const struct scope *scope,
    const struct block *block, struct hbs_value *text_r)
{
	unsigned flags = block->call.registered->flags;
	enum hbs_escape escape = r->params.escape;
	size_t start = r->out->len, len;
	int status;

	r->params.escape = (flags & HBS_HELPER_MARKDOWN_BODY) != 0 ?
	    HBS_ESCAPE_MARKDOWN : HBS_ESCAPE_NONE;
	status = render_here(r, scope, block->program);
	r->params.escape = escape;
	if (status < 0)
		return -1;
	len = r->out->len - start;
	*text_r = value_of_text(arena_strndup(render_scratch(r),
	    r->out->data + start, len), len);
	buf_truncate(r->out, start);
	return render_charge(r, scope, block->call.path->at, len / 64);
}

/* A helper of the caller's: it chooses a branch, or makes something of the
 * block's text. */
static int
render_registered(struct render *r, const struct scope *scope,
    const struct block *block)
{
	struct hbs_value v;

	if ((block->call.registered->flags & HBS_HELPER_TEST) == 0) {
		if (body_text(r, scope, block, &v) < 0)
			return -1;
		return call_write(r, scope, &block->call, &v, true);
	}
	if (call_value(r, scope, &block->call, &v) < 0)
		return -1;
	return render_here(r, scope, value_is_true(&v) &&
	    !value_is_empty(&v) ? block->program : block->inverse);
}

int
render_block(struct render *r, const struct scope *scope,
    const struct node *node)
{
	const struct block *block = &node->u.block;
	struct hbs_value v;

	if (!block->call.is_call)
		return render_section(r, scope, node);
	switch (block->call.helper) {
	case HELPER_IF:
		return render_if(r, scope, block, true);
	case HELPER_UNLESS:
		return render_if(r, scope, block, false);
	case HELPER_EACH:
		return render_each(r, scope, node);
	case HELPER_WITH:
		return render_with(r, scope, block);
	case HELPER_REGISTERED:
		return render_registered(r, scope, block);
	case HELPER_LOOKUP:
	case HELPER_LOG:
	case HELPER_NONE:
	case HELPER_MISSING:
		break;
	}
	/* The answer of a helper that renders nothing of its block. */
	if (eval_call(r, scope, &block->call, &v) < 0)
		return -1;
	return write_value(r, scope, node->at, &v, false);
}
