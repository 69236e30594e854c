/*
 * test_answers.c - every answer that a table knows, played through its provider
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * That shows that the tables are read, not that they are right: test_known_answers.c
 * does.  Mail servers have their own (test_smtp_judge.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/compiler.h"
#include "net/transfer.h"
#include "provider/fcm.h"
#include "provider/http_json.h"
#include "provider/sendgrid.h"
#include "provider/twilio.h"
#include "provider/verdict.h"
#include "provider/whatsapp.h"

static struct verdict
play_as(const struct provider *p, const struct provider_ops *ops, int status,
    const char *body, const char *headers)
{
	struct transfer_result res = { .outcome = TRANSFER_ANSWERED,
		.stage = TRANSFER_AT_BODY,
		.status = status,
		.body = body,
		.body_len = strlen(body),
		.headers = headers,
		.body_started = true };
	struct verdict v;

	ops->judge(p, &res, &v);
	return v;
}

static struct verdict
play(const struct provider_ops *ops, int status, const char *body,
    const char *headers)
{
	return play_as(NULL, ops, status, body, headers);
}

static const struct row {
	int status;
	const char *where, *words;
	enum verdict_class class;
	enum suppression_reason suppress;
	const char *source, *date;
} sendgrid_rows[] = {
#define ANSWER(status, where, words, class, suppress, why, source, date)       \
	{ status, where, words, VERDICT_##class, SUPPRESSION_##suppress,       \
		source, date },
#include "provider/sendgrid.def"
};

static void
sendgrid_says_what_its_table_says(void **state)
{
	char body[300], code[8];
	const struct row *r;
	struct verdict v;

	for (r = sendgrid_rows; r < sendgrid_rows + NELEMS(sendgrid_rows); r++) {
		snprintf(body, sizeof(body),
		    "{\"errors\": [{\"message\": \"so %s it is\", \"field\": "
		    "\"%s\", \"help\": null}]}",
		    r->words != NULL ? r->words : "", r->where != NULL ? r->where
		                                                       : "x");
		v = play(&sendgrid_ops, r->status, body, "X-Message-Id: m1\n");
		if (v.class != r->class || v.suppress != r->suppress)
			fail_msg("%d %s: %s", r->status, body,
			    verdict_name(v.class));
		snprintf(code, sizeof(code), "%d", r->status);
		assert_string_equal(v.code, code);
		assert_memory_equal(v.text, "so ", 3);
		assert_string_equal(v.provider_ref, "m1");
		assert_false(v.unrecognised);
		assert_true(strlen(r->source) > 0 && strlen(r->date) == 7);
	}
}

static const struct code_row {
	int code;
	enum verdict_class class;
	enum suppression_reason suppress;
	const char *source, *date;
} twilio_rows[] = {
#define CODE(code, class, suppress, why, source, date)                         \
	{ code, VERDICT_##class, SUPPRESSION_##suppress, source, date },
#include "provider/twilio.def"
};

static void
twilio_says_what_its_table_says(void **state)
{
	char body[100], code[8];
	const struct code_row *r;
	struct verdict v;

	for (r = twilio_rows; r < twilio_rows + NELEMS(twilio_rows); r++) {
		snprintf(body, sizeof(body),
		    "{\"code\": %d, \"message\": \"why\", \"status\": 400}",
		    r->code);
		v = play(&twilio_ops, 400, body, "");
		if (v.class != r->class || v.suppress != r->suppress ||
		    v.for_sender != (r->suppress == SUPPRESSION_OPT_OUT))
			fail_msg("%d: %s", r->code, verdict_name(v.class));
		snprintf(code, sizeof(code), "%d", r->code);
		assert_string_equal(v.code, code);
		assert_string_equal(v.text, "why");
		assert_false(v.unrecognised);
		assert_true(strlen(r->source) > 0 && strlen(r->date) == 7);
	}
}

/* ---- Tables of rules: a code as the provider writes it, else the status ------------ */

static const char *
fcm_body(struct arena *a, const char *code)
{
	bool token = strcmp(code, "INVALID_TOKEN") == 0;

	return arena_printf(a,
	    "{\"error\": {\"message\": \"%s\", \"details\": [{\"@type\": "
	    "\"type.googleapis.com/google.firebase.fcm.v1.FcmError\", "
	    "\"errorCode\": \"%s\"}]}}",
	    token ? "no registration token" : "why",
	    token ? "INVALID_ARGUMENT" : code);
}

static const char *
whatsapp_body(struct arena *a, const char *code)
{
	return arena_printf(a, "{\"error\": {\"code\": %s}}", code);
}

static const struct rule_row {
	const struct provider_ops *ops;
	const char *(*body)(struct arena *a, const char *code);
	struct http_rule rule;
	const char *source, *date;
} rule_rows[] = {
#define ANSWER(status, code, class, effect, why, source, date)                 \
	{ &fcm_ops, fcm_body,                                                  \
		{ status, code, VERDICT_##class, HTTP_##effect }, source, date },
#include "provider/fcm.def"
#define ANSWER(status, code, class, effect, why, source, date)                 \
	{ &whatsapp_ops, whatsapp_body,                                        \
		{ status, code, VERDICT_##class, HTTP_##effect }, source, date },
#include "provider/whatsapp.def"
#undef ANSWER
};

static void
rules_say_what_their_tables_say(void **state)
{
	struct arena *a = arena_new(4096);
	const struct rule_row *r;
	const char *body;
	struct verdict v;
	int status;

	for (r = rule_rows; r < rule_rows + NELEMS(rule_rows); r++) {
		status = r->rule.status == 0 ? 400
		    : r->rule.status < 10    ? r->rule.status * 100
		                             : r->rule.status;
		body = r->rule.code != NULL && r->rule.code[0] != '\0'
		    ? r->body(a, r->rule.code)
		    : "";
		v = play(r->ops, status, body, "");
		if (v.class != r->rule.class || v.unrecognised ||
		    v.gone != (r->rule.effect == HTTP_GONE) ||
		    v.stale_token != (r->rule.effect == HTTP_STALE) ||
		    v.for_sender != (r->rule.effect == HTTP_OPT_OUT))
			fail_msg("%s %d %s: %s", r->ops->kind, status, body,
			    verdict_name(v.class));
		assert_true(strlen(r->source) > 0 && strlen(r->date) == 7);
	}
	arena_free(&a);
}

/* What must hold whatever the tables become. */
static const struct {
	const struct provider_ops *ops;
	int status;
	const char *body;
	enum verdict_class class;
	enum suppression_reason suppress;
	bool unrecognised;
} certain[] = {
	{ &twilio_ops, 400, "{\"code\": 21211}", VERDICT_BAD_RECIPIENT,
	    SUPPRESSION_HARD_BOUNCE, false },
	{ &twilio_ops, 400, "{\"code\": 21614}", VERDICT_BAD_RECIPIENT,
	    SUPPRESSION_HARD_BOUNCE, false },
	{ &twilio_ops, 400, "{\"code\": 30005}", VERDICT_BAD_RECIPIENT,
	    SUPPRESSION_HARD_BOUNCE, false },
	{ &twilio_ops, 400, "{\"code\": 30006}", VERDICT_BAD_RECIPIENT,
	    SUPPRESSION_HARD_BOUNCE, false },
	{ &twilio_ops, 400, "{\"code\": 21610}", VERDICT_BAD_RECIPIENT,
	    SUPPRESSION_OPT_OUT, false },
	{ &twilio_ops, 429, "{\"code\": 20429}", VERDICT_THROTTLED, 0, false },
	{ &twilio_ops, 400, "{\"code\": 30001}", VERDICT_RETRY, 0, false },
	{ &twilio_ops, 400, "{\"code\": 30003}", VERDICT_RETRY, 0, false },
	{ &twilio_ops, 400, "{\"code\": 30008}", VERDICT_RETRY, 0, false },
	{ &twilio_ops, 400, "{\"code\": 30007}", VERDICT_BAD_MESSAGE, 0, false },
	{ &twilio_ops, 401, "{\"code\": 20003}", VERDICT_BAD_CREDENTIAL, 0,
	    false },
	{ &twilio_ops, 403, "{\"code\": 30002}", VERDICT_PROVIDER_BLOCKED, 0,
	    false },
	{ &twilio_ops, 502, "", VERDICT_RETRY, 0, false },
	{ &twilio_ops, 400, "{\"code\": 99999}", VERDICT_RETRY, 0, true },
	{ &twilio_ops, 400, "", VERDICT_RETRY, 0, true },
	{ &twilio_ops, 302, "", VERDICT_RETRY, 0, true },
	{ &sendgrid_ops, 400, "", VERDICT_BAD_MESSAGE, 0, false },
	{ &sendgrid_ops, 401, "", VERDICT_BAD_CREDENTIAL, 0, false },
	{ &sendgrid_ops, 403, "", VERDICT_BAD_CREDENTIAL, 0, false },
	{ &sendgrid_ops, 413, "", VERDICT_BAD_MESSAGE, 0, false },
	{ &sendgrid_ops, 429, "", VERDICT_THROTTLED, 0, false },
	{ &sendgrid_ops, 500, "", VERDICT_RETRY, 0, false },
	{ &sendgrid_ops, 418, "", VERDICT_RETRY, 0, true },
	{ &sendgrid_ops, 200, "{}", VERDICT_ACCEPTED, 0, false },
	{ &sendgrid_ops, 302, "", VERDICT_RETRY, 0, true },
	{ &sendgrid_ops, 599, "", VERDICT_RETRY, 0, true },
};

static void
certain_answers_stay_what_they_are(void **state)
{
	struct verdict v;
	size_t i;

	for (i = 0; i < NELEMS(certain); i++) {
		v = play(certain[i].ops, certain[i].status, certain[i].body,
		    "");
		if (v.class != certain[i].class ||
		    v.suppress != certain[i].suppress ||
		    v.unrecognised != certain[i].unrecognised)
			fail_msg("%s %d %s: %s", certain[i].ops->kind,
			    certain[i].status, certain[i].body,
			    verdict_name(v.class));
	}
}

static void
sendgrid_names_the_time_of_the_next_request(void **state)
{
	char headers[80];
	struct verdict v;

	snprintf(headers, sizeof(headers), "X-RateLimit-Reset: %lld\n",
	    (long long)clock_wall_ms() / 1000 + 40);
	v = play(&sendgrid_ops, 429, "", headers);
	assert_in_range(v.retry_after_ms, 38000, 40000);
	v = play(&sendgrid_ops, 429, "", "X-RateLimit-Reset: x\n");
	assert_int_equal(v.retry_after_ms, 0);
	v = play(&sendgrid_ops, 429, "", "X-RateLimit-Reset: 1\n");
	assert_int_equal(v.retry_after_ms, 0);
	v = play(&sendgrid_ops, 429, "",
	    "X-RateLimit-Reset: -9223372036854775808\n");
	assert_int_equal(v.retry_after_ms, 0);
	v = play(&sendgrid_ops, 202, "", headers);
	assert_int_equal(v.retry_after_ms, 0);
}

/* A tenant that uses an account of the platform chooses the sender: the account goes on. */
static void
a_sender_of_a_tenant_parks_no_shared_account(void **state)
{
	static const struct {
		const struct provider_ops *ops;
		int status;
		const char *body;
		enum verdict_class own, shared;
	} cases[] = {
		{ &sendgrid_ops, 400, "{\"errors\": [{\"field\": \"reply_to\"}]}",
		    VERDICT_BAD_CREDENTIAL, VERDICT_BAD_MESSAGE },
		{ &sendgrid_ops, 400,
		    "{\"errors\": [{\"field\": \"from.email\"}]}",
		    VERDICT_BAD_CREDENTIAL, VERDICT_BAD_MESSAGE },
		{ &sendgrid_ops, 403, "{\"errors\": [{\"field\": \"from\"}]}",
		    VERDICT_BAD_CREDENTIAL, VERDICT_BAD_MESSAGE },
		{ &sendgrid_ops, 401, "{\"errors\": [{\"field\": null}]}",
		    VERDICT_BAD_CREDENTIAL, VERDICT_BAD_CREDENTIAL },
		{ &twilio_ops, 400, "{\"code\": 21606}",
		    VERDICT_BAD_CREDENTIAL, VERDICT_BAD_MESSAGE },
		{ &twilio_ops, 400, "{\"code\": 21664}",
		    VERDICT_PROVIDER_BLOCKED, VERDICT_BAD_MESSAGE },
		{ &twilio_ops, 401, "{\"code\": 20003}",
		    VERDICT_BAD_CREDENTIAL, VERDICT_BAD_CREDENTIAL },
	};
	const struct provider own = { .tenant = { 7 }, .owner = { 7 } },
	                      shared = { .tenant = { 7 }, .owner = { 1 } };
	size_t i;

	for (i = 0; i < NELEMS(cases); i++) {
		assert_int_equal(play_as(&own, cases[i].ops, cases[i].status,
		                     cases[i].body, "").class, cases[i].own);
		assert_int_equal(play_as(&shared, cases[i].ops, cases[i].status,
		                     cases[i].body, "").class, cases[i].shared);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sendgrid_says_what_its_table_says),
		cmocka_unit_test(twilio_says_what_its_table_says),
		cmocka_unit_test(rules_say_what_their_tables_say),
		cmocka_unit_test(certain_answers_stay_what_they_are),
		cmocka_unit_test(a_sender_of_a_tenant_parks_no_shared_account),
		cmocka_unit_test(sendgrid_names_the_time_of_the_next_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
