/*
 * conn.c - one connection in pipeline mode
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A batch that is a transaction of its own becomes: the tenant, its queries, Sync.  What
 * stands before a Sync is one transaction (PostgreSQL's manual, 55.2.3), which commits
 * there or has been undone, so it needs neither BEGIN nor COMMIT.  The tenant is set by
 * set_config() for that transaction alone; a blank behind it keeps the triggers from
 * running that tell webhook endpoints (0018_webhooks.sql).
 *
 * A transaction of several batches has BEGIN in the first and COMMIT in the last.  After
 * a failed query the server skips the rest up to the Sync, COMMIT included, and the owner
 * of the connection sends ROLLBACK.
 */
#include "db/conn.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/ensure.h"
#include "base/err.h"
#include "db/batch.h"
#include "db/rows.h"
#include "db/week.h"

/* The name of a prepared statement: that of its query and its week. */
enum { STATEMENT_BYTES = 80, QUERY_BYTES_MAX = 64 << 10 };

/* How often a session is replaced that may not write. */
enum { STALE_MS = 1000 };

/* A host that vanishes says nothing, and TCP by itself waits a quarter of an hour for it.
 * These stand in front of the connection string, which may say otherwise; unix sockets do
 * without. */
static const struct {
	const char *key, *value;
} own_words[] = {
	{ "tcp_user_timeout", "15000" }, /* ms */
	{ "keepalives_idle", "10" }, /* s */
	{ "keepalives_interval", "5" },
	{ "keepalives_count", "2" },
	{ NULL, NULL },
};

void
conn_words(const struct db_conn *c, const char *keys[CONN_WORDS],
    const char *values[CONN_WORDS], char timeout[CONN_TIMEOUT_BYTES])
{
	int n = 0;

	for (; own_words[n].key != NULL; n++) {
		keys[n] = own_words[n].key;
		values[n] = own_words[n].value;
	}
	snprintf(timeout, CONN_TIMEOUT_BYTES, "%" PRId64,
	    (c->params->connect_timeout_ms + 999) / 1000);
	keys[n] = "dbname";
	values[n++] = c->params->conninfo;
	if (c->params->user != NULL && c->params->user[0] != '\0') {
		keys[n] = "user";
		values[n++] = c->params->user;
	}
	if (c->params->database != NULL) {
		keys[n] = "dbname";
		values[n++] = c->params->database;
	}
	if (c->params->options != NULL) {
		keys[n] = "options";
		values[n++] = c->params->options;
	}
	keys[n] = "application_name";
	values[n++] = c->params->program;
	keys[n] = "connect_timeout";
	values[n++] = timeout;
	keys[n] = "client_encoding";
	values[n++] = "UTF8";
	keys[n] = values[n] = NULL;
	ensure(n < CONN_WORDS);
}

/* Notices are of no interest, but for one: a wait for a standby that was cut short by a
 * timeout or a shutdown.  Then the transaction has been committed here and may be lost
 * with this server, so it must not count as done.  libpq tells of it as soon as it has read
 * it, when the last result may still lie there. */
static void
noticed(void *arg, const PGresult *res)
{
	struct db_conn *c = arg;
	const char *severity =
	    PQresultErrorField(res, PG_DIAG_SEVERITY_NONLOCALIZED);

	if (c->batch != NULL && batch_commits(c->batch) &&
	    c->got + 1 >= c->want && severity != NULL &&
	    strcmp(severity, "WARNING") == 0)
		c->doubtful = true;
}

int
conn_ready(struct db_conn *c, struct err *e)
{
	memset(c->prepared, 0, sizeof(c->prepared));
	memset(c->prepared_own, 0, sizeof(c->prepared_own));
	c->leaf_count = 0;
	c->open = false;
	c->read_only = false;
	c->ready_ms = clock_mono_ms();
	c->batch = NULL;
	PQsetNoticeReceiver(c->pg, noticed, c);
	if (PQserverVersion(c->pg) < 150000) {
		err_set(e, ERR_TEMPORARY, "PostgreSQL is older than version 15");
		return err_detail(e, "server version %d",
		    PQserverVersion(c->pg));
	}
	if (!PQenterPipelineMode(c->pg))
		return err_set(e, ERR_INTERNAL, "cannot enter pipeline mode");
	return 0;
}

bool
conn_is_stale(const struct db_conn *c)
{
	return c->read_only && clock_mono_ms() - c->ready_ms >= STALE_MS;
}

void
conn_close(struct db_conn *c)
{
	PQfinish(c->pg);
	c->pg = NULL;
	c->batch = NULL;
	c->open = false;
}

static void
expect(struct db_conn *c, enum conn_sent kind, enum query query)
{
	ensure(c->want < CONN_SENT_MAX);
	c->sent[c->want].kind = kind;
	c->sent[c->want].query = query;
	c->sent[c->want].week = 0;
	c->want++;
}

static const struct {
	const char *name, *sql;
	int args;
} own_texts[CONN_OWN_COUNT] = {
	[CONN_BEGIN] = { "blf_begin", "BEGIN", 0 },
	[CONN_COMMIT] = { "blf_commit", "COMMIT", 0 },
	[CONN_ROLLBACK] = { "blf_rollback", "ROLLBACK", 0 },
	[CONN_TENANT] = { "blf_tenant",
	    "SELECT pg_catalog.set_config('belfry.tenant', $1, true)", 1 },
};

/* A statement of our own, prepared where that is allowed. */
static bool
send_own(struct db_conn *c, enum conn_own own, const char *value)
{
	const char *name = own_texts[own].name, *sql = own_texts[own].sql;
	int args = own_texts[own].args;

	if (!c->params->prepare) {
		expect(c, CONN_SENT_OWN, 0);
		return PQsendQueryParams(c->pg, sql, args, NULL, &value, NULL,
		    NULL, 0);
	}
	if (!c->prepared_own[own]) {
		expect(c, CONN_SENT_PREPARE_OWN, (enum query)own);
		if (!PQsendPrepare(c->pg, name, sql, args, NULL))
			return false;
		c->prepared_own[own] = true;
	}
	expect(c, CONN_SENT_OWN, 0);
	return PQsendQueryPrepared(c->pg, name, args, &value, NULL, NULL, 0);
}

static bool
send_tenant(struct db_conn *c, struct tenant_id tenant, bool untold)
{
	char text[32];

	if (tenant.n == 0)
		return true;
	snprintf(text, sizeof(text), "%" PRId64 "%s", tenant.n,
	    untold ? " " : "");
	return send_own(c, CONN_TENANT, text);
}

/* Is the query prepared for that week?  When not, it is taken to be from now on. */
static bool
take_leaf(struct db_conn *c, enum query query, int week)
{
	size_t i;

	for (i = c->leaf_count; i-- > 0;)
		if (c->leaves[i].query == query && c->leaves[i].week == week)
			return true;
	c->leaves[c->leaf_count++] = (struct conn_leaf){ query, week };
	return false;
}

static bool
take_prepared(struct db_conn *c, enum query query, int week)
{
	bool was = c->prepared[query];

	if (week != 0)
		return take_leaf(c, query, week);
	c->prepared[query] = true;
	return was;
}

/* The text with the names of partitions in it, in "a". */
static const char *
text_for(struct arena *a, const struct query_text *q, const char *week)
{
	struct buf *text;
	const char *from = q->sql, *mark;

	if (!q->weekly)
		return q->sql;
	text = buf_new(a, QUERY_BYTES_MAX);
	while ((mark = strstr(from, "{week}")) != NULL) {
		buf_add(text, from, (size_t)(mark - from));
		buf_puts(text, week);
		from = mark + strlen("{week}");
	}
	buf_puts(text, from);
	ensure(!buf_overflowed(text));
	return text->data;
}

static bool
send_step(struct db_conn *c, struct arena *a, const struct db_step *s)
{
	const struct query_text *q = &query_texts[s->query];
	int week = c->leaf_count < CONN_LEAVES_MAX ? s->week : 0;
	char suffix[WEEK_NAME_BYTES], name[STATEMENT_BYTES];

	ensure(s->count == q->args);
	week_name(week, suffix);
	snprintf(name, sizeof(name), "%s%s", q->name, suffix);
	if (c->params->prepare && !take_prepared(c, s->query, week)) {
		expect(c, CONN_SENT_PREPARE, s->query);
		c->sent[c->want - 1].week = week;
		if (!PQsendPrepare(c->pg, name, text_for(a, q, suffix),
		        s->count, NULL))
			return false;
	}
	expect(c, CONN_SENT_QUERY, s->query);
	c->sent[c->want - 1].week = week;
	if (!c->params->prepare)
		return PQsendQueryParams(c->pg, text_for(a, q, suffix),
		    s->count, NULL, s->values, s->lengths, s->formats, 0);
	return PQsendQueryPrepared(c->pg, name, s->count, s->values,
	    s->lengths, s->formats, 0);
}

static bool
send_all(struct db_conn *c, struct arena *a, const struct db_batch *b)
{
	size_t i;

	if (b->flags == DB_ROLLBACK && !send_own(c, CONN_ROLLBACK, NULL))
		return false;
	if (b->flags == DB_BEGIN && !send_own(c, CONN_BEGIN, NULL))
		return false;
	if ((batch_begins(b) || b->enters) &&
	    !send_tenant(c, b->tenant, b->untold))
		return false;
	for (i = 0; i < b->size; i++)
		if (!send_step(c, a, &b->steps[i]))
			return false;
	if (b->flags == DB_COMMIT && !send_own(c, CONN_COMMIT, NULL))
		return false;
	return PQpipelineSync(c->pg);
}

int
conn_send(struct db_conn *c, struct arena *a, const struct db_batch *b,
    struct err *e)
{
	ensure(c->batch == NULL);
	ensure(c->open == (b->flags == DB_CONTINUE || b->flags == DB_COMMIT ||
	                      b->flags == DB_ROLLBACK));
	c->batch = b;
	c->want = 0;
	c->got = 0;
	c->failed = false;
	c->doubtful = false;
	c->rows_count = 0;
	c->rows = arena_zalloc(a, b->size + 1, sizeof(struct db_rows *));
	c->e = arena_object(a, struct err);
	return send_all(c, a, b) ? 0 : conn_lost(c, b, e);
}

static void
forget_leaf(struct db_conn *c, enum query query, int week)
{
	size_t i;

	for (i = 0; i < c->leaf_count; i++)
		if (c->leaves[i].query == query && c->leaves[i].week == week) {
			c->leaves[i] = c->leaves[--c->leaf_count];
			return;
		}
}

/* What was to be prepared by a message that the server did not carry out. */
static void
forget(struct db_conn *c, size_t i)
{
	if (c->sent[i].kind == CONN_SENT_PREPARE && c->sent[i].week != 0)
		forget_leaf(c, c->sent[i].query, c->sent[i].week);
	else if (c->sent[i].kind == CONN_SENT_PREPARE)
		c->prepared[c->sent[i].query] = false;
	if (c->sent[i].kind == CONN_SENT_PREPARE_OWN)
		c->prepared_own[c->sent[i].query] = false;
}

static bool
is_state(const struct err *e, const char *state)
{
	return e->detail[0] == '[' &&
	    strncmp(e->detail + 1, state, strlen(state)) == 0;
}

/* "i" is the message that failed, or c->want when it was the Sync's commit. */
static void
take_failure(struct db_conn *c, size_t i, const PGresult *res)
{
	bool named = i < c->want && (c->sent[i].kind == CONN_SENT_QUERY ||
	    c->sent[i].kind == CONN_SENT_PREPARE);

	if (!c->failed)
		rows_error(res,
		    named ? query_texts[c->sent[i].query].name : "transaction",
		    c->e);
	if (named && c->sent[i].week != 0 && is_state(c->e, "42P01"))
		weeks_forget(); /* the partition was dropped */
	if (is_state(c->e, "25006"))
		c->read_only = true;
	c->failed = true;
}

/* The result of a message that was sent. */
static void
take_result(struct db_conn *c, struct arena *a, size_t i, PGresult *res)
{
	ExecStatusType status = PQresultStatus(res);
	bool done = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;

	if (done && c->sent[i].kind == CONN_SENT_QUERY) {
		c->rows[c->rows_count++] = rows_wrap(a, res);
		return;
	}
	if (!done) {
		forget(c, i);
		if (status != PGRES_PIPELINE_ABORTED)
			take_failure(c, i, res);
	}
	PQclear(res);
}

int
conn_take(struct db_conn *c, struct arena *a, PGresult *res)
{
	ExecStatusType status = PQresultStatus(res);

	if (status != PGRES_PIPELINE_SYNC &&
	    PQstatus(c->pg) == CONNECTION_OK && c->got < c->want) {
		take_result(c, a, c->got++, res);
		return 0;
	}
	if (status == PGRES_FATAL_ERROR && PQstatus(c->pg) == CONNECTION_OK) {
		take_failure(c, c->want, res);
		PQclear(res);
		return 0;
	}
	PQclear(res);
	return status == PGRES_PIPELINE_SYNC ? 1 : -1;
}

int
conn_finish(struct db_conn *c, struct err *e)
{
	const struct db_batch *b = c->batch;

	c->batch = NULL;
	c->open = PQtransactionStatus(c->pg) != PQTRANS_IDLE;
	if (c->failed) {
		*e = *c->e;
		return -1;
	}
	if (c->doubtful)
		return err_set(e, ERR_UNCERTAIN,
		    "no standby has confirmed the COMMIT");
	ensure(c->open == (b->flags == DB_BEGIN || b->flags == DB_CONTINUE));
	ensure(c->rows_count == b->size);
	return 0;
}

int
conn_lost(const struct db_conn *c, const struct db_batch *b, struct err *e)
{
	bool commit = b != NULL && batch_commits(b);
	const char *why = c->pg != NULL ? PQerrorMessage(c->pg) : "";

	if (commit)
		err_set(e, ERR_UNCERTAIN,
		    "the connection to the database was lost during COMMIT");
	else
		err_set(e, ERR_TEMPORARY,
		    "the connection to the database was lost");
	return err_detail(e, "%.*s", (int)strcspn(why, "\n"), why);
}
