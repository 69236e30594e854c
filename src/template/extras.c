/*
 * extras.c - the table of the extra helpers
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "template/extra.h"
#include "template/hbs_extras.h"

enum {
	TEST = HBS_HELPER_TEST,
	BODY = HBS_HELPER_BODY,
	MAY_MISS = HBS_HELPER_MAY_MISS,
};

static const char *const case_pairs[] = { "locale", NULL };
static const char *const currency_pairs[] = { "digits", "locale", "minor",
	"style", NULL };
static const char *const date_pairs[] = { "locale", "pattern", "skeleton",
	"time", "zone", NULL };
static const char *const join_pairs[] = { "field", "last", "locale", "style",
	NULL };
static const char *const json_pairs[] = { "indent", NULL };
static const char *const markdown_pairs[] = { "inline", NULL };
static const char *const number_pairs[] = { "digits", "locale", "style",
	NULL };
static const char *const plural_pairs[] = { "few", "locale", "many", "one",
	"ordinal", "other", "two", "zero", NULL };
static const char *const truncate_pairs[] = { "ellipsis", "locale", "words",
	NULL };

static const struct hbs_helper list[] = {
	{ "and", extra_and, 2, HBS_ARGS_MAX, TEST, NULL },
	{ "capitalize", extra_capitalize, 1, 1, BODY, case_pairs },
	{ "currency", extra_currency, 2, 2, 0, currency_pairs },
	{ "date", extra_date, 1, 2, 0, date_pairs },
	{ "default", extra_default, 2, HBS_ARGS_MAX, MAY_MISS, NULL },
	{ "eq", extra_eq, 2, 2, TEST, NULL },
	{ "ge", extra_ge, 2, 2, TEST, NULL },
	{ "gt", extra_gt, 2, 2, TEST, NULL },
	{ "join", extra_join, 1, 2, 0, join_pairs },
	{ "json", extra_json, 1, 1, MAY_MISS | HBS_HELPER_JSON, json_pairs },
	{ "le", extra_le, 2, 2, TEST, NULL },
	{ "lowercase", extra_lowercase, 1, 1, BODY, case_pairs },
	{ "lt", extra_lt, 2, 2, TEST, NULL },
	{ "markdown", extra_markdown, 1, 1, HBS_HELPER_MARKDOWN_BODY,
		markdown_pairs },
	{ "ne", extra_ne, 2, 2, TEST, NULL },
	{ "not", extra_not, 1, 1, TEST, NULL },
	{ "number", extra_decimal, 1, 1, 0, number_pairs },
	{ "or", extra_or, 2, HBS_ARGS_MAX, TEST, NULL },
	{ "plural", extra_plural, 1, 1, 0, plural_pairs },
	{ "t", extra_t, 1, 2, HBS_HELPER_ANY_PAIRS, NULL },
	{ "truncate", extra_truncate, 2, 2, BODY, truncate_pairs },
	{ "uppercase", extra_uppercase, 1, 1, BODY, case_pairs },
	{ "url_encode", extra_url_encode, 1, 1, BODY, NULL },
};

const struct hbs_helpers hbs_extras = { list, NELEMS(list) };
