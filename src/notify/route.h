/*
 * route.h - the second station: who is reached where
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A claimed notification becomes deliveries: for each recipient the channels that are
 * asked for and possible.  Those that may start at once are written with their lease and
 * their first attempt in the claim's own transaction (write-ahead), so one commit lies
 * between the claim and the first byte to a provider.
 */
#ifndef BELFRY_NOTIFY_ROUTE_H
#define BELFRY_NOTIFY_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/id.h"
#include <jansson.h>

#include "notify/work.h"

struct arena;
struct db_batch;
struct db_rows;
struct gate;
struct health;
struct page;
struct prefix_limit;

/* The columns that both claims begin with, from "first" on, as a notification. */
void notification_from_row(struct arena *a, const struct db_rows *rows, int row,
    struct notification *n_r);

/* Adds the queries for the stored recipients that the notifications name, and for their
 * devices. */
enum { ROUTE_RECIPIENT_QUERIES = 2 };
void route_recipients_add(struct arena *a, struct db_batch *b,
    struct tenant_id tenant, const struct notification *n, size_t count);

/* Adds the query for what is suppressed of all their addresses. */
void route_suppressed_add(struct arena *a, struct db_batch *b,
    struct tenant_id tenant, const struct notification *n, size_t count);

/* The user_ids of its recipients who are not stored: a list that lives in "a". */
json_t *route_strangers(struct arena *a, const struct notification *n,
    const struct db_rows *stored) MUST_CHECK;

struct route_params {
	struct tenant_id tenant;
	const struct page *page;
	const struct db_rows *recipients; /* stored ones, or NULL */
	json_t *users; /* what the tenant's service knows, by user_id; NULL: nothing */
	const struct db_rows *suppressed; /* or NULL: nothing is */
	const struct db_rows *devices; /* of theirs, or NULL */
	bool deferred; /* what cannot start goes to the queues of what was deferred */
	size_t room; /* how many deliveries may start now */
	const struct health *health; /* NULL: every account is well */
	struct gate *gate; /* NULL: there is room at every account */
	int64_t account_delay_ms; /* how long to wait for an account that can be used */
	const struct prefix_limit *prefixes; /* for numbers looked up; NULL: none */
	int64_t now_ms;
};

/* Plans the deliveries of one notification; adds them to the list. */
struct delivery_list {
	struct delivery *list;
	size_t count, cap;
};
void route_plan(struct arena *a, const struct route_params *p,
    struct notification *n, struct delivery_list *out);

/* Adds the queries that write what was planned for the notifications. */
void route_write_add(struct arena *a, struct db_batch *b,
    struct tenant_id tenant, const struct uuid *spooler,
    const struct delivery_list *deliveries);
void route_routed_add(struct arena *a, struct db_batch *b,
    struct tenant_id tenant, const struct notification *n, size_t count,
    const struct delivery_list *deliveries);

#endif
