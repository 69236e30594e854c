/*
 * webhook_attempts.h - /admin/webhooks/{id}/attempts: what was posted, and posting it again
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_API_WEBHOOK_ATTEMPTS_H
#define BELFRY_API_WEBHOOK_ATTEMPTS_H

struct err;
struct request;
struct response;

extern const struct field_table webhook_attempt_query_table,
    webhook_attempt_table, webhook_redeliver_table, webhook_redelivered_table;

int webhook_attempts_list(struct request *rq, struct response *rs,
    struct err *e);
int webhook_attempts_get(struct request *rq, struct response *rs,
    struct err *e);
int webhook_attempts_redeliver(struct request *rq, struct response *rs,
    struct err *e);
int webhooks_redeliver(struct request *rq, struct response *rs, struct err *e);

#endif
