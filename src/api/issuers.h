/*
 * issuers.h - /admin/issuers: whom a tenant believes access tokens from
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * These stand beside those of the configuration and speak for their tenant alone.
 */
#ifndef BELFRY_API_ISSUERS_H
#define BELFRY_API_ISSUERS_H

struct err;
struct request;
struct response;

extern const struct field_table issuer_table;

int issuers_list(struct request *rq, struct response *rs, struct err *e);
int issuers_create(struct request *rq, struct response *rs, struct err *e);
int issuers_get(struct request *rq, struct response *rs, struct err *e);
int issuers_put(struct request *rq, struct response *rs, struct err *e);
int issuers_delete(struct request *rq, struct response *rs, struct err *e);

#endif
