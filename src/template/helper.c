/*
 * helper.c - registered helpers while a template is compiled
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "template/helper.h"

#include <stdio.h>
#include <string.h>

#include "template/error.h"
#include "template/hbs_helper.h"
#include "template/parser.h"
#include "template/tree.h"

static int
compare_name(const char *a, const char *b, size_t len)
{
	int order = strncmp(a, b, len);

	return order != 0 ? order : a[len] != '\0';
}

const struct hbs_helper *
helper_find(const struct hbs_helpers *set, const char *name, size_t len)
{
	size_t low = 0, high = set == NULL ? 0 : set->count, middle;
	int order;

	while (low < high) {
		middle = low + (high - low) / 2;
		order = compare_name(set->list[middle].name, name, len);
		if (order == 0)
			return &set->list[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static unsigned
least(unsigned a, unsigned b, unsigned c)
{
	unsigned ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* How many characters have to be put in, taken out or replaced. */
static unsigned
distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned row[HBS_HELPER_NAME_MAX + 1], corner, above;
	size_t i, j;

	if (a_len > HBS_HELPER_NAME_MAX || b_len > HBS_HELPER_NAME_MAX)
		return HBS_HELPER_NAME_MAX;
	for (j = 0; j <= b_len; j++)
		row[j] = (unsigned)j;
	for (i = 1; i <= a_len; i++) {
		corner = row[0];
		row[0] = (unsigned)i;
		for (j = 1; j <= b_len; j++) {
			above = row[j];
			row[j] = least(row[j] + 1, row[j - 1] + 1,
			    corner + (a[i - 1] != b[j - 1]));
			corner = above;
		}
	}
	return row[b_len];
}

const char *
nearest_name(const char *(*next)(const void *arg, size_t i), const void *arg,
    const char *name, size_t len)
{
	unsigned best = len < 3 ? 2 : len < 6 ? 3 : 4, found;
	const char *near = NULL, *it;
	size_t i;

	for (i = 0; (it = next(arg, i)) != NULL; i++) {
		found = distance(name, len, it, strlen(it));
		if (found >= best)
			continue;
		best = found;
		near = it;
	}
	return near;
}

/* The names of a set, after those that the language brings along. */
static const char *
next_helper(const void *arg, size_t i)
{
	static const char *const built_in[] = { "if", "unless", "each", "with",
		"lookup", "log" };
	const struct hbs_helpers *set = arg;

	if (i < NELEMS(built_in))
		return built_in[i];
	i -= NELEMS(built_in);
	return set != NULL && i < set->count ? set->list[i].name : NULL;
}

int
helper_unknown(struct parser *p, const struct path *path)
{
	const char *near = nearest_name(next_helper, p->helpers, path->text,
	    path->len);

	if (near == NULL)
		return error_at(p->e, p->source, path->at,
		    "unknown helper \"%.*s\"", (int)path->len, path->text);
	return error_at(p->e, p->source, path->at,
	    "unknown helper \"%.*s\"; did you mean \"%s\"?", (int)path->len,
	    path->text, near);
}

static const char *
next_pair(const void *arg, size_t i)
{
	const struct hbs_helper *helper = arg;

	return helper->pairs[i];
}

static int
unknown_pair(struct parser *p, const struct hbs_helper *helper,
    const struct hash_pair *pair)
{
	const char *near = helper->pairs == NULL ? NULL : nearest_name(
	    next_pair, helper, pair->name.text, pair->name.len);

	return error_at(p->e, p->source, pair->value->at,
	    "\"%s\" knows no \"%.*s=\"%s%s%s", helper->name,
	    (int)pair->name.len, pair->name.text,
	    near == NULL ? "" : "; did you mean \"",
	    near == NULL ? "" : near, near == NULL ? "" : "=\"?");
}

static int
check_pairs(struct parser *p, const struct hbs_helper *helper,
    const struct call *call)
{
	const struct hash_pair *pair;
	const char *const *known;

	if ((helper->flags & HBS_HELPER_ANY_PAIRS) != 0)
		return 0;
	for (pair = call->pairs; pair != NULL; pair = pair->next) {
		known = helper->pairs;
		while (known != NULL && *known != NULL &&
		    compare_name(*known, pair->name.text, pair->name.len) != 0)
			known++;
		if (known == NULL || *known == NULL)
			return unknown_pair(p, helper, pair);
	}
	return 0;
}

/* "an argument", "2 arguments", "1 to 3 arguments". */
static int
wrong_count(struct parser *p, const struct hbs_helper *helper,
    const struct call *call, unsigned given)
{
	char wanted[40];

	if (helper->args_min != helper->args_max)
		snprintf(wanted, sizeof(wanted), "%u to %u arguments",
		    helper->args_min, helper->args_max);
	else if (helper->args_min == 1)
		snprintf(wanted, sizeof(wanted), "one argument");
	else
		snprintf(wanted, sizeof(wanted), "%u arguments",
		    helper->args_min);
	return error_at(p->e, p->source, call->path->at,
	    "\"%s\" takes %s, not %u", helper->name, wanted, given);
}

int
helper_check(struct parser *p, const struct call *call, bool in_block)
{
	const struct hbs_helper *helper = call->registered;
	const unsigned body = HBS_HELPER_BODY | HBS_HELPER_MARKDOWN_BODY;
	unsigned given = call->argc;

	if (!call->is_call || helper == NULL)
		return 0;
	if (in_block && (helper->flags & body) != 0)
		given++;
	else if (in_block && (helper->flags & HBS_HELPER_TEST) == 0)
		return error_at(p->e, p->source, call->path->at,
		    "\"%s\" takes no block", helper->name);
	if (given < helper->args_min || given > helper->args_max)
		return wrong_count(p, helper, call, given);
	return check_pairs(p, helper, call);
}
