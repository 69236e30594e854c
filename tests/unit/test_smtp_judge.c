/*
 * test_smtp_judge.c - what the answers of mail servers mean
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "net/transfer.h"
#include "provider/smtp_judge.h"
#include "provider/verdict.h"

#define CONNECT TRANSFER_AT_CONNECT
#define LOGIN TRANSFER_AT_LOGIN
#define SENDER TRANSFER_AT_SENDER
#define RCPT TRANSFER_AT_RECIPIENT
#define DATA TRANSFER_AT_DATA
#define BODY TRANSFER_AT_BODY

static const struct {
	enum transfer_stage stage;
	int status;
	const char *enhanced;
	const char *reply;
	enum verdict_class class;
} replies[] = {
	/* Taken. */
	{ BODY, 250, "2.0.0", "Ok: queued as 4F1", VERDICT_ACCEPTED },
	{ BODY, 250, "", "ok", VERDICT_ACCEPTED },
	{ BODY, 251, "", "will forward", VERDICT_ACCEPTED },
	{ BODY, 252, "2.0.0", "cannot verify", VERDICT_ACCEPTED },
	/* Not taken, although it sounds like it. */
	{ RCPT, 250, "2.1.5", "ok", VERDICT_RETRY },
	{ DATA, 354, "", "go", VERDICT_RETRY },
	/* Later. */
	{ CONNECT, 421, "", "closing", VERDICT_RETRY },
	{ CONNECT, 421, "4.3.2", "shutting down", VERDICT_RETRY },
	{ CONNECT, 450, "", "try again", VERDICT_RETRY },
	{ SENDER, 421, "4.4.2", "timeout", VERDICT_RETRY },
	{ SENDER, 451, "4.3.0", "aliases", VERDICT_RETRY },
	{ SENDER, 452, "4.3.1", "disk full", VERDICT_RETRY },
	{ RCPT, 450, "4.2.0", "greylisted", VERDICT_RETRY },
	{ RCPT, 450, "4.7.1", "greylisted", VERDICT_RETRY },
	{ RCPT, 451, "4.7.1", "greylisted", VERDICT_RETRY },
	{ RCPT, 450, "", "mailbox busy", VERDICT_RETRY },
	{ RCPT, 452, "4.2.2", "over quota", VERDICT_RETRY },
	{ RCPT, 452, "4.5.3", "too many recipients", VERDICT_RETRY },
	{ RCPT, 450, "4.1.1", "unknown for now", VERDICT_RETRY },
	{ RCPT, 450, "4.1.2", "domain not found", VERDICT_RETRY },
	{ DATA, 451, "4.3.5", "configuration", VERDICT_RETRY },
	{ BODY, 451, "4.6.0", "scanner", VERDICT_RETRY },
	{ BODY, 450, "4.7.26", "not authenticated", VERDICT_RETRY },
	{ BODY, 421, "4.4.2", "timeout", VERDICT_RETRY },
	{ RCPT, 552, "5.2.2", "mailbox full", VERDICT_RETRY },
	{ BODY, 552, "5.2.2", "mailbox full", VERDICT_RETRY },
	{ RCPT, 550, "5.3.2", "not accepting", VERDICT_RETRY },
	{ CONNECT, 554, "", "no SMTP service here", VERDICT_RETRY },
	{ CONNECT, 502, "5.5.1", "EHLO unknown", VERDICT_RETRY },
	/* Slower. */
	{ CONNECT, 421, "4.7.0", "too many connections", VERDICT_THROTTLED },
	{ SENDER, 421, "4.7.0", "slow down", VERDICT_THROTTLED },
	{ RCPT, 421, "4.7.28", "rate", VERDICT_THROTTLED },
	{ RCPT, 450, "4.7.28", "rate", VERDICT_THROTTLED },
	{ BODY, 421, "4.7.0", "rate", VERDICT_THROTTLED },
	{ SENDER, 451, "4.7.500", "server busy", VERDICT_THROTTLED },
	{ SENDER, 451, "4.7.650", "rate limited", VERDICT_THROTTLED },
	{ SENDER, 451, "4.7.651", "rate limited", VERDICT_THROTTLED },
	{ SENDER, 451, "4.7.652", "connections", VERDICT_THROTTLED },
	{ DATA, 454, "", "Throttling failure", VERDICT_THROTTLED },
	{ RCPT, 550, "5.4.5", "daily limit", VERDICT_THROTTLED },
	{ RCPT, 452, "4.4.5", "daily limit", VERDICT_THROTTLED },
	/* The address. */
	{ RCPT, 550, "5.1.1", "no such user", VERDICT_BAD_RECIPIENT },
	{ RCPT, 551, "5.1.6", "moved", VERDICT_BAD_RECIPIENT },
	{ RCPT, 553, "5.1.3", "bad address", VERDICT_BAD_RECIPIENT },
	{ RCPT, 550, "5.1.2", "no such domain", VERDICT_BAD_RECIPIENT },
	{ RCPT, 556, "5.1.10", "null MX", VERDICT_BAD_RECIPIENT },
	{ BODY, 550, "5.1.1", "no such user", VERDICT_BAD_RECIPIENT },
	{ DATA, 554, "5.1.1", "no such user", VERDICT_BAD_RECIPIENT },
	{ RCPT, 553, "5.6.7", "ASCII only", VERDICT_BAD_RECIPIENT },
	{ SENDER, 550, "5.6.7", "ASCII only", VERDICT_BAD_RECIPIENT },
	/* The message; the address stays. */
	{ RCPT, 550, "", "no such user", VERDICT_BAD_MESSAGE },
	{ RCPT, 551, "", "not local", VERDICT_BAD_MESSAGE },
	{ RCPT, 553, "", "not allowed", VERDICT_BAD_MESSAGE },
	{ RCPT, 554, "", "refused", VERDICT_BAD_MESSAGE },
	{ RCPT, 550, "5.2.1", "disabled", VERDICT_BAD_MESSAGE },
	{ RCPT, 550, "5.7.1", "relaying denied", VERDICT_BAD_MESSAGE },
	{ RCPT, 550, "5.4.1", "access denied", VERDICT_BAD_MESSAGE },
	{ RCPT, 550, "5.1.11", "not one of ours", VERDICT_BAD_MESSAGE },
	{ RCPT, 501, "5.1.7", "sender's syntax", VERDICT_BAD_MESSAGE },
	{ SENDER, 550, "5.1.1", "sender unknown", VERDICT_BAD_MESSAGE },
	{ SENDER, 550, "5.1.8", "sender's domain", VERDICT_BAD_MESSAGE },
	{ SENDER, 552, "5.3.4", "too large", VERDICT_BAD_MESSAGE },
	{ BODY, 552, "5.3.4", "too large", VERDICT_BAD_MESSAGE },
	{ BODY, 552, "", "too large", VERDICT_BAD_MESSAGE },
	{ BODY, 554, "5.6.0", "bad content", VERDICT_BAD_MESSAGE },
	{ BODY, 550, "5.7.1", "spam", VERDICT_BAD_MESSAGE },
	{ BODY, 550, "5.7.26", "DMARC", VERDICT_BAD_MESSAGE },
	{ BODY, 554, "", "rejected", VERDICT_BAD_MESSAGE },
	{ DATA, 503, "5.5.1", "no valid recipients", VERDICT_BAD_MESSAGE },
	/* The account. */
	{ SENDER, 530, "5.7.0", "login first", VERDICT_BAD_CREDENTIAL },
	{ SENDER, 530, "", "login first", VERDICT_BAD_CREDENTIAL },
	{ RCPT, 535, "5.7.8", "bad login", VERDICT_BAD_CREDENTIAL },
	{ SENDER, 550, "5.7.8", "bad login", VERDICT_BAD_CREDENTIAL },
	{ CONNECT, 554, "5.7.1", "listed", VERDICT_PROVIDER_BLOCKED },
	{ CONNECT, 550, "5.7.511", "banned", VERDICT_PROVIDER_BLOCKED },
};

static void
replies_are_judged_as_the_table_says(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		struct transfer_result res = { .outcome = TRANSFER_ANSWERED,
			.stage = replies[i].stage,
			.status = replies[i].status,
			.reply = replies[i].reply,
			.error = "",
			.body_started = replies[i].stage == BODY };
		struct verdict v;

		snprintf(res.enhanced, sizeof(res.enhanced), "%s",
		    replies[i].enhanced);
		smtp_judge(&res, &v);
		if (v.class != replies[i].class)
			fail_msg("%d %s %s: %s, not %s", res.status,
			    res.enhanced, res.reply, verdict_name(v.class),
			    verdict_name(replies[i].class));
		assert_string_equal(v.text, replies[i].reply);
	}
}

static const struct {
	enum transfer_outcome outcome;
	enum transfer_stage stage;
	int status;
	bool body_started;
	enum verdict_class class;
	const char *code;
} ends[] = {
	{ TRANSFER_NOT_CONNECTED, CONNECT, 0, false, VERDICT_RETRY,
	    "not_connected" },
	{ TRANSFER_TLS_FAILED, CONNECT, 0, false, VERDICT_RETRY, "tls_failed" },
	{ TRANSFER_BROKEN, CONNECT, 0, false, VERDICT_RETRY, "connection_lost" },
	{ TRANSFER_BROKEN, DATA, 0, false, VERDICT_RETRY, "connection_lost" },
	{ TRANSFER_BROKEN, BODY, 0, true, VERDICT_UNKNOWN, "connection_lost" },
	{ TRANSFER_TIMED_OUT, CONNECT, 0, false, VERDICT_RETRY, "timed_out" },
	{ TRANSFER_TIMED_OUT, RCPT, 0, false, VERDICT_RETRY, "timed_out" },
	{ TRANSFER_TIMED_OUT, BODY, 0, true, VERDICT_UNKNOWN, "timed_out" },
	{ TRANSFER_ABORTED, SENDER, 0, false, VERDICT_RETRY, "aborted" },
	{ TRANSFER_ABORTED, BODY, 0, true, VERDICT_UNKNOWN, "aborted" },
	{ TRANSFER_LOGIN_REFUSED, LOGIN, 535, false, VERDICT_BAD_CREDENTIAL,
	    "535" },
	{ TRANSFER_LOGIN_REFUSED, LOGIN, 504, false, VERDICT_BAD_CREDENTIAL,
	    "504" },
	{ TRANSFER_LOGIN_REFUSED, LOGIN, 454, false, VERDICT_RETRY, "454" },
	{ TRANSFER_LOGIN_REFUSED, LOGIN, 0, false, VERDICT_BAD_CREDENTIAL,
	    "login_refused" },
	{ TRANSFER_NO_SMTPUTF8, SENDER, 0, false, VERDICT_BAD_RECIPIENT,
	    "5.6.7" },
	{ TRANSFER_ANSWERED, BODY, 0, true, VERDICT_UNKNOWN, "no_answer" },
};

static void
silence_is_unknown_only_behind_the_first_byte(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct transfer_result res = { .outcome = ends[i].outcome,
			.stage = ends[i].stage,
			.status = ends[i].status,
			.body_started = ends[i].body_started,
			.reply = "",
			.error = "why" };
		struct verdict v;

		smtp_judge(&res, &v);
		if (v.class != ends[i].class)
			fail_msg("row %zu: %s", i, verdict_name(v.class));
		assert_string_equal(v.code, ends[i].code);
	}
}

static void
the_name_in_the_queue_of_the_server_is_kept(void **state)
{
	struct transfer_result res = { .outcome = TRANSFER_ANSWERED,
		.stage = BODY,
		.status = 250,
		.enhanced = "2.0.0",
		.error = "",
		.reply = "Ok: queued as 4F1C2; thanks" };
	struct verdict v;

	smtp_judge(&res, &v);
	assert_string_equal(v.provider_ref, "4F1C2");
	assert_string_equal(v.code, "250 2.0.0");
	res.reply = "ok";
	smtp_judge(&res, &v);
	assert_string_equal(v.provider_ref, "");
}

static void
every_code_gets_a_class(void **state)
{
	struct transfer_result res = { .outcome = TRANSFER_ANSWERED,
		.reply = "",
		.error = "" };
	struct verdict v;
	int stage, status;

	for (stage = CONNECT; stage <= BODY; stage++) {
		for (status = 200; status < 600; status++) {
			res.stage = (enum transfer_stage)stage;
			res.status = status;
			smtp_judge(&res, &v);
			assert_true(v.class != VERDICT_NONE);
			/* Never without an enhanced code. */
			assert_true(v.class != VERDICT_BAD_RECIPIENT);
			if (v.class == VERDICT_ACCEPTED)
				assert_true(status < 300 && stage == BODY);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies_are_judged_as_the_table_says),
		cmocka_unit_test(silence_is_unknown_only_behind_the_first_byte),
		cmocka_unit_test(the_name_in_the_queue_of_the_server_is_kept),
		cmocka_unit_test(every_code_gets_a_class),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
