/*
 * audit.h - /admin/audit: who changed what
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_API_AUDIT_H
#define BELFRY_API_AUDIT_H

#include "base/compiler.h"

struct err;
struct field_table;
struct request;
struct response;

extern const struct field_table audit_query_table;

int audit_show(struct request *rq, struct response *rs, struct err *e)
    MUST_CHECK;

#endif
