/*
 * tokens.h - access tokens of accounts: fetched once, used by all deliveries
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Each spooler fetches its own: that costs a request an hour, and no secret lies in the
 * database for it.  Fetching is a transfer like any other; deliveries wait for it in
 * memory.  A token is renewed ahead of time, while the old one is used.
 */
#ifndef BELFRY_SPOOLER_TOKENS_H
#define BELFRY_SPOOLER_TOKENS_H

#include "base/compiler.h"

struct arena;
struct err;
struct provider;
struct tokens;
struct transfers;
struct verdict;

/* Embedded in what waits. */
struct token_waiter {
	struct token_waiter *next;

	/* A token, which lives during the call; or NULL and why there is none; or NULL
	 * twice: transfers were aborted. */
	void (*ready)(struct token_waiter *w, const char *token,
	    const struct verdict *v);
};

struct tokens *tokens_new(struct arena *a, struct transfers *transfers) MUST_CHECK;

/* The token of an account: 1 with *token_r, which lives until the loop goes on; 0 when
 * "w" is called later; -1 with *e when it cannot be asked for.  "refused" is the token
 * that was used and not taken, or NULL. */
int tokens_ask(struct tokens *tk, const struct provider *p, const char *refused,
    struct token_waiter *w, const char **token_r, struct err *e) MUST_CHECK;

#endif
