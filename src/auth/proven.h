/*
 * proven.h - signatures that this worker has seen to be good
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What is remembered is "this key has signed this text", which never becomes untrue, so
 * nothing has to be forgotten in time.  Whether the key, the issuer and the times of
 * a token are still good is not remembered: that is asked for each request.
 *
 * A proof is a hash under a secret of the worker, so what lies in memory is no token
 * and cannot be made to fit one.  What failed is not remembered at all, so nobody without
 * good tokens drives others out.
 */
#ifndef BELFRY_AUTH_PROVEN_H
#define BELFRY_AUTH_PROVEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct arena;
struct jwk;
struct proven;

struct proof {
	uint8_t hash[32];
};

/* Room for "count" proofs, rounded up to a multiple of four, in "a"; NULL when it
 * is 0. */
struct proven *proven_new(struct arena *a, size_t count) MUST_CHECK;

/* What would prove that a key has signed a text; the text has its signature in it. */
struct proof proven_proof(const struct proven *p, const struct jwk *key,
    const char *text, size_t text_bytes);

bool proven_has(struct proven *p, const struct proof *proof);

/* Remembers one that proven_has() does not have.  When there is no room it replaces one
 * that was not used for long. */
void proven_add(struct proven *p, const struct proof *proof);

#endif
