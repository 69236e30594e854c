/*
 * smtp_judge.c - what the answer of a mail server means
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Two tables, read from the top; the first row that fits decides.  The order of
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
	/* The message was taken. */
	{ BODY, 2, NULL, VERDICT_ACCEPTED },

	/* Who we are.  530: a login is wanted and none is set up. */
	{ EVERY, 530, NULL, VERDICT_BAD_CREDENTIAL },
	/* 534, 535, 538: the login, or its kind, is refused (RFC 4954). */
	{ EVERY, 534, NULL, VERDICT_BAD_CREDENTIAL },
	{ EVERY, 535, NULL, VERDICT_BAD_CREDENTIAL },
	{ EVERY, 538, NULL, VERDICT_BAD_CREDENTIAL },
	{ EVERY, 5, "5.7.8", VERDICT_BAD_CREDENTIAL },
	{ EVERY, 5, "5.7.9", VERDICT_BAD_CREDENTIAL },
	{ LOGIN, 4, NULL, VERDICT_RETRY }, /* 454: the server cannot check it */
	{ LOGIN, 5, NULL, VERDICT_BAD_CREDENTIAL },

	/* Too fast.  421 with a reason of policy is how servers say it. */
	{ EVERY, 421, "4.7.*", VERDICT_THROTTLED },
	{ EVERY, 4, "4.7.28", VERDICT_THROTTLED }, /* Gmail: unusual rate */
	{ EVERY, 4, "4.7.500", VERDICT_THROTTLED }, /* Outlook: server busy */
	{ EVERY, 4, "4.7.650", VERDICT_THROTTLED }, /* Outlook: by reputation */
	{ EVERY, 4, "4.7.651", VERDICT_THROTTLED }, /* Outlook */
	{ EVERY, 4, "4.7.652", VERDICT_THROTTLED }, /* Outlook: connections */
	/* Amazon SES: "454 Throttling failure". */
	{ SENDER | PAST_SENDER, 454, "", VERDICT_THROTTLED },
	/* Gmail: the account's limit of the day, with either first digit. */
	{ EVERY, 4, "4.4.5", VERDICT_THROTTLED },
	{ SENDER | PAST_SENDER, 550, "5.4.5", VERDICT_THROTTLED },

	/* Any other 4yz is for now only (RFC 5321 section 4.2.1): greylisting,
	 * a full disk or mailbox, a name server that did not answer. */
	{ EVERY, 4, NULL, VERDICT_RETRY },

	/* The greeting refuses this host by policy: nothing will pass here. */
	{ CONNECT, 5, "5.7.*", VERDICT_PROVIDER_BLOCKED },
	/* The greeting or EHLO is refused: no message was looked at yet. */
	{ CONNECT, 5, NULL, VERDICT_RETRY },

	/* The address.  Only behind RCPT: at MAIL it would be the sender's. */
	{ PAST_SENDER, 5, "5.1.1", VERDICT_BAD_RECIPIENT,
	    SUPPRESSION_HARD_BOUNCE }, /* no mailbox */
	{ PAST_SENDER, 5, "5.1.2", VERDICT_BAD_RECIPIENT,
	    SUPPRESSION_HARD_BOUNCE }, /* no such host */
	{ PAST_SENDER, 5, "5.1.3", VERDICT_BAD_RECIPIENT,
	    SUPPRESSION_HARD_BOUNCE }, /* bad syntax */
	{ PAST_SENDER, 5, "5.1.6", VERDICT_BAD_RECIPIENT,
	    SUPPRESSION_HARD_BOUNCE }, /* moved away */
	{ PAST_SENDER, 5, "5.1.10", VERDICT_BAD_RECIPIENT,
	    SUPPRESSION_HARD_BOUNCE }, /* null MX */
	/* No mailbox with an address that is not ASCII (RFC 6531): a server of
	 * another time may know it. */
	{ SENDER | PAST_SENDER, 5, "5.6.7", VERDICT_BAD_RECIPIENT },

	/* The mailbox is full, which passes although the server says 5. */
	{ PAST_SENDER, 5, "5.2.2", VERDICT_RETRY },
	/* The system does not take mail now (RFC 3463: X.3.2). */
	{ EVERY, 5, "5.3.2", VERDICT_RETRY },

	/* Size (5.3.4, 5.2.3, 552), content (5.6.*), policy (5.7.*), routing
	 * (5.4.*), a disabled mailbox (5.2.1, it may come back), the sender
	 * (5.1.7, 5.1.8): this message will not pass, the address stays.  So
	 * does it when there is no enhanced code: 550 alone may mean anything. */
	{ EVERY, 5, NULL, VERDICT_BAD_MESSAGE },
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
