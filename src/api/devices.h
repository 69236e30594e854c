/*
 * devices.h - /services/recipients/{user_id}/devices: where push messages go
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_API_DEVICES_H
#define BELFRY_API_DEVICES_H

#include "web/router.h"

extern const struct field_table device_body_table;

int devices_list(struct request *rq, struct response *rs, struct err *e);
int devices_put(struct request *rq, struct response *rs, struct err *e);
int devices_clear(struct request *rq, struct response *rs, struct err *e);
int devices_delete(struct request *rq, struct response *rs, struct err *e);

#endif
