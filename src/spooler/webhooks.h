/*
 * webhooks.h - what the two files of the station for webhooks share
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * webhooks.c finds, leases and posts messages; webhook_outcomes.c writes what came of them,
 * and warns of endpoints that fail.
 */
#ifndef BELFRY_SPOOLER_WEBHOOKS_H
#define BELFRY_SPOOLER_WEBHOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/id.h"
#include "db/pool.h"
#include "notify/webhook_post.h"

struct arena;
struct buf;
struct doubt;
struct keyring;
struct pile;
struct spooler;
struct transfer_result;

/* An endpoint that has, or had, something due.  It goes when it has not and nothing of it
 * is on the wire. */
struct target {
	struct target *next;
	struct arena *a; /* its own */
	struct tenant_id tenant;
	struct uuid endpoint;
	int in_flight;
	bool marked; /* may have something due */
	bool claiming;
};

struct webhooks {
	struct spooler *sp;
	struct keyring *ring;
	struct webhook_policy policy;
	struct target *targets;
	struct pile *piles;
	struct doubt *doubts;
	int in_flight;
	int claims; /* under way, each of another endpoint */
	int claimed; /* messages that they may take */
	bool polling, rescuing, measuring;
	int64_t next_poll_ms, polled_ms;
	int64_t next_rescue_ms, next_measure_ms;
};

/* A message on the wire. */
struct post {
	struct arena *a; /* holds all of it */
	struct webhooks *w;
	struct target *target;
	struct uuid spooler; /* that holds the lease */
	struct uuid message, attempt;
	int n; /* which attempt */
	int round; /* the same since the last redelivery */
	const struct buf *body;
	int64_t started_us;
	bool chained; /* another one waits for it, maybe */
};

/* It has come to its outcome, which is kept until it is written; res is NULL when it did not
 * even begin.  The post is gone then. */
void webhook_land(struct post *po, const struct webhook_outcome *o,
    const struct transfer_result *res);
/* The same without any outcome. */
void webhook_forget(struct post *po);

/* The endpoint may have something due. */
void webhooks_mark(struct webhooks *w, struct tenant_id tenant,
    struct uuid endpoint);

/* Writes what is old enough; "all": whatever there is. */
void webhook_outcomes_service(struct webhooks *w, bool all);
/* Milliseconds until something is to be written; -1: nothing waits. */
int webhook_outcomes_timeout_ms(const struct webhooks *w);

/* A job whose one batch has one query, whose rows "then" gets.  "what" is for the log. */
struct job {
	struct pool_job job;
	struct webhooks *w;
	struct tenant_id tenant;
	struct uuid endpoint;
	bool *running; /* cleared at the end */
	void (*then)(struct job *j, const struct db_rows *rows);
	const char *what;
	const char *reason; /* of warnings */
	int percent; /* the same */
};
struct job *webhook_job_new(struct webhooks *w, const char *what,
    void (*then)(struct job *, const struct db_rows *)) MUST_CHECK;

#endif
