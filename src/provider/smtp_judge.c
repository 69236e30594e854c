/*
 * smtp_judge.c - what the answer of a mail server means
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Two tables (smtp.def and below), read from the top; the first row that fits decides.  The order of
 * caution: an address is given up only when the server says by an enhanced status
 * code (RFC 3463) that it is the address; a message only when nothing else can be
 * meant; whatever may pass is tried again.
 */
#include "provider/smtp_judge.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "net/transfer.h"
#include "provider/verdict.h"

/* Stages as bits. */
enum {
	CONNECT = 1 << TRANSFER_AT_CONNECT,
	LOGIN = 1 << TRANSFER_AT_LOGIN,
	SENDER = 1 << TRANSFER_AT_SENDER,
	RCPT = 1 << TRANSFER_AT_RECIPIENT,
	DATA = 1 << TRANSFER_AT_DATA,
	BODY = 1 << TRANSFER_AT_BODY,
	PAST_SENDER = RCPT | DATA | BODY,
	EVERY = CONNECT | LOGIN | SENDER | PAST_SENDER
};

/* What a reply means. */
static const struct rule {
	int stages;
	int status; /* 550, or 5 for all 5xx */
	const char *enhanced; /* "5.1.1", "5.1.*"; "" is none; NULL is any */
	enum verdict_class class;
	enum suppression_reason suppress; /* the address, from now on */
} rules[] = {
#define REPLY(stages, status, enhanced, class, suppress, why, source, date)    \
	{ stages, status, enhanced, VERDICT_##class, SUPPRESSION_##suppress },
#include "provider/smtp.def"
};

/* What it means that there is no answer. */
static const struct silence {
	enum transfer_outcome outcome;
	const char *code;
	enum verdict_class before; /* when no byte of the message was written */
	enum verdict_class after;
} silences[] = {
	{ TRANSFER_NOT_CONNECTED, "not_connected", VERDICT_RETRY, VERDICT_RETRY },
	{ TRANSFER_TLS_FAILED, "tls_failed", VERDICT_RETRY, VERDICT_RETRY },
	{ TRANSFER_BROKEN, "connection_lost", VERDICT_RETRY, VERDICT_UNKNOWN },
	{ TRANSFER_TIMED_OUT, "timed_out", VERDICT_RETRY, VERDICT_UNKNOWN },
	{ TRANSFER_ABORTED, "aborted", VERDICT_RETRY, VERDICT_UNKNOWN },
	/* The login has nothing in common with what the server offers. */
	{ TRANSFER_LOGIN_REFUSED, "login_refused", VERDICT_BAD_CREDENTIAL,
	    VERDICT_BAD_CREDENTIAL },
	/* RFC 6531 section 3.5: as if the server had said it. */
	{ TRANSFER_NO_SMTPUTF8, "5.6.7", VERDICT_BAD_RECIPIENT,
	    VERDICT_BAD_RECIPIENT },
};

static bool
enhanced_fits(const char *pattern, const char *enhanced)
{
	size_t n;

	if (pattern == NULL)
		return true;
	n = strlen(pattern);
	if (n > 0 && pattern[n - 1] == '*')
		return strncmp(pattern, enhanced, n - 1) == 0;
	return strcmp(pattern, enhanced) == 0;
}

static bool
rule_fits(const struct rule *r, const struct transfer_result *res)
{
	return (r->stages >> res->stage & 1) != 0 &&
	    (r->status == res->status || r->status == res->status / 100) &&
	    enhanced_fits(r->enhanced, res->enhanced);
}

/* Servers like to name their queue: "2.0.0 Ok: queued as 4F1". */
static void
set_ref(struct verdict *v, const char *reply)
{
	const char *at = strstr(reply, "queued as ");

	if (at == NULL)
		return;
	at += strlen("queued as ");
	snprintf(v->provider_ref, sizeof(v->provider_ref), "%.*s",
	    (int)strcspn(at, " \t;,<>()"), at);
}

static void
judge_reply(const struct transfer_result *res, struct verdict *v_r)
{
	char code[32];
	size_t i;

	snprintf(code, sizeof(code), "%d%s%s", res->status,
	    res->enhanced[0] != '\0' ? " " : "", res->enhanced);
	for (i = 0; i < NELEMS(rules); i++) {
		if (rule_fits(&rules[i], res)) {
			verdict_set(v_r, rules[i].class, code, res->reply);
			v_r->suppress = rules[i].suppress;
			if (rules[i].class == VERDICT_ACCEPTED)
				set_ref(v_r, res->reply);
			return;
		}
	}
	/* A 2yz or 3yz that ends a transfer before the message. */
	verdict_set(v_r,
	    res->body_started ? VERDICT_UNKNOWN : VERDICT_RETRY, code,
	    res->reply);
}

void
smtp_judge(const struct transfer_result *res, struct verdict *v_r)
{
	const struct silence *s;
	size_t i;

	if (res->status >= 200 && (res->outcome == TRANSFER_ANSWERED ||
	        res->outcome == TRANSFER_LOGIN_REFUSED)) {
		judge_reply(res, v_r);
		return;
	}
	for (i = 0; i < NELEMS(silences); i++) {
		s = &silences[i];
		if (s->outcome == res->outcome) {
			verdict_set(v_r,
			    res->body_started ? s->after : s->before, s->code,
			    res->error);
			return;
		}
	}
	verdict_set(v_r,
	    res->body_started ? VERDICT_UNKNOWN : VERDICT_RETRY, "no_answer",
	    res->error);
}
