/*
 * tokens.h - access tokens for other services: fetched once, used by all
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Fetching is a transfer like any other; what needs a token waits for it in memory.  A
 * token is renewed ahead of time, while the old one is used.  What one spooler has
 * fetched it leaves to the others in memcached, sealed; without memcached each fetches
 * its own, which costs a request an hour.  In memory, too, tokens are sealed between two
 * uses.  None lies in the database.
 */
#ifndef BELFRY_SPOOLER_TOKENS_H
#define BELFRY_SPOOLER_TOKENS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/id.h"
#include "base/uuid.h"

struct arena;
struct cache;
struct err;
struct keyring;
struct provider;
struct tokens;
struct transfer_request;
struct transfer_result;
struct transfers;
struct verdict;

/* Where tokens come from. */
struct token_source {
	struct tenant_id tenant;
	struct uuid id; /* whose they are */
	int64_t version; /* of its settings: tokens of another one are not used */
	const char *complaint; /* the line of the log when there is none */

	/* The request for one, all of it in "a", but for done and arg; and the token of
	 * an answer, which lives in "a", or NULL and why in *v_r. */
	int (*request)(struct arena *a, const void *of,
	    struct transfer_request *request_r, struct err *e);
	const char *(*read)(struct arena *a, const struct transfer_result *res,
	    int64_t *lifetime_ms_r, struct verdict *v_r);
	const void *of; /* what request() gets; not kept */
};

/* That of an account whose provider wants tokens. */
struct token_source token_source_of(const struct provider *p);

/* Embedded in what waits. */
struct token_waiter {
	struct token_waiter *next;

	/* A token, which lives during the call; or NULL and why there is none; or NULL
	 * twice: transfers were aborted. */
	void (*ready)(struct token_waiter *w, const char *token,
	    const struct verdict *v);
};

struct tokens_params {
	struct transfers *transfers;
	struct cache *cache; /* for what is shared */
	const struct keyring *ring;
};

struct tokens *tokens_new(struct arena *a, const struct tokens_params *p) MUST_CHECK;

/* A token: 1 with *token_r, which lives in "a"; 0 when "w" is called later; -1 with *e
 * when it cannot be asked for. */
int tokens_ask(struct tokens *tk, struct arena *a,
    const struct token_source *source, struct token_waiter *w,
    const char **token_r, struct err *e) MUST_CHECK;

/* A token was used and not taken: it is not given to anybody any more. */
void tokens_refused(struct tokens *tk, const struct token_source *source,
    const char *token);

#endif
