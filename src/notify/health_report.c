/*
 * health_report.c - how an account at a provider is doing, for people
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "notify/health_report.h"

#include <math.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "db/db.h"
#include "model/provider_account.h"
#include "web/field.h"

struct report {
	struct field_mask mask;
	int breaker;
	int64_t failures;
	int64_t refusals;
	int64_t next_try_at;
	int64_t blocked_until;
	int64_t weight_percent;
	int64_t granted_today;
};

/* In the order of enum breaker_state, which counts from 1. */
static const char *const breakers[] = { "closed", "open", "half_open", NULL };

static const struct field fields[] = {
	FIELD(struct report, breaker, ENUM, .words = breakers,
	    .help = "Closed: it is used. Open: nothing but failures came from it, "
	            "so it is left alone. Half open: a delivery tries it."),
	FIELD(struct report, failures, INT,
	    .help = "Failures in a row after which another account had its turn."),
	FIELD(struct report, refusals, INT,
	    .help = "How often in a row its credentials were refused."),
	FIELD(struct report, next_try_at, TIME, .flags = FIELD_NULLABLE,
	    .help = "When a delivery may try it again, while it is not closed."),
	FIELD(struct report, blocked_until, TIME, .flags = FIELD_NULLABLE,
	    .help = "It asked for no request before."),
	FIELD(struct report, weight_percent, INT,
	    .help = "How much of its weight it has after its last failures."),
	FIELD(struct report, granted_today, INT,
	    .help = "Deliveries started today (UTC), of an account with per_day."),
};

const struct field_table health_report_table = FIELD_TABLE("ProviderHealth",
    struct report, fields, "How an account at a provider is doing.");

enum column {
	STATE,
	FAILURES,
	REFUSALS,
	OPENED_UNTIL,
	BLOCKED_UNTIL,
	PENALTY,
	PENALISED,
	USED
};

static int64_t
weight_percent(const struct db_rows *r, int64_t recovery_ms)
{
	double penalty = (double)db_int(r, 0, PENALTY) / 1000;
	double halves = (double)(clock_wall_ms() - db_time_ms(r, 0, PENALISED)) /
	    (double)recovery_ms;

	return llround(100 * (1 - penalty * exp2(-fmax(halves, 0))));
}

int
health_report(struct arena *a, struct db *db, const struct health_question *q,
    json_t **json_r, struct err *e)
{
	const struct provider_account *itself =
	    provider_account_itself(q->account);
	struct db_batch *b;
	struct db_rows **rows, *r;
	struct report report;

	if (itself == NULL)
		return err_set(e, ERR_NOT_FOUND,
		    "the platform's account is gone");
	b = db_batch_new(a, itself->tenant, DB_ONE);
	db_add(b, Q_HEALTH_GET);
	db_arg_int(b, itself->tenant.n);
	db_arg_uuid(b, &itself->id.u);
	if (db_run(db, a, b, &rows, e) == -1)
		return -1;
	r = rows[0];
	report = (struct report){
		.breaker = (int)db_int(r, 0, STATE) - 1,
		.failures = db_int(r, 0, FAILURES),
		.refusals = db_int(r, 0, REFUSALS),
		.next_try_at = db_time_ms(r, 0, OPENED_UNTIL),
		.blocked_until = db_time_ms(r, 0, BLOCKED_UNTIL),
		.weight_percent = weight_percent(r, q->recovery_ms),
		.granted_today = db_int(r, 0, USED),
	};
	*json_r = fields_write(a, &health_report_table, &report);
	/* How much others send is not told. */
	if (itself != q->account)
		json_object_del(*json_r, "granted_today");
	return 0;
}
