/*
 * pool.c - connections for an event loop
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Each connection is in one state: DOWN (waits for its next try), CONNECTING, IDLE,
 * BUSY (a batch is on its way), HELD (the step function of its job runs).
 */
#include "db/pool.h"

#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/metrics.h"
#include "db/batch.h"
#include "db/conn.h"

enum { RETRY_MS = 1000 };

enum slot_state { SLOT_DOWN, SLOT_CONNECTING, SLOT_IDLE, SLOT_BUSY, SLOT_HELD };

struct slot {
	struct db_conn conn;
	enum slot_state state;
	struct pool_job *job;
	int64_t since_ms; /* when the state began */
	PostgresPollingStatusType want; /* while connecting */
	bool was_up;
	bool silent; /* an answer did not come in time */
};

struct pool {
	struct db_params params;
	struct slot *slots;
	int count;
	int jobs;
	struct pool_job *first, **last;
	char trouble[256];
	unsigned connects;
};

static void
defer_pool(void *v)
{
	struct pool *p = v;
	int i;

	for (i = 0; i < p->count; i++)
		conn_close(&p->slots[i].conn);
}

struct pool *
pool_new(struct arena *a, const struct db_params *params, int connections)
{
	struct pool *p = arena_object(a, struct pool);
	int i;

	p->params = *params;
	p->count = connections;
	p->slots = arena_zalloc(a, (size_t)connections, sizeof(*p->slots));
	p->last = &p->first;
	for (i = 0; i < connections; i++) {
		p->slots[i].conn.params = &p->params;
		p->slots[i].since_ms = -RETRY_MS;
	}
	arena_defer(a, defer_pool, p);
	return p;
}

static void
set_state(struct slot *s, enum slot_state state)
{
	s->state = state;
	s->since_ms = clock_mono_ms();
}

static void
tell_trouble(struct pool *p, const char *text)
{
	size_t n = strcspn(text, "\n");

	if (n >= sizeof(p->trouble))
		n = sizeof(p->trouble) - 1;
	memcpy(p->trouble, text, n);
	p->trouble[n] = '\0';
}

/* Takes the connection down and tells its job. */
static void
lose(struct pool *p, struct slot *s)
{
	struct pool_job *job = s->job;
	struct err e;

	if (s->conn.pg != NULL)
		tell_trouble(p, PQerrorMessage(s->conn.pg));
	if (s->conn.failed && s->conn.batch != NULL && !batch_commits(s->conn.batch))
		e = *s->conn.e;
	else
		conn_lost(&s->conn, job != NULL ? job->batch : NULL, &e);
	if (s->silent) {
		tell_trouble(p, "no answer");
		err_detail(&e, "no answer for %lld ms",
		    (long long)(clock_mono_ms() - s->since_ms));
		s->silent = false;
	}
	conn_close(&s->conn);
	set_state(s, SLOT_DOWN);
	s->job = NULL;
	if (job == NULL)
		return;
	job->conn = NULL;
	p->jobs--;
	job->step(job, NULL, &e);
}

static void
begin_connect(struct pool *p, struct slot *s)
{
	const char *keys[CONN_WORDS], *values[CONN_WORDS];
	char timeout[CONN_TIMEOUT_BYTES];

	if (s->was_up)
		metrics_add(METRIC_DB_RECONNECTS_TOTAL, 0, 1);
	conn_words(&s->conn, keys, values, timeout);
	s->conn.pg = PQconnectStartParams(keys, values, 1);
	if (s->conn.pg == NULL || PQstatus(s->conn.pg) == CONNECTION_BAD) {
		lose(p, s);
		return;
	}
	s->want = PGRES_POLLING_WRITING;
	set_state(s, SLOT_CONNECTING);
}

static void
go_on_connecting(struct pool *p, struct slot *s)
{
	struct err e;

	s->want = PQconnectPoll(s->conn.pg);
	if (s->want == PGRES_POLLING_OK) {
		if (conn_ready(&s->conn, &e) == -1 ||
		    PQsetnonblocking(s->conn.pg, 1) == -1) {
			lose(p, s);
			return;
		}
		s->was_up = true;
		p->connects++;
		p->trouble[0] = '\0';
		set_state(s, SLOT_IDLE);
	} else if (s->want == PGRES_POLLING_FAILED ||
	    clock_mono_ms() - s->since_ms > p->params.connect_timeout_ms) {
		lose(p, s);
	}
}

static void
send_batch(struct pool *p, struct slot *s)
{
	struct err e;

	set_state(s, SLOT_BUSY);
	if (conn_send(&s->conn, s->job->a, s->job->batch, &e) == -1 ||
	    PQflush(s->conn.pg) == -1)
		lose(p, s);
}

/* Gives waiting jobs to idle connections. */
static void
start_jobs(struct pool *p)
{
	struct pool_job *job;
	int i;

	for (i = 0; i < p->count && p->first != NULL; i++) {
		if (p->slots[i].state != SLOT_IDLE)
			continue;
		job = p->first;
		p->first = job->next;
		if (p->first == NULL)
			p->last = &p->first;
		job->next = NULL;
		job->conn = &p->slots[i];
		p->slots[i].job = job;
		send_batch(p, &p->slots[i]);
	}
}

void
pool_submit(struct pool *p, struct pool_job *job, struct db_batch *b)
{
	ensure(batch_begins(b) || b->flags == DB_PLAIN);
	ensure(job->conn == NULL);
	job->batch = b;
	job->next = NULL;
	*p->last = job;
	p->last = &job->next;
	p->jobs++;
	start_jobs(p);
}

void
pool_continue(struct pool *p, struct pool_job *job, struct db_batch *b)
{
	struct slot *s = job->conn;

	ensure(s != NULL && s->state == SLOT_HELD && s->job == job);
	job->batch = b;
	send_batch(p, s);
}

static void
rolled_back(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	arena_free(&job->a);
}

/* A failed query left the transaction open: ends it with a job of our own. */
static void
roll_back(struct pool *p, struct slot *s)
{
	struct arena *a = arena_new(2048);
	struct pool_job *job = arena_object(a, struct pool_job);

	job->a = a;
	job->step = rolled_back;
	job->conn = s;
	s->job = job;
	p->jobs++;
	set_state(s, SLOT_HELD);
	pool_continue(p, job,
	    db_batch_new(a, (struct tenant_id){ 0 }, DB_ROLLBACK));
}

/* Nobody uses the connection: another one takes its place. */
static void
retire(struct slot *s)
{
	conn_close(&s->conn);
	set_state(s, SLOT_DOWN);
}

/* The batch is through: calls the job. */
static void
finish(struct pool *p, struct slot *s)
{
	struct pool_job *job = s->job;
	struct db_rows **rows;
	struct err e;
	int rc = conn_finish(&s->conn, &e);

	if (rc == 0 && s->conn.open) {
		set_state(s, SLOT_HELD);
		job->step(job, s->conn.rows, NULL);
		ensure(s->state != SLOT_HELD);
		return;
	}
	rows = s->conn.rows;
	s->job = NULL;
	job->conn = NULL;
	p->jobs--;
	if (s->conn.open)
		roll_back(p, s);
	else if (conn_is_stale(&s->conn))
		retire(s);
	else
		set_state(s, SLOT_IDLE);
	job->step(job, rc == 0 ? rows : NULL, rc == 0 ? NULL : &e);
}

static void
read_results(struct pool *p, struct slot *s)
{
	struct db_conn *c = &s->conn;
	PGresult *res;
	int end = 0;

	if (!PQconsumeInput(c->pg)) {
		lose(p, s);
		return;
	}
	if (PQflush(c->pg) == -1) {
		lose(p, s);
		return;
	}
	while (end == 0 && !PQisBusy(c->pg)) {
		res = PQgetResult(c->pg);
		if (res != NULL)
			end = conn_take(c, s->job->a, res);
		else if (PQstatus(c->pg) != CONNECTION_OK)
			end = -1;
	}
	if (end == -1)
		lose(p, s);
	else if (end == 1)
		finish(p, s);
}

/* What is left of the time in which an answer must come.  Without a limit in the params
 * there is no end to it. */
static int64_t
patience_ms(const struct pool *p, const struct slot *s)
{
	int64_t limit_ms = p->params.answer_timeout_ms;

	return limit_ms > 0 ? s->since_ms + limit_ms - clock_mono_ms()
	                    : INT64_MAX;
}

/* The way to the server swallows what is sent, or the server is stopped.  Idle connections
 * go the same way: they would be found out one after the other. */
static void
give_up(struct pool *p, struct slot *silent)
{
	int i;

	for (i = 0; i < p->count; i++)
		if (p->slots[i].state == SLOT_IDLE)
			lose(p, &p->slots[i]);
	silent->silent = true;
	lose(p, silent);
}

void
pool_service(struct pool *p)
{
	struct slot *s;
	int i;

	for (i = 0; i < p->count; i++) {
		s = &p->slots[i];
		if (s->state == SLOT_DOWN &&
		    clock_mono_ms() - s->since_ms >= RETRY_MS)
			begin_connect(p, s);
		else if (s->state == SLOT_CONNECTING)
			go_on_connecting(p, s);
		else if (s->state == SLOT_BUSY)
			read_results(p, s);
		else if (s->state == SLOT_IDLE && !PQconsumeInput(s->conn.pg))
			lose(p, s);
		if (s->state == SLOT_BUSY && patience_ms(p, s) <= 0)
			give_up(p, s);
	}
	start_jobs(p);
}

int
pool_fds(struct pool *p, struct pollfd *fds, int max)
{
	struct slot *s;
	int i, n = 0;

	for (i = 0; i < p->count && n < max; i++) {
		s = &p->slots[i];
		if (s->state == SLOT_DOWN)
			continue;
		fds[n].fd = PQsocket(s->conn.pg);
		fds[n].events = POLLIN;
		if (s->state == SLOT_CONNECTING &&
		    s->want == PGRES_POLLING_WRITING)
			fds[n].events = POLLOUT;
		if (s->state == SLOT_BUSY && PQflush(s->conn.pg) == 1)
			fds[n].events |= POLLOUT;
		fds[n].revents = 0;
		n++;
	}
	return n;
}

int
pool_timeout_ms(const struct pool *p)
{
	int64_t least = 60000, ms;
	int i;

	for (i = 0; i < p->count; i++) {
		if (p->slots[i].state == SLOT_DOWN ||
		    p->slots[i].state == SLOT_CONNECTING)
			return RETRY_MS / 4;
		if (p->slots[i].state != SLOT_BUSY)
			continue;
		ms = patience_ms(p, &p->slots[i]);
		if (ms < least)
			least = ms > 0 ? ms : 0;
	}
	return (int)least;
}

int
pool_jobs(const struct pool *p)
{
	return p->jobs;
}

int
pool_idle(const struct pool *p)
{
	int i, n = 0;

	for (i = 0; i < p->count; i++)
		n += p->slots[i].state == SLOT_IDLE;
	return n;
}

unsigned
pool_connects(const struct pool *p)
{
	return p->connects;
}

bool
pool_is_up(const struct pool *p)
{
	int i;

	for (i = 0; i < p->count; i++)
		if (p->slots[i].state >= SLOT_IDLE)
			return true;
	return false;
}

const char *
pool_trouble(const struct pool *p)
{
	return p->trouble;
}
