/*
 * suppressions.h - /admin/suppressions: addresses that are not to be written to
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_API_SUPPRESSIONS_H
#define BELFRY_API_SUPPRESSIONS_H

struct err;
struct field_table;
struct request;
struct response;

extern const struct field_table suppression_query_table;
extern const struct field_table suppression_body_table;

int suppressions_list(struct request *rq, struct response *rs, struct err *e);
int suppressions_create(struct request *rq, struct response *rs, struct err *e);

/* Of {channel} and {address}: what suppresses it, and an end to that. */
int suppressions_get(struct request *rq, struct response *rs, struct err *e);
int suppressions_delete(struct request *rq, struct response *rs, struct err *e);

#endif
