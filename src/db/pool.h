/*
 * pool.h - connections for an event loop
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A few non-blocking connections and a queue of jobs.  A job owns a connection from
 * its first batch until its transaction ends; jobs without a free connection wait in
 * order.  A job's step function is called with the results of each batch; it queues
 * the next batch of an open transaction with pool_continue().  A lost connection
 * fails the job that had it and is made again by itself, at most once a second.
 */
#ifndef BELFRY_DB_POOL_H
#define BELFRY_DB_POOL_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#include "db/db.h"

struct pool;

/* A transaction in the making.  Embedded in the caller's own struct. */
struct pool_job {
	struct arena *a; /* of the job: results live here */
	/* Called once per batch: rows (one per query) with e NULL, or rows NULL with
	 * the error, after which the transaction is gone.  When the batch left the
	 * transaction open, step() must call pool_continue() (with a batch that
	 * goes on, commits or rolls back) before it returns.  The job may be freed
	 * in step() once its transaction has ended. */
	void (*step)(struct pool_job *job, struct db_rows **rows,
	    const struct err *e);
	struct pool_job *next; /* of the pool */
	struct db_batch *batch; /* of the pool */
	void *conn; /* of the pool */
};

/* Lives in "a"; connects in the background. */
struct pool *pool_new(struct arena *a, const struct db_params *params,
    int connections) MUST_CHECK;

/* Queues a job's first batch (DB_ONE, DB_BEGIN or DB_PLAIN). */
void pool_submit(struct pool *p, struct pool_job *job, struct db_batch *b);

/* From within step(): what to send next (DB_CONTINUE, DB_COMMIT, DB_ROLLBACK). */
void pool_continue(struct pool *p, struct pool_job *job, struct db_batch *b);

/* How many jobs wait or run; how many connections are idle. */
int pool_jobs(const struct pool *p);
int pool_idle(const struct pool *p);

/* True while at least one connection is up. */
bool pool_is_up(const struct pool *p);

/* How many connections have come up so far. */
unsigned pool_connects(const struct pool *p);

/* What to poll for; returns how many of fds were filled (at most max). */
int pool_fds(struct pool *p, struct pollfd *fds, int max);

/* Goes on with whatever can go on without blocking; call after each poll. */
void pool_service(struct pool *p);

/* The longest time to sleep in poll, for reconnecting. */
int pool_timeout_ms(const struct pool *p);

/* Why the last attempt to connect failed, or "". */
const char *pool_trouble(const struct pool *p);

#endif
