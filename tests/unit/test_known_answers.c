/*
 * test_known_answers.c - answers mean what a list says that no provider's table has made
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "net/transfer.h"
#include "provider/provider.h"
#include "provider/verdict.h"

/* UNKNOWN_ANSWER stands for a retry with an alarm. */
enum { VERDICT_UNKNOWN_ANSWER = VERDICT_COUNT };

static const struct known {
	const char *kind;
	int status;
	const char *what;
	int class;
	enum suppression_reason suppress;
	const char *why, *source;
} known[] = {
#define KNOWN(kind, status, what, class, suppress, why, source)                \
	{ #kind, status, what, VERDICT_##class, SUPPRESSION_##suppress, why,   \
		source },
#include "known_answers.def"
};

/* ---- Bodies as each provider writes them ------------------------------------------ */

static const char *
plain(struct arena *a, const struct known *k)
{
	return k->what;
}

static const char *
of_twilio(struct arena *a, const struct known *k)
{
	if (k->what[0] == '\0')
		return "<html>";
	return arena_printf(a,
	    "{\"code\": %s, \"message\": \"m\", \"status\": %d}", k->what,
	    k->status);
}

static const char *
of_sendgrid(struct arena *a, const struct known *k)
{
	size_t n = strcspn(k->what, "|");

	if (k->what[n] == '\0')
		return "";
	return arena_printf(a,
	    "{\"errors\": [{\"field\": \"%.*s\", \"message\": \"%s\"}]}",
	    (int)n, k->what, k->what + n + 1);
}

static const char *
of_fcm(struct arena *a, const struct known *k)
{
	size_t n = strcspn(k->what, " ");
	const char *field = k->what[n] == '\0'      ? ""
	    : strcmp(k->what + n, " token") == 0 ? "message.token"
	                                         : "message.android.ttl";

	if (n == 0)
		return k->status < 300 ? "{\"name\": \"n\"}" : "{\"error\": {}}";
	return arena_printf(a,
	    "{\"error\": {\"message\": \"m\", \"details\": [{\"@type\": "
	    "\"type.googleapis.com/google.firebase.fcm.v1.FcmError\", "
	    "\"errorCode\": \"%.*s\"}, {\"@type\": "
	    "\"type.googleapis.com/google.rpc.BadRequest\", "
	    "\"fieldViolations\": [{\"field\": \"%s\"}]}]}}",
	    (int)n, k->what, field);
}

static const char *
of_whatsapp(struct arena *a, const struct known *k)
{
	if (k->what[0] == '\0')
		return "<html>";
	return arena_printf(a,
	    "{\"error\": {\"message\": \"m\", \"code\": %s}}", k->what);
}

static const char *
of_telegram(struct arena *a, const struct known *k)
{
	return arena_printf(a, "{\"ok\": false, \"description\": \"%s\"}",
	    k->what);
}

static const struct {
	const char *kind;
	const char *(*body)(struct arena *a, const struct known *k);
} bodies[] = {
	{ "twilio", of_twilio },
	{ "sendgrid", of_sendgrid },
	{ "fcm", of_fcm },
	{ "whatsapp", of_whatsapp },
	{ "telegram", of_telegram },
};

static const char *
body_of(struct arena *a, const struct known *k)
{
	size_t i;

	for (i = 0; i < NELEMS(bodies); i++)
		if (strcmp(bodies[i].kind, k->kind) == 0)
			return bodies[i].body(a, k);
	return plain(a, k);
}

static enum transfer_stage
stage_of(const char *what)
{
	static const char *const names[] = {
		[TRANSFER_AT_CONNECT] = "CONNECT",
		[TRANSFER_AT_LOGIN] = "LOGIN",
		[TRANSFER_AT_SENDER] = "SENDER",
		[TRANSFER_AT_RECIPIENT] = "RECIPIENT",
		[TRANSFER_AT_BODY] = "BODY",
	};
	size_t i;

	for (i = 0; i < NELEMS(names); i++)
		if (names[i] != NULL &&
		    strncmp(names[i], what, strlen(names[i])) == 0)
			return (enum transfer_stage)i;
	fail_msg("no such step: %s", what);
	return TRANSFER_AT_BODY;
}

/* ---- Playing them ----------------------------------------------------------------- */

static struct verdict
play(struct arena *a, const struct known *k)
{
	const struct provider_ops *ops = provider_ops_find(k->kind);
	const char *body = body_of(a, k), *code;
	struct transfer_result res = { .outcome = TRANSFER_ANSWERED,
		.stage = TRANSFER_AT_BODY,
		.status = k->status,
		.body = body,
		.body_len = strlen(body),
		.headers = "",
		.reply = "",
		.body_started = true };
	struct verdict v;

	assert_non_null(ops);
	if (strcmp(k->kind, "smtp") == 0) {
		res.stage = stage_of(k->what);
		code = k->what + strcspn(k->what, " ");
		snprintf(res.enhanced, sizeof(res.enhanced), "%s",
		    code[0] == ' ' ? code + 1 : "");
		res.body_started = res.stage == TRANSFER_AT_BODY;
	}
	if (strcmp(k->what, "after") == 0)
		res.retry_after_s = 5;
	ops->judge(NULL, &res, &v);
	return v;
}

static bool
is_as_known(const struct known *k, const struct verdict *v)
{
	bool unrecognised = k->class == VERDICT_UNKNOWN_ANSWER;

	return (int)v->class == (unrecognised ? VERDICT_RETRY : k->class) &&
	    v->unrecognised == unrecognised && v->suppress == k->suppress &&
	    v->for_sender == (k->suppress == SUPPRESSION_OPT_OUT);
}

/* RELIABILITY P1. */
static void
p1_every_known_answer_has_its_class(void **state)
{
	struct arena *a = arena_new(4096);
	const struct known *k;
	struct verdict v;
	int wrong = 0;

	assert_true(NELEMS(known) >= 120);
	for (k = known; k < known + NELEMS(known); k++) {
		assert_true(strlen(k->source) > 0);
		v = play(a, k);
		if (is_as_known(k, &v))
			continue;
		print_error("%s %d \"%s\" is %s, suppresses by %s%s (%s; %s)\n",
		    k->kind, k->status, k->what, verdict_name(v.class),
		    suppression_reason_name((int)v.suppress),
		    v.unrecognised ? ", with an alarm" : "", k->why, k->source);
		wrong++;
	}
	arena_free(&a);
	assert_int_equal(wrong, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(p1_every_known_answer_has_its_class),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
