/*
 * db.c - a blocking connection to PostgreSQL
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "db/db.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/metrics.h"
#include "db/batch.h"
#include "db/conn.h"
#include "db/rows.h"

enum { CANCEL_WAIT_MS = 1000 };

struct db {
	struct db_conn conn;
	struct db_params params;
	bool was_connected;
	bool held; /* db_hold() */
	bool spoiled; /* since then something was taken back */
};

struct db_params
db_params_from(const struct config *config, const char *user,
    const char *program)
{
	return (struct db_params){
		.conninfo = config->database_conninfo,
		.user = user,
		.program = program,
		.prepare = config->database_prepared_statements,
		.connect_timeout_ms = config->database_connect_timeout,
	};
}

static void
defer_db(void *p)
{
	db_disconnect(p);
}

struct db *
db_new(struct arena *a, const struct db_params *params)
{
	struct db *db = arena_object(a, struct db);

	db->params = *params;
	db->conn.params = &db->params;
	arena_defer(a, defer_db, db);
	return db;
}

void
db_disconnect(struct db *db)
{
	conn_close(&db->conn);
}

/* While nothing is asked nothing is answered, but for the server's good-bye: seen here,
 * it costs a connection and no request. */
static bool
is_gone(const struct db_conn *c)
{
	struct pollfd p = { .fd = PQsocket(c->pg), .events = POLLIN };

	if (PQstatus(c->pg) != CONNECTION_OK || conn_is_stale(c))
		return true;
	while (poll(&p, 1, 0) > 0)
		if (PQconsumeInput(c->pg) == 0)
			return true;
	return false;
}

/* A pooler may give the session to others afterwards: there the role's own limit holds. */
static int
limit_statements(const struct db_params *p, PGconn *pg, struct err *e)
{
	char sql[64];
	PGresult *res;
	int rc = 0;

	if (p->statement_timeout_ms == 0 || !p->prepare)
		return 0;
	snprintf(sql, sizeof(sql), "SET statement_timeout = %lld",
	    (long long)p->statement_timeout_ms);
	res = PQexec(pg, sql);
	if (PQresultStatus(res) != PGRES_COMMAND_OK)
		rc = rows_error(res, "statement_timeout", e);
	PQclear(res);
	return rc;
}

int
db_connect(struct db *db, struct err *e)
{
	const char *keys[CONN_WORDS], *values[CONN_WORDS];
	char timeout[CONN_TIMEOUT_BYTES];
	struct db_conn *c = &db->conn;

	if (c->pg != NULL && !is_gone(c))
		return 0;
	conn_close(c);
	if (db->was_connected)
		metrics_add(METRIC_DB_RECONNECTS_TOTAL, 0, 1);
	conn_words(c, keys, values, timeout);
	c->pg = PQconnectdbParams(keys, values, 1);
	if (PQstatus(c->pg) != CONNECTION_OK) {
		err_set(e, ERR_TEMPORARY, "could not connect to the database");
		err_detail(e, "%s", PQerrorMessage(c->pg));
		conn_close(c);
		return -1;
	}
	if (limit_statements(&db->params, c->pg, e) == -1 ||
	    conn_ready(c, e) == -1) {
		conn_close(c);
		return -1;
	}
	db->was_connected = true;
	return 0;
}

/* Waits for the next result, until then; false when it did not come. */
static bool
await(struct db_conn *c, int64_t until_ms)
{
	struct pollfd p = { .fd = PQsocket(c->pg), .events = POLLIN };
	int64_t left;

	while (PQisBusy(c->pg)) {
		left = until_ms - clock_mono_ms();
		if (left <= 0)
			return false;
		if (poll(&p, 1, (int)left) > 0 && PQconsumeInput(c->pg) == 0)
			return true; /* PQgetResult() tells */
	}
	return true;
}

/* The server ends statements that are too long by itself, but neither a COMMIT that
 * waits for a standby, nor can it when it is not reached any more. */
static bool
await_or_cancel(struct db *db, int64_t since_ms)
{
	int64_t limit = db->params.statement_timeout_ms;
	struct db_conn *c = &db->conn;
	PGcancel *cancel;
	char why[256];

	if (limit == 0 || await(c, since_ms + limit + limit / 4))
		return true;
	cancel = PQgetCancel(c->pg);
	PQcancel(cancel, why, sizeof(why));
	PQfreeCancel(cancel);
	return await(c, clock_mono_ms() + CANCEL_WAIT_MS);
}

/* Sends a batch and reads everything up to its Sync. */
static int
round_trip(struct db *db, struct arena *a, const struct db_batch *b,
    struct err *e)
{
	struct db_conn *c = &db->conn;
	int64_t since_ms = clock_mono_ms();
	PGresult *res;
	int end = 0;

	if (conn_send(c, a, b, e) == -1) {
		conn_close(c);
		return -1;
	}
	while (end == 0) {
		if (!await_or_cancel(db, since_ms)) {
			end = -1;
			continue;
		}
		res = PQgetResult(c->pg);
		if (res != NULL)
			end = conn_take(c, a, res);
		else if (PQstatus(c->pg) != CONNECTION_OK)
			end = -1;
	}
	if (end == -1) {
		if (c->failed)
			*e = *c->e;
		else
			conn_lost(c, b, e);
		conn_close(c);
		return -1;
	}
	return conn_finish(c, e);
}

/* A batch as part of the transaction that is held. */
static struct db_batch *
held_batch(const struct db *db, struct arena *a, const struct db_batch *b)
{
	struct db_batch *part = arena_object(a, struct db_batch);

	*part = *b;
	part->flags = db->conn.open ? DB_CONTINUE : DB_BEGIN;
	part->enters = db->conn.open && batch_begins(b);
	return part;
}

int
db_run(struct db *db, struct arena *a, struct db_batch *b,
    struct db_rows ***rows_r, struct err *e)
{
	if (db->held && (db->conn.open || batch_begins(b) ||
	                    b->flags == DB_PLAIN))
		b = held_batch(db, a, b);
	if (batch_begins(b) || b->flags == DB_PLAIN) {
		if (db->conn.open)
			db_rollback(db);
		if (db_connect(db, e) == -1)
			return -1;
	} else if (!db->conn.open) {
		return err_set(e, ERR_TEMPORARY,
		    "the connection to the database was lost");
	}
	if (round_trip(db, a, b, e) == -1) {
		db_rollback(db);
		return -1;
	}
	if (rows_r != NULL)
		*rows_r = db->conn.rows;
	return 0;
}

void
db_rollback(struct db *db)
{
	struct arena *a;
	struct err e;

	db->spoiled = db->held;
	if (db->conn.pg == NULL || !db->conn.open)
		return;
	a = arena_new(2048);
	if (round_trip(db, a,
	        db_batch_new(a, (struct tenant_id){ 0 }, DB_ROLLBACK), &e) == -1)
		conn_close(&db->conn);
	arena_free(&a);
}

void
db_hold(struct db *db)
{
	ensure(!db->held);
	db_rollback(db);
	db->held = true;
	db->spoiled = false;
}

int
db_release(struct db *db, struct arena *a, struct db_batch *b, struct err *e)
{
	ensure(db->held && b->flags == DB_COMMIT);
	if (db->spoiled) {
		db_let_go(db);
		return err_set(e, ERR_TEMPORARY,
		    "the transaction was taken back: nothing was changed");
	}
	db->held = false;
	b->enters = true;
	return db_run(db, a, b, NULL, e);
}

void
db_let_go(struct db *db)
{
	db->held = false;
	db_rollback(db);
}

int
db_script(struct db *db, struct arena *a, const char *sql,
    struct db_rows **rows_r, struct err *e)
{
	PGresult *res;
	int rc = 0;

	if (db_connect(db, e) == -1)
		return -1;
	ensure(PQexitPipelineMode(db->conn.pg));
	res = PQexec(db->conn.pg, sql);
	if (PQresultStatus(res) != PGRES_COMMAND_OK &&
	    PQresultStatus(res) != PGRES_TUPLES_OK) {
		rc = rows_error(res, "script", e);
		PQclear(res);
	} else if (rows_r != NULL) {
		*rows_r = rows_wrap(a, res);
	} else {
		PQclear(res);
	}
	if (PQstatus(db->conn.pg) != CONNECTION_OK) {
		conn_close(&db->conn);
		return rc;
	}
	if (PQtransactionStatus(db->conn.pg) == PQTRANS_INERROR)
		PQclear(PQexec(db->conn.pg, "ROLLBACK"));
	db->conn.open = PQtransactionStatus(db->conn.pg) != PQTRANS_IDLE;
	ensure(PQenterPipelineMode(db->conn.pg));
	return rc;
}

static void
defer_freemem(void *p)
{
	PQfreemem(p);
}

static const char *
quoted(struct arena *a, char *text)
{
	if (text == NULL)
		panic("cannot quote for SQL");
	arena_defer(a, defer_freemem, text);
	return text;
}

const char *
db_quote_name(struct arena *a, struct db *db, const char *name)
{
	return quoted(a,
	    PQescapeIdentifier(db->conn.pg, name, strlen(name)));
}

const char *
db_quote_text(struct arena *a, struct db *db, const char *text)
{
	return quoted(a, PQescapeLiteral(db->conn.pg, text, strlen(text)));
}
