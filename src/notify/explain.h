/*
 * explain.h - why something went its way, and which way something would go
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The answer for a notification that is not sent comes from the same functions that
 * route one; nothing is written.
 */
#ifndef BELFRY_NOTIFY_EXPLAIN_H
#define BELFRY_NOTIFY_EXPLAIN_H

#include <jansson.h>

#include "base/compiler.h"
#include "base/id.h"

struct accept_params;
struct arena;
struct db;
struct err;

struct explain_question {
	struct tenant_id tenant;
	struct notification_id notification;
	int64_t dead_after_ms; /* an age at which a silent spooler is dead */
};

/* Of each delivery what became of it, the decisions that led there, and what it waits for
 * now.  Returns 1 and a new reference, 0 when there is no such notification, or -1. */
int explain_notification(struct arena *a, struct db *db,
    const struct explain_question *q, json_t **json_r, struct err *e) MUST_CHECK;

/* What would become of a request that accept_check() has passed.  A new reference. */
int explain_request(struct arena *a, const struct accept_params *p,
    json_t **json_r, struct err *e) MUST_CHECK;

#endif
