/*
 * whatsapp_hook.c - WhatsApp's webhook: the fate of messages, and what people write
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The signature is an HMAC-SHA256 with the app's secret over the raw body, in which Meta
 * writes everything beyond ASCII as \uXXXX: whoever writes the JSON anew has another
 * body.  An app has one webhook for all of its phone numbers, so what is reported may be of
 * another account of the tenant.
 */
#include "provider/whatsapp.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/hmac.h"
#include "base/uuid.h"
#include "provider/http_json.h"
#include "provider/opt_word.h"
#include "provider/verdict.h"
#include "web/js.h"

#define SCHEME "sha256="

enum {
	JSON_DEPTH = 32,
	CHALLENGE_MAX = 200,
	IDS_BYTES = 2 * (UUID_TEXT_BYTES - 1) + 1 /* two ids with a slash between them */
};

/* What is read, and for whom. */
struct report {
	struct arena *a;
	const struct whatsapp_settings *settings;
	const char *sender; /* another account's number, or NULL */
	struct hook_events *out;
};

/* ---- Proofs ------------------------------------------------------------------------ */

static bool
is_theirs(const struct whatsapp_settings *s, const struct hook_request *rq)
{
	const char *text = rq->header(rq, "X-Hub-Signature-256");
	uint8_t claimed[HMAC_BYTES], mac[HMAC_BYTES];
	const char *end;
	size_t n;
	bool same;

	if (s->app_secret == NULL || text == NULL ||
	    strncmp(text, SCHEME, strlen(SCHEME)) != 0)
		return false;
	text += strlen(SCHEME);
	if (sodium_hex2bin(claimed, sizeof(claimed), text, strlen(text), NULL, &n,
	        &end) != 0 ||
	    n != sizeof(claimed) || *end != '\0')
		return false;
	hmac_sha256(s->app_secret, strlen(s->app_secret), rq->body,
	    rq->body_bytes, mac);
	same = sodium_memcmp(mac, claimed, sizeof(mac)) == 0;
	sodium_memzero(mac, sizeof(mac));
	return same;
}

/* Compared by their hashes, which have one length. */
static bool
is_same(const char *a, const char *b)
{
	uint8_t x[crypto_generichash_BYTES], y[crypto_generichash_BYTES];

	crypto_generichash(x, sizeof(x), (const uint8_t *)a, strlen(a), NULL, 0);
	crypto_generichash(y, sizeof(y), (const uint8_t *)b, strlen(b), NULL, 0);
	return sodium_memcmp(x, y, sizeof(x)) == 0;
}

/* Meta asks once, when the webhook is set up. */
static enum hook_verdict
answer_challenge(struct arena *a, const struct whatsapp_settings *s,
    const struct hook_request *rq, struct hook_events *out)
{
	const char *mode = hook_param(rq, "hub.mode");
	const char *token = hook_param(rq, "hub.verify_token");
	const char *challenge = hook_param(rq, "hub.challenge");

	if (s->verify_token == NULL || mode == NULL || token == NULL ||
	    challenge == NULL || strcmp(mode, "subscribe") != 0 ||
	    strlen(challenge) > CHALLENGE_MAX || !is_same(token, s->verify_token))
		return HOOK_REFUSED;
	out->reply = arena_strdup(a, challenge);
	return HOOK_CHALLENGED;
}

/* ---- Statuses ---------------------------------------------------------------------- */

/* That it was sent is known. */
static const struct status {
	const char *name;
	enum hook_what what;
} statuses[] = {
	{ "delivered", HOOK_DELIVERED },
	{ "read", HOOK_READ },
	{ "played", HOOK_READ },
	{ "failed", HOOK_FAILED },
};

/* What came behind a good answer is judged by the same table as answers are. */
static void
set_failure(const struct report *r, const json_t *status, struct hook_event *ev)
{
	const json_t *error = json_array_get(json_object_get(status, "errors"), 0);
	const json_t *code = json_object_get(error, "code");
	const struct http_rule *rule;

	/* Whatever no table knows is not to be dropped for: another account may do better. */
	ev->class = VERDICT_RETRY;
	ev->unrecognised = true;
	ev->text = http_json_text(json_object_get(error, "error_data"), "details");
	if (ev->text[0] == '\0')
		ev->text = http_json_text(error, "title");
	if (!json_is_integer(code))
		return;
	ev->code = arena_printf(r->a, "%" JSON_INTEGER_FORMAT,
	    json_integer_value(code));
	rule = whatsapp_rule_of(ev->code);
	if (rule == NULL)
		return;
	ev->unrecognised = false;
	ev->class = rule->class;
	if (rule->effect == HTTP_OPT_OUT) {
		ev->suppress = SUPPRESSION_OPT_OUT;
		ev->for_sender = true;
	}
}

/* Which delivery, and whose: as we said with the message, else by WhatsApp's id. */
static void
set_delivery(const json_t *status, struct hook_event *ev)
{
	const char *ours = http_json_text(status, "biz_opaque_callback_data");
	char first[UUID_TEXT_BYTES], second[UUID_TEXT_BYTES];
	size_t n = strlen(ours);

	if (n >= IDS_BYTES && (n == IDS_BYTES || ours[IDS_BYTES] == '/')) {
		memcpy(first, ours, sizeof(first));
		memcpy(second, ours + sizeof(first), sizeof(second));
		first[sizeof(first) - 1] = second[sizeof(second) - 1] = '\0';
		if (n > IDS_BYTES)
			ev->tenant = ours + IDS_BYTES + 1;
		if (uuid_parse(first, &ev->notification.u) == 0 &&
		    uuid_parse(second, &ev->delivery.u) == 0)
			return;
	}
	memset(&ev->notification, 0, sizeof(ev->notification));
	memset(&ev->delivery, 0, sizeof(ev->delivery));
	ev->provider_ref = http_json_text(status, "id");
}

/* Seconds, as a text. */
static int64_t
time_of(const json_t *object)
{
	return clock_ms_of_s(
	    strtoll(http_json_text(object, "timestamp"), NULL, 10));
}

static void
take_status(const struct report *r, const json_t *status)
{
	const char *name = http_json_text(status, "status");
	struct hook_event *ev;
	size_t i = 0;

	while (i < NELEMS(statuses) && strcmp(statuses[i].name, name) != 0)
		i++;
	if (i == NELEMS(statuses))
		return;
	ev = hook_event_new(r->a, r->out);
	ev->what = statuses[i].what;
	ev->sender = r->sender;
	ev->at_ms = time_of(status);
	set_delivery(status, ev);
	if (http_json_text(status, "id")[0] != '\0')
		ev->id = arena_printf(r->a, "%s %s",
		    http_json_text(status, "id"), name);
	if (ev->what == HOOK_FAILED)
		set_failure(r, status, ev);
}

/* ---- What people write --------------------------------------------------------------- */

/* What was typed, or stands on the button that was pressed. */
static const char *
words_of(const json_t *message)
{
	const json_t *text = json_object_get(message, "text");
	const json_t *button = json_object_get(message, "button");
	const json_t *reply = json_object_get(
	    json_object_get(message, "interactive"), "button_reply");

	if (text != NULL)
		return http_json_text(text, "body");
	return button != NULL ? http_json_text(button, "text")
	                      : http_json_text(reply, "title");
}

static void
take_message(const struct report *r, const json_t *message)
{
	const char *from = http_json_text(message, "from");
	const struct opt_word *word;
	struct hook_event *ev;

	if (from[0] == '\0' || from[strspn(from, "0123456789")] != '\0')
		return;
	from = arena_printf(r->a, "+%s", from);
	ev = hook_event_new(r->a, r->out);
	ev->what = HOOK_HEARD;
	ev->sender = r->sender;
	ev->address = from;
	ev->at_ms = time_of(message);
	word = opt_word_of(words_of(message));
	if (word == NULL || !word->clear)
		return;
	ev = hook_event_new(r->a, r->out);
	ev->what = word->what;
	ev->sender = r->sender;
	ev->address = from;
	ev->code = word->word;
	ev->suppress = SUPPRESSION_OPT_OUT;
	ev->for_sender = true;
	ev->id = http_json_text(message, "id");
}

static void
take_value(struct report *r, const json_t *value)
{
	const char *number = http_json_text(json_object_get(value, "metadata"),
	    "phone_number_id");
	const json_t *one;
	size_t i;

	if (number[0] == '\0')
		return;
	r->sender = strcmp(number, r->settings->phone_number_id) != 0 ? number
	                                                              : NULL;
	json_array_foreach(json_object_get(value, "statuses"), i, one)
		take_status(r, one);
	json_array_foreach(json_object_get(value, "messages"), i, one)
		take_message(r, one);
}

enum hook_verdict
whatsapp_receive(struct arena *a, const struct provider *p,
    const struct hook_request *rq, struct hook_events *out_r)
{
	struct report r = { .a = a, .settings = p->settings, .out = out_r };
	const json_t *entry, *change;
	json_t *body;
	struct err e;
	size_t i, k;

	if (rq->is_get)
		return answer_challenge(a, p->settings, rq, out_r);
	if (!is_theirs(p->settings, rq))
		return HOOK_REFUSED;
	if (js_parse(a, rq->body, rq->body_bytes, JSON_DEPTH, &body, &e) == -1)
		return HOOK_TAKEN;
	json_array_foreach(json_object_get(body, "entry"), i, entry)
	{
		json_array_foreach(json_object_get(entry, "changes"), k, change)
		{
			if (strcmp(http_json_text(change, "field"), "messages") == 0)
				take_value(&r, json_object_get(change, "value"));
		}
	}
	return HOOK_TAKEN;
}
