/*
 * webhook_event.c - what webhook endpoints are told
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One struct holds whatever "data" can; four tables say which of it there is for which
 * events, write it, and are its schema.
 */
#include "notify/webhook_event.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/ensure.h"
#include "base/err.h"
#include "model/channel.h"
#include "provider/verdict.h"
#include "web/field.h"
#include "web/js.h"

#define ID_PREFIX "msg_"

enum { BODY_MAX = 128 << 20, METADATA_DEPTH = 512 }; /* more than api.body_max */

struct data {
	struct field_mask mask;
	int64_t sequence;
	struct uuid notification;
	json_t *metadata;
	struct uuid delivery;
	const char *user_id;
	const char *channel;
	const char *provider;
	int64_t attempt;
	const char *class;
	const char *code;
	const char *text;
	int64_t next_attempt_at;
	struct uuid endpoint;
};

#define SEQUENCE(of)                                                           \
	FIELD(struct data, sequence, INT, .flags = FIELD_REQUIRED,             \
	    .help = "Counts up with each message about the same " of           \
	            ": by it you can tell which was first.",                   \
	    .example = "3")
#define NOTIFICATION                                                           \
	FIELD(struct data, notification, UUID,                                 \
	    .help = "The notification that it is about, or by which it was "   \
	            "noticed."),                                               \
	FIELD(struct data, metadata, JSON,                                     \
	    .help = "What the notification was given as metadata.")
#define CHANNEL                                                                \
	FIELD(struct data, channel, TEXT, .help = "The channel.",              \
	    .example = "\"email\"")
#define PROVIDER                                                               \
	FIELD(struct data, provider, TEXT,                                     \
	    .help = "The name of the account at a provider.")
#define WORDS                                                                  \
	FIELD(struct data, text, TEXT, .help = "In words.")

static const struct field notification_fields[] = {
	SEQUENCE("notification"),
	NOTIFICATION,
	WORDS,
};

static const struct field delivery_fields[] = {
	SEQUENCE("delivery"),
	NOTIFICATION,
	FIELD(struct data, delivery, UUID, .help = "The delivery."),
	FIELD(struct data, user_id, TEXT,
	    .help = "The recipient, as far as it has an id."),
	CHANNEL,
	PROVIDER,
	FIELD(struct data, attempt, INT,
	    .help = "Which attempt it was; 0: not one of them."),
	FIELD(struct data, class, TEXT,
	    .help = "How the attempt ended: accepted, retry, throttled, "
	            "bad_recipient ...", .example = "\"accepted\""),
	FIELD(struct data, code, TEXT, .help = "The provider's own code.",
	    .example = "\"250\""),
	WORDS,
	FIELD(struct data, next_attempt_at, TIME,
	    .help = "When it is tried again."),
};

static const struct field provider_fields[] = {
	SEQUENCE("account at a provider"),
	NOTIFICATION,
	CHANNEL,
	PROVIDER,
	WORDS,
};

static const struct field endpoint_fields[] = {
	SEQUENCE("endpoint"),
	FIELD(struct data, endpoint, UUID, .help = "The endpoint."),
	WORDS,
};

enum group { GROUP_NOTIFICATION, GROUP_DELIVERY, GROUP_PROVIDER, GROUP_ENDPOINT };

static const struct field_table tables[] = {
	[GROUP_NOTIFICATION] = FIELD_TABLE("WebhookNotification", struct data,
	    notification_fields, "Something happened to a notification."),
	[GROUP_DELIVERY] = FIELD_TABLE("WebhookDelivery", struct data,
	    delivery_fields, "Something happened to a delivery."),
	[GROUP_PROVIDER] = FIELD_TABLE("WebhookProvider", struct data,
	    provider_fields, "Something happened to an account at a provider."),
	[GROUP_ENDPOINT] = FIELD_TABLE("WebhookEndpointEvent", struct data,
	    endpoint_fields, "Something happened to an endpoint."),
};

static const struct event {
	const char *type;
	enum group group;
	int version;
	const char *help;
} events[] = {
#define X(type, group, version, help) { type, GROUP_##group, version, help },
#include "notify/webhook_event.def"
#undef X
};

const char *const webhook_event_names[] = {
#define X(type, group, version, help) type,
#include "notify/webhook_event.def"
#undef X
	NULL
};

const char *
webhook_id(struct arena *a, const struct uuid *message)
{
	char text[UUID_TEXT_BYTES];

	uuid_format(message, text);
	return arena_printf(a, "%s%s", ID_PREFIX, text);
}

int
webhook_id_parse(const char *text, struct uuid *message_r)
{
	if (strncmp(text, ID_PREFIX, strlen(ID_PREFIX)) != 0)
		return -1;
	return uuid_parse(text + strlen(ID_PREFIX), message_r);
}

/* A type that is written by a newer Belfry has what a delivery has. */
static const struct field_table *
table_of(const char *type)
{
	size_t i;

	for (i = 0; i < NELEMS(events); i++)
		if (strcmp(events[i].type, type) == 0)
			return &tables[events[i].group];
	return &tables[GROUP_DELIVERY];
}

static json_t *
metadata_of(struct arena *a, const char *text)
{
	json_t *json;
	struct err e;

	if (text == NULL ||
	    js_parse(a, text, strlen(text), METADATA_DEPTH, &json, &e) == -1 ||
	    !json_is_object(json))
		return NULL;
	return json;
}

struct buf *
webhook_body(struct arena *a, const struct webhook_message *m)
{
	struct data d = {
		.sequence = m->seq,
		.notification = m->notification,
		.metadata = metadata_of(a, m->metadata),
		.delivery = m->delivery,
		.user_id = m->user_id,
		.channel = m->channel != 0 ? channel_name(m->channel) : NULL,
		.provider = m->provider,
		.attempt = m->attempt,
		.class = m->class != 0
		    ? verdict_name((enum verdict_class)m->class)
		    : NULL,
		.code = m->code,
		.text = m->text,
		.next_attempt_at = m->next_attempt_ms,
		.endpoint = m->endpoint,
	};
	struct buf *body = buf_new(a, BODY_MAX);
	char at[CLOCK_TEXT_BYTES];

	clock_format(m->at_ms, at);
	js_write(body,
	    js_keep(a, json_pack("{s:s, s:s, s:O}", "type", m->type, "timestamp",
	                   at, "data", fields_write(a, table_of(m->type), &d))));
	ensure(!buf_overflowed(body));
	return body;
}

/* ---- The catalogue ------------------------------------------------------------ */

static json_t *
schema_of(const struct event *ev)
{
	const struct field_table *t = &tables[ev->group];
	json_t *components = json_object(), *schema;

	json_decref(fields_schema(t, components));
	json_object_del(json_object_get(components, t->name),
	    "additionalProperties"); /* there may be more tomorrow */
	schema = json_pack("{s:s, s:[s,s,s], s:{s:{s:s}, s:{s:s, s:s}, s:O}}",
	    "type", "object", "required", "type", "timestamp", "data",
	    "properties", "type", "const", ev->type, "timestamp", "type",
	    "string", "format", "date-time", "data",
	    json_object_get(components, t->name));
	ensure(schema != NULL);
	json_decref(components);
	return schema;
}

json_t *
webhook_event_catalogue(void)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < NELEMS(events); i++)
		json_array_append_new(list,
		    json_pack("{s:s, s:i, s:s, s:o}", "type", events[i].type,
		        "version", events[i].version, "summary", events[i].help,
		        "schema", schema_of(&events[i])));
	return list;
}

static json_t *
operation_of(const struct event *ev)
{
	json_t *o = json_pack("{s:{s:s, s:s, s:s, s:[], s:[s], "
	                      "s:{s:b, s:{s:{s:o}}}, "
	                      "s:{s:{s:s}, s:{s:s}}}}",
	    "post", "operationId", ev->type, "summary", ev->help, "description",
	    "Signed as Standard Webhooks has it: the headers webhook-id, "
	    "webhook-timestamp and webhook-signature.", "security", "tags",
	    "webhooks", "requestBody", "required", 1, "content", "application/json",
	    "schema", schema_of(ev), "responses", "2XX", "description",
	    "It was taken.", "410", "description",
	    "The endpoint wants no more messages.");

	ensure(o != NULL);
	return o;
}

json_t *
webhook_event_openapi(void)
{
	json_t *webhooks = json_object();
	size_t i;

	for (i = 0; i < NELEMS(events); i++)
		json_object_set_new(webhooks, events[i].type,
		    operation_of(&events[i]));
	return webhooks;
}
