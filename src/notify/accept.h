/*
 * accept.h - the first station: a notification becomes durable
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What was validated goes into the database in one transaction and one round trip:
 * the notification, its row in lane "route", and the idempotency key; or, when the
 * spooler of this host has little to do, its deliveries with their leases instead of that
 * row (express.h).  Only then is anything answered.  The spooler is told by its
 * doorbell; should that be lost, the next poll finds the row.
 */
#ifndef BELFRY_NOTIFY_ACCEPT_H
#define BELFRY_NOTIFY_ACCEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/compiler.h"
#include "base/id.h"
#include "web/rate_limit.h"

struct arena;
struct config;
struct db;
struct err;
struct field_errors;
struct known;
struct notification;
struct prefix_limit;
struct send_request;
struct template_head;

struct accept_params {
	const struct config *config;
	struct db *db;
	struct known *known; /* NULL: for belfryctl, which is never refused */
	struct tenant_id tenant;
	struct account_id account;
	const struct send_request *request;
	json_t *body; /* the request as it came, which "request" was read from */
	const void *raw; /* its bytes, compared when a key is used again */
	size_t raw_bytes;
	const struct template_head *template; /* NULL with inline content */
	bool test; /* simulators alone send it */
	const struct prefix_limit *prefixes; /* NULL: none */
	unsigned forbidden; /* channels that the tenant may not send by, as bits */
	const char *idempotency_key; /* or NULL */
	const char *request_id;
	const char *traceparent; /* or NULL */
};

struct accept_result {
	/* With ERR_LIMITED: the state of the limit, and where the recipient stands who
	 * is too many. */
	struct rate_state limit;
	const char *pointer;
	bool replayed; /* the answer to an earlier request with the same key */
	int status;
	const char *location;
	const char *body; /* JSON */
};

/* Checks what the field table cannot: recipients without an address, missing variables,
 * channels without a part, times.  0, or -1 with faults added to "fe". */
int accept_check(struct arena *a, const struct accept_params *p,
    struct field_errors *fe) MUST_CHECK;

/* Makes it durable.  0 with *result_r in "a", or -1: KEY_REUSED when the key came with
 * another body, LIMITED (then its limit is set), QUEUE_FULL or OVERLOADED when too much
 * waits, TEMPORARY when the database cannot be reached, UNCERTAIN when its answer
 * to COMMIT was lost and could not be looked up. */
int accept_notification(struct arena *a, const struct accept_params *p,
    struct accept_result *result_r, struct err *e) MUST_CHECK;

/* What the database and the stations after this one get to see of a request, under a new
 * id; and the channels that there is content for, as bits. */
void accept_describe(struct arena *a, const struct accept_params *p,
    struct notification *n_r);
unsigned accept_parts(const struct accept_params *p);

#endif
