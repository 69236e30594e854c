/*
 * provider_account.h - a tenant's accounts at providers, as they are stored
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Settings are JSON that only the provider's kind understands, and its secret
 * part is sealed: provider/settings.h turns a stored account into one that can
 * send.
 *
 * A tenant may have leave to use an account of the platform.  That is a row of the
 * tenant with an id, a name and an order of its own, and as settings the sender that it
 * chose; whatever else is needed stands in the account (provider_share.h).
 */
#ifndef BELFRY_MODEL_PROVIDER_ACCOUNT_H
#define BELFRY_MODEL_PROVIDER_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/id.h"
#include "model/channel.h"

struct arena;
struct db;
struct db_batch;
struct db_rows;
struct editor;
struct err;

enum provider_state {
	PROVIDER_ENABLED = 1,
	PROVIDER_DISABLED = 2, /* by an admin */
	PROVIDER_PARKED = 3 /* by the spooler: its credentials do not work */
};

enum { PROVIDER_ACCOUNTS_MAX = 1000 }; /* of one tenant */

struct provider_account {
	struct tenant_id tenant;
	struct provider_id id;
	const char *name; /* a slug, unique in its tenant */
	const char *kind;
	enum channel channel;
	enum provider_state state;
	int priority; /* the lowest goes first */
	int weight;
	const char *settings; /* a JSON object without the secret ones */
	const void *sealed; /* the secret ones; NULL when there are none */
	size_t sealed_bytes;
	const char *limits; /* a JSON object (provider/limits.h) */
	struct provider_id shared_id; /* the platform's account; nil: it is one itself */
	const struct provider_account *shared; /* the same; NULL: it is gone */
	const char *allowed; /* a JSON array: as whom a tenant may send by it, or NULL */
	int version; /* for ETag */
	int64_t created_ms;
	int64_t updated_ms;
};

/* Is it leave to use an account of the platform? */
bool provider_account_is_shared(const struct provider_account *p);

/* The account itself, whose secrets, limits and health count; NULL: it is gone. */
const struct provider_account *provider_account_itself(
    const struct provider_account *p);

/* All of it once more in "a", and of the account that it is leave to use. */
struct provider_account *provider_account_copy(struct arena *a,
    const struct provider_account *p) MUST_CHECK;

/* "enabled", "disabled", "parked". */
const char *provider_state_name(enum provider_state state);

/* Reading all of a tenant in a batch of one's own, which has its transaction: adds the
 * queries, then reads their rows (rows[0] is the first one's). */
enum { PROVIDER_ACCOUNT_QUERIES = 4 };
void provider_account_all_add(struct db_batch *b, struct tenant_id tenant);
void provider_account_all_read(struct arena *a, struct db_rows **rows,
    struct provider_account **list_r, size_t *count_r);

/* On a blocking connection: those whose name comes after "after" ("": from the first
 * on), at most "limit". */
int provider_account_list(struct arena *a, struct db *db,
    struct tenant_id tenant, const char *after, int limit,
    struct provider_account **list_r, size_t *count_r, struct err *e)
    MUST_CHECK;

/* One account: 1, 0 when the tenant has none such, -1 with *e. */
int provider_account_get(struct arena *a, struct db *db,
    struct tenant_id tenant, struct provider_id id,
    struct provider_account **account_r, struct err *e) MUST_CHECK;
int provider_account_find(struct arena *a, struct db *db,
    struct tenant_id tenant, const char *name,
    struct provider_account **account_r, struct err *e) MUST_CHECK;

/* Stores a new account for ed->tenant; the caller makes its id (sealing
 * needs it).  ERR_CONFLICT when the name is taken. */
int provider_account_create(const struct editor *ed,
    const struct provider_account *account, struct err *e) MUST_CHECK;

/* Replaces everything but id, kind, channel and shared_id.  account->version is the
 * version that is expected, 0 for any; afterwards it is the new one.  A parked
 * account is enabled by it. */
int provider_account_update(const struct editor *ed,
    struct provider_account *account, struct err *e) MUST_CHECK;

/* Enabling one lets go on what waits for an account of its channel. */
int provider_account_set_state(const struct editor *ed, struct provider_id id,
    int expected_version, enum provider_state state, struct err *e) MUST_CHECK;

/* ERR_CONFLICT for an account of the platform that others have leave to use. */
int provider_account_remove(const struct editor *ed, struct provider_id id,
    int expected_version, struct err *e) MUST_CHECK;

#endif
