/*
 * notifications.h - /services/notifications
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_API_NOTIFICATIONS_H
#define BELFRY_API_NOTIFICATIONS_H

#include "base/compiler.h"

struct err;
struct request;
struct response;

/* Handlers of the route table (web/router.h). */
int notifications_send(struct request *rq, struct response *rs, struct err *e);
int notifications_get(struct request *rq, struct response *rs, struct err *e);
int notifications_explain(struct request *rq, struct response *rs, struct err *e);
int notifications_explain_request(struct request *rq, struct response *rs,
    struct err *e);
int notifications_timeline(struct request *rq, struct response *rs,
    struct err *e);

#endif
