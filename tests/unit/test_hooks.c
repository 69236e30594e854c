/*
 * test_hooks.c - what providers report is taken when it is proven, and else not
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The signatures are made here, by the providers' published schemes.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/x509.h>
#include <sodium.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/compiler.h"
#include "base/text.h"
#include "provider/hook.h"
#include "provider/sendgrid.h"
#include "provider/opt_word.h"
#include "provider/twilio.h"
#include "provider/whatsapp.h"
#include "settings_of.h"

#define N "0193e2c4-0000-7000-8000-000000000001"
#define D "0193e2c4-0000-7000-8000-000000000002"
#define SID "AC00000000000000000000000000000000"

enum { NOW_S = 1764576000 };

static struct arena *arena;
static const char *signature, *timestamp;

static int
setup(void **state)
{
	arena = arena_new(4096);
	return sodium_init() == -1;
}

static int
teardown(void **state)
{
	arena_free(&arena);
	return 0;
}

static const char *
header(const struct hook_request *rq, const char *name)
{
	if (strcmp(name, "X-Twilio-Email-Event-Webhook-Timestamp") == 0)
		return timestamp;
	return strcmp(name, "X-Twilio-Signature") == 0 ||
	        strcmp(name, "X-Hub-Signature-256") == 0 ||
	        strcmp(name, "X-Twilio-Email-Event-Webhook-Signature") == 0
	    ? signature
	    : NULL;
}

static struct hook_request
request(const char *body, size_t n)
{
	return (struct hook_request){
		.public_url = "https://notify.example.org/",
		.path = "/hooks/shop/" D,
		.query = "",
		.content_type = "",
		.body = body,
		.body_bytes = n,
		.now_ms = (int64_t)NOW_S * 1000,
		.header = header,
	};
}

static const char *
base64(const void *p, size_t n)
{
	size_t size = sodium_base64_ENCODED_LEN(n,
	    sodium_base64_VARIANT_ORIGINAL);
	char *text = arena_alloc(arena, size);

	return sodium_bin2base64(text, size, p, n,
	    sodium_base64_VARIANT_ORIGINAL);
}

/* ---- sendgrid ------------------------------------------------------------------ */

static const char events[] =
    "[{\"email\":\"ann@example.org\",\"event\":\"delivered\",\"timestamp\":"
    "1764575990,\"sg_event_id\":\"e1\",\"belfry_notification\":\"" N
    "\",\"belfry_delivery\":\"" D "\",\"response\":\"250 ok\"},\r\n"
    "{\"event\":\"bounce\",\"type\":\"bounce\",\"status\":\"5.1.1\","
    "\"reason\":\"550 no\",\"sg_message_id\":\"abc.filter-1\","
    "\"timestamp\":-9223372036854775808},\r\n"
    "{\"event\":\"processed\",\"belfry_notification\":\"" N
    "\",\"belfry_delivery\":\"" D "\"},\r\n"
    "{\"event\":\"open\",\"belfry_notification\":\"x\"},\r\n"
    "7,null,[]]\r\n";

static const char *
public_key(EVP_PKEY *key)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(key, &der);
	const char *text = base64(der, (size_t)n);

	OPENSSL_free(der);
	return text;
}

static void
sign(EVP_PKEY *key, const char *body, size_t n, int64_t at_s)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char sig[100];
	size_t len = sizeof(sig);

	timestamp = arena_printf(arena, "%lld", (long long)at_s);
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key),
	    1);
	EVP_DigestSignUpdate(ctx, timestamp, strlen(timestamp));
	EVP_DigestSignUpdate(ctx, body, n);
	assert_int_equal(EVP_DigestSignFinal(ctx, sig, &len), 1);
	EVP_MD_CTX_free(ctx);
	signature = base64(sig, len);
}

static struct provider
sendgrid(EVP_PKEY *key, const char *more)
{
	struct provider p = { .ops = &sendgrid_ops };
	struct err e;

	p.settings = settings_of(arena, &sendgrid_ops,
	    arena_printf(arena,
	        "{\"api_key\": \"k\", \"from\": \"a@example.org\"%s%s%s%s}",
	        key != NULL ? ", \"webhook_key\": \"" : "",
	        key != NULL ? public_key(key) : "", key != NULL ? "\"" : "",
	        more),
	    &e);
	assert_non_null(p.settings);
	return p;
}

static enum hook_verdict
receive(const struct provider *p, const struct hook_request *rq)
{
	struct hook_events out = { .count = 0 };

	return p->ops->receive(arena, p, rq, &out);
}

static void
sendgrid_events_are_read(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	struct provider p = sendgrid(key, "");
	struct hook_request rq = request(events, strlen(events));
	struct hook_events out = { .count = 0 };

	sign(key, events, strlen(events), NOW_S);
	assert_int_equal(sendgrid_receive(arena, &p, &rq, &out), HOOK_TAKEN);
	assert_int_equal(out.count, 2);
	assert_int_equal(out.list[0].what, HOOK_DELIVERED);
	assert_false(uuid_is_nil(&out.list[0].delivery.u));
	assert_int_equal(out.list[0].at_ms, 1764575990000);
	assert_string_equal(out.list[0].text, "250 ok");
	assert_int_equal(out.list[1].what, HOOK_BOUNCED);
	assert_int_equal(out.list[1].class, VERDICT_BAD_RECIPIENT);
	assert_int_equal(out.list[1].suppress, SUPPRESSION_HARD_BOUNCE);
	assert_string_equal(out.list[1].provider_ref, "abc");
	assert_string_equal(out.list[1].code, "5.1.1");
	assert_int_equal(out.list[1].at_ms, CLOCK_FIRST_MS);
	EVP_PKEY_free(key);
}

static void
what_is_not_sendgrids_is_refused(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256");
	struct provider p = sendgrid(key, ""), none = sendgrid(NULL, "");
	char body[sizeof(events)];
	struct hook_request rq = request(body, strlen(events));
	const char *good;
	size_t i;

	memcpy(body, events, sizeof(events));
	sign(key, events, strlen(events), NOW_S);
	good = signature;
	assert_int_equal(receive(&p, &rq), HOOK_TAKEN);
	assert_int_equal(receive(&none, &rq), HOOK_REFUSED);
	for (i = 0; i < strlen(events); i++) {
		body[i] ^= 1;
		assert_int_equal(receive(&p, &rq), HOOK_REFUSED);
		body[i] ^= 1;
	}
	rq.body_bytes--; /* without the last LF */
	assert_int_equal(receive(&p, &rq), HOOK_REFUSED);
	rq.body_bytes++;
	for (i = 0; i < strlen(good); i++) {
		signature = arena_strndup(arena, good, i);
		assert_int_equal(receive(&p, &rq), HOOK_REFUSED);
	}
	signature = NULL;
	assert_int_equal(receive(&p, &rq), HOOK_REFUSED);
	signature = good;
	timestamp = "1764576001";
	assert_int_equal(receive(&p, &rq), HOOK_REFUSED);
	sign(other, events, strlen(events), NOW_S);
	assert_int_equal(receive(&p, &rq), HOOK_REFUSED);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

/* More keys than are kept: each account has its own all the same. */
static void
many_keys_of_sendgrid_in_turn(void **state)
{
	struct provider p, last = sendgrid(NULL, "");
	struct hook_request rq = request("[]", 2);

	for (int i = 0; i < 300; i++, last = p) {
		EVP_PKEY *key = EVP_EC_gen("P-256");

		p = sendgrid(key, "");
		sign(key, "[]", 2, NOW_S);
		assert_int_equal(receive(&p, &rq), HOOK_TAKEN);
		assert_int_equal(receive(&last, &rq), HOOK_REFUSED);
		assert_int_equal(receive(&p, &rq), HOOK_TAKEN);
		EVP_PKEY_free(key);
	}
}

static void
what_sendgrid_said_long_ago_is_refused(void **state)
{
	static const struct {
		int64_t at_s;
		enum hook_verdict want;
	} times[] = {
		{ NOW_S - 299, HOOK_TAKEN },
		{ NOW_S - 301, HOOK_REFUSED },
		{ NOW_S + 299, HOOK_TAKEN },
		{ NOW_S + 301, HOOK_REFUSED },
		{ 0, HOOK_REFUSED },
		{ INT64_MAX, HOOK_REFUSED },
	};
	EVP_PKEY *key = EVP_EC_gen("P-256");
	struct provider p = sendgrid(key, ", \"replay_window\": \"5m\"");
	struct hook_request rq = request("[]", 2);
	size_t i;

	for (i = 0; i < NELEMS(times); i++) {
		sign(key, "[]", 2, times[i].at_s);
		assert_int_equal(receive(&p, &rq), times[i].want);
	}
	EVP_PKEY_free(key);
}

static const struct {
	const char *event; /* its members */
	enum hook_what what; /* HOOK_WHAT_COUNT: it says nothing */
	enum verdict_class class;
	enum suppression_reason suppress;
} meanings[] = {
	{ "\"event\": \"delivered\"", HOOK_DELIVERED, 0, 0 },
	{ "\"event\": \"processed\"", HOOK_WHAT_COUNT, 0, 0 },
	{ "\"event\": \"deferred\"", HOOK_DELAYED, 0, 0 },
	{ "\"event\": \"new\"", HOOK_WHAT_COUNT, 0, 0 },
	{ "\"event\": 7", HOOK_WHAT_COUNT, 0, 0 },
	{ "\"event\": \"bounce\", \"status\": \"5.1.1\", \"type\": \"bounce\"",
	    HOOK_BOUNCED, VERDICT_BAD_RECIPIENT, SUPPRESSION_HARD_BOUNCE },
	{ "\"event\": \"bounce\", \"status\": \"5.1.10\", \"type\": \"bounce\"",
	    HOOK_BOUNCED, VERDICT_BAD_RECIPIENT, SUPPRESSION_HARD_BOUNCE },
	{ "\"event\": \"bounce\", \"status\": \"550 5.1.6\"", HOOK_BOUNCED,
	    VERDICT_BAD_RECIPIENT, SUPPRESSION_HARD_BOUNCE },
	{ "\"event\": \"bounce\", \"status\": \"5.1.17\", \"type\": \"bounce\"",
	    HOOK_BOUNCED, VERDICT_BAD_MESSAGE, 0 },
	/* The sender's address. */
	{ "\"event\": \"bounce\", \"status\": \"5.1.7\", \"type\": \"bounce\"",
	    HOOK_BOUNCED, VERDICT_BAD_MESSAGE, 0 },
	{ "\"event\": \"bounce\", \"status\": \"5.1.8\", \"type\": \"bounce\", "
	  "\"bounce_classification\": \"Invalid Address\"",
	    HOOK_BOUNCED, VERDICT_BAD_MESSAGE, 0 },
	{ "\"event\": \"bounce\", \"status\": \"5.2.2\", \"type\": \"blocked\"",
	    HOOK_FAILED, VERDICT_BAD_MESSAGE, 0 },
	{ "\"event\": \"bounce\", \"status\": \"5.0.0\", \"type\": \"bounce\"",
	    HOOK_BOUNCED, VERDICT_BAD_MESSAGE, 0 },
	{ "\"event\": \"bounce\", \"type\": \"bounce\", "
	  "\"bounce_classification\": \"Invalid Address\"",
	    HOOK_BOUNCED, VERDICT_BAD_RECIPIENT, SUPPRESSION_HARD_BOUNCE },
	{ "\"event\": \"dropped\", \"reason\": \"Bounced Address\"",
	    HOOK_BOUNCED, VERDICT_BAD_RECIPIENT, SUPPRESSION_HARD_BOUNCE },
	{ "\"event\": \"dropped\", \"reason\": \"Unsubscribed Address\"",
	    HOOK_FAILED, VERDICT_BAD_RECIPIENT, SUPPRESSION_UNSUBSCRIBE },
	{ "\"event\": \"dropped\", \"reason\": \"Spam Reporting Address\"",
	    HOOK_FAILED, VERDICT_BAD_RECIPIENT, SUPPRESSION_COMPLAINT },
	{ "\"event\": \"dropped\", \"reason\": \"Recipient List over Package "
	  "Quota\"",
	    HOOK_FAILED, VERDICT_PROVIDER_BLOCKED, 0 },
	{ "\"event\": \"dropped\"", HOOK_FAILED, VERDICT_BAD_RECIPIENT, 0 },
	{ "\"event\": \"open\"", HOOK_OPENED, 0, 0 },
	{ "\"event\": \"click\", \"url\": \"u\"", HOOK_CLICKED, 0, 0 },
	{ "\"event\": \"spamreport\"", HOOK_COMPLAINED, 0,
	    SUPPRESSION_COMPLAINT },
	{ "\"event\": \"unsubscribe\"", HOOK_UNSUBSCRIBED, 0,
	    SUPPRESSION_UNSUBSCRIBE },
	{ "\"event\": \"group_unsubscribe\"", HOOK_UNSUBSCRIBED, 0,
	    SUPPRESSION_UNSUBSCRIBE },
	{ "\"event\": \"group_resubscribe\"", HOOK_RESUBSCRIBED, 0,
	    SUPPRESSION_UNSUBSCRIBE },
};

static void
sendgrid_means_what_its_table_says(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	struct provider p = sendgrid(key, "");
	size_t i;

	for (i = 0; i < NELEMS(meanings); i++) {
		struct hook_events out = { .count = 0 };
		const char *body = arena_printf(arena,
		    "[{%s, \"belfry_notification\": \"" N
		    "\", \"belfry_delivery\": \"" D "\"}]",
		    meanings[i].event);
		struct hook_request rq = request(body, strlen(body));

		sign(key, body, strlen(body), NOW_S);
		assert_int_equal(sendgrid_receive(arena, &p, &rq, &out),
		    HOOK_TAKEN);
		assert_int_equal(out.count,
		    meanings[i].what != HOOK_WHAT_COUNT);
		if (out.count == 0)
			continue;
		if (out.list[0].what != meanings[i].what ||
		    out.list[0].class != meanings[i].class ||
		    out.list[0].suppress != meanings[i].suppress)
			fail_msg("%s: %s", meanings[i].event,
			    hook_name(out.list[0].what));
	}
	EVP_PKEY_free(key);
}

static void
keys_of_sendgrid_are_checked(void **state)
{
	EVP_PKEY *wrong = EVP_EC_gen("P-384");
	struct err e;

	assert_int_equal(sendgrid_key_check("", &e), -1);
	assert_int_equal(sendgrid_key_check("x", &e), -1);
	assert_int_equal(sendgrid_key_check("AAAA", &e), -1);
	assert_int_equal(sendgrid_key_check(public_key(wrong), &e), -1);
	EVP_PKEY_free(wrong);
}

/* ---- twilio ---------------------------------------------------------------------- */

#define URL "https://notify.example.org/hooks/shop/" D

static struct provider
twilio(const char *more)
{
	struct provider p = { .ops = &twilio_ops };
	struct err e;

	p.settings = settings_of(arena, &twilio_ops,
	    arena_printf(arena, "{\"account_sid\": \"" SID
	        "\", \"auth_token\": \"12345\", \"from\": \"+1555\"%s}", more),
	    &e);
	assert_non_null(p.settings);
	return p;
}

/* The URL and the sorted parameters as one text, as Twilio signs it. */
static void
sign_text(const char *text)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	HMAC(EVP_sha1(), "12345", 5, (const unsigned char *)text, strlen(text),
	    mac, &n);
	signature = base64(mac, n);
}

static const struct {
	const char *query, *body, *text; /* what is signed */
} forms[] = {
	{ "", "", URL },
	{ "", "B=2&A=1", URL "A1B2" },
	{ "", "A=%2B1+x%26&B=", URL "A+1 x&B" },
	{ "", "D=5678&D=1234&D=1234&S=1", URL "D1234D5678S1" },
	{ "", "a=1&A=2", URL "A2a1" },
	{ "n=1&d=It's", "A=1", URL "?n=1&d=It'sA1" },
	{ "", "A=1",
	    "https://notify.example.org:443/hooks/shop/" D "A1" },
	{ "", "Body=a%0Ab%c3%a9", URL "Bodya\nb\xc3\xa9" },
};

static void
twilio_signs_urls_and_forms(void **state)
{
	struct provider p = twilio("");
	struct hook_request rq;
	size_t i, k;

	for (i = 0; i < NELEMS(forms); i++) {
		char *body = arena_strdup(arena, forms[i].body);

		rq = request(body, strlen(body));
		rq.query = forms[i].query;
		sign_text(forms[i].text);
		if (receive(&p, &rq) != HOOK_TAKEN)
			fail_msg("%s", forms[i].text);
		for (k = 0; k < strlen(body); k++) {
			body[k] ^= 2;
			/* "%c3" and "%C3" are the same. */
			if (receive(&p, &rq) != HOOK_REFUSED)
				fail_msg("%s: byte %zu", body, k);
			body[k] ^= 2;
		}
		rq.query = "x=1";
		assert_int_equal(receive(&p, &rq), HOOK_REFUSED);
	}
	signature = "";
	assert_int_equal(receive(&p, &rq), HOOK_REFUSED);
	signature = NULL;
	assert_int_equal(receive(&p, &rq), HOOK_REFUSED);
}

static void
twilio_may_know_us_by_another_url(void **state)
{
	struct provider p =
	    twilio(", \"public_url\": \"http://proxy.example.org:8080/x/\"");
	struct hook_request rq = request("A=1", 3);

	sign_text("http://proxy.example.org:8080/x/hooks/shop/" D "A1");
	assert_int_equal(receive(&p, &rq), HOOK_TAKEN);
	sign_text("http://proxy.example.org/x/hooks/shop/" D "A1");
	assert_int_equal(receive(&p, &rq), HOOK_TAKEN);
	sign_text(URL "A1");
	assert_int_equal(receive(&p, &rq), HOOK_REFUSED);
	rq.public_url = NULL;
	p = twilio("");
	assert_int_equal(receive(&p, &rq), HOOK_REFUSED);
}

static void
bodies_of_json_are_proven_by_their_hash(void **state)
{
	static const char body[] = "{\"MessageStatus\": \"delivered\", "
	                           "\"MessageSid\": \"SM1\"}";
	struct provider p = twilio("");
	struct hook_request rq = request(body, strlen(body));
	struct hook_events out = { .count = 0 };
	struct field_param params[1] = { { "bodySHA256", NULL } };
	uint8_t sum[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(sum, (const uint8_t *)body, strlen(body));
	params[0].value = text_hex(arena, sum, sizeof(sum));
	rq.params = params;
	rq.params_count = 1;
	rq.query = arena_printf(arena, "bodySHA256=%s", params[0].value);
	sign_text(arena_printf(arena, URL "?%s", rq.query));
	assert_int_equal(twilio_receive(arena, &p, &rq, &out), HOOK_TAKEN);
	assert_int_equal(out.count, 1);
	assert_string_equal(out.list[0].provider_ref, "SM1");
	rq.body_bytes--;
	assert_int_equal(receive(&p, &rq), HOOK_REFUSED);
	rq.body = "{}";
	rq.body_bytes = 2;
	assert_int_equal(receive(&p, &rq), HOOK_REFUSED);
}

static const struct {
	const char *form;
	enum hook_what what; /* HOOK_WHAT_COUNT: it says nothing */
	enum verdict_class class;
	enum suppression_reason suppress;
} reports[] = {
	{ "MessageStatus=queued", HOOK_WHAT_COUNT, 0, 0 },
	{ "MessageStatus=sent", HOOK_WHAT_COUNT, 0, 0 },
	{ "MessageStatus=delivered", HOOK_DELIVERED, 0, 0 },
	{ "MessageStatus=read", HOOK_READ, 0, 0 },
	{ "MessageStatus=undelivered&ErrorCode=30005", HOOK_FAILED,
	    VERDICT_BAD_RECIPIENT, SUPPRESSION_HARD_BOUNCE },
	{ "MessageStatus=undelivered&ErrorCode=30007", HOOK_FAILED,
	    VERDICT_BAD_MESSAGE, 0 },
	{ "MessageStatus=failed&ErrorCode=21610", HOOK_FAILED,
	    VERDICT_BAD_RECIPIENT, SUPPRESSION_OPT_OUT },
	{ "MessageStatus=failed&ErrorCode=1", HOOK_FAILED, VERDICT_RETRY, 0 },
	{ "MessageStatus=failed", HOOK_FAILED, VERDICT_RETRY, 0 },
	{ "MessageStatus=canceled", HOOK_FAILED, VERDICT_BAD_MESSAGE, 0 },
	{ "From=%2B1&Body=STOP&MessageSid=SM1", HOOK_OPT_OUT, 0,
	    SUPPRESSION_OPT_OUT },
	{ "From=%2B1&Body=+stop%0A", HOOK_OPT_OUT, 0, SUPPRESSION_OPT_OUT },
	{ "From=%2B1&Body=Unsubscribe", HOOK_OPT_OUT, 0, SUPPRESSION_OPT_OUT },
	{ "From=%2B1&Body=Start", HOOK_OPT_IN, 0, SUPPRESSION_OPT_OUT },
	{ "From=%2B1&Body=cancel", HOOK_OPT_OUT, 0, SUPPRESSION_OPT_OUT },
	{ "From=%2B1&Body=Yes", HOOK_OPT_IN, 0, SUPPRESSION_OPT_OUT },
	{ "From=%2B1&Body=HELP", HOOK_WHAT_COUNT, 0, 0 },
	{ "From=%2B1&Body=please+stop", HOOK_WHAT_COUNT, 0, 0 },
	{ "From=%2B1&Body=arret&OptOutType=STOP", HOOK_OPT_OUT, 0,
	    SUPPRESSION_OPT_OUT },
	{ "From=%2B1&Body=STOP&OptOutType=HELP", HOOK_WHAT_COUNT, 0, 0 },
	{ "Body=STOP", HOOK_WHAT_COUNT, 0, 0 },
};

/* What Twilio signs of a form whose parameters stand in order. */
static const char *
text_of(const char *form)
{
	struct field_param *list;
	struct buf *text = buf_new(arena, 1000);
	size_t i, k, count;

	assert_int_equal(hook_form_parse(arena, form, strlen(form), 9, &list,
	                     &count), 0);
	buf_puts(text, URL);
	for (k = 0; k < 128; k++) /* by the first letter */
		for (i = 0; i < count; i++)
			if ((size_t)list[i].name[0] == k)
				buf_printf(text, "%s%s", list[i].name,
				    list[i].value);
	return text->data;
}

static void
twilio_reports_are_read(void **state)
{
	struct provider p = twilio("");
	size_t i;

	for (i = 0; i < NELEMS(reports); i++) {
		struct hook_events out = { .count = 0 };
		struct hook_request rq =
		    request(reports[i].form, strlen(reports[i].form));

		sign_text(text_of(reports[i].form));
		assert_int_equal(twilio_receive(arena, &p, &rq, &out),
		    HOOK_TAKEN);
		if (out.count != (reports[i].what != HOOK_WHAT_COUNT))
			fail_msg("%s", reports[i].form);
		if (out.count == 0)
			continue;
		if (out.list[0].what != reports[i].what ||
		    out.list[0].class != reports[i].class ||
		    out.list[0].suppress != reports[i].suppress)
			fail_msg("%s: %s", reports[i].form,
			    hook_name(out.list[0].what));
	}
}

static void
another_account_of_twilio_is_refused(void **state)
{
	static const char *const forms_of[] = { "AccountSid=" SID,
		"AccountSid=AC1" };
	struct provider p = twilio("");
	struct hook_request rq;
	size_t i;

	for (i = 0; i < 2; i++) {
		rq = request(forms_of[i], strlen(forms_of[i]));
		sign_text(text_of(forms_of[i]));
		assert_int_equal(receive(&p, &rq),
		    i == 0 ? HOOK_TAKEN : HOOK_REFUSED);
	}
}

/* ---- whatsapp -------------------------------------------------------------------- */

#define NUMBER "106540352242922"
#define VALUE(number, what)                                                    \
	"{\"entry\":[{\"changes\":[{\"field\":\"messages\",\"value\":{"            \
	"\"metadata\":{\"phone_number_id\":\"" number "\"}," what "}}]}]}"

static const char statuses[] = VALUE(NUMBER,
    "\"statuses\":[{\"id\":\"wamid.1\",\"status\":\"sent\"},"
    "{\"id\":\"wamid.1\",\"status\":\"read\",\"timestamp\":\"1764575990\","
    "\"biz_opaque_callback_data\":\"" N "/" D "\"},"
    "{\"id\":\"wamid.2\",\"status\":\"failed\",\"errors\":[{\"code\":131050,"
    "\"title\":\"no\"}],\"biz_opaque_callback_data\":\"x/" D "\"},"
    "{\"id\":\"wamid.3\",\"status\":\"failed\","
    "\"timestamp\":\"9223372036854775807\"},7]");

static struct provider
whatsapp(const char *more)
{
	struct provider p = { .ops = &whatsapp_ops };
	struct err e;

	p.settings = settings_of(arena, &whatsapp_ops,
	    arena_printf(arena,
	        "{\"access_token\": \"t\", \"phone_number_id\": \"" NUMBER
	        "\"%s}",
	        more),
	    &e);
	assert_non_null(p.settings);
	return p;
}

static void
sign_as_meta(const char *secret, const char *body)
{
	uint8_t mac[32];
	unsigned n;

	HMAC(EVP_sha256(), secret, (int)strlen(secret), (const uint8_t *)body,
	    strlen(body), mac, &n);
	signature = arena_printf(arena, "sha256=%s",
	    text_hex(arena, mac, sizeof(mac)));
}

static void
whatsapp_statuses_are_read(void **state)
{
	struct provider p = whatsapp(", \"app_secret\": \"s\"");
	struct hook_request rq = request(statuses, strlen(statuses));
	struct hook_events out = { .count = 0 };

	sign_as_meta("s", statuses);
	assert_int_equal(whatsapp_receive(arena, &p, &rq, &out), HOOK_TAKEN);
	assert_int_equal(out.count, 3);
	assert_int_equal(out.list[0].what, HOOK_READ);
	assert_int_equal(out.list[0].at_ms, 1764575990000);
	assert_false(uuid_is_nil(&out.list[0].delivery.u));
	assert_null(out.list[0].sender);
	assert_int_equal(out.list[1].what, HOOK_FAILED);
	assert_true(uuid_is_nil(&out.list[1].delivery.u));
	assert_string_equal(out.list[1].provider_ref, "wamid.2");
	assert_int_equal(out.list[1].class, VERDICT_BAD_RECIPIENT);
	assert_int_equal(out.list[1].suppress, SUPPRESSION_OPT_OUT);
	assert_true(out.list[1].for_sender);
	assert_string_equal(out.list[1].text, "no");
	assert_string_equal(out.list[1].id, "wamid.2 failed");
	assert_false(out.list[1].unrecognised);
	/* What no table knows. */
	assert_int_equal(out.list[2].class, VERDICT_RETRY);
	assert_true(out.list[2].unrecognised);
	assert_int_equal(out.list[2].at_ms, CLOCK_LAST_MS);
}

static void
what_people_write_is_heard(void **state)
{
	static const char said[] = VALUE("999",
	    "\"messages\":[{\"from\":\"43660\",\"id\":\"m1\",\"button\":{"
	    "\"text\":\"stop\"}},{\"from\":\"43661\",\"id\":\"m2\",\"text\":{"
	    "\"body\":\"hi\"}},{\"from\":\"x\",\"text\":{\"body\":\"STOP\"}},"
	    "{\"from\":\"43662\",\"button\":{\"text\":\"Cancel\"}},"
	    "{\"from\":\"43663\",\"text\":{\"body\":\"Yes\"}}]");
	static const char *const clear[] = { "Stop", "StopAll", "unsubscribe",
		"optout", "START", "unstop" };
	static const char *const other[] = { "Cancel", "Yes", "End", "quit",
		"revoke" };
	struct provider p = whatsapp(", \"app_secret\": \"s\"");
	struct hook_request rq = request(said, strlen(said));
	struct hook_events out = { .count = 0 };
	size_t i;

	sign_as_meta("s", said);
	assert_int_equal(whatsapp_receive(arena, &p, &rq, &out), HOOK_TAKEN);
	assert_int_equal(out.count, 5);
	assert_int_equal(out.list[0].what, HOOK_HEARD);
	assert_string_equal(out.list[0].address, "+43660");
	assert_string_equal(out.list[0].sender, "999");
	assert_int_equal(out.list[1].what, HOOK_OPT_OUT);
	assert_string_equal(out.list[1].id, "m1");
	for (i = 2; i < out.count; i++)
		assert_int_equal(out.list[i].what, HOOK_HEARD);
	for (i = 0; i < NELEMS(clear); i++)
		assert_true(opt_word_of(clear[i])->clear);
	for (i = 0; i < NELEMS(other); i++)
		assert_false(opt_word_of(other[i])->clear);
	assert_null(opt_word_of("stop it"));
	assert_null(opt_word_of(" "));
}

static void
what_is_not_metas_is_refused(void **state)
{
	struct provider p = whatsapp(", \"app_secret\": \"s\""),
	                none = whatsapp("");
	char body[sizeof(statuses)];
	struct hook_request rq = request(body, strlen(statuses));
	const char *good;
	size_t i;

	memcpy(body, statuses, sizeof(statuses));
	sign_as_meta("s", statuses);
	good = signature;
	assert_int_equal(receive(&p, &rq), HOOK_TAKEN);
	assert_int_equal(receive(&none, &rq), HOOK_REFUSED);
	for (i = 0; i < strlen(statuses); i++) {
		body[i] ^= 1;
		assert_int_equal(receive(&p, &rq), HOOK_REFUSED);
		body[i] ^= 1;
		rq.body_bytes = i;
		assert_int_equal(receive(&p, &rq), HOOK_REFUSED);
		rq.body_bytes = strlen(statuses);
	}
	for (i = 0; i < strlen(good); i++) {
		signature = arena_printf(arena, "%.*s", (int)i, good);
		assert_int_equal(receive(&p, &rq), HOOK_REFUSED);
	}
	signature = arena_printf(arena, "%s0", good);
	assert_int_equal(receive(&p, &rq), HOOK_REFUSED);
	signature = NULL;
	assert_int_equal(receive(&p, &rq), HOOK_REFUSED);
}

/* All well below a millisecond of CPU, whatever is refused. */
static void
proving_costs_less_than_a_millisecond(void **state)
{
	enum { ROUNDS = 300, MOST_US = 1000 };
	EVP_PKEY *key = EVP_EC_gen("P-256");
	struct provider list[] = { sendgrid(key, ""), twilio(""),
		whatsapp(", \"app_secret\": \"s\"") };
	struct arena *was = arena;
	clock_t started;
	long us;
	size_t i, k;

	for (k = 0; k < NELEMS(list); k++) {
		struct hook_request rq = request(events, strlen(events));

		sign(key, events, strlen(events), NOW_S);
		if (list[k].ops == &whatsapp_ops)
			sign_as_meta("s", events);
		started = clock();
		for (i = 0; i < ROUNDS; i++) {
			arena = arena_new(4096);
			receive(&list[k], &rq);
			arena_free(&arena);
		}
		arena = was;
		us = (long)((clock() - started) * 1000000 / CLOCKS_PER_SEC /
		    ROUNDS);
		print_message("%s: %ld us\n", list[k].ops->kind, us);
		/* Sanitizers may make it slower. */
		assert_in_range(us, 0, 3 * MOST_US);
	}
	EVP_PKEY_free(key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sendgrid_events_are_read),
		cmocka_unit_test(what_is_not_sendgrids_is_refused),
		cmocka_unit_test(many_keys_of_sendgrid_in_turn),
		cmocka_unit_test(what_sendgrid_said_long_ago_is_refused),
		cmocka_unit_test(sendgrid_means_what_its_table_says),
		cmocka_unit_test(keys_of_sendgrid_are_checked),
		cmocka_unit_test(twilio_signs_urls_and_forms),
		cmocka_unit_test(twilio_may_know_us_by_another_url),
		cmocka_unit_test(bodies_of_json_are_proven_by_their_hash),
		cmocka_unit_test(twilio_reports_are_read),
		cmocka_unit_test(another_account_of_twilio_is_refused),
		cmocka_unit_test(whatsapp_statuses_are_read),
		cmocka_unit_test(what_people_write_is_heard),
		cmocka_unit_test(what_is_not_metas_is_refused),
		cmocka_unit_test(proving_costs_less_than_a_millisecond),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
