/*
 * recipients.h - /services/recipients
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_API_RECIPIENTS_H
#define BELFRY_API_RECIPIENTS_H

struct err;
struct request;
struct response;

extern const struct field_table recipient_body_table;

int recipients_list(struct request *rq, struct response *rs, struct err *e);
int recipients_get(struct request *rq, struct response *rs, struct err *e);
int recipients_put(struct request *rq, struct response *rs, struct err *e);
int recipients_delete(struct request *rq, struct response *rs, struct err *e);

#endif
