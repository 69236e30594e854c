/*
 * sendgrid.h - e-mail through SendGrid
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_PROVIDER_SENDGRID_H
#define BELFRY_PROVIDER_SENDGRID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "provider/hook.h"
#include "provider/provider.h"
#include "web/field.h"

struct sendgrid_settings {
	struct field_mask mask;
	const char *api_key;
	const char *from;
	const char **senders;
	size_t senders_count;
	const char *from_name;
	const char *reply_to;
	const char *base_url;
	const char *webhook_key;
	int64_t replay_window;
	bool sandbox;
};

extern const struct provider_ops sendgrid_ops;

/* sendgrid_hook.c: the Event Webhook.  The key is that of its "Signed Event Webhook". */
int sendgrid_key_check(const char *key, struct err *e) MUST_CHECK;
enum hook_verdict sendgrid_receive(struct arena *a, const struct provider *p,
    const struct hook_request *rq, struct hook_events *out_r);

#endif
