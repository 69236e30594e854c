/*
 * conn.h - one connection in pipeline mode
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What db.c (blocking) and pool.c (in a loop) have in common: writing a batch into
 * the pipeline and reading its results back.
 */
#ifndef BELFRY_DB_CONN_H
#define BELFRY_DB_CONN_H

#include <libpq-fe.h>

#include "db/db.h"

/* What a message of the pipeline was, so that its result is known when it comes. */
enum conn_sent {
	CONN_SENT_OWN,
	CONN_SENT_PREPARE_OWN,
	CONN_SENT_QUERY,
	CONN_SENT_PREPARE
};
/* Statements beside the table of queries. */
enum conn_own { CONN_BEGIN, CONN_COMMIT, CONN_ROLLBACK, CONN_TENANT, CONN_OWN_COUNT };
enum { CONN_SENT_MAX = 64 };

/* A query that is prepared for one week's partitions.  Should a connection ever see more
 * of them, queries go by the parents. */
struct conn_leaf {
	enum query query;
	int week;
};
enum { CONN_LEAVES_MAX = 256 };

struct db_conn {
	PGconn *pg; /* NULL: not connected */
	const struct db_params *params;
	bool prepared[QUERY_COUNT];
	struct conn_leaf leaves[CONN_LEAVES_MAX];
	size_t leaf_count;
	bool prepared_own[CONN_OWN_COUNT];
	bool open; /* a transaction is open between two batches */
	bool read_only; /* it said so */
	int64_t ready_ms; /* mono: the session began */
	/* The batch that is under way. */
	const struct db_batch *batch;
	struct {
		enum conn_sent kind;
		enum query query;
		int week;
	} sent[CONN_SENT_MAX];
	size_t want; /* messages sent, without the Sync */
	size_t got; /* results read of them */
	struct db_rows **rows; /* of the batch's queries */
	size_t rows_count;
	bool failed;
	bool doubtful; /* committed, but perhaps on this server alone */
	struct err *e; /* of the first failed query */
};

/* The keywords for PQconnectdbParams and PQconnectStartParams. */
enum { CONN_WORDS = 12, CONN_TIMEOUT_BYTES = 24 };
void conn_words(const struct db_conn *c, const char *keys[CONN_WORDS],
    const char *values[CONN_WORDS], char timeout[CONN_TIMEOUT_BYTES]);

/* Makes a fresh PGconn ready: pipeline mode, notices heard. */
int conn_ready(struct db_conn *c, struct err *e);

/* Writes a batch and its Sync into the pipeline.  -1: the connection is broken. */
int conn_send(struct db_conn *c, struct arena *a, const struct db_batch *b,
    struct err *e);

/* Takes one result from libpq.  Returns 1 when the pipeline's end was read, 0 when more
 * is to come, -1 when the connection is broken. */
int conn_take(struct db_conn *c, struct arena *a, PGresult *res);

/* After the end: 0, or -1 with *e set by the first failed query. */
int conn_finish(struct db_conn *c, struct err *e);

/* The error of a connection that broke while "b" was under way. */
int conn_lost(const struct db_conn *c, const struct db_batch *b, struct err *e);

/* Is it of no more use, though it is sound?  A session may not write for good when it
 * began as the database or its role had default_transaction_read_only. */
bool conn_is_stale(const struct db_conn *c);

void conn_close(struct db_conn *c);

#endif
