/*
 * simulator.h - providers that only pretend, one for each channel
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_PROVIDER_SIMULATOR_H
#define BELFRY_PROVIDER_SIMULATOR_H

#include "provider/provider.h"
#include "web/field.h"

struct simulator_settings {
	struct field_mask mask;
	int64_t delay;
};

/* One for each channel, "simulator-email" and so on. */
extern const struct provider_ops simulator_ops[CHANNEL_COUNT - 1];

#endif
