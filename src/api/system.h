/*
 * system.h - health, metrics and the OpenAPI document
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_API_SYSTEM_H
#define BELFRY_API_SYSTEM_H

struct err;
struct request;
struct response;

int health_live(struct request *rq, struct response *rs, struct err *e);
int health_ready(struct request *rq, struct response *rs, struct err *e);
int health_all(struct request *rq, struct response *rs, struct err *e);

/* For the own host, and for keys with the scope "platform". */
int metrics_show(struct request *rq, struct response *rs, struct err *e);

int openapi_show(struct request *rq, struct response *rs, struct err *e);

#endif
