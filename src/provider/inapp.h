/*
 * inapp.h - entries of the in-app inbox
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_PROVIDER_INAPP_H
#define BELFRY_PROVIDER_INAPP_H

#include "provider/provider.h"
#include "web/field.h"

struct inapp_settings {
	struct field_mask mask;
	int64_t body_max;
};

extern const struct provider_ops inapp_ops;

#endif
