/*
 * rows.c - what a query returned, and what a failed one means
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "db/rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/text.h"

struct db_rows {
	PGresult *res;
};

static void
defer_result(void *p)
{
	PQclear(p);
}

struct db_rows *
rows_wrap(struct arena *a, PGresult *res)
{
	struct db_rows *r = arena_object(a, struct db_rows);

	arena_defer(a, defer_result, res);
	r->res = res;
	return r;
}

int
db_count(const struct db_rows *r)
{
	return PQntuples(r->res);
}

bool
db_is_null(const struct db_rows *r, int row, int column)
{
	ensure(row < PQntuples(r->res) && column < PQnfields(r->res));
	return PQgetisnull(r->res, row, column);
}

const char *
db_text(const struct db_rows *r, int row, int column)
{
	return db_is_null(r, row, column) ? NULL
	                                  : PQgetvalue(r->res, row, column);
}

int64_t
db_int(const struct db_rows *r, int row, int column)
{
	const char *s = db_text(r, row, column);

	return s == NULL ? 0 : strtoll(s, NULL, 10);
}

bool
db_bool(const struct db_rows *r, int row, int column)
{
	const char *s = db_text(r, row, column);

	return s != NULL && *s == 't';
}

struct uuid
db_uuid(const struct db_rows *r, int row, int column)
{
	const char *s = db_text(r, row, column);
	struct uuid u = { 0 };

	if (s != NULL)
		ensure(uuid_parse(s, &u) == 0);
	return u;
}

/* The first moment of the year 1: PostgreSQL knows no year 0. */
static const int64_t FIRST_MS = INT64_C(-62135596800000);

/* PostgreSQL writes "2026-12-01 08:00:00.123456+00" (DateStyle ISO). */
int64_t
db_time_ms(const struct db_rows *r, int row, int column)
{
	const char *s = db_text(r, row, column);
	char text[48];
	size_t n;
	int64_t ms;

	if (s == NULL)
		return 0;
	n = strlen(s);
	if (*s == '-' || s[n - 1] == 'C') /* "-infinity", "... BC" */
		return FIRST_MS;
	if (*s == 'i' || strspn(s, "0123456789") > 4)
		return CLOCK_LAST_MS;
	ensure(n > 19 && n + 4 < sizeof(text));
	memcpy(text, s, n + 1);
	text[10] = 'T';
	if (text[n - 3] == '+' || text[n - 3] == '-')
		memcpy(text + n, ":00", 4);
	ensure(clock_parse(text, &ms) == 0);
	return ms;
}

const void *
db_bytes(struct arena *a, const struct db_rows *r, int row, int column,
    size_t *n_r)
{
	const char *s = db_text(r, row, column);
	void *p;

	if (s == NULL) {
		*n_r = 0;
		return NULL;
	}
	ensure(strncmp(s, "\\x", 2) == 0);
	*n_r = (strlen(s) - 2) / 2;
	p = arena_alloc(a, *n_r + 1);
	ensure(text_hex_decode(s + 2, p, *n_r) == 0);
	return p;
}

int64_t
db_affected(const struct db_rows *r)
{
	return strtoll(PQcmdTuples(r->res), NULL, 10);
}

/* Which kind a SQLSTATE is: the longest prefix decides. */
static const struct {
	const char *prefix;
	enum err_kind kind;
	const char *text;
} sqlstates[] = {
	{ "23505", ERR_CONFLICT, "it exists already" },
	{ "23503", ERR_UNPROCESSABLE, "it refers to something that does not exist" },
	{ "23", ERR_UNPROCESSABLE, "a value is not allowed" },
	{ "22", ERR_UNPROCESSABLE, "a value is not allowed" },
	{ "42501", ERR_NOT_FOUND, "it belongs to somebody else" },
	{ "40", ERR_TEMPORARY, "the database was too busy" },
	{ "55P03", ERR_TEMPORARY, "the database was too busy" },
	{ "57", ERR_TEMPORARY, "the database is not available" },
	{ "08", ERR_TEMPORARY, "the database is not available" },
	{ "53", ERR_TEMPORARY, "the database is short of resources" },
	{ "58", ERR_TEMPORARY, "the database has trouble with its disk" },
	{ "25006", ERR_TEMPORARY, "the database is read-only" },
	{ "", ERR_INTERNAL, "the database refused a query" },
};

int
rows_error(const PGresult *res, const char *query, struct err *e)
{
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *constraint =
	    PQresultErrorField(res, PG_DIAG_CONSTRAINT_NAME);
	const char *message = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	size_t i = 0;

	if (state == NULL)
		state = "08000";
	while (strncmp(state, sqlstates[i].prefix,
	           strlen(sqlstates[i].prefix)) != 0)
		i++;
	err_set(e, sqlstates[i].kind, "%s", sqlstates[i].text);
	return err_detail(e, "[%s:%s] %s: %s", state,
	    constraint != NULL ? constraint : "", query,
	    message != NULL ? message : PQresultErrorMessage(res));
}

bool
db_violates(const struct err *e, const char *constraint)
{
	const char *colon = strchr(e->detail, ':');
	size_t n = strlen(constraint);

	return e->detail[0] == '[' && colon != NULL &&
	    strncmp(colon + 1, constraint, n) == 0 && colon[1 + n] == ']';
}
