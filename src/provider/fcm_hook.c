/*
 * fcm_hook.c - what a pipeline behind FCM reports through Pub/Sub
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * FCM itself reports nothing of single messages.  An app, or an export of Firebase, may
 * publish events to a topic of Pub/Sub whose push subscription leads here; Google signs
 * each request with an OpenID Connect token of a service account.
 */
#include "provider/fcm.h"

#include <string.h>
#include <strings.h>

#include <sodium.h>

#include "auth/jwks.h"
#include "auth/jwt.h"
#include "auth/keyset.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/uuid.h"
#include "provider/http_json.h"
#include "web/js.h"

#define ISSUER "https://accounts.google.com"
#define BEARER "Bearer "

enum { LEEWAY_MS = 30 * 1000, JSON_DEPTH = 8 };

/* ---- Proofs ------------------------------------------------------------------------ */

/* Whose source of keys it is: nobody's, and one for all, where the account names neither it
 * nor whom to trust there. */
static const char *
owner_of_keys(struct arena *a, const struct provider *p)
{
	const struct fcm_settings *s = p->settings;

	return strcmp(s->pubsub_keys, FCM_PUBSUB_KEYS) == 0 && s->ca_file == NULL
	    ? NULL
	    : keyset_owner(a, p->owner);
}

/* The token is for us, and of the service account. */
static bool
is_theirs(struct arena *a, const struct provider *p,
    const struct hook_request *rq)
{
	const struct fcm_settings *s = p->settings;
	const struct key_source source = { .issuer = ISSUER,
		.jwks = s->pubsub_keys,
		.ca_file = s->ca_file != NULL ? s->ca_file : "",
		.guarded = true,
		.of_platform = provider_leads_for_platform(p),
		.owner = owner_of_keys(a, p) };
	const char *const audiences[] = { s->pubsub_audience, NULL };
	const struct jwt_rules rules = { .issuer = ISSUER,
		.audiences = audiences, .now_ms = rq->now_ms,
		.leeway_ms = LEEWAY_MS };
	const char *text = rq->header(rq, "Authorization");
	const json_t *claims;
	const struct jwk *key;
	struct jwt *token;
	struct err e;

	if (s->pubsub_audience == NULL || s->pubsub_account == NULL ||
	    text == NULL || strncasecmp(text, BEARER, strlen(BEARER)) != 0 ||
	    jwt_read(a, text + strlen(BEARER), &token, &e) == -1 ||
	    strcmp(jwt_claimed_issuer(token), ISSUER) != 0 ||
	    !jwt_claims_audience(token, audiences))
		return false;
	key = rq->key(rq, &source, jwt_claimed_kid(token));
	return key != NULL && jwt_verify(token, key, &rules, &claims, &e) == 0 &&
	    json_is_true(json_object_get(claims, "email_verified")) &&
	    strcmp(http_json_text(claims, "email"), s->pubsub_account) == 0;
}

/* ---- Events ------------------------------------------------------------------------ */

/* Names of ours, and those of Firebase's export of delivery data. */
static const struct event_name {
	const char *name;
	enum hook_what what;
} event_names[] = {
	{ "delivered", HOOK_DELIVERED },
	{ "opened", HOOK_OPENED },
	{ "read", HOOK_READ },
	{ "clicked", HOOK_CLICKED },
	{ "MESSAGE_DELIVERED", HOOK_DELIVERED },
};

/* The delivery by our ids, or the message by FCM's. */
static bool
set_delivery(struct arena *a, const struct fcm_settings *s, const json_t *json,
    struct hook_event *ev)
{
	const char *n = http_json_text(json, "notification");
	const char *d = http_json_text(json, "delivery");
	const char *id = http_json_text(json, "message_id");

	if (uuid_parse(n, &ev->notification.u) == 0 &&
	    uuid_parse(d, &ev->delivery.u) == 0)
		return true;
	memset(&ev->notification, 0, sizeof(ev->notification));
	memset(&ev->delivery, 0, sizeof(ev->delivery));
	ev->provider_ref = strncmp(id, "projects/", 9) == 0
	    ? id
	    : arena_printf(a, "projects/%s/messages/%s", fcm_project_of(s), id);
	return id[0] != '\0';
}

static void
take_event(struct arena *a, const struct fcm_settings *s, const json_t *json,
    struct hook_events *out)
{
	const char *name = http_json_text(json, "event");
	const char *at = http_json_text(json, "at");
	struct hook_event ev = { .at_ms = 0 };
	size_t i = 0;

	while (i < NELEMS(event_names) && strcmp(event_names[i].name, name) != 0)
		i++;
	if (i == NELEMS(event_names) || !set_delivery(a, s, json, &ev))
		return;
	ev.what = event_names[i].what;
	if (at[0] == '\0')
		at = http_json_text(json, "event_timestamp");
	if (clock_parse(at, &ev.at_ms) == -1)
		ev.at_ms = 0;
	*hook_event_new(a, out) = ev;
}

/* "message.data" of the request: JSON in base64, one event or a list of them. */
static json_t *
read_data(struct arena *a, const struct hook_request *rq)
{
	json_t *body, *data;
	const char *text;
	struct err e;
	char *plain;
	size_t n;

	if (js_parse(a, rq->body, rq->body_bytes, JSON_DEPTH, &body, &e) == -1)
		return NULL;
	text = http_json_text(json_object_get(body, "message"), "data");
	plain = arena_alloc(a, strlen(text) + 1);
	if (sodium_base642bin((uint8_t *)plain, strlen(text) + 1, text,
	        strlen(text), NULL, &n, NULL,
	        sodium_base64_VARIANT_ORIGINAL) != 0 ||
	    js_parse(a, plain, n, JSON_DEPTH, &data, &e) == -1)
		return NULL;
	return data;
}

enum hook_verdict
fcm_receive(struct arena *a, const struct provider *p,
    const struct hook_request *rq, struct hook_events *out_r)
{
	json_t *data;
	size_t i;

	if (rq->is_get || !is_theirs(a, p, rq))
		return HOOK_REFUSED;
	data = read_data(a, rq);
	if (json_is_object(data))
		take_event(a, p->settings, data, out_r);
	for (i = 0; i < json_array_size(data); i++)
		take_event(a, p->settings, json_array_get(data, i), out_r);
	return HOOK_TAKEN;
}
