/*
 * account.h - service accounts and their keys
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * An account has scopes and any number of keys, so that keys can be changed
 * without a moment in which none works.  Only hashes of keys are stored
 * (auth/apikey.h makes keys and reads them).
 */
#ifndef BELFRY_MODEL_ACCOUNT_H
#define BELFRY_MODEL_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/id.h"

struct arena;
struct db;
struct db_batch;
struct db_rows;
struct editor;
struct err;

enum account_state { ACCOUNT_ACTIVE = 1, ACCOUNT_REVOKED = 2 };

enum { ACCOUNT_HASH_BYTES = 32 };

struct account {
	struct account_id id;
	const char *name; /* unique in its tenant */
	const char *scopes; /* separated by single blanks */
	const char *networks; /* from where it may come; NULL or "": anywhere */
	enum account_state state;
	int version; /* for ETag */
	int64_t created_ms;
	int64_t updated_ms;
};

struct api_key {
	const char *id; /* the public part */
	struct account_id account;
	uint8_t hash[ACCOUNT_HASH_BYTES]; /* not read back in lists */
	int64_t created_ms;
	int64_t expires_ms; /* 0: never */
	int64_t revoked_ms; /* 0: not */
	int64_t used_ms; /* last, to the hour; 0: never */
	bool test; /* simulators alone send what it asks for */
};

/* ---- Authentication ------------------------------------------------------ */

/* What a request's key leads to.  The caller compares the hash
 * (auth/apikey.h) and looks at revoked, expires_ms and suspended. */
struct account_key {
	const char *key_id;
	uint8_t hash[ACCOUNT_HASH_BYTES];
	int64_t expires_ms; /* 0: never */
	int64_t used_ms; /* last, to the hour; 0: never */
	const char *networks; /* from where it may come; "": anywhere */
	bool revoked; /* the key or its account */
	bool suspended; /* the tenant */
	struct account_id account;
	const char *name; /* of the account */
	const char **scopes;
	size_t scopes_count;
	const char *slug; /* of the tenant */
	const char *default_locale; /* the tenant's */
	const char *time_zone; /* the tenant's */
	int64_t generation; /* the tenant's when this was read */
};

/* Adds the query for a key; its rows are one text, which account_key_text()
 * returns (NULL: there is no such key) and account_key_from_text()
 * reads.  The text may be cached where only Belfry can write: who can change
 * it can become anybody. */
void account_key_add(struct db_batch *b, struct tenant_id tenant,
    const char *key_id);
const char *account_key_text(const struct db_rows *rows);
int account_key_from_text(struct arena *a, const char *text, size_t len,
    struct account_key **key_r, struct err *e) MUST_CHECK;

/* All of it: 1, 0 when there is no such key, -1. */
int account_key_find(struct arena *a, struct db *db, struct tenant_id tenant,
    const char *key_id, struct account_key **key_r, struct err *e) MUST_CHECK;

/* ---- Accounts
 * -------------------------------------------------------------- */

int account_list(struct arena *a, struct db *db, struct tenant_id tenant,
    const char *after, int limit, struct account **list_r, size_t *count_r,
    struct err *e) MUST_CHECK;

/* 1, 0 when there is none, -1. */
int account_get(struct arena *a, struct db *db, struct tenant_id tenant,
    struct account_id id, struct account **account_r, struct err *e) MUST_CHECK;
int account_find(struct arena *a, struct db *db, struct tenant_id tenant,
    const char *name, struct account **account_r, struct err *e) MUST_CHECK;

/* To be asked before a key is made.  -1 with ERR_CONFLICT when the tenant can have none. */
int account_check_tenant(struct tenant_id tenant, struct err *e) MUST_CHECK;

/* Makes an account from its name and scopes, and its first key (NULL: none);
 * sets account->id and key->account. */
int account_create(const struct editor *ed, struct account *account,
    struct api_key *key, struct err *e) MUST_CHECK;

/* Replaces name, scopes, networks and state.  account->version is the one that is
 * expected (0: any), afterwards it is the new one. */
int account_update(const struct editor *ed, struct account *account,
    struct err *e) MUST_CHECK;

/* Removes an account and its keys. */
int account_remove(const struct editor *ed, struct account_id id,
    int expected_version, struct err *e) MUST_CHECK;

/* ---- Keys
 * ------------------------------------------------------------------ */

/* The keys of an account, newest first. */
int api_key_list(struct arena *a, struct db *db, struct tenant_id tenant,
    struct account_id account, struct api_key **list_r, size_t *count_r,
    struct err *e) MUST_CHECK;

/* Adds a key to key->account.  Its other keys go on working for overlap_ms,
 * or as they are when that is -1. */
int api_key_add(const struct editor *ed, const struct api_key *key,
    int64_t overlap_ms, struct err *e) MUST_CHECK;

/* Writes down that a key was used, unless that was done within the hour. */
int api_key_touch(struct arena *a, struct db *db, struct tenant_id tenant,
    const char *key_id, struct err *e) MUST_CHECK;

/* Takes a key out of service.  ERR_NOT_FOUND when there is none that works. */
int api_key_revoke(const struct editor *ed, const char *key_id, struct err *e)
    MUST_CHECK;

#endif
