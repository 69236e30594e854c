/*
 * settings.h - settings of provider accounts, checked, sealed and opened
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * An account is stored in two columns: what may be shown, and the fields that
 * their table marks secret, sealed and bound to the account's row.  So it is kept in
 * memory, too: its secrets are open while somebody sends by it, and no longer.
 */
#ifndef BELFRY_PROVIDER_SETTINGS_H
#define BELFRY_PROVIDER_SETTINGS_H

#include <jansson.h>

#include "base/compiler.h"

struct arena;
struct err;
struct field_errors;
struct keyring;
struct provider;
struct provider_account;

/* Checks the whole settings of an account of account->kind and sets
 * account->channel, settings and sealed, for which account->tenant and id
 * must stand.  Faults of fields are added to "fe" with pointers from the
 * settings on, and the first one is told in *e too.  Returns 0, or -1 with
 * ERR_UNPROCESSABLE (also for a kind that there is not). */
int settings_seal(struct arena *a, const struct keyring *ring, json_t *settings,
    struct provider_account *account, struct field_errors *fe, struct err *e)
    MUST_CHECK;

/* The whole settings of the row again, secrets included; lives as long as "a".  To
 * change some, merge them into this (js_merge_patch) and seal the result. */
int settings_whole(struct arena *a, const struct keyring *ring,
    const struct provider_account *account, json_t **settings_r, struct err *e)
    MUST_CHECK;

/* Of leave to use an account of the platform: sets what is allowed from now on and takes
 * away what the tenant set beyond that. */
int settings_narrow(struct arena *a, struct provider_account *account,
    const char *allowed, struct err *e) MUST_CHECK;

/* The account ready to send, for as long as "a" lives.  -1 when this program does not
 * know its kind, when a key of the ring is missing, or when the settings no longer
 * pass their table. */
int settings_open(struct arena *a, const struct keyring *ring,
    const struct provider_account *account, struct provider **provider_r,
    struct err *e) MUST_CHECK;

/* The same account as it is kept while nobody sends by it: everything but its settings,
 * which stay as they are stored.  Where none is secret they are there as well. */
int settings_keep(struct arena *a, const struct keyring *ring,
    const struct provider_account *account, struct provider **provider_r,
    struct err *e) MUST_CHECK;

/* A kept account ready to send.  Those who hold it at the same time share it: its secrets
 * are opened for the first and wiped behind the last of them. */
int settings_hold(const struct provider *kept, const struct provider **open_r,
    struct err *e) MUST_CHECK;

/* NULL is fine. */
void settings_release(const struct provider *open);

#endif
