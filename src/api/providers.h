/*
 * providers.h - /admin/providers
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Secrets go in and never come out.  PUT replaces all settings, so it must hold the
 * secret ones too; PATCH leaves those alone that it does not name.
 */
#ifndef BELFRY_API_PROVIDERS_H
#define BELFRY_API_PROVIDERS_H

struct err;
struct request;
struct response;

extern const struct field_table provider_body_table;

int providers_list(struct request *rq, struct response *rs, struct err *e);
int providers_create(struct request *rq, struct response *rs, struct err *e);
int providers_get(struct request *rq, struct response *rs, struct err *e);
int providers_put(struct request *rq, struct response *rs, struct err *e);
int providers_patch(struct request *rq, struct response *rs, struct err *e);
int providers_delete(struct request *rq, struct response *rs, struct err *e);
/* How it is doing. */
int providers_health(struct request *rq, struct response *rs, struct err *e);
int providers_enable(struct request *rq, struct response *rs, struct err *e);
int providers_disable(struct request *rq, struct response *rs, struct err *e);

/* The kinds that there are, with the schema of their settings. */
int provider_kinds(struct request *rq, struct response *rs, struct err *e);

#endif
