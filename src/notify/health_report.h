/*
 * health_report.h - how an account at a provider is doing, for people
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_NOTIFY_HEALTH_REPORT_H
#define BELFRY_NOTIFY_HEALTH_REPORT_H

#include <jansson.h>

#include "base/compiler.h"

struct arena;
struct db;
struct err;
struct field_table;
struct provider_account;

struct health_question {
	const struct provider_account *account; /* one of the platform's: as it is doing */
	int64_t recovery_ms; /* half of a penalty is gone after it */
};

extern const struct field_table health_report_table;

/* The report as JSON, which lives as long as "a". */
int health_report(struct arena *a, struct db *db,
    const struct health_question *q, json_t **json_r, struct err *e) MUST_CHECK;

#endif
