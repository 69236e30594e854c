/*
 * plan.h - a recipient of a notification while it is routed
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Between route.c, which goes through recipients and channels, route_recipients.c, which
 * knows who they are, and plan.c, which puts the channels of a fallback order behind each
 * other and says why what was chosen.
 */
#ifndef BELFRY_NOTIFY_PLAN_H
#define BELFRY_NOTIFY_PLAN_H

#include <stdbool.h>

#include <jansson.h>

#include "base/compiler.h"
#include "model/channel.h"
#include "model/suppression.h"
#include "notify/trace.h"

struct arena;
struct choice;
struct delivery;
struct delivery_list;
struct fallback;
struct notification;
struct provider;
struct quiet;
struct route_params;

/* What is known of one recipient while its channels are gone through. */
struct plan {
	struct arena *a;
	const struct route_params *params;
	struct notification *n;
	struct delivery_list *out;
	int recipient_no;
	json_t *to;
	const char *number; /* that was looked up and is to be counted, or NULL */
	bool is_counted, is_too_many; /* it was; and there were too many */
	json_t *tokens; /* of devices that the tenant's service knows, or NULL */
	const char *text; /* "to" as JSON */
	const char *because; /* why this channel */
	bool follows; /* it is a later step of an order, which takes no place of an account */
	struct trace trace; /* of the delivery that is planned now */
};

/* A column of JSON, in "a"; NULL: nothing, or broken. */
json_t *plan_parse(struct arena *a, const char *text) MUST_CHECK;

/* Adds to a recipient what is known and was not given.  The devices that the tenant's
 * service knows are the result, or NULL. */
json_t *plan_fill(struct arena *a, json_t *to, const struct route_params *p) MUST_CHECK;

/* Adds the deliveries of a channel, whatever becomes of them (route.c). */
void plan_channel(struct plan *pl, enum channel channel);

/* Adds the deliveries of each step, which wait for each other.  Without any account for
 * the channels that are possible, the first of them waits for one. */
void plan_steps(struct plan *pl, const struct fallback *f);

/* Begins the trace: the channel and why it is taken; what becomes of files there, by the
 * account, or NULL: by all that the channel has. */
void plan_trace_begin(struct plan *pl, enum channel channel,
    const struct provider *provider, const char *why);

/* Why nothing may be sent to the address of a delivery, if so. */
enum suppression_reason plan_suppressed(const struct plan *pl,
    const struct delivery *d);

/* A number that was looked up counts when the first delivery to it could go out; one that
 * came with the request was counted when that was accepted. */
bool plan_is_too_many(struct plan *pl, enum channel channel);

/* For the trace: was it quiet, and which account was chosen among which. */
void plan_trace_quiet(struct plan *pl, const struct quiet *quiet);
void plan_trace_choice(struct plan *pl, const struct choice *choice);

#endif
