/*
 * fcm.h - push messages through Firebase Cloud Messaging
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_PROVIDER_FCM_H
#define BELFRY_PROVIDER_FCM_H

#include "provider/provider.h"
#include "web/field.h"

struct fcm_settings {
	struct field_mask mask;
	json_t *service_account;
	const char *project;
	bool validate_only;
	const char *base_url;
	const char *ca_file;
};

extern const struct provider_ops fcm_ops;

#endif
