/*
 * users_private.h - people whom a tenant's own service knows
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Between users.c, which knows people, and users_fetch.c, which asks for them.
 */
#ifndef BELFRY_SPOOLER_USERS_PRIVATE_H
#define BELFRY_SPOOLER_USERS_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/id.h"
#include "notify/breaker.h"
#include "spooler/tokens.h"
#include "spooler/users.h"

enum { USER_BUCKETS = 4096 };

/* The labels of METRIC_USER_LOOKUPS_TOTAL. */
enum { KNOWN, CACHED, ANSWERED, NOBODY, FAILED, STALE };

struct user {
	struct user *next;
	struct arena *a; /* of itself and what is known */
	struct tenant_id tenant;
	const char *id;
	uint64_t service; /* its hash, when it was asked for */
	int64_t erasures; /* of the page, then */
	json_t *json; /* NULL: the service knows nobody */
	bool known;
	bool fetching; /* in the queue of its service, or on the wire */
	bool again; /* the access token was refused once */
	int failures;
	int64_t good_until_ms, stale_until_ms, ask_from_ms; /* monotonic */
	struct user *after; /* in the queue */
};

/* The service of a tenant.  Users wait in its queue until there is a token, and room for
 * a request. */
struct user_source {
	struct user_source *next;
	struct users *users;
	struct tenant_id tenant;
	struct arena *a; /* of the two that follow */
	const struct user_service *how; /* kept */
	const char *slug; /* the tenant's */
	struct user *first, **last;
	int requests; /* on the wire */
	struct token_waiter waiter;
	bool waits; /* for a token */
	struct failures failures;
	int64_t open_until_ms; /* monotonic; 0: it works */
};

struct users {
	struct arena *a;
	struct users_params p;
	struct user *buckets[USER_BUCKETS];
	struct user_source *sources; /* only grows: tenants with a service are few */
	size_t queued; /* users, in all queues */
	int swept; /* the bucket that is looked at next for what is too old */
	int64_t sweep_ms; /* monotonic: when */
};

/* users.c: what came of asking.  "good_ms" is how long it may be believed. */
void user_know(struct user *u, json_t *json, int64_t good_ms);
void user_answered(struct users *us, struct user *u, json_t *json);
void user_failed(struct user *u, int64_t wait_ms);

/* Forgets those of some buckets whose time is over, now and then. */
void users_sweep(struct users *us);

/* A request came to nothing: when too many did, the service is left alone, and who is in
 * its queue goes. */
void user_source_failed(struct user_source *s, const char *why);
void user_source_works(struct user_source *s);

/* users_fetch.c: puts somebody into the queue of the service; and takes all out of it. */
void user_fetch(struct user_source *s, struct user *u);
void user_source_drop(struct user_source *s);

/* The token of a service by its account at an issuer (users_token.c): 1 with *token_r in
 * "a"; 0 when s->waiter is called; -1 with *e. */
int user_token_ask(struct user_source *s, struct arena *a, const char **token_r,
    struct err *e);
void user_token_refused(struct user_source *s, const char *token);

#endif
