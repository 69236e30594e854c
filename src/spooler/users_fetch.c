/*
 * users_fetch.c - asking a tenant's own service for people
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Who is to be asked for waits in the queue of its service until the loop comes round, so
 * what a claim found, and what gathers while the few requests that a service gets at once
 * are on the wire, goes together where the service takes many ids at once.
 */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "net/transfer.h"
#include "notify/user_service.h"
#include "spooler/users_private.h"

enum {
	CHUNK_BYTES = 4096,
	SINGLES_AT_ONCE = 50,
	BATCHES_AT_ONCE = 4,
	TAKE_MAX = 500
};

struct fetch {
	struct arena *a;
	struct user_source *source;
	const struct user_service *how; /* its own: another may take its place */
	const char *token; /* that was fetched, or NULL */
	struct user **users;
	int64_t *erasures; /* when each was asked for */
	const char **ids;
	size_t count;
};

/* ---- The queue ------------------------------------------------------------------------ */

void
user_fetch(struct user_source *s, struct user *u)
{
	u->fetching = true;
	u->after = NULL;
	*s->last = u;
	s->last = &u->after;
	s->users->queued++;
}

static struct user *
take(struct user_source *s)
{
	struct user *u = s->first;

	s->first = u->after;
	if (s->first == NULL)
		s->last = &s->first;
	s->users->queued--;
	return u;
}

void
user_source_drop(struct user_source *s)
{
	while (s->first != NULL)
		take(s)->fetching = false;
}

/* ---- Answers ----------------------------------------------------------------------------- */

/* One failure of the service, however many were asked for. */
static void
failed(struct fetch *f, int64_t wait_ms, const char *why)
{
	size_t i;

	for (i = 0; i < f->count; i++)
		user_failed(f->users[i], wait_ms);
	user_source_failed(f->source, why);
}

/* Who was asked for by other settings than are used now, or before somebody was erased, is
 * asked for anew. */
static void
know(struct fetch *f, size_t i, json_t *json)
{
	struct user *u = f->users[i];

	if (u->service == f->how->hash && u->erasures == f->erasures[i])
		user_answered(f->source->users, u, json);
}

static void
nobody(struct fetch *f)
{
	user_source_works(f->source);
	know(f, 0, NULL);
}

static void
people(struct fetch *f, const struct transfer_result *res)
{
	json_t **list = arena_zalloc(f->a, f->count, sizeof(json_t *));
	struct err e;
	size_t i;

	if (user_service_read(f->a, f->how, res->body, res->body_len, f->ids,
	        f->count, list, &e) == -1) {
		failed(f, 0, e.text);
		return;
	}
	user_source_works(f->source);
	for (i = 0; i < f->count; i++)
		know(f, i, list[i]);
}

/* With another token they are asked for once more. */
static bool
goes_again(struct fetch *f)
{
	size_t i;

	if (f->token == NULL || f->users[0]->again)
		return false;
	user_token_refused(f->source, f->token);
	for (i = 0; i < f->count; i++) {
		f->users[i]->again = true;
		user_fetch(f->source, f->users[i]);
	}
	return true;
}

static void
answered(struct fetch *f, const struct transfer_result *res)
{
	size_t i;

	if (res->status == 401 && goes_again(f))
		return;
	for (i = 0; i < f->count; i++)
		f->users[i]->again = false;
	if (f->count == 1 && (res->status == 404 || res->status == 410))
		nobody(f);
	else if (res->status != 200 || res->truncated)
		failed(f, res->retry_after_s * 1000,
		    "another status than 200 and 404, or too much");
	else
		people(f, res);
}

static void
done(void *arg, const struct transfer_result *res)
{
	struct fetch *f = arg;
	struct arena *a = f->a;
	size_t i;

	f->source->requests--;
	for (i = 0; i < f->count; i++)
		f->users[i]->fetching = false;
	if (res->outcome == TRANSFER_ANSWERED)
		answered(f, res);
	else if (res->outcome != TRANSFER_ABORTED)
		failed(f, 0, res->error);
	arena_free(&a);
}

/* ---- Requests ----------------------------------------------------------------------------- */

/* Those at the head of the queue that one request asks for. */
static struct fetch *
take_some(struct arena *a, struct user_source *s)
{
	struct fetch *f = arena_object(a, struct fetch);
	struct user *u;
	size_t i, n = 0;

	f->a = a;
	f->source = s;
	f->ids = arena_zalloc(a, TAKE_MAX, sizeof(*f->ids));
	f->users = arena_zalloc(a, TAKE_MAX, sizeof(*f->users));
	f->erasures = arena_zalloc(a, TAKE_MAX, sizeof(*f->erasures));
	for (u = s->first; u != NULL && n < TAKE_MAX; u = u->after)
		f->ids[n++] = u->id;
	f->count = user_service_take(s->how, f->ids, n);
	for (i = 0; i < f->count; i++) {
		f->users[i] = take(s);
		f->ids[i] = f->users[i]->id;
		f->erasures[i] = f->users[i]->erasures;
	}
	return f;
}

/* Nobody can be asked for without a token. */
static void
no_token(struct user_source *s, const char *why)
{
	struct user *u;

	while (s->first != NULL) {
		u = take(s);
		u->fetching = u->again = false;
		user_failed(u, 0);
	}
	user_source_failed(s, why);
}

static void
token_ready(struct token_waiter *w, const char *token, const struct verdict *v)
{
	struct user_source *s = (struct user_source *)((char *)w -
	    offsetof(struct user_source, waiter));

	s->waits = false;
	if (token == NULL && v == NULL)
		user_source_drop(s);
	else if (token == NULL)
		no_token(s, "no access token");
}

static int
token_for(struct user_source *s, struct arena *a, const char **token_r)
{
	struct err e;
	int rc;

	*token_r = NULL;
	if (s->how->oauth == NULL)
		return 1;
	s->waiter.ready = token_ready;
	rc = user_token_ask(s, a, token_r, &e);
	s->waits = rc == 0;
	if (rc == -1)
		no_token(s, e.text);
	return rc;
}

/* Asks for those at the head of the queue; all of it lives in "a". */
static void
send(struct arena *a, struct user_source *s, const struct user_service *how,
    const char *token)
{
	struct fetch *f = take_some(a, s);
	struct transfer_request rq;
	struct transfer *t;
	struct err e;
	size_t i;

	f->how = how;
	f->token = token;
	user_service_request(a, how, f->ids, f->count,
	    token != NULL ? token : how->token, &rq);
	rq.done = done;
	rq.arg = f;
	if (transfers_start(s->users->p.transfers, &rq, &t, &e) == 0) {
		s->requests++;
		return;
	}
	for (i = 0; i < f->count; i++)
		f->users[i]->fetching = false;
	failed(f, 0, e.text);
	arena_free(&a);
}

/* False when no more can be asked for now. */
static bool
serve_some(struct user_source *s)
{
	struct arena *a = arena_new(CHUNK_BYTES);
	const struct user_service *how;
	const char *token;
	struct err e;

	if (token_for(s, a, &token) == 1) {
		if (user_service_open(a, s->users->p.ring, s->tenant, s->how,
		        &how, &e) == 0) {
			send(a, s, how, token);
			return true;
		}
		no_token(s, e.text);
	}
	arena_free(&a);
	return false;
}

static void
serve(struct user_source *s)
{
	int at_once = s->how->batch != NULL ? BATCHES_AT_ONCE : SINGLES_AT_ONCE;

	while (s->first != NULL && !s->waits && s->requests < at_once &&
	    serve_some(s))
		continue;
}

void
users_service(struct users *us)
{
	struct user_source *s;

	users_sweep(us);
	for (s = us->sources; s != NULL && us->queued > 0; s = s->next)
		if (s->first != NULL)
			serve(s);
}
