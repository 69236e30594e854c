/*
 * identity.h - as whom a tenant sends by an account of the platform
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Of such an account a tenant has settings of its own for nothing but the sender: the
 * fields that their table marks FIELD_IDENTITY, and those marked FIELD_SENDER as far as
 * it was allowed, so that nobody sends as somebody else.  Whoever is allowed nothing sends
 * as the platform.
 */
#ifndef BELFRY_PROVIDER_IDENTITY_H
#define BELFRY_PROVIDER_IDENTITY_H

#include <stdbool.h>

#include <jansson.h>

#include "base/compiler.h"

struct arena;
struct err;
struct field_errors;
struct provider_ops;

/* Is "text" one of the allowed (a list of texts), or of a domain that is? */
bool identity_allows(const json_t *allowed, const char *text);

/* Checks a tenant's own settings.  Faults are added to "fe" with pointers from the
 * settings on, and the first one is told in *e too: 0, or -1 with ERR_UNPROCESSABLE. */
int identity_check(const struct provider_ops *ops, const json_t *own,
    const json_t *allowed, struct field_errors *fe, struct err *e) MUST_CHECK;

/* Puts them over the account's.  Other senders of the account are never the tenant's. */
void identity_put(const struct provider_ops *ops, json_t *whole,
    const json_t *own);

/* What of them may stay when less is allowed. */
json_t *identity_rest(struct arena *a, const struct provider_ops *ops,
    const json_t *own, const json_t *allowed) MUST_CHECK;

#endif
