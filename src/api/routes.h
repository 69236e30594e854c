/*
 * routes.h - every endpoint of belfry-api
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_API_ROUTES_H
#define BELFRY_API_ROUTES_H

#include <stddef.h>

struct route;

/* The table; *count_r is its length. */
const struct route *api_routes(size_t *count_r);

#endif
