/*
 * share.h - the platform gives tenants leave to use its accounts
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * "allowed" is a JSON array of domains and addresses (identity.h), in which "{tenant}"
 * stands for a tenant's slug.  Each tenant's part is an edit of that tenant, on its
 * audit; the editor's own tenant is not looked at.
 */
#ifndef BELFRY_PROVIDER_SHARE_H
#define BELFRY_PROVIDER_SHARE_H

#include "base/compiler.h"

struct editor;
struct err;
struct provider_account;
struct tenant;

/* Gives an account, or changes what is allowed; what the tenant set beyond that goes.
 * "name" is that of the row among its own: NULL is the account's, or when the tenant has
 * one such, the account's behind "platform-". */
int share_give(const struct editor *ed, const struct provider_account *account,
    const struct tenant *tenant, const char *name, const char *allowed,
    struct err *e) MUST_CHECK;

/* Takes it away again.  ERR_NOT_FOUND when the tenant has no leave to use it. */
int share_take(const struct editor *ed, const struct provider_account *account,
    const struct tenant *tenant, struct err *e) MUST_CHECK;

/* The same for all tenants that there are and will be.  Who has it already keeps what it
 * is allowed.  Tenant by tenant: what failed half way is to be repeated. */
int share_give_all(const struct editor *ed,
    const struct provider_account *account, const char *allowed, struct err *e)
    MUST_CHECK;
int share_take_all(const struct editor *ed,
    const struct provider_account *account, struct err *e) MUST_CHECK;

#endif
