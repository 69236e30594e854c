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

struct accept_params;
struct arena;
struct db_rows;
struct err;

/* A new reference from the rows of notification_get and notification_deliveries: of each
 * delivery what became of it, and the decisions that led there. */
json_t *explain_json(const struct db_rows *notification,
    const struct db_rows *deliveries);

/* What would become of a request that accept_check() has passed.  A new reference. */
int explain_request(struct arena *a, const struct accept_params *p,
    json_t **json_r, struct err *e) MUST_CHECK;

#endif
