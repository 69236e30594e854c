/*
 * test_http_providers.c - settings, requests and answers of providers that speak HTTP
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "net/transfer.h"
#include "provider/twilio.h"
#include "provider/verdict.h"
#include "provider/webhook.h"
#include "provider/webhook_sign.h"
#include "settings_of.h"

static struct arena *arena;

static const struct message hello = {
	.notification = { { { 1, 0x93, 0xe2, 0xc4, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0,
	    0, 0, 1 } } },
	.delivery = { { { 1, 0x93, 0xe2, 0xc4, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0,
	    0, 2 } } },
	.attempt = 1,
	.created_ms = 1764576000123,
	.address = "u1",
	.name = "Ann",
	.json = "{\"order\": \"42\", \"items\": [1, 2]}\n",
};

static int
setup(void **state)
{
	arena = arena_new(4096);
	return 0;
}

static int
teardown(void **state)
{
	arena_free(&arena);
	return 0;
}

/* ---- webhook ------------------------------------------------------------------ */

#define URL "\"url\": \"https://example.org/x?y=1\""
#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

static const struct {
	const char *settings;
	const char *text; /* a part of why they are refused, or NULL */
} webhooks[] = {
	{ "{" URL "}", NULL },
	{ "{" URL ", \"secret\": \"" SECRET "\"}", NULL },
	{ "{" URL ", \"headers\": {\"X-A\": \"b\", \"authorization\": \"\"}}", NULL },
	{ "{" URL ", \"timeout\": \"30s\"}", NULL },
	{ "{}", "/url" },
	{ "{\"url\": \"ftp://example.org/\"}", "/url" },
	{ "{\"url\": \"example.org\"}", "/url" },
	{ "{" URL ", \"timeout\": \"31s\"}", "/timeout" },
	{ "{" URL ", \"timeout\": \"0s\"}", "/timeout" },
	{ "{" URL ", \"secret\": \"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"}", "secret" },
	{ "{" URL ", \"secret\": \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS\"}",
	    "secret" },
	{ "{" URL ", \"secret\": \"whsec_AAAA\"}", "secret" },
	{ "{" URL ", \"secret\": \"whsec_\"}", "secret" },
	{ "{" URL ", \"secret\": \"x\"}", "secret" },
	{ "{" URL ", \"headers\": {\"A b\": \"c\"}}", "headers" },
	{ "{" URL ", \"headers\": {\"\": \"c\"}}", "headers" },
	{ "{" URL ", \"headers\": {\"A:\": \"c\"}}", "headers" },
	{ "{" URL ", \"headers\": {\"A\": 1}}", "headers" },
	{ "{" URL ", \"headers\": {\"A\": \"b\\r\\nC: d\"}}", "headers" },
	{ "{" URL ", \"headers\": {\"host\": \"x\"}}", "headers" },
	{ "{" URL ", \"headers\": {\"Webhook-Id\": \"x\"}}", "headers" },
	{ "{" URL ", \"ca_file\": \"x\"}", "ca_file" },
};

static void
webhook_settings_are_checked(void **state)
{
	struct err e;
	size_t i;

	for (i = 0; i < NELEMS(webhooks); i++) {
		const void *s = settings_of(arena, &webhook_ops,
		    webhooks[i].settings, &e);

		if ((s == NULL) != (webhooks[i].text != NULL))
			fail_msg("%s", webhooks[i].settings);
		if (s == NULL && strstr(e.text, webhooks[i].text) == NULL)
			fail_msg("%s: %s", webhooks[i].settings, e.text);
	}
}

/* The example of the specification's reference libraries. */
static void
signatures_are_those_of_standard_webhooks(void **state)
{
	struct buf *body = buf_new(arena, 100);

	buf_puts(body, "{\"test\": 2432232314}");
	assert_string_equal(webhook_sign(arena, SECRET,
	                        "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body),
	    "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

static const char *
header(const struct transfer_request *rq, const char *name)
{
	size_t i;

	for (i = 0; i < rq->headers_count; i++)
		if (strcasecmp(rq->headers[i].name, name) == 0)
			return rq->headers[i].value;
	return NULL;
}

static void
a_webhook_is_the_rendered_part_in_an_envelope(void **state)
{
	struct provider p = { .ops = &webhook_ops };
	struct message again = hello;
	struct transfer_request rq, second;
	struct buf *body = buf_new(arena, 1000);
	struct err e;

	p.settings = settings_of(arena, &webhook_ops,
	    "{" URL ", \"secret\": \"" SECRET "\", "
	    "\"headers\": {\"X-Shop\": \"7\"}}", &e);
	assert_int_equal(webhook_ops.build(arena, &p, &hello, &rq, &e), 0);
	assert_string_equal(rq.url, "https://example.org/x?y=1");
	assert_string_equal(rq.body,
	    "{\"type\":\"notification\",\"timestamp\":\"2025-12-01T08:00:00.123Z\","
	    "\"data\":{\"notification\":\"0193e2c4-0000-7000-8000-000000000001\","
	    "\"delivery\":\"0193e2c4-0000-7000-8000-000000000002\","
	    "\"recipient\":{\"id\":\"u1\",\"name\":\"Ann\"},"
	    "\"content\":{\"order\":\"42\",\"items\":[1,2]}}}");
	assert_int_equal(rq.body_len, strlen(rq.body));
	assert_int_equal(rq.timeout_ms, 15000);
	assert_string_equal(header(&rq, "X-Shop"), "7");
	assert_string_equal(header(&rq, "Content-Type"), "application/json");
	assert_string_equal(header(&rq, "webhook-id"),
	    "0193e2c4-0000-7000-8000-000000000002");
	buf_add(body, rq.body, rq.body_len);
	assert_string_equal(header(&rq, "webhook-signature"),
	    webhook_sign(arena, SECRET, header(&rq, "webhook-id"),
	        strtoll(header(&rq, "webhook-timestamp"), NULL, 10), body));

	again.attempt = 7;
	assert_int_equal(webhook_ops.build(arena, &p, &again, &second, &e), 0);
	assert_string_equal(second.body, rq.body);
	assert_string_equal(header(&second, "webhook-id"),
	    header(&rq, "webhook-id"));
}

static void
a_part_that_is_no_json_says_why(void **state)
{
	struct provider p = { .ops = &webhook_ops };
	struct message m = hello;
	struct transfer_request rq;
	struct err e;

	p.settings = settings_of(arena, &webhook_ops, "{" URL "}", &e);
	m.json = "{\"order\": }";
	assert_int_equal(webhook_ops.build(arena, &p, &m, &rq, &e), -1);
	assert_non_null(strstr(e.text, "the part for webhooks is not JSON"));
	assert_int_equal(e.kind, ERR_UNPROCESSABLE);
	m.json = NULL;
	assert_int_equal(webhook_ops.build(arena, &p, &m, &rq, &e), -1);
}

static const struct {
	int status;
	int64_t retry_after_s;
	enum verdict_class class;
} webhook_answers[] = {
	{ 200, 0, VERDICT_ACCEPTED },
	{ 201, 0, VERDICT_ACCEPTED },
	{ 202, 0, VERDICT_ACCEPTED },
	{ 204, 0, VERDICT_ACCEPTED },
	{ 299, 0, VERDICT_ACCEPTED },
	{ 301, 0, VERDICT_RETRY },
	{ 302, 0, VERDICT_RETRY },
	{ 304, 0, VERDICT_RETRY },
	{ 307, 0, VERDICT_RETRY },
	{ 308, 0, VERDICT_RETRY },
	{ 400, 0, VERDICT_BAD_MESSAGE },
	{ 401, 0, VERDICT_RETRY },
	{ 403, 0, VERDICT_RETRY },
	{ 404, 0, VERDICT_RETRY },
	{ 405, 0, VERDICT_RETRY },
	{ 408, 0, VERDICT_RETRY },
	{ 409, 0, VERDICT_RETRY },
	{ 410, 0, VERDICT_PROVIDER_BLOCKED },
	{ 410, 60, VERDICT_PROVIDER_BLOCKED },
	{ 413, 0, VERDICT_BAD_MESSAGE },
	{ 415, 0, VERDICT_BAD_MESSAGE },
	{ 418, 0, VERDICT_RETRY },
	{ 422, 0, VERDICT_BAD_MESSAGE },
	{ 425, 0, VERDICT_RETRY },
	{ 429, 0, VERDICT_RETRY },
	{ 429, 60, VERDICT_THROTTLED },
	{ 451, 0, VERDICT_RETRY },
	{ 500, 0, VERDICT_RETRY },
	{ 500, 60, VERDICT_RETRY },
	{ 501, 0, VERDICT_RETRY },
	{ 502, 0, VERDICT_RETRY },
	{ 502, 60, VERDICT_THROTTLED },
	{ 503, 0, VERDICT_RETRY },
	{ 503, 60, VERDICT_RETRY },
	{ 504, 0, VERDICT_RETRY },
	{ 504, 60, VERDICT_THROTTLED },
	{ 599, 0, VERDICT_RETRY },
	{ 600, 0, VERDICT_RETRY },
	{ 999, 0, VERDICT_RETRY },
};

static void
webhook_answers_are_judged_as_the_table_says(void **state)
{
	size_t i;

	for (i = 0; i < NELEMS(webhook_answers); i++) {
		struct transfer_result res = { .outcome = TRANSFER_ANSWERED,
			.stage = TRANSFER_AT_BODY,
			.status = webhook_answers[i].status,
			.retry_after_s = webhook_answers[i].retry_after_s,
			.body = "why",
			.body_started = true };
		struct verdict v;

		webhook_ops.judge(NULL, &res, &v);
		if (v.class != webhook_answers[i].class)
			fail_msg("%d: %s", res.status, verdict_name(v.class));
		assert_int_equal(v.retry_after_ms, res.retry_after_s * 1000);
		assert_string_equal(v.text, "why");
	}
}

/* ---- twilio ------------------------------------------------------------------- */

#define SID "00000000000000000000000000000000"
#define TWILIO "\"account_sid\": \"AC" SID "\", \"auth_token\": \"t\""
#define SENDER ", \"from\": \"+15005550006\""

static const struct {
	const char *settings;
	const char *text; /* a part of why they are refused, or NULL */
} twilios[] = {
	{ "{" TWILIO SENDER "}", NULL },
	{ "{" TWILIO ", \"messaging_service_sid\": \"MG" SID "\"}", NULL },
	{ "{" TWILIO "}", "from" },
	{ "{" TWILIO SENDER ", \"messaging_service_sid\": \"MG" SID "\"}",
	    "from" },
	{ "{" TWILIO ", \"messaging_service_sid\": \"AC" SID "\"}",
	    "messaging_service_sid" },
	{ "{\"account_sid\": \"AC" SID "\"" SENDER "}", "/auth_token" },
	{ "{\"account_sid\": \"ACx\", \"auth_token\": \"t\"" SENDER "}",
	    "account_sid" },
	{ "{" TWILIO SENDER ", \"base_url\": \"x\"}", "/base_url" },
};

static void
twilio_settings_are_checked(void **state)
{
	struct err e;
	size_t i;

	for (i = 0; i < NELEMS(twilios); i++) {
		const void *s =
		    settings_of(arena, &twilio_ops, twilios[i].settings, &e);

		if ((s == NULL) != (twilios[i].text != NULL))
			fail_msg("%s", twilios[i].settings);
		if (s == NULL && strstr(e.text, twilios[i].text) == NULL)
			fail_msg("%s: %s", twilios[i].settings, e.text);
	}
}

static void
a_text_is_a_form(void **state)
{
	struct provider p = { .ops = &twilio_ops };
	struct message m = hello;
	struct transfer_request rq;
	struct err e;

	m.address = "+43660123456";
	m.text = "50 % off & more=\xe2\x82\xac";
	p.settings = settings_of(arena, &twilio_ops,
	    "{" TWILIO SENDER ", \"base_url\": \"http://127.0.0.1:1/\"}", &e);
	assert_int_equal(twilio_ops.build(arena, &p, &m, &rq, &e), 0);
	assert_string_equal(rq.url,
	    "http://127.0.0.1:1/2010-04-01/Accounts/AC" SID "/Messages.json");
	assert_string_equal(rq.body, "To=%2B43660123456&From=%2B15005550006&"
	    "Body=50%20%25%20off%20%26%20more%3D%E2%82%AC");
	assert_string_equal(rq.username, "AC" SID);
	assert_string_equal(rq.password, "t");
	m.text = "";
	assert_int_equal(twilio_ops.build(arena, &p, &m, &rq, &e), -1);
	assert_string_equal(e.text, "the text is empty");
}

static const struct {
	int status;
	const char *body;
	enum verdict_class class;
	const char *code, *text, *ref;
} twilio_answers[] = {
	{ 201, "{\"sid\": \"SM1\", \"status\": \"queued\", \"code\": 30007}",
	    VERDICT_ACCEPTED, "30007", "", "SM1" },
	{ 201, "{\"sid\": \"SM1\"}", VERDICT_ACCEPTED, "201", "", "SM1" },
	{ 400, "{\"code\": 21211, \"message\": \"no number\", \"status\": 400}",
	    VERDICT_BAD_RECIPIENT, "21211", "no number", "" },
	{ 400, "{\"code\": 21610}", VERDICT_BAD_RECIPIENT, "21610", "", "" },
	{ 400, "{\"code\": 21614}", VERDICT_BAD_RECIPIENT, "21614", "", "" },
	{ 400, "{\"code\": 30005}", VERDICT_BAD_RECIPIENT, "30005", "", "" },
	{ 400, "{\"code\": 30006}", VERDICT_BAD_RECIPIENT, "30006", "", "" },
	{ 400, "{\"code\": 21219}", VERDICT_BAD_RECIPIENT, "21219", "", "" },
	{ 400, "{\"code\": 21608}", VERDICT_BAD_RECIPIENT, "21608", "", "" },
	{ 400, "{\"code\": 21617}", VERDICT_BAD_MESSAGE, "21617", "", "" },
	{ 400, "{\"code\": 30007}", VERDICT_BAD_MESSAGE, "30007", "", "" },
	{ 401, "{\"code\": 20003}", VERDICT_BAD_CREDENTIAL, "20003", "", "" },
	{ 400, "{\"code\": 21606}", VERDICT_BAD_CREDENTIAL, "21606", "", "" },
	{ 403, "{\"code\": 30002}", VERDICT_PROVIDER_BLOCKED, "30002", "", "" },
	{ 429, "{\"code\": 20429}", VERDICT_THROTTLED, "20429", "", "" },
	{ 429, "", VERDICT_THROTTLED, "429", "", "" },
	{ 400, "{\"code\": 30001}", VERDICT_RETRY, "30001", "", "" },
	{ 400, "{\"code\": 30003}", VERDICT_RETRY, "30003", "", "" },
	{ 400, "{\"code\": 30008}", VERDICT_RETRY, "30008", "", "" },
	{ 400, "{\"code\": 99999}", VERDICT_RETRY, "99999", "", "" },
	{ 400, "{\"code\": \"21211\"}", VERDICT_RETRY, "400", "", "" },
	{ 400, "[]", VERDICT_RETRY, "400", "", "" },
	{ 401, "", VERDICT_BAD_CREDENTIAL, "401", "", "" },
	{ 404, "{}", VERDICT_BAD_CREDENTIAL, "404", "", "" },
	{ 413, "", VERDICT_BAD_MESSAGE, "413", "", "" },
	{ 301, "", VERDICT_RETRY, "301", "", "" },
	{ 502, "<h1>Bad gateway</h1>", VERDICT_RETRY, "502",
	    "<h1>Bad gateway</h1>", "" },
	{ 503, "{\"code\": 20503}", VERDICT_RETRY, "20503", "", "" },
};

static void
twilio_answers_are_judged_as_the_table_says(void **state)
{
	size_t i;

	for (i = 0; i < NELEMS(twilio_answers); i++) {
		struct transfer_result res = { .outcome = TRANSFER_ANSWERED,
			.stage = TRANSFER_AT_BODY,
			.status = twilio_answers[i].status,
			.body = twilio_answers[i].body,
			.body_len = strlen(twilio_answers[i].body),
			.body_started = true };
		struct verdict v;

		twilio_ops.judge(NULL, &res, &v);
		if (v.class != twilio_answers[i].class)
			fail_msg("%d %s: %s", res.status, res.body,
			    verdict_name(v.class));
		assert_string_equal(v.code, twilio_answers[i].code);
		assert_string_equal(v.text, twilio_answers[i].text);
		assert_string_equal(v.provider_ref, twilio_answers[i].ref);
	}
}

/* ---- Every one of them ----------------------------------------------------------- */

static const struct provider_ops *const all[] = { &webhook_ops, &twilio_ops };

static const struct {
	enum transfer_outcome outcome;
	const char *code;
} silences[] = {
	{ TRANSFER_NOT_CONNECTED, "not_connected" },
	{ TRANSFER_TLS_FAILED, "tls_failed" },
	{ TRANSFER_BROKEN, "connection_lost" },
	{ TRANSFER_TIMED_OUT, "timed_out" },
	{ TRANSFER_ABORTED, "aborted" },
	{ TRANSFER_LOGIN_REFUSED, "no_answer" },
	{ TRANSFER_ANSWERED, "no_answer" }, /* without a status */
};

static void
silence_is_unknown_only_behind_the_first_byte(void **state)
{
	struct transfer_result res;
	struct verdict v;
	size_t i, k;

	for (k = 0; k < NELEMS(all) * 2; k++) {
		for (i = 0; i < NELEMS(silences); i++) {
			res = (struct transfer_result){
				.outcome = silences[i].outcome,
				.body_started = k % 2,
				.error = "why", .body = ""
			};
			all[k / 2]->judge(NULL, &res, &v);
			assert_string_equal(v.code, silences[i].code);
			assert_int_equal(v.class,
			    k % 2 ? VERDICT_UNKNOWN : VERDICT_RETRY);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(webhook_settings_are_checked),
		cmocka_unit_test(signatures_are_those_of_standard_webhooks),
		cmocka_unit_test(a_webhook_is_the_rendered_part_in_an_envelope),
		cmocka_unit_test(a_part_that_is_no_json_says_why),
		cmocka_unit_test(webhook_answers_are_judged_as_the_table_says),
		cmocka_unit_test(twilio_settings_are_checked),
		cmocka_unit_test(a_text_is_a_form),
		cmocka_unit_test(twilio_answers_are_judged_as_the_table_says),
		cmocka_unit_test(silence_is_unknown_only_behind_the_first_byte),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
