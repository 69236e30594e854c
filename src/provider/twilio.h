/*
 * twilio.h - SMS and MMS through Twilio
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_PROVIDER_TWILIO_H
#define BELFRY_PROVIDER_TWILIO_H

#include "base/compiler.h"
#include "provider/hook.h"
#include "provider/provider.h"
#include "web/field.h"

struct twilio_settings {
	struct field_mask mask;
	const char *account_sid;
	const char *auth_token;
	const char *from;
	const char *messaging_service_sid;
	const char *base_url;
	const char *public_url;
};

extern const struct provider_ops twilio_ops;

/* What a code of Twilio's means (twilio.def). */
struct twilio_meaning {
	enum verdict_class class;
	enum suppression_reason suppress;
};
/* NULL for a code that is not known. */
const struct twilio_meaning *twilio_meaning_of(int code);

/* twilio_hook.c: status callbacks and what people answer. */
enum hook_verdict twilio_receive(struct arena *a, const struct provider *p,
    const struct hook_request *rq, struct hook_events *out_r);

#endif
