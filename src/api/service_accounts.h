/*
 * service_accounts.h - /admin/service-accounts
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Nobody gives away what they do not have: an account with scopes beyond those of the
 * caller can be looked at, and neither made nor changed nor given a key.
 */
#ifndef BELFRY_API_SERVICE_ACCOUNTS_H
#define BELFRY_API_SERVICE_ACCOUNTS_H

struct err;
struct request;
struct response;

extern const struct field_table service_account_table;
extern const struct field_table rotate_table;

int service_accounts_list(struct request *rq, struct response *rs,
    struct err *e);
int service_accounts_create(struct request *rq, struct response *rs,
    struct err *e);
int service_accounts_get(struct request *rq, struct response *rs,
    struct err *e);
int service_accounts_put(struct request *rq, struct response *rs,
    struct err *e);
int service_accounts_patch(struct request *rq, struct response *rs,
    struct err *e);
int service_accounts_delete(struct request *rq, struct response *rs,
    struct err *e);

/* Adds a key; those before it end after a while. */
int service_accounts_rotate(struct request *rq, struct response *rs,
    struct err *e);

/* Takes one key out of service. */
int service_accounts_revoke(struct request *rq, struct response *rs,
    struct err *e);

#endif
