/*
 * whatsapp.h - messages through WhatsApp's Cloud API
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_PROVIDER_WHATSAPP_H
#define BELFRY_PROVIDER_WHATSAPP_H

#include "provider/hook.h"
#include "provider/provider.h"
#include "web/field.h"

struct http_rule;

struct whatsapp_settings {
	struct field_mask mask;
	const char *access_token;
	const char *phone_number_id;
	const char *api_version;
	const char *base_url;
	const char *app_secret;
	const char *verify_token;
};

extern const struct provider_ops whatsapp_ops;

/* What a code of WhatsApp's means (whatsapp.def); NULL for one that is not known. */
const struct http_rule *whatsapp_rule_of(const char *code);

/* whatsapp_hook.c: statuses of messages, and what people write. */
enum hook_verdict whatsapp_receive(struct arena *a, const struct provider *p,
    const struct hook_request *rq, struct hook_events *out_r);

#endif
