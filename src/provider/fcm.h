/*
 * fcm.h - push messages through Firebase Cloud Messaging
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_PROVIDER_FCM_H
#define BELFRY_PROVIDER_FCM_H

#include "provider/hook.h"
#include "provider/provider.h"
#include "web/field.h"

/* Where Google's public keys are, unless a tenant says otherwise. */
#define FCM_PUBSUB_KEYS "https://www.googleapis.com/oauth2/v3/certs"

struct fcm_settings {
	struct field_mask mask;
	json_t *service_account;
	const char *project;
	bool validate_only;
	const char *base_url;
	const char *ca_file;
	bool receipts;
	const char *pubsub_audience;
	const char *pubsub_account;
	const char *pubsub_keys;
};

/* The project that messages go to. */
const char *fcm_project_of(const struct fcm_settings *s);

/* fcm_hook.c: what comes through Pub/Sub. */
enum hook_verdict fcm_receive(struct arena *a, const struct provider *p,
    const struct hook_request *rq, struct hook_events *out_r);

extern const struct provider_ops fcm_ops;

#endif
