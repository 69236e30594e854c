/*
 * signatures.c - what it costs to sign what goes out and to verify what comes in
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 *     signatures [ROUNDS]
 *
 * Prints microseconds of CPU for each scheme.  What comes in goes the whole way that
 * belfry-api takes with it: signature, and the events read; beside it what it costs to
 * refuse the same with one bit changed.  Exits with 1 when one takes 1 ms or more.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/x509.h>
#include <sodium.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/compiler.h"
#include "base/ensure.h"
#include "base/text.h"
#include "provider/hook.h"
#include "provider/provider.h"
#include "provider/sendgrid.h"
#include "provider/twilio.h"
#include "provider/webhook_sign.h"
#include "provider/whatsapp.h"

#define N "0193e2c4-0000-7000-8000-000000000001"
#define D "0193e2c4-0000-7000-8000-000000000002"
#define SID "AC00000000000000000000000000000000"
#define URL "https://notify.example.org"
#define PATH "/hooks/shop/" D
#define NOW_S INT64_C(1764576000)

enum { GOAL_US = 1000, BODY_BYTES = 400 };

/* As providers send them: one event. */
static const char sendgrid_body[] =
    "[{\"email\":\"ann@example.org\",\"timestamp\":1764575990,\"smtp-id\":"
    "\"<14c5d75ce93.dfd.64b469@ismtpd-555>\",\"event\":\"delivered\","
    "\"category\":[\"orders\"],\"sg_event_id\":\"ZGVsaXZlcmVkLTAtMTIzNDU\","
    "\"sg_message_id\":\"14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0\","
    "\"belfry_notification\":\"" N "\",\"belfry_delivery\":\"" D
    "\",\"response\":\"250 OK\"}]\r\n";
static const char twilio_body[] =
    "AccountSid=" SID "&ApiVersion=2010-04-01&From=%2B15005550006"
    "&MessageSid=SM00000000000000000000000000000000&MessageStatus=delivered"
    "&SmsSid=SM00000000000000000000000000000000&SmsStatus=delivered"
    "&To=%2B43660123456";
static const char twilio_signed[] = URL PATH "?n=" N "&d=" D
    "AccountSid" SID "ApiVersion2010-04-01From+15005550006"
    "MessageSidSM00000000000000000000000000000000MessageStatusdelivered"
    "SmsSidSM00000000000000000000000000000000SmsStatusdelivered"
    "To+43660123456";
static const char whatsapp_body[] =
    "{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"1\","
    "\"changes\":[{\"field\":\"messages\",\"value\":{\"messaging_product\":"
    "\"whatsapp\",\"metadata\":{\"display_phone_number\":\"15550783881\","
    "\"phone_number_id\":\"106540352242922\"},\"statuses\":[{\"id\":\"wamid.1\","
    "\"status\":\"delivered\",\"timestamp\":\"1764575990\",\"recipient_id\":"
    "\"43660123456\",\"biz_opaque_callback_data\":\"" N "/" D "\"}]}}]}]}";

static const char *signature, *timestamp;
static int rounds = 20000, missed;

static const char *
header(const struct hook_request *rq, const char *name)
{
	(void)rq;
	return strstr(name, "Timestamp") != NULL ? timestamp : signature;
}

static const char *
base64(struct arena *a, const void *p, size_t n)
{
	size_t room = sodium_base64_encoded_len(n,
	    sodium_base64_VARIANT_ORIGINAL);

	return sodium_bin2base64(arena_alloc(a, room), room, p, n,
	    sodium_base64_VARIANT_ORIGINAL);
}

static void
report(const char *what, clock_t begun)
{
	double us = (double)(clock() - begun) * 1e6 / CLOCKS_PER_SEC / rounds;

	printf("%s: %.1f us\n", what, us);
	missed |= us >= GOAL_US;
}

/* ---- Out -------------------------------------------------------------------------- */

static void
measure_out(struct arena *a, const char *name, bool v1a)
{
	struct arena *step = arena_new(32768);
	const char *public, *secret = webhook_secret_make(a, v1a, &public);
	struct buf *body = buf_new(a, BODY_BYTES);
	clock_t begun;
	int i;

	while (body->len < BODY_BYTES)
		buf_putc(body, 'x');
	begun = clock();
	for (i = 0; i < rounds; i++) {
		ensure(webhook_sign(step, secret, "msg_" N, NOW_S + i, body) !=
		    NULL);
		arena_reset(step);
	}
	report(name, begun);
	arena_free(&step);
}

/* ---- In --------------------------------------------------------------------------- */

static void
receive(struct arena *step, const struct provider *p,
    const struct hook_request *rq, enum hook_verdict wanted)
{
	struct hook_events out = { .count = 0 };

	ensure(p->ops->receive(step, p, rq, &out) == wanted);
	ensure(out.count == (wanted == HOOK_TAKEN ? 1 : 0));
	arena_reset(step);
}

static void
measure_in(struct arena *a, const char *name, const struct provider *p,
    const char *body)
{
	struct arena *step = arena_new(32768);
	char *changed = arena_strdup(a, body);
	const struct field_param params[] = { { "n", N }, { "d", D } };
	struct hook_request rq = {
		.public_url = URL,
		.path = PATH,
		.query = "n=" N "&d=" D,
		.params = params,
		.params_count = NELEMS(params),
		.content_type = "",
		.body = body,
		.body_bytes = strlen(body),
		.now_ms = NOW_S * 1000,
		.header = header,
	};
	clock_t begun;
	int i;

	begun = clock();
	for (i = 0; i < rounds; i++)
		receive(step, p, &rq, HOOK_TAKEN);
	report(name, begun);
	changed[strlen(body) / 2] ^= 1;
	rq.body = changed;
	begun = clock();
	for (i = 0; i < rounds; i++)
		receive(step, p, &rq, HOOK_REFUSED);
	report(arena_printf(a, "%s, refused", name), begun);
	arena_free(&step);
}

static void
sign_with_key(struct arena *a, EVP_PKEY *key, const char *text)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char sig[100];
	size_t n = sizeof(sig);

	ensure(ctx != NULL &&
	    EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
	    EVP_DigestSign(ctx, sig, &n, (const unsigned char *)text,
	        strlen(text)) == 1);
	EVP_MD_CTX_free(ctx);
	signature = base64(a, sig, n);
}

static void
measure_sendgrid(struct arena *a)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	struct sendgrid_settings s = { .replay_window = 72 * 3600 * 1000 };
	const struct provider p = { .ops = &sendgrid_ops, .settings = &s };
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(key, &der);

	ensure(n > 0);
	s.webhook_key = arena_strdup(a, base64(a, der, (size_t)n));
	OPENSSL_free(der);
	timestamp = arena_printf(a, "%" PRId64, NOW_S);
	sign_with_key(a, key, arena_printf(a, "%s%s", timestamp, sendgrid_body));
	measure_in(a, "SendGrid (ECDSA P-256)", &p, sendgrid_body);
	EVP_PKEY_free(key);
}

/* The MAC of a text; its bytes are static. */
static const unsigned char *
mac(const EVP_MD *md, const char *key, const char *text, unsigned *n_r)
{
	static unsigned char out[EVP_MAX_MD_SIZE];

	ensure(HMAC(md, key, (int)strlen(key), (const unsigned char *)text,
	           strlen(text), out, n_r) != NULL);
	return out;
}

static void
measure_twilio(struct arena *a)
{
	struct twilio_settings s = { .account_sid = arena_strdup(a, SID),
		.auth_token = arena_strdup(a, "token") };
	const struct provider p = { .ops = &twilio_ops, .settings = &s };
	unsigned n;
	const unsigned char *sum = mac(EVP_sha1(), "token", twilio_signed, &n);

	signature = base64(a, sum, n);
	measure_in(a, "Twilio (HMAC-SHA1)", &p, twilio_body);
}

static void
measure_whatsapp(struct arena *a)
{
	struct whatsapp_settings s = { .app_secret = arena_strdup(a, "secret"),
		.phone_number_id = arena_strdup(a, "106540352242922") };
	const struct provider p = { .ops = &whatsapp_ops, .settings = &s };
	unsigned n;
	const unsigned char *sum = mac(EVP_sha256(), "secret", whatsapp_body, &n);

	signature = arena_printf(a, "sha256=%s", text_hex(a, sum, n));
	measure_in(a, "WhatsApp (HMAC-SHA256)", &p, whatsapp_body);
}

int
main(int argc, char **argv)
{
	struct arena *a = arena_new(32768);

	ensure(sodium_init() != -1);
	if (argc > 1)
		rounds = (int)strtol(argv[1], NULL, 10);
	measure_out(a, "Standard Webhooks v1 (HMAC-SHA256), signed", false);
	measure_out(a, "Standard Webhooks v1a (Ed25519), signed", true);
	measure_sendgrid(a);
	measure_twilio(a);
	measure_whatsapp(a);
	arena_free(&a);
	return missed;
}
