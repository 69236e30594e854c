/*
 * extra_logic.c - eq ne lt le gt ge, and or not, default
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Data come from many hands, so a number may be a text: 5 equals "5".  Nothing
 * else is turned into something else: 0, "", false and what is missing are four
 * different things to "eq".
 */
#include <string.h>

#include "template/extra.h"
#include "template/hbs_helper.h"

/* How two values stand to each other. */
enum order {
	ORDER_NONE, /* they cannot be compared */
	ORDER_LESS,
	ORDER_EQUAL,
	ORDER_GREATER,
};

static bool
is_number(const struct hbs_value *v)
{
	return v->kind == VALUE_INTEGER || v->kind == VALUE_REAL;
}

static enum order
compare_numbers(double a, double b)
{
	return a < b ? ORDER_LESS : a > b ? ORDER_GREATER :
	    a == b ? ORDER_EQUAL : ORDER_NONE;
}

static enum order
compare_texts(const struct hbs_value *a, const struct hbs_value *b)
{
	size_t len = a->len < b->len ? a->len : b->len;
	int order = len == 0 ? 0 : memcmp(a->u.text, b->u.text, len);

	if (order == 0)
		order = (a->len > b->len) - (a->len < b->len);
	return order < 0 ? ORDER_LESS : order > 0 ? ORDER_GREATER :
	    ORDER_EQUAL;
}

static enum order
compare_integers(const struct hbs_value *a, const struct hbs_value *b)
{
	return a->u.integer < b->u.integer ? ORDER_LESS :
	    a->u.integer > b->u.integer ? ORDER_GREATER : ORDER_EQUAL;
}

static enum order
compare(const struct hbs_value *a, const struct hbs_value *b)
{
	double x, y;

	if (a->kind == VALUE_INTEGER && b->kind == VALUE_INTEGER)
		return compare_integers(a, b);
	if (extra_number(a, &x) && extra_number(b, &y))
		return compare_numbers(x, y);
	if (a->kind == VALUE_STRING && b->kind == VALUE_STRING)
		return compare_texts(a, b);
	return ORDER_NONE;
}

static bool
equals(const struct hbs_value *a, const struct hbs_value *b)
{
	if (value_is_nil(a) || value_is_nil(b))
		return value_is_nil(a) && value_is_nil(b);
	if (a->kind == VALUE_STRING && b->kind == VALUE_STRING)
		return compare_texts(a, b) == ORDER_EQUAL;
	if (is_number(a) || is_number(b))
		return compare(a, b) == ORDER_EQUAL;
	if (a->kind == VALUE_BOOL && b->kind == VALUE_BOOL)
		return a->u.truth == b->u.truth;
	return a->kind == b->kind && a->kind != VALUE_BLOCK &&
	    a->u.json == b->u.json;
}

static int
say_order(struct hbs_call *call, enum order a, enum order b)
{
	enum order found = compare(&call->args[0], &call->args[1]);

	hbs_say_bool(call, found != ORDER_NONE && (found == a || found == b));
	return 0;
}

int
extra_eq(struct hbs_call *call)
{
	hbs_say_bool(call, equals(&call->args[0], &call->args[1]));
	return 0;
}

int
extra_ne(struct hbs_call *call)
{
	hbs_say_bool(call, !equals(&call->args[0], &call->args[1]));
	return 0;
}

int
extra_lt(struct hbs_call *call)
{
	return say_order(call, ORDER_LESS, ORDER_LESS);
}

int
extra_le(struct hbs_call *call)
{
	return say_order(call, ORDER_LESS, ORDER_EQUAL);
}

int
extra_gt(struct hbs_call *call)
{
	return say_order(call, ORDER_GREATER, ORDER_GREATER);
}

int
extra_ge(struct hbs_call *call)
{
	return say_order(call, ORDER_GREATER, ORDER_EQUAL);
}

/* What {{#if}} takes for true. */
static bool
holds(const struct hbs_value *v)
{
	return value_is_true(v) && !value_is_empty(v);
}

/* The first argument that decides, or the last one. */
static int
say_deciding(struct hbs_call *call, bool deciding)
{
	unsigned i;

	for (i = 0; i + 1 < call->argc; i++)
		if (holds(&call->args[i]) == deciding)
			break;
	hbs_say_value(call, &call->args[i]);
	return 0;
}

int
extra_and(struct hbs_call *call)
{
	return say_deciding(call, false);
}

int
extra_or(struct hbs_call *call)
{
	return say_deciding(call, true);
}

int
extra_not(struct hbs_call *call)
{
	hbs_say_bool(call, !holds(&call->args[0]));
	return 0;
}

/* The first that is there: 0 and false are, an empty text is not. */
int
extra_default(struct hbs_call *call)
{
	unsigned i;

	for (i = 0; i + 1 < call->argc; i++)
		if (!value_is_nil(&call->args[i]) &&
		    (call->args[i].kind != VALUE_STRING ||
		    call->args[i].len > 0))
			break;
	hbs_say_value(call, &call->args[i]);
	return 0;
}
