/*
 * limits.c - how much an account at a provider is given
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "provider/limits.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "model/provider_account.h"
#include "web/js.h"

enum { LIMITS_BYTES_MAX = 4096, LIMITS_DEPTH_MAX = 4 };

static const struct field fields[] = {
	FIELD(struct account_limits, concurrency, INT, .min = 0, .max = 1024,
	    .help = "How many deliveries one spooler process has on the wire "
	            "at most. 0, the default: spooler.account_concurrency, 200 of fcm.",
	    .example = "10"),
	FIELD(struct account_limits, rate, INT, .min = 0, .max = 1000000,
	    .help = "How many deliveries all spoolers together start in "
	            "rate_per at most. 0, the default: as many as they can.",
	    .example = "14"),
	FIELD(struct account_limits, rate_per, DURATION, .min = 1000,
	    .max = 86400000, .flags = FIELD_DEFAULT, .def = 1000,
	    .help = "The time that rate is meant for.", .example = "\"1s\""),
	FIELD(struct account_limits, per_day, INT, .min = 0, .max = 1000000000,
	    .help = "How many deliveries all spoolers together start on a day "
	            "of UTC at most. 0, the default: as many as they can.",
	    .example = "50000"),
	FIELD(struct account_limits, warmup_start, INT, .min = 0,
	    .max = 1000000000,
	    .help = "With it per_day is reached step by step: on the first day "
	            "so many, then each day by the same factor more.",
	    .example = "200"),
	FIELD(struct account_limits, warmup_days, INT, .min = 1, .max = 365,
	    .flags = FIELD_DEFAULT, .def = 30,
	    .help = "How many days that takes.", .example = "30"),
};

const struct field_table account_limits_table = FIELD_TABLE("AccountLimits",
    struct account_limits, fields,
    "How much an account at a provider is given.");

static int
check(const struct account_limits *l, struct field_errors *fe)
{
	if (l->warmup_start > 0 && l->per_day == 0)
		return field_errors_add(fe, "/warmup_start",
		    FIELD_ERR_CONFLICTING, "a warm-up needs per_day");
	if (l->warmup_start > l->per_day)
		return field_errors_add(fe, "/warmup_start",
		    FIELD_ERR_CONFLICTING,
		    "a warm-up cannot begin above per_day");
	return 0;
}

int
limits_set(struct arena *a, json_t *limits, struct provider_account *account,
    struct field_errors *fe, struct err *e)
{
	struct account_limits l = { 0 };
	struct buf *text;
	size_t before = fe->count;

	account->limits = "{}";
	if (limits == NULL)
		return 0;
	if (fields_read(a, limits, &account_limits_table, &l, fe) == -1 ||
	    check(&l, fe) == -1)
		return err_set(e, ERR_UNPROCESSABLE, "limit \"%s\": %s",
		    before == 0 && fe->first->pointer[0] == '/'
		        ? fe->first->pointer + 1
		        : "",
		    fe->last->detail);
	text = buf_new(a, LIMITS_BYTES_MAX);
	js_write(text, limits);
	account->limits = text->data;
	return 0;
}

const struct account_limits *
limits_of(struct arena *a, const struct provider_account *account)
{
	struct account_limits *l = arena_object(a, struct account_limits);
	struct field_errors fe;
	struct err e;
	json_t *json;

	field_errors_init(&fe, a);
	if (account->limits == NULL ||
	    js_parse(a, account->limits, strlen(account->limits),
	        LIMITS_DEPTH_MAX, &json, &e) == -1 ||
	    fields_read(a, json, &account_limits_table, l, &fe) == -1)
		*l = (struct account_limits){ .rate_per = 1000 };
	return l;
}
