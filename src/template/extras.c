/*
 * extras.c - the table of the extra helpers
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "template/extra.h"
#include "template/hbs_extras.h"

enum {
	TEST = HBS_HELPER_TEST,
	MAY_MISS = HBS_HELPER_MAY_MISS,
};

static const struct hbs_helper list[] = {
	{ "and", extra_and, 2, HBS_ARGS_MAX, TEST, NULL },
	{ "default", extra_default, 2, HBS_ARGS_MAX, MAY_MISS, NULL },
	{ "eq", extra_eq, 2, 2, TEST, NULL },
	{ "ge", extra_ge, 2, 2, TEST, NULL },
	{ "gt", extra_gt, 2, 2, TEST, NULL },
	{ "le", extra_le, 2, 2, TEST, NULL },
	{ "lt", extra_lt, 2, 2, TEST, NULL },
	{ "ne", extra_ne, 2, 2, TEST, NULL },
	{ "not", extra_not, 1, 1, TEST, NULL },
	{ "or", extra_or, 2, HBS_ARGS_MAX, TEST, NULL },
};

const struct hbs_helpers hbs_extras = { list, NELEMS(list) };
