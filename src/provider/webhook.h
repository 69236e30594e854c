/*
 * webhook.h - a notification posted to a URL
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_PROVIDER_WEBHOOK_H
#define BELFRY_PROVIDER_WEBHOOK_H

#include <stdint.h>

#include <jansson.h>

#include "provider/provider.h"
#include "web/field.h"

struct webhook_settings {
	struct field_mask mask;
	const char *url;
	const char *secret;
	json_t *headers; /* texts by name, or NULL */
	int64_t timeout;
	const char *ca_file;
};

/* Checks a further header of a request: -1 with what is wrong when the name is none or is
 * the request's own, or the value is not a text in one line. */
int webhook_header_check(const char *name, const json_t *value, struct err *e)
    MUST_CHECK;

extern const struct provider_ops webhook_ops;

#endif
