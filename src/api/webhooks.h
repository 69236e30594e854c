/*
 * webhooks.h - /admin/webhooks: URLs that are told what happens
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_API_WEBHOOKS_H
#define BELFRY_API_WEBHOOKS_H

struct err;
struct request;
struct response;

extern const struct field_table webhook_body_table, webhook_rotate_table,
    webhook_ping_table;

int webhooks_list(struct request *rq, struct response *rs, struct err *e);
int webhooks_create(struct request *rq, struct response *rs, struct err *e);
int webhooks_get(struct request *rq, struct response *rs, struct err *e);
int webhooks_patch(struct request *rq, struct response *rs, struct err *e);
int webhooks_put(struct request *rq, struct response *rs, struct err *e);
int webhooks_delete(struct request *rq, struct response *rs, struct err *e);
int webhooks_enable(struct request *rq, struct response *rs, struct err *e);
int webhooks_disable(struct request *rq, struct response *rs, struct err *e);
int webhooks_rotate(struct request *rq, struct response *rs, struct err *e);
int webhooks_ping(struct request *rq, struct response *rs, struct err *e);

/* /admin/event-types: what there is to be told. */
int webhooks_event_types(struct request *rq, struct response *rs,
    struct err *e);

#endif
