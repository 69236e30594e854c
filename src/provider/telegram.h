/*
 * telegram.h - messages into a chat of Telegram
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_PROVIDER_TELEGRAM_H
#define BELFRY_PROVIDER_TELEGRAM_H

#include "provider/provider.h"
#include "web/field.h"

struct telegram_settings {
	struct field_mask mask;
	const char *token;
	const char *chat_id;
	bool silent;
	const char *base_url;
};

extern const struct provider_ops telegram_ops;

#endif
