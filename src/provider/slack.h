/*
 * slack.h - messages into a channel of Slack
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_PROVIDER_SLACK_H
#define BELFRY_PROVIDER_SLACK_H

#include "provider/provider.h"
#include "web/field.h"

struct slack_settings {
	struct field_mask mask;
	const char *url;
};

extern const struct provider_ops slack_ops;

#endif
