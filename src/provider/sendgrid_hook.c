/*
 * sendgrid_hook.c - SendGrid's Event Webhook
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The signature is ECDSA over P-256 and SHA-256 of the timestamp's text and the raw body,
 * which has CRLF between its events: whoever writes the JSON anew has another body.  Events
 * come in lists, some of them twice, in any order.
 */
#include "provider/sendgrid.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <sodium.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/uuid.h"
#include "provider/verdict.h"
#include "web/js.h"

#define SIGNATURE "X-Twilio-Email-Event-Webhook-Signature"
#define TIMESTAMP "X-Twilio-Email-Event-Webhook-Timestamp"

enum {
	POINT_BYTES = 65,
	KEY_TEXT_BYTES = 124, /* of a SubjectPublicKeyInfo in base64 */
	KEYS_KEPT = 64,
	SIGNATURE_MAX = 80, /* two numbers of 32 bytes in DER */
	TIMESTAMP_MAX = 15,
	JSON_DEPTH = 16,
	AHEAD_MS = 5 * 60 * 1000 /* how far its clock may be ahead */
};

static int
decode(const char *text, uint8_t *out, size_t size_bytes, size_t *n_r)
{
	return sodium_base642bin(out, size_bytes, text, strlen(text), NULL, n_r,
	    NULL, sodium_base64_VARIANT_ORIGINAL);
}

/* What SubjectPublicKeyInfo has in front of a point of P-256 (RFC 5480). */
static const uint8_t spki[] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86,
	0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d,
	0x03, 0x01, 0x07, 0x03, 0x42, 0x00 };

/* The key of an uncompressed point, or NULL when it is not on the curve.  (The general
 * d2i_PUBKEY() takes eight times as long.) */
static EVP_PKEY *
key_of(uint8_t point[static POINT_BYTES])
{
	char group[] = "prime256v1";
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group,
		    sizeof(group) - 1),
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point,
		    POINT_BYTES),
		OSSL_PARAM_END,
	};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *key = NULL;

	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/* The key of a SubjectPublicKeyInfo in base64, or NULL: the caller's. */
static EVP_PKEY *
read_key(const char *text)
{
	uint8_t der[sizeof(spki) + POINT_BYTES];
	size_t n;

	if (decode(text, der, sizeof(der), &n) != 0 || n != sizeof(der) ||
	    memcmp(der, spki, sizeof(spki)) != 0)
		return NULL;
	return key_of(der + sizeof(spki));
}

/* Keys of late, each where its text says: to read one takes as long as to verify with it.
 * They are public, and a worker may have them for good. */
static struct kept_key {
	char text[KEY_TEXT_BYTES];
	EVP_PKEY *key;
} kept[KEYS_KEPT];

/* The same of a text, good until the next call. */
static EVP_PKEY *
get_key(const char *text)
{
	struct kept_key *k;
	EVP_PKEY *key;

	if (strlen(text) != KEY_TEXT_BYTES)
		return NULL;
	/* The point's last digits before the padding are as good as random. */
	k = &kept[(text[KEY_TEXT_BYTES - 5] * 7 + text[KEY_TEXT_BYTES - 4]) &
	    (KEYS_KEPT - 1)];
	if (k->key != NULL && memcmp(k->text, text, KEY_TEXT_BYTES) == 0)
		return k->key;
	key = read_key(text);
	if (key == NULL)
		return NULL;
	EVP_PKEY_free(k->key);
	k->key = key;
	memcpy(k->text, text, KEY_TEXT_BYTES);
	return key;
}

int
sendgrid_key_check(const char *text, struct err *e)
{
	if (get_key(text) == NULL)
		return err_set(e, ERR_UNPROCESSABLE,
		    "setting \"webhook_key\": not the base64 of a public key of "
		    "the curve P-256");
	return 0;
}

static bool
verify(EVP_PKEY *key, const uint8_t *signature, size_t n, const char *timestamp,
    const struct hook_request *rq)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = ctx != NULL &&
	    EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
	    EVP_DigestVerifyUpdate(ctx, timestamp, strlen(timestamp)) == 1 &&
	    EVP_DigestVerifyUpdate(ctx, rq->body, rq->body_bytes) == 1 &&
	    EVP_DigestVerifyFinal(ctx, signature, n) == 1;

	EVP_MD_CTX_free(ctx);
	return good;
}

/* Digits alone, not too old and not of tomorrow. */
static bool
is_fresh(const char *timestamp, int64_t window_ms, int64_t now_ms)
{
	size_t n = strspn(timestamp, "0123456789"), i;
	int64_t ms = 0;

	if (n == 0 || n > TIMESTAMP_MAX || timestamp[n] != '\0')
		return false;
	for (i = 0; i < n; i++)
		ms = ms * 10 + (timestamp[i] - '0');
	ms *= 1000;
	return ms >= now_ms - window_ms && ms <= now_ms + AHEAD_MS;
}

static bool
is_theirs(const struct sendgrid_settings *s, const struct hook_request *rq)
{
	const char *text = rq->header(rq, SIGNATURE);
	const char *timestamp = rq->header(rq, TIMESTAMP);
	uint8_t signature[SIGNATURE_MAX];
	EVP_PKEY *key;
	size_t n;

	if (s->webhook_key == NULL || text == NULL || timestamp == NULL ||
	    !is_fresh(timestamp, s->replay_window, rq->now_ms) ||
	    decode(text, signature, sizeof(signature), &n) != 0)
		return false;
	key = get_key(s->webhook_key);
	return key != NULL && verify(key, signature, n, timestamp, rq);
}

/* ---- Events ----------------------------------------------------------------------- */

static const struct meaning {
	const char *event;
	const char *member, *words;
	enum hook_what what;
	enum verdict_class class;
	enum suppression_reason suppress;
	bool by_category;
} meanings[] = {
#define EVENT(event, member, words, what, class, suppress, by_category,        \
    source, date)                                                              \
	{ event, member, words, HOOK_##what, VERDICT_##class,                  \
		SUPPRESSION_##suppress, by_category },
#include "provider/sendgrid.def"
};

static const char *
text_of(const json_t *event, const char *name)
{
	return json_string_value(json_object_get(event, name));
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Do the words stand in the text?  "5.1.1" does not in "5.1.17". */
static bool
has_words(const char *text, const char *words)
{
	size_t n = strlen(words);
	const char *p = text;

	while ((p = strstr(p, words)) != NULL) {
		if (!(is_digit(words[0]) && p > text && is_digit(p[-1])) &&
		    !(is_digit(words[n - 1]) && is_digit(p[n])))
			return true;
		p++;
	}
	return false;
}

static const struct meaning *
meaning_of(const json_t *event)
{
	const char *name = text_of(event, "event"), *value;
	const struct meaning *me;

	for (me = meanings; name != NULL && me < meanings + NELEMS(meanings);
	     me++) {
		if (strcmp(me->event, name) != 0)
			continue;
		value = me->member != NULL ? text_of(event, me->member) : "";
		if (me->member == NULL ||
		    (value != NULL && has_words(value, me->words)))
			return me;
	}
	return NULL;
}

/* What the provider's words are: the link, the reason, the answer. */
static const char *
words_of(const json_t *event, const struct meaning *me)
{
	const char *text = NULL;

	if (me->what == HOOK_CLICKED)
		return text_of(event, "url");
	text = text_of(event, "reason");
	if (text == NULL)
		text = text_of(event, "response");
	return text;
}

static void
take_event(struct arena *a, const json_t *event, struct hook_events *out)
{
	const struct meaning *me = meaning_of(event);
	const char *notification = text_of(event, "belfry_notification");
	const char *delivery = text_of(event, "belfry_delivery");
	const char *ref = text_of(event, "sg_message_id");
	struct hook_event *ev;
	struct uuid n, d;
	bool named = notification != NULL && delivery != NULL &&
	    uuid_parse(notification, &n) == 0 && uuid_parse(delivery, &d) == 0;

	if (me == NULL || (!named && ref == NULL))
		return;
	ev = hook_event_new(a, out);
	ev->what = me->what;
	ev->class = me->class;
	ev->suppress = me->suppress;
	ev->by_category = me->by_category;
	ev->tenant = text_of(event, "belfry_tenant");
	if (named) {
		ev->notification.u = n;
		ev->delivery.u = d;
	} else {
		/* X-Message-Id and a suffix. */
		ev->provider_ref = arena_strndup(a, ref, strcspn(ref, "."));
	}
	ev->at_ms = clock_ms_of_s(
	    json_integer_value(json_object_get(event, "timestamp")));
	ev->id = text_of(event, "sg_event_id");
	ev->code = text_of(event, "status");
	ev->text = words_of(event, me);
}

enum hook_verdict
sendgrid_receive(struct arena *a, const struct provider *p,
    const struct hook_request *rq, struct hook_events *out_r)
{
	json_t *list;
	struct err e;
	size_t i;

	if (rq->is_get || !is_theirs(p->settings, rq))
		return HOOK_REFUSED;
	if (js_parse(a, rq->body, rq->body_bytes, JSON_DEPTH, &list, &e) == -1)
		return HOOK_TAKEN;
	for (i = 0; i < json_array_size(list); i++)
		take_event(a, json_array_get(list, i), out_r);
	return HOOK_TAKEN;
}
