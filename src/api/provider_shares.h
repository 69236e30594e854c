/*
 * provider_shares.h - /admin/providers/{id}/shares: who may use accounts of the platform
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_API_PROVIDER_SHARES_H
#define BELFRY_API_PROVIDER_SHARES_H

struct err;
struct request;
struct response;

extern const struct field_table provider_allow_table;
extern const struct field_table provider_share_table;
extern const struct field_table provider_shares_table;

int provider_shares_list(struct request *rq, struct response *rs,
    struct err *e);
int provider_shares_put(struct request *rq, struct response *rs, struct err *e);
int provider_shares_put_all(struct request *rq, struct response *rs,
    struct err *e);
int provider_shares_delete(struct request *rq, struct response *rs,
    struct err *e);
int provider_shares_delete_all(struct request *rq, struct response *rs,
    struct err *e);

#endif
