/*
 * origins.h - which pages may read Belfry's answers
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_API_ORIGINS_H
#define BELFRY_API_ORIGINS_H

#include <stdbool.h>

#include "base/compiler.h"

struct arena;
struct origins;
struct request;

/* Those of tenants, as far as they were asked for; lives in "a". */
struct origins *origins_new(struct arena *a) MUST_CHECK;

/* The dispatcher's hook: whether an origin is the installation's (api.cors_origins), or its
 * tenant's (the setting cors_origins).  Before the tenant is known, as in a
 * preflight, that of any tenant will do: it tells a page no more than that there is
 * this API. */
bool origins_may(const struct request *rq, const char *origin);

#endif
