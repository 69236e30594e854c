/*
 * ntfy.h - push messages through ntfy
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_PROVIDER_NTFY_H
#define BELFRY_PROVIDER_NTFY_H

#include "provider/provider.h"
#include "web/field.h"

struct ntfy_settings {
	struct field_mask mask;
	const char *base_url;
	const char *token;
};

extern const struct provider_ops ntfy_ops;

#endif
