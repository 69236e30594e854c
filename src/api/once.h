/*
 * once.h - a request with an Idempotency-Key makes what it makes once
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The handler runs in one transaction with the key and its answer (db_hold()), so what it
 * made and the key are there together or not at all.  Whoever comes again with the key and
 * the same body gets the answer again, but for what is shown once (response_secret()).
 */
#ifndef BELFRY_API_ONCE_H
#define BELFRY_API_ONCE_H

#include "base/compiler.h"

struct err;
struct request;
struct response;

/* The dispatcher's hook for routes with ROUTE_ONCE. */
int once_handle(struct request *rq, struct response *rs, struct err *e)
    MUST_CHECK;

/* The request's key, or NULL when it has none.  -1 with ERR_INVALID. */
int once_key(struct request *rq, const char **key_r, struct err *e) MUST_CHECK;

#endif
