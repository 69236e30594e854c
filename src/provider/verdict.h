/*
 * verdict.h - what an attempt came to
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Every attempt ends in exactly one class:
 * accepted          the provider took it
 * retry             it may work later
 * throttled         too fast for this provider or destination; uses up no attempt
 * bad_recipient     this address will never work on this channel
 * bad_message       this content will never be taken
 * bad_credential    the account's credentials are refused: park the account
 * provider_blocked  the account is locked or unpaid: park the account
 * unknown           the body was sent and no full answer came
 */
#ifndef BELFRY_PROVIDER_VERDICT_H
#define BELFRY_PROVIDER_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/suppression.h"

enum verdict_class {
	VERDICT_NONE,
#define X(number, NAME, name) VERDICT_##NAME = (number),
#include "provider/verdict.def"
#undef X
	VERDICT_COUNT
};

struct verdict {
	enum verdict_class class;
	int64_t retry_after_ms; /* what the provider asked for, 0 when nothing */
	char code[32]; /* the provider's own: "550 5.1.1", "21610" */
	char text[256]; /* the provider's words, or ours */
	char provider_ref[128]; /* the provider's id of the message, or "" */
	enum suppression_reason suppress; /* the address from now on, or NONE */
	bool for_sender; /* only for this account */
	bool unrecognised; /* an answer that no table knows: judged with care */
	const char *entry; /* accepted by the inbox: the entry to write, JSON; or NULL */
	bool gone; /* bad_recipient: the address itself is no more, forget it */
	bool reported; /* accepted: receipts may come, whatever the kind says */
	bool stale_token; /* refused for its access token: a new one may help */
};

/* The names from VERDICT_ACCEPTED on, ended by NULL, for field tables. */
extern const char *const verdict_names[];

/* VERDICT_NONE for any other text. */
enum verdict_class verdict_parse(const char *name);

const char *verdict_name(enum verdict_class class);

/* Fills a verdict; "text" is cut to what fits and made printable UTF-8. */
void verdict_set(struct verdict *v, enum verdict_class class, const char *code,
    const char *text);

#endif
