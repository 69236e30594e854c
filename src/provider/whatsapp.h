/*
 * whatsapp.h - messages through WhatsApp's Cloud API
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_PROVIDER_WHATSAPP_H
#define BELFRY_PROVIDER_WHATSAPP_H

#include "provider/provider.h"
#include "web/field.h"

struct whatsapp_settings {
	struct field_mask mask;
	const char *access_token;
	const char *phone_number_id;
	const char *api_version;
	const char *base_url;
};

extern const struct provider_ops whatsapp_ops;

#endif
