/*
 * twilio_hook.c - what Twilio reports: the fate of messages, and STOP and START
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The signature is an HMAC-SHA1 with the account's token over the URL as Twilio knows it
 * and the parameters of the form, sorted; of a body that is JSON the URL names the
 * SHA-256.  Twilio's libraries take the URL with and without its port, and so do we.
 */
#include "provider/twilio.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/text.h"
#include "base/uuid.h"
#include "net/transfer.h"
#include "provider/opt_word.h"
#include "web/js.h"

enum {
	PARAMS_MAX = 256,
	TEXT_MAX = 2 << 20,
	MAC_BYTES = 20,
	JSON_DEPTH = 8,
	URLS_MAX = 3
};

struct form {
	struct field_param *list;
	size_t count;
};

/* ---- Signatures ---------------------------------------------------------------- */

static int
by_name(const void *a, const void *b)
{
	const struct field_param *p = a, *q = b;
	int rc = strcmp(p->name, q->name);

	return rc != 0 ? rc : strcmp(p->value, q->value);
}

/* Names and values behind each other; what stands twice counts once. */
static void
add_sorted(struct arena *a, struct buf *out, const struct form *form)
{
	struct field_param *list = arena_zalloc(a, form->count, sizeof(*list));
	size_t i;

	if (form->count == 0)
		return;
	memcpy(list, form->list, form->count * sizeof(*list));
	qsort(list, form->count, sizeof(*list), by_name);
	for (i = 0; i < form->count; i++) {
		if (i > 0 && by_name(&list[i - 1], &list[i]) == 0)
			continue;
		buf_puts(out, list[i].name);
		buf_puts(out, list[i].value);
	}
}

/* The URL as it is, with the port that its scheme has by itself, and without any. */
static size_t
variants(struct arena *a, const char *url, const char *out[URLS_MAX])
{
	int port_by_itself = transfer_tls_of(url) != TRANSFER_TLS_NONE ? 443 : 80;
	const char *host = strstr(url, "://"), *end, *name, *port;
	size_t n = 0;

	out[n++] = url;
	if (host == NULL)
		return n;
	host += 3;
	end = host + strcspn(host, "/?#");
	name = memrchr(host, '@', (size_t)(end - host));
	if (name == NULL)
		name = host;
	port = memrchr(name, ':', (size_t)(end - name));
	/* An address of IPv6 has colons of its own, in brackets. */
	if (port == NULL || memchr(port, ']', (size_t)(end - port)) != NULL)
		out[n++] = arena_printf(a, "%.*s:%d%s", (int)(end - url), url,
		    port_by_itself, end);
	else
		out[n++] = arena_printf(a, "%.*s%s", (int)(port - url), url,
		    end);
	return n;
}

static bool
is_signed(const char *token, const struct buf *text, const uint8_t *claimed)
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	bool same;

	if (HMAC(EVP_sha1(), token, (int)strlen(token),
	        (const uint8_t *)text->data, text->len, mac, &n) == NULL ||
	    n != MAC_BYTES)
		return false;
	same = sodium_memcmp(mac, claimed, MAC_BYTES) == 0;
	sodium_memzero(mac, sizeof(mac));
	return same;
}

static bool
verify(struct arena *a, const char *token, const char *url,
    const struct form *form, const char *signature)
{
	const char *urls[URLS_MAX];
	uint8_t claimed[MAC_BYTES];
	struct buf *text;
	bool good = false;
	size_t n, i, count = variants(a, url, urls);

	if (sodium_base642bin(claimed, sizeof(claimed), signature,
	        strlen(signature), NULL, &n, NULL,
	        sodium_base64_VARIANT_ORIGINAL) != 0 ||
	    n != MAC_BYTES)
		return false;
	for (i = 0; i < count; i++) {
		text = buf_new(a, TEXT_MAX);
		buf_puts(text, urls[i]);
		add_sorted(a, text, form);
		good |= !buf_overflowed(text) && is_signed(token, text, claimed);
	}
	return good;
}

/* The body has the hash that the URL names. */
static bool
has_hash(struct arena *a, const struct hook_request *rq, const char *hash)
{
	uint8_t sum[crypto_hash_sha256_BYTES];
	const char *text;

	crypto_hash_sha256(sum, (const uint8_t *)rq->body, rq->body_bytes);
	text = text_hex(a, sum, sizeof(sum));
	return strlen(hash) == strlen(text) &&
	    sodium_memcmp(hash, text, strlen(text)) == 0;
}

/* The members of a JSON object as parameters. */
static void
read_json(struct arena *a, const struct hook_request *rq, struct form *form)
{
	json_t *json, *value;
	const char *name;
	struct err e;

	if (js_parse(a, rq->body, rq->body_bytes, JSON_DEPTH, &json, &e) == -1 ||
	    json_object_size(json) > PARAMS_MAX)
		return;
	form->list = arena_zalloc(a, json_object_size(json),
	    sizeof(*form->list));
	json_object_foreach(json, name, value)
	{
		if (json_is_string(value))
			form->list[form->count++] = (struct field_param){ name,
				json_string_value(value) };
		else if (json_is_integer(value))
			form->list[form->count++] = (struct field_param){ name,
				arena_printf(a, "%lld",
				    (long long)json_integer_value(value)) };
	}
}

static bool
is_theirs(struct arena *a, const struct twilio_settings *s,
    const struct hook_request *rq, struct form *form_r)
{
	const struct form none = { NULL, 0 };
	const char *signature = rq->header(rq, "X-Twilio-Signature");
	const char *hash = hook_param(rq, "bodySHA256");
	const char *base = s->public_url != NULL ? s->public_url
	                                         : rq->public_url;
	const char *url;

	if (signature == NULL || base == NULL || rq->is_get)
		return false;
	url = arena_printf(a, "%s%s%s%s", hook_base(a, base), rq->path,
	    rq->query[0] != '\0' ? "?" : "", rq->query);
	if (hash != NULL) {
		if (!verify(a, s->auth_token, url, &none, signature) ||
		    !has_hash(a, rq, hash))
			return false;
		read_json(a, rq, form_r);
		return true;
	}
	return hook_form_parse(a, rq->body, rq->body_bytes, PARAMS_MAX,
	           &form_r->list, &form_r->count) == 0 &&
	    verify(a, s->auth_token, url, form_r, signature);
}

/* ---- What is said --------------------------------------------------------------- */

static const char *
value_of(const struct form *form, const char *name)
{
	size_t i;

	for (i = 0; i < form->count; i++)
		if (strcmp(form->list[i].name, name) == 0)
			return form->list[i].value;
	return NULL;
}

/* Of a message's way only its ends are told. */
static const struct status {
	const char *name;
	enum hook_what what;
} statuses[] = {
	{ "delivered", HOOK_DELIVERED },
	{ "undelivered", HOOK_FAILED },
	{ "failed", HOOK_FAILED },
	{ "canceled", HOOK_FAILED },
	{ "read", HOOK_READ },
};

static void
set_failure(const struct form *form, struct hook_event *ev)
{
	const char *code = value_of(form, "ErrorCode");
	const struct twilio_meaning *known =
	    code != NULL ? twilio_meaning_of((int)strtol(code, NULL, 10))
	                 : NULL;

	ev->code = code;
	ev->text = value_of(form, "ErrorMessage");
	if (known == NULL) {
		/* Not to be dropped for: another account may do better. */
		ev->class = VERDICT_RETRY;
		ev->unrecognised = true;
		return;
	}
	ev->class = known->class;
	ev->suppress = known->suppress;
	ev->for_sender = known->suppress == SUPPRESSION_OPT_OUT;
}

static void
take_status(struct arena *a, const struct hook_request *rq,
    const struct form *form, const char *name, struct hook_events *out)
{
	const char *notification = hook_param(rq, "n");
	const char *delivery = hook_param(rq, "d");
	struct hook_event *ev;
	size_t i = 0;

	while (i < NELEMS(statuses) && strcmp(statuses[i].name, name) != 0)
		i++;
	if (i == NELEMS(statuses))
		return;
	ev = hook_event_new(a, out);
	ev->what = statuses[i].what;
	if (notification == NULL || delivery == NULL ||
	    uuid_parse(notification, &ev->notification.u) == -1 ||
	    uuid_parse(delivery, &ev->delivery.u) == -1) {
		memset(&ev->notification, 0, sizeof(ev->notification));
		memset(&ev->delivery, 0, sizeof(ev->delivery));
		ev->provider_ref = value_of(form, "MessageSid");
	}
	if (value_of(form, "MessageSid") != NULL)
		ev->id = arena_printf(a, "%s %s",
		    value_of(form, "MessageSid"), name);
	if (strcmp(name, "canceled") == 0)
		ev->class = VERDICT_BAD_MESSAGE; /* somebody did, there */
	else if (ev->what == HOOK_FAILED)
		set_failure(form, ev);
}

/* With Advanced Opt-Out Twilio says which word it was. */
static const struct opt_word *
word_of(const struct form *form)
{
	const char *text = value_of(form, "OptOutType");

	if (text == NULL)
		text = value_of(form, "Body");
	return text != NULL ? opt_word_of(text) : NULL;
}

static void
take_inbound(struct arena *a, const struct form *form, struct hook_events *out)
{
	const struct opt_word *word = word_of(form);
	const char *from = value_of(form, "From");
	struct hook_event *ev;

	if (word == NULL || from == NULL || from[0] == '\0')
		return; /* HELP is Twilio's to answer, the rest is talk */
	ev = hook_event_new(a, out);
	ev->what = word->what;
	ev->address = from;
	ev->code = word->word;
	ev->suppress = SUPPRESSION_OPT_OUT;
	ev->for_sender = true;
	ev->id = value_of(form, "MessageSid");
}

enum hook_verdict
twilio_receive(struct arena *a, const struct provider *p,
    const struct hook_request *rq, struct hook_events *out_r)
{
	const struct twilio_settings *s = p->settings;
	struct form form = { NULL, 0 };
	const char *status, *account;

	if (!is_theirs(a, s, rq, &form))
		return HOOK_REFUSED;
	account = value_of(&form, "AccountSid");
	if (account != NULL && strcmp(account, s->account_sid) != 0)
		return HOOK_REFUSED;
	status = value_of(&form, "MessageStatus");
	if (status != NULL)
		take_status(a, rq, &form, status, out_r);
	else
		take_inbound(a, &form, out_r);
	return HOOK_TAKEN;
}
