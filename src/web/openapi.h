/*
 * openapi.h - the OpenAPI 3.1 document, made of the route and field tables
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_WEB_OPENAPI_H
#define BELFRY_WEB_OPENAPI_H

#include <stddef.h>

#include <jansson.h>

#include "base/compiler.h"

struct arena;
struct route;

struct openapi_info {
	const char *title;
	const char *version;
	const char *description;
	const char *license; /* its SPDX identifier */
	json_t *webhooks; /* the section of that name, or NULL */
};

/* Makes the document, which lives as long as the arena. */
json_t *openapi_make(struct arena *a, const struct openapi_info *info,
    const struct route *routes, size_t count) MUST_CHECK;

#endif
