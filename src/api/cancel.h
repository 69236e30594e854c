/*
 * cancel.h - /services/notifications/{id}/cancel and /reschedule
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_API_CANCEL_H
#define BELFRY_API_CANCEL_H

#include "web/field.h"

struct err;
struct request;
struct response;

extern const struct field_table reschedule_body_table;

int notifications_cancel(struct request *rq, struct response *rs, struct err *e);
int notifications_reschedule(struct request *rq, struct response *rs,
    struct err *e);

#endif
