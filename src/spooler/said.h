/*
 * said.h - what people said to an account: that they want no more, or anything
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * STOP and START become suppressions of that account, or lift them; by their ids each
 * counts once, as does what is reported of deliveries and changes suppressions.  That somebody wrote at all opens the session in which an account may write
 * freely (provider_ops.has_session).
 */
#ifndef BELFRY_SPOOLER_SAID_H
#define BELFRY_SPOOLER_SAID_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/id.h"

struct arena;
struct db_batch;
struct db_rows;
struct hook_event;
struct provider_ops;
struct said;

/* What was said to one tenant's accounts, at most "max" events; lives in "a". */
struct said *said_new(struct arena *a, struct tenant_id tenant, size_t max)
    MUST_CHECK;

/* Takes an event of OPT_OUT, OPT_IN or HEARD; of any other nothing follows. */
void said_take(struct said *s, const struct hook_event *ev,
    struct provider_id provider, const struct provider_ops *ops);

/* Another event that is to count once: its key for said_is_new(), or NULL when it has no
 * id.  Before said_seen_add(). */
const char *said_once(struct said *s, const struct hook_event *ev,
    struct provider_id provider);

/* Adds a query whose rows are for said_is_new() and said_write_add(); false: there is
 * nothing to ask. */
bool said_seen_add(struct said *s, struct db_batch *b);

/* Did nothing come by that key before?  What has none is new. */
bool said_is_new(const struct db_rows *seen, const char *key);

/* The same for what counts only for addresses that the tenant has written to; its rows are
 * for said_known_read(), before the rest. */
bool said_known_add(struct said *s, struct db_batch *b);
void said_known_read(struct said *s, const struct db_rows *rows);

/* Adds what follows; "seen" is NULL when no query was added. */
void said_write_add(struct said *s, struct db_batch *b,
    const struct db_rows *seen);

#endif
