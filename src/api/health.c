/*
 * health.c - is belfry-api alive, and can it do its work
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Live: a worker answers.  Ready: what it cannot work without is there, which is the
 * database with a schema that fits, and that takes writes.  memcached may be gone: that is told, but makes
 * nothing unready.
 */
#include <stdbool.h>

#include "api/app.h"
#include "api/system.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/err.h"
#include "db/db.h"
#include "db/migrate.h"
#include "net/cache.h"
#include "web/js.h"
#include "web/request.h"
#include "web/response.h"

#define JSON_TYPE "application/json"

static void
write_check(struct buf *b, const char *name, const char *state,
    int64_t since_us, const struct err *e)
{
	buf_printf(b,
	    "{\"name\":\"%s\",\"state\":\"%s\",\"latency_ms\":%.3f", name,
	    state, (double)(clock_mono_us() - since_us) / 1000);
	if (e->kind != ERR_NONE) {
		buf_puts(b, ",\"error\":");
		js_write_text(b, e->text);
	}
	buf_putc(b, '}');
}

/* A session that has seen that it is read-only is given up some time later: so who asks
 * learns of the end, too, when nothing else comes here. */
static int
check_writes(struct request *rq, struct err *e)
{
	struct db_batch *b =
	    db_batch_new(rq->a, (struct tenant_id){ 0 }, DB_PLAIN);

	db_add(b, Q_DATABASE_WRITES);
	return db_run(app_of(rq)->db, rq->a, b, NULL, e);
}

/* Returns whether the database can be used. */
static bool
check_database(struct request *rq, struct buf *b)
{
	struct app *app = app_of(rq);
	int64_t since_us = clock_mono_us();
	struct err e;
	int rc;

	err_clear(&e);
	db_rollback(app->db);
	rc = migrate_check(app->db, rq->a, &e);
	if (rc == 0)
		rc = check_writes(rq, &e);
	write_check(b, "database", rc == 0 ? "ok" : "failed", since_us, &e);
	return rc == 0;
}

static void
check_cache(struct request *rq, struct buf *b)
{
	static const char *const states[] = { [CACHE_UNUSED] = "unused",
		[CACHE_OK] = "ok", [CACHE_FAILED] = "failed" };
	int64_t since_us = clock_mono_us();
	enum cache_state state = cache_probe(app_of(rq)->cache);
	struct err e;

	err_clear(&e);
	if (state == CACHE_FAILED)
		err_set(&e, ERR_TEMPORARY, "memcached does not answer");
	write_check(b, "cache", states[state], since_us, &e);
}

/* A hold makes nothing unready: notifications are accepted.  So is an overload told. */
static void
check_delivery(struct request *rq, struct buf *b)
{
	struct app *app = app_of(rq);
	struct db_batch *batch =
	    db_batch_new(rq->a, (struct tenant_id){ 0 }, DB_PLAIN);
	int64_t since_us = clock_mono_us();
	const char *state = "failed";
	struct db_rows **rows;
	struct err e;

	err_clear(&e);
	db_add(batch, Q_DELIVERY_HEALTH);
	db_arg_int(batch, app->config->spooler_dead_after);
	if (db_run(app->db, rq->a, batch, &rows, &e) == 0) {
		state = db_text(rows[0], 0, 0);
		if (!db_is_null(rows[0], 0, 1))
			err_set(&e, ERR_TEMPORARY, "%s", db_text(rows[0], 0, 1));
	}
	write_check(b, "delivery", state, since_us, &e);
}

int
health_live(struct request *rq, struct response *rs, struct err *e)
{
	buf_puts(response_body(rs, 200, JSON_TYPE), "{\"status\":\"live\"}");
	return 0;
}

int
health_ready(struct request *rq, struct response *rs, struct err *e)
{
	struct buf *checks = buf_new(rq->a, 8192);
	bool ready = check_database(rq, checks);

	buf_putc(checks, ',');
	check_cache(rq, checks);
	if (ready) {
		buf_putc(checks, ',');
		check_delivery(rq, checks);
	}
	buf_printf(response_body(rs, ready ? 200 : 503, JSON_TYPE),
	    "{\"status\":\"%s\",\"checks\":[%s]}",
	    ready ? "ready" : "unavailable", checks->data);
	return 0;
}

/* Whoever gets an answer knows that it lives. */
int
health_all(struct request *rq, struct response *rs, struct err *e)
{
	return health_ready(rq, rs, e);
}
