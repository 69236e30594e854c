/*
 * work.h - notifications and deliveries on their way through a spooler
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_NOTIFY_WORK_H
#define BELFRY_NOTIFY_WORK_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/id.h"
#include "model/channel.h"
#include "notify/decide.h"
#include "notify/state.h"
#include "notify/trace.h"
#include "provider/verdict.h"

struct arena;
struct place;
struct provider;
struct template;

/* A notification as it was claimed.  Texts are as they stand in the database and live
 * with the claim. */
struct notification {
	struct arena *a; /* of the claim */
	struct notification_id id;
	enum notification_state state;
	int priority;
	struct template_id template_id; /* nil with inline content */
	int template_version;
	int template_release; /* of layouts and partials; 0: there was none */
	const char *category;
	const char *locale; /* or NULL */
	const char *channels; /* names separated by commas, or NULL */
	const char *content; /* JSON, or NULL */
	const char *recipients; /* JSON */
	const char *data; /* JSON, or NULL */
	const char *user_ids; /* not NULL when recipients have to be looked up */
	int64_t expires_ms; /* 0: never */
	int64_t created_ms;
	const char *traceparent; /* or NULL */
	const char *fallback; /* JSON, or NULL */
	const char *tracking; /* JSON, or NULL: the template says */
	bool attaches; /* files go with it */
	bool quiet_exempt; /* goes out in quiet hours too */
	bool test; /* simulators alone may send it */
	int crashes; /* of spoolers while they routed it */
	json_t *data_json; /* parsed when first needed */
	const struct template *template; /* held by the claim */
	const char *corrupt; /* why it cannot be worked on, or NULL */
};

/* One channel's share of it for one recipient. */
struct delivery {
	struct notification *notification;
	struct delivery_id id;
	int recipient_no;
	int step; /* place in the fallback order */
	struct delivery_id next; /* the step that follows; nil: none */
	int64_t after_ms; /* of a later step; -1: until the one before fails */
	enum unless unless; /* the same */
	enum channel channel;
	enum delivery_state state;
	int prio; /* of its queue: from PRIORITY_COUNT on it was deferred */
	int lease_no;
	int attempt; /* the number of the attempt that is started; 0: none */
	int counted; /* attempts that counted before it */
	int failovers; /* how often the next account's turn came */
	int crashes; /* of spoolers, that it was the cause of */
	enum told told;
	bool others; /* an account of its channel has not had its turn yet */
	bool suppressed; /* its address is, since it was routed */
	const char *user_id;
	const char *address;
	const char *recipient; /* JSON: name, locale, time_zone, data */
	const char *locale;
	const char *reason;
	int64_t created_ms;
	int64_t aged_from_ms; /* when it was made or replayed */
	int64_t due_ms; /* when it goes on, of one that waits; 0: when another ends */
	enum later later; /* what one that waits waits for */
	const char *trace; /* JSON: the decisions of its routing */
	const struct provider *provider;
	struct place *place; /* that it has taken (gate.h), or NULL */
	int64_t from_us; /* it must not go on the wire before: of clock_mono_us() */
	int64_t ready_ms; /* wall: since when it was in the queue */
	int64_t put_off_ms; /* it is due so much later; 0: it goes back as it was */
	bool spared; /* its account is in trouble: a failed attempt does not count */
};

/* What came of an attempt, until it is written.  A copy of everything that is needed for
 * that, since the claim may be gone by then. */
struct result {
	struct result *next;
	struct arena *a; /* of its pile: the result's texts live there */
	struct tenant_id tenant;
	struct uuid spooler; /* the lease's owner */
	struct notification_id notification;
	struct delivery_id delivery;
	enum channel channel;
	struct provider_id provider; /* nil without an attempt */
	struct tenant_id owner; /* whose account that was: */
	struct provider_id account; /* provider.h */
	int lease_no;
	bool doubtful; /* its lease may never have been, or be settled already */
	int attempt; /* 0: it ended before an attempt (expired, corrupt) */
	enum delivery_state state;
	int64_t delay_ms; /* until what "later" says */
	enum later later;
	bool failover; /* the next account's turn comes */
	enum told told;
	int counted;
	char note[TRACE_NOTE_BYTES]; /* for the delivery's trace, or "" */
	struct verdict verdict; /* class NONE without an attempt; text is the reason */
};

#endif
