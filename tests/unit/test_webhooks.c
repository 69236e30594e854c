/*
 * test_webhooks.c - what endpoints are told, and when again
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include <jansson.h>
#include <sodium.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/compiler.h"
#include "base/config.h"
#include "base/err.h"
#include "base/uuid.h"
#include "model/webhook_endpoint.h"
#include "net/transfer.h"
#include "notify/webhook_event.h"
#include "notify/webhook_post.h"
#include "notify/webhook_url.h"
#include "provider/webhook_sign.h"

/* That of Standard Webhooks. */
#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define SIGNED "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

static struct arena *arena;

static const int64_t delays[] = { 0, 5000, 300000, 1800000 };
static const struct webhook_policy policy = {
	.delays_ms = delays,
	.delays_count = NELEMS(delays),
	.jitter_percent = 20,
	.throttled_ms = 10000,
	.pause_max_ms = 3600000,
};

static int
set_up(void **state)
{
	arena = arena_new(4096);
	return 0;
}

static int
tear_down(void **state)
{
	arena_free(&arena);
	return 0;
}

/* ---- Signatures ------------------------------------------------------------------ */

static struct buf *
body_of(const char *text)
{
	struct buf *b = buf_new(arena, 1024);

	buf_puts(b, text);
	return b;
}

static const char *
header(const struct transfer_request *rq, const char *name)
{
	size_t i;

	for (i = 0; i < rq->headers_count; i++)
		if (strcmp(rq->headers[i].name, name) == 0)
			return rq->headers[i].value;
	return NULL;
}

static void
a_request_is_that_of_standard_webhooks(void **state)
{
	json_t *more = json_pack("{s:s}", "Authorization", "Bearer x");
	struct webhook_secrets secrets = { .secret = SECRET,
		.previous = SECRET, .headers = more };
	struct webhook_post post = {
		.url = "https://example.org/",
		.id = "msg_p5jXN8AQM9LWM0D4loKWxJek",
		.body = body_of("{\"test\": 2432232314}"),
		.secrets = &secrets,
		.now_s = 1614265330,
	};
	struct transfer_request rq;

	webhook_post_build(arena, &post, &rq);
	assert_string_equal(header(&rq, "webhook-id"), post.id);
	assert_string_equal(header(&rq, "webhook-timestamp"), "1614265330");
	assert_string_equal(header(&rq, "webhook-signature"), SIGNED);
	assert_string_equal(header(&rq, "Authorization"), "Bearer x");
	assert_null(header(&rq, "traceparent"));
	post.both = true;
	webhook_post_build(arena, &post, &rq);
	assert_string_equal(header(&rq, "webhook-signature"),
	    SIGNED " " SIGNED);
	json_decref(more);
}

static void
unbase(const char *text, uint8_t *out, size_t n)
{
	size_t got;

	assert_int_equal(sodium_base642bin(out, n, text, strlen(text), NULL, &got,
	    NULL, sodium_base64_VARIANT_ORIGINAL), 0);
	assert_int_equal(got, n);
}

static void
a_key_pair_signs_what_its_public_key_verifies(void **state)
{
	uint8_t key[crypto_sign_ed25519_PUBLICKEYBYTES];
	uint8_t signature[crypto_sign_ed25519_BYTES];
	const char *public, *said, *signed_text = "msg_1.17.{\"a\":1}";
	const char *secret = webhook_secret_make(arena, true, &public);

	assert_int_equal(strncmp(secret, "whsk_", 5), 0);
	assert_int_equal(strncmp(public, "whpk_", 5), 0);
	said = webhook_sign(arena, secret, "msg_1", 17, body_of("{\"a\":1}"));
	assert_int_equal(strncmp(said, "v1a,", 4), 0);
	unbase(public + 5, key, sizeof(key));
	unbase(said + 4, signature, sizeof(signature));
	assert_int_equal(crypto_sign_ed25519_verify_detached(signature,
	    (const uint8_t *)signed_text, strlen(signed_text), key), 0);
}

static void
secrets_are_made_as_they_are_read(void **state)
{
	const char *public;
	const char *secret = webhook_secret_make(arena, false, &public);
	struct err e;

	assert_null(public);
	assert_int_equal(webhook_secret_check(secret, &e), 0);
	assert_int_equal(strlen(secret), 6 + 44);
}

/* ---- Answers ------------------------------------------------------------------------ */

static void
answers_are_judged_as_the_table_says(void **state)
{
	static const struct {
		enum transfer_outcome outcome;
		int status;
		int64_t retry_after_s;
		int attempt;
		enum webhook_verdict verdict;
		bool gone;
		int64_t delay_ms, pause_ms; /* without jitter */
	} rows[] = {
		{ TRANSFER_ANSWERED, 200, 0, 1, WEBHOOK_SUCCESS, false, -1, 0 },
		{ TRANSFER_ANSWERED, 299, 9, 1, WEBHOOK_SUCCESS, false, -1, 0 },
		{ TRANSFER_ANSWERED, 302, 0, 1, WEBHOOK_FAILURE, false, 5000, 0 },
		{ TRANSFER_ANSWERED, 404, 0, 2, WEBHOOK_FAILURE, false, 300000, 0 },
		{ TRANSFER_ANSWERED, 410, 0, 1, WEBHOOK_FAILURE, true, -1, 0 },
		{ TRANSFER_ANSWERED, 500, 0, 3, WEBHOOK_FAILURE, false, 1800000, 0 },
		{ TRANSFER_ANSWERED, 500, 0, 4, WEBHOOK_FAILURE, false, -1, 0 },
		{ TRANSFER_ANSWERED, 503, 60, 1, WEBHOOK_FAILURE, false, 60000,
		    60000 },
		{ TRANSFER_ANSWERED, 429, 0, 1, WEBHOOK_FAILURE, false, 10000,
		    10000 },
		{ TRANSFER_ANSWERED, 502, 0, 4, WEBHOOK_FAILURE, false, -1, 10000 },
		{ TRANSFER_ANSWERED, 504, 86400, 1, WEBHOOK_FAILURE, false,
		    3600000, 3600000 },
		{ TRANSFER_TIMED_OUT, 0, 0, 1, WEBHOOK_FAILURE, false, 5000, 0 },
		{ TRANSFER_BROKEN, 0, 0, 9, WEBHOOK_FAILURE, false, -1, 0 },
		{ TRANSFER_ABORTED, 0, 0, 2, WEBHOOK_TAKEN_BACK, false, 0, 0 },
	};
	struct transfer_result res;
	struct webhook_outcome o;
	size_t i;

	for (i = 0; i < NELEMS(rows); i++) {
		res = (struct transfer_result){ .outcome = rows[i].outcome,
			.status = rows[i].status, .error = "why",
			.retry_after_s = rows[i].retry_after_s };
		o = webhook_judge(&policy, &res, rows[i].attempt,
		    UINT32_MAX / 2);
		if (o.verdict != rows[i].verdict || o.gone != rows[i].gone ||
		    o.delay_ms > rows[i].delay_ms ||
		    o.delay_ms < rows[i].delay_ms - 1 || /* half of a spread */
		    o.pause_ms != rows[i].pause_ms)
			fail_msg("row %zu: %d %d %lld %lld", i, o.verdict,
			    o.gone, (long long)o.delay_ms,
			    (long long)o.pause_ms);
	}
}

static void
w2_delays_are_spread_by_a_fifth(void **state)
{
	struct transfer_result res = { .outcome = TRANSFER_ANSWERED,
		.status = 500 };

	assert_int_equal(webhook_judge(&policy, &res, 1, 0).delay_ms, 4000);
	assert_int_equal(webhook_judge(&policy, &res, 1, UINT32_MAX).delay_ms,
	    6000);
}

static void
w3_warnings_come_once_each(void **state)
{
	static const struct {
		int64_t failing_ms;
		int warned, want;
	} rows[] = { { 0, 0, 0 }, { 499, 0, 0 }, { 500, 0, 50 }, { 600, 50, 0 },
		{ 700, 50, 70 }, { 899, 70, 0 }, { 950, 0, 90 },
		{ 1000, 90, 100 }, { 1000, 70, 90 }, { 5000, 0, 50 },
		{ 5000, 50, 70 }, { 5000, 70, 90 }, { 5000, 90, 100 },
		{ 5000, 100, 0 } };
	size_t i;

	for (i = 0; i < NELEMS(rows); i++)
		assert_int_equal(webhook_warning(rows[i].failing_ms, 1000,
		    rows[i].warned), rows[i].want);
}

/* ---- URLs ------------------------------------------------------------------------------ */

static const struct {
	const char *url;
	const char *wrong; /* a part of it; NULL: it is good */
} urls[] = {
	{ "https://example.org/hook", NULL },
	{ "https://example.org:8443/hook?a=b", NULL },
	{ "https://93.184.216.34/", NULL },
	{ "https://[2606:2800:220:1::1]/", NULL },
	{ "http://example.org/", "https://" },
	{ "ftp://example.org/", "https://" },
	{ "file:///etc/passwd", "https://" },
	{ "gopher://example.org/", "https://" },
	{ "example.org", "URL" },
	{ "https://", "URL" },
	{ "https://ann@example.org/", "user" },
	{ "https://ann:x@127.0.0.1/", "user" },
	{ "https://example.org/#x", "fragment" },
	{ "https://example.org:22/", "port 22" },
	{ "https://example.org:25/", "port 25" },
	{ "https://example.org:5432/", "port 5432" },
	{ "https://example.org:11211/", "port 11211" },
	{ "https://127.0.0.1/", "open Internet" },
	{ "https://localhost/", "open Internet" },
	{ "https://localhost./", "open Internet" },
	{ "https://a.localhost/", "open Internet" },
	{ "https://2130706433/", "open Internet" },
	{ "https://0x7f000001/", "open Internet" },
	{ "https://0x7f.1/", "open Internet" },
	{ "https://017700000001/", "open Internet" },
	{ "https://0177.0.0.1/", "open Internet" },
	{ "https://127.1/", "open Internet" },
	{ "https://0/", "open Internet" },
	{ "https://10.0.0.1/", "open Internet" },
	{ "https://169.254.169.254/latest/meta-data", "open Internet" },
	{ "https://192.168.1.1/", "open Internet" },
	{ "https://172.16.0.1/", "open Internet" },
	{ "https://100.64.0.1/", "open Internet" },
	{ "https://[::1]/", "open Internet" },
	{ "https://[::]/", "open Internet" },
	{ "https://[::ffff:127.0.0.1]/", "open Internet" },
	{ "https://[::ffff:7f00:1]/", "open Internet" },
	{ "https://[64:ff9b::7f00:1]/", "open Internet" },
	{ "https://[2002:7f00:1::]/", "open Internet" },
	{ "https://[2001:0:7f00:1::]/", "open Internet" },
	{ "https://[fe80::1]/", "open Internet" },
	{ "https://[fd00::1]/", "open Internet" },
};

static void
w1_urls_are_looked_at_when_they_are_written(void **state)
{
	struct config config = { .webhook_ports = "443 8443",
		.network_allowed = "" };
	struct err e;
	size_t i;
	int rc;

	for (i = 0; i < NELEMS(urls); i++) {
		rc = webhook_url_check(&config, urls[i].url, &e);
		if ((rc == 0) != (urls[i].wrong == NULL) ||
		    (rc != 0 && strstr(e.text, urls[i].wrong) == NULL))
			fail_msg("%s: %s", urls[i].url, rc == 0 ? "good"
			                                        : e.text);
	}
	config.network_allowed = "10.0.0.0/8";
	config.webhook_http = true;
	config.webhook_ports = "";
	assert_int_equal(webhook_url_check(&config, "http://10.1.2.3:99/", &e),
	    0);
}

/* ---- Bodies ----------------------------------------------------------------------------- */

static void
a_body_tells_what_is_known(void **state)
{
	struct webhook_message m = {
		.at_ms = 1700000000123,
		.type = "delivery.sent",
		.seq = 7,
		.channel = 1,
		.provider = "relay",
		.metadata = "{\"order\":\"42\"}",
		.attempt = 2,
		.class = 1,
		.code = "250",
		.text = "say \"hi\"\n",
	};

	assert_string_equal(webhook_body(arena, &m)->data,
	    "{\"type\":\"delivery.sent\",\"timestamp\":"
	    "\"2023-11-14T22:13:20.123Z\",\"data\":{\"sequence\":7,"
	    "\"metadata\":{\"order\":\"42\"},\"channel\":\"email\","
	    "\"provider\":\"relay\",\"attempt\":2,\"class\":\"accepted\","
	    "\"code\":\"250\",\"text\":\"say \\\"hi\\\"\\n\"}}");
	m.type = "webhook.ping";
	m.metadata = "broken";
	assert_string_equal(webhook_body(arena, &m)->data,
	    "{\"type\":\"webhook.ping\",\"timestamp\":"
	    "\"2023-11-14T22:13:20.123Z\",\"data\":{\"sequence\":7,"
	    "\"text\":\"say \\\"hi\\\"\\n\"}}");
}

static void
ids_of_messages_can_be_read(void **state)
{
	struct uuid u = uuid_make(), got;

	assert_int_equal(webhook_id_parse(webhook_id(arena, &u), &got), 0);
	assert_int_equal(uuid_cmp(&u, &got), 0);
	assert_int_equal(webhook_id_parse("msg_1", &got), -1);
	assert_int_equal(webhook_id_parse("", &got), -1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_request_is_that_of_standard_webhooks),
		T(a_key_pair_signs_what_its_public_key_verifies),
		T(secrets_are_made_as_they_are_read),
		T(answers_are_judged_as_the_table_says),
		T(w2_delays_are_spread_by_a_fifth),
		T(w3_warnings_come_once_each),
		T(w1_urls_are_looked_at_when_they_are_written),
		T(a_body_tells_what_is_known),
		T(ids_of_messages_can_be_read),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
