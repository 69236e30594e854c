/*
 * teams.h - messages into a channel of Microsoft Teams
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_PROVIDER_TEAMS_H
#define BELFRY_PROVIDER_TEAMS_H

#include "provider/provider.h"
#include "web/field.h"

struct teams_settings {
	struct field_mask mask;
	const char *url;
};

extern const struct provider_ops teams_ops;

#endif
