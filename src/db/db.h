/*
 * db.h - PostgreSQL: queries from one table, transactions in one round trip
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * SQL stands in sql/queries/ and becomes the table query.h; each is prepared when
 * it is first used on a connection.  A db_batch is what goes over in one round trip
 * (libpq's pipeline mode), as one transaction: "belfry.tenant" is set for it first, then
 * come the queries.  Row-level security lets a batch without tenant see nothing of
 * any tenant.  The same batch runs on a blocking connection (db_run) or on a pool in
 * an event loop (pool.h).
 */
#ifndef BELFRY_DB_DB_H
#define BELFRY_DB_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/id.h"
#include "db/query.h"

struct arena;
struct config;
struct db;
struct db_batch;
struct err;

struct db_params {
	const char *conninfo;
	const char *user; /* NULL: as conninfo says */
	const char *database; /* NULL: as conninfo says */
	const char *options; /* of the session: "-c role=belfry_owner"; NULL: none */
	const char *program; /* application_name */
	bool prepare;
	int64_t connect_timeout_ms;
	int64_t statement_timeout_ms; /* of struct db; 0: the role's */
	int64_t answer_timeout_ms; /* of a pool; 0: none */
};

/* What "config" says for a program that connects as "user". */
struct db_params db_params_from(const struct config *config, const char *user,
    const char *program);

/* ---- What to send ------------------------------------------------------- */

enum db_flags {
	DB_ONE = 0, /* a transaction of its own */
	DB_BEGIN = 1, /* BEGIN, and the transaction stays open */
	DB_CONTINUE = 2, /* goes on in an open transaction */
	DB_COMMIT = 3, /* goes on and commits */
	DB_PLAIN = 4, /* one query that needs no tenant and no transaction block */
	DB_ROLLBACK = 5 /* nothing but ROLLBACK */
};

/* An empty batch that lives in "a".  tenant.n 0: no tenant is set. */
struct db_batch *db_batch_new(struct arena *a, struct tenant_id tenant,
    enum db_flags flags) MUST_CHECK;

/* The tenant has no webhook endpoints: nobody has to be told of what this transaction
 * writes, and nothing looks for them. */
void db_batch_untold(struct db_batch *b);

/* Adds a query; its arguments follow in the order of $1, $2 ... by the functions
 * below, each of which takes the batch whose last query it belongs to.  Text and bytes
 * are not copied: they live until the batch has run.  Too many or too few arguments
 * break an invariant. */
void db_add(struct db_batch *b, enum query query);
/* The same for a query with "{week}" in it: all its rows lie in the partition of that
 * week (week.h), or in any when it is 0. */
void db_add_weekly(struct db_batch *b, enum query query, int week);
void db_arg_text(struct db_batch *b, const char *s); /* NULL is NULL */
void db_arg_int(struct db_batch *b, int64_t n);
void db_arg_bool(struct db_batch *b, bool v);
void db_arg_uuid(struct db_batch *b, const struct uuid *u); /* NULL is NULL */
void db_arg_bytes(struct db_batch *b, const void *p, size_t n);
void db_arg_time_ms(struct db_batch *b, int64_t wall_ms); /* 0 is NULL */
void db_arg_null(struct db_batch *b);

/* How many queries the batch holds. */
size_t db_batch_size(const struct db_batch *b);

/* Arrays, for "unnest($1::uuid[], ...)": built element by element, then bound. */
struct db_array;
struct db_array *db_array_new(struct arena *a) MUST_CHECK;
void db_array_text(struct db_array *v, const char *s); /* NULL is NULL */
void db_array_int(struct db_array *v, int64_t n);
void db_array_uuid(struct db_array *v, const struct uuid *u);
void db_array_time_ms(struct db_array *v, int64_t wall_ms);
void db_array_null(struct db_array *v);
void db_arg_array(struct db_batch *b, const struct db_array *v);

/* ---- What came back ------------------------------------------------------- */

/* The rows of one query.  Texts live as long as the arena they were read into. */
struct db_rows;
int db_count(const struct db_rows *r);
bool db_is_null(const struct db_rows *r, int row, int column);
const char *db_text(const struct db_rows *r, int row, int column); /* NULL: NULL */
int64_t db_int(const struct db_rows *r, int row, int column); /* NULL: 0 */
bool db_bool(const struct db_rows *r, int row, int column);
struct uuid db_uuid(const struct db_rows *r, int row, int column); /* NULL: nil */
/* Of a timestamptz: milliseconds since 1970, 0 for NULL.  What lies outside the years
 * 1 to 9999 is the first or the last moment of them. */
int64_t db_time_ms(const struct db_rows *r, int row, int column);
/* Of a bytea, decoded into "a". */
const void *db_bytes(struct arena *a, const struct db_rows *r, int row,
    int column, size_t *n_r);
/* Rows inserted, updated or deleted. */
int64_t db_affected(const struct db_rows *r);

/* ---- A blocking connection ---------------------------------------------- */

/* Makes the handle; it connects when it is first used, and again when the connection
 * is lost.  Lives in "a". */
struct db *db_new(struct arena *a, const struct db_params *params) MUST_CHECK;

/* Connects now if need be.  0, or -1 with *e (temporary). */
int db_connect(struct db *db, struct err *e) MUST_CHECK;
void db_disconnect(struct db *db);

/* Runs a batch.  rows_r gets one struct db_rows * per query, in "a".  When it fails,
 * nothing has happened (the transaction is rolled back), but for ERR_UNCERTAIN: the
 * connection was lost while COMMIT was on its way.  Kinds: TEMPORARY (connection,
 * timeouts, deadlock), CONFLICT (unique key), NOT_FOUND or UNPROCESSABLE (foreign
 * key, check), FORBIDDEN (row-level security), INTERNAL.  e->detail holds SQLSTATE,
 * constraint and message. */
int db_run(struct db *db, struct arena *a, struct db_batch *b,
    struct db_rows ***rows_r, struct err *e) MUST_CHECK;

/* From here on all batches are one transaction, whatever they say of theirs, up to
 * db_release(), which runs a batch of DB_COMMIT behind them, or db_let_go(), which takes
 * everything back.  What was taken back in between takes all of it back: then
 * db_release() fails. */
void db_hold(struct db *db);
int db_release(struct db *db, struct arena *a, struct db_batch *b, struct err *e)
    MUST_CHECK;
void db_let_go(struct db *db);

/* Ends a transaction that DB_BEGIN opened; a no-op when there is none. */
void db_rollback(struct db *db);

/* True when *e is the violation of the unique key or constraint of that name. */
bool db_violates(const struct err *e, const char *constraint);

/* Runs a text of SQL (several statements) outside of the table: migrations and
 * belfryctl init only.  rows_r may be NULL; else it gets the last result. */
int db_script(struct db *db, struct arena *a, const char *sql,
    struct db_rows **rows_r, struct err *e) MUST_CHECK;

/* Quotes for db_script(). */
const char *db_quote_name(struct arena *a, struct db *db, const char *name);
const char *db_quote_text(struct arena *a, struct db *db, const char *text);

#endif
