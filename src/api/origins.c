/*
 * origins.c - which pages may read Belfry's answers
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "api/origins.h"

#include <stdint.h>
#include <string.h>

#include <jansson.h>

#include "api/app.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/err.h"
#include "db/db.h"
#include "notify/tenant_facts.h"
#include "web/cors.h"
#include "web/request.h"

/* How long a worker goes by what it read of all tenants, and the most that it reads. */
enum { FRESH_MS = 2000, ORIGINS_MAX = 10000 };

struct origins {
	struct arena *a; /* of the list */
	struct db_rows *rows; /* NULL: not read */
	int64_t read_ms; /* monotonic */
};

static void
origins_free(void *p)
{
	arena_free(&((struct origins *)p)->a);
}

struct origins *
origins_new(struct arena *a)
{
	struct origins *o = arena_object(a, struct origins);

	o->a = arena_new(4096);
	arena_defer(a, origins_free, o);
	return o;
}

static bool
is_configured(const char *list, const char *origin)
{
	size_t n;

	for (;; list += n) {
		list += strspn(list, " \t,");
		n = strcspn(list, " \t,");
		if (n == 0)
			return false;
		if (n == strlen(origin) && memcmp(list, origin, n) == 0)
			return true;
	}
}

static bool
is_of_tenant(const struct request *rq, const char *origin)
{
	const struct tenant_facts *facts;
	const json_t *row;
	struct err e;
	size_t i;

	if (tenant_facts_get(app_of(rq)->tenants, rq->a, rq->tenant, &facts,
	        &e) != 1)
		return false;
	json_array_foreach(json_object_get(facts->settings, "cors_origins"), i,
	    row)
		if (json_is_string(row) &&
		    strcmp(json_string_value(row), origin) == 0)
			return true;
	return false;
}

/* Reads those of all tenants anew; without the database they stay as they were. */
static void
refresh(struct origins *o, const struct request *rq)
{
	struct arena *a = arena_new(4096);
	struct db_batch *b = db_batch_new(a, (struct tenant_id){ 0 }, DB_ONE);
	struct db_rows **rows;
	struct err e;

	o->read_ms = clock_mono_ms();
	db_rollback(app_of(rq)->db);
	db_add(b, Q_TENANT_ORIGINS);
	db_arg_int(b, ORIGINS_MAX);
	if (db_run(app_of(rq)->db, a, b, &rows, &e) != 0) {
		arena_free(&a);
		return;
	}
	arena_free(&o->a);
	o->a = a;
	o->rows = rows[0];
}

static bool
is_of_any_tenant(const struct request *rq, const char *origin)
{
	struct origins *o = app_of(rq)->origins;
	int i;

	if (o->rows == NULL || clock_mono_ms() - o->read_ms > FRESH_MS)
		refresh(o, rq);
	for (i = 0; o->rows != NULL && i < db_count(o->rows); i++)
		if (strcmp(db_text(o->rows, i, 0), origin) == 0)
			return true;
	return false;
}

bool
origins_may(const struct request *rq, const char *origin)
{
	if (!cors_is_origin(origin))
		return false;
	if (is_configured(rq->config->api_cors_origins, origin))
		return true;
	return rq->tenant.n != 0 ? is_of_tenant(rq, origin)
				 : is_of_any_tenant(rq, origin);
}
