/*
 * twilio.h - SMS through Twilio
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_PROVIDER_TWILIO_H
#define BELFRY_PROVIDER_TWILIO_H

#include "provider/provider.h"
#include "web/field.h"

struct twilio_settings {
	struct field_mask mask;
	const char *account_sid;
	const char *auth_token;
	const char *from;
	const char *messaging_service_sid;
	const char *base_url;
};

extern const struct provider_ops twilio_ops;

#endif
