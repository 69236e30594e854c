/*
 * queue.h - GET /admin/queue: what waits, and how fast it goes
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_API_QUEUE_H
#define BELFRY_API_QUEUE_H

struct err;
struct request;
struct response;

int queue_show(struct request *rq, struct response *rs, struct err *e);

#endif
