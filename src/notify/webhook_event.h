/*
 * webhook_event.h - what webhook endpoints are told
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A message is written by whoever writes history (0018_webhooks.sql) and posted by spoolers
 * as Standard Webhooks 1.0.0 has it: its body is { "type", "timestamp", "data" }, the
 * same at each attempt, and so is its webhook-id.
 */
#ifndef BELFRY_NOTIFY_WEBHOOK_EVENT_H
#define BELFRY_NOTIFY_WEBHOOK_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/compiler.h"
#include "base/id.h"

struct arena;
struct buf;
struct err;

/* The types, ended by NULL, for field tables. */
extern const char *const webhook_event_names[];

struct webhook_message {
	struct uuid id;
	int64_t at_ms;
	const char *type;
	int64_t seq; /* counts up for each notification, delivery, account, endpoint */
	struct uuid notification, delivery, endpoint; /* nil: about none */
	int channel; /* 0: about none */
	const char *provider; /* these may be NULL */
	const char *user_id;
	const char *metadata; /* JSON */
	int attempt;
	int class;
	const char *code, *text;
	int64_t next_attempt_ms; /* 0: there is none */
};

/* The value of webhook-id, in "a"; webhook_id_parse() reads it. */
const char *webhook_id(struct arena *a, const struct uuid *message);
int webhook_id_parse(const char *text, struct uuid *message_r) MUST_CHECK;

/* The body, in "a". */
struct buf *webhook_body(struct arena *a, const struct webhook_message *m)
    MUST_CHECK;

/* The catalogue: [{ "type", "version", "summary", "schema" }], the schema that of the whole
 * body.  A new reference. */
json_t *webhook_event_catalogue(void) MUST_CHECK;

/* The same as the section "webhooks" of an OpenAPI document. */
json_t *webhook_event_openapi(void) MUST_CHECK;

#endif
