/*
 * mail_message.h - a rendered message as a mail
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the mail providers share: each attempt of a delivery gives the same bytes,
 * with the same Message-ID, made from the delivery's id and the sender's domain.
 */
#ifndef BELFRY_PROVIDER_MAIL_MESSAGE_H
#define BELFRY_PROVIDER_MAIL_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "provider/mime.h"

struct arena;
struct buf;
struct err;
struct message;
struct transfer_piece;
struct transfer_request;

/* Of an account's settings; optional members are NULL. */
struct mail_sender {
	const char *from;
	const char *from_name; /* optional */
	const char *reply_to; /* optional */
	const char **others; /* that a message may name instead */
	size_t others_count;
};

/* A mail ready to go; everything lives in the arena. */
struct mail_envelope {
	const char *from; /* domains as A-labels */
	const char *rcpt;
	bool smtputf8; /* one of them needs it */
	const struct buf *octets; /* all of it, or without what lies in files */
	const struct transfer_piece *pieces; /* all of it, then; or NULL */
	size_t pieces_count;
};

/* Makes the envelope the body of a request. */
void mail_envelope_body(const struct mail_envelope *envelope,
    struct transfer_request *rq);

/* Checks an address in the settings of an account; NULL is fine.  -1 with *e naming the
 * setting. */
int mail_setting_check(const char *field, const char *address, struct err *e)
    MUST_CHECK;

/* The fields that tell a mail program of the list that a mail belongs to: List-Unsubscribe
 * with List-Unsubscribe-Post (RFC 8058), List-Id (RFC 2919), Feedback-ID.  "from" is the
 * sender with its domain as A-labels.  Returns how many; 0 when it belongs to none. */
enum { MAIL_LIST_HEADERS = 4 };
#define MAIL_TOKEN_FIELD "X-Belfry-Token"
size_t mail_list_headers(struct arena *a, const struct message *m,
    const char *from, struct mail_header headers[static MAIL_LIST_HEADERS]);

/* Who sends the message: whom it names, else the account's first.  -1 when the account may
 * not send as that one. */
int mail_sender_of(const struct mail_sender *sender, const struct message *m,
    const char **from_r, struct err *e) MUST_CHECK;

/* Makes the mail; a text part is made from the HTML when there is none.  "token" (NULL:
 * none) stands in a field of its own, by which a report of the mail is recognised.
 * Returns 0, or -1 with *e set when this message can never be a mail. */
int mail_message_build(struct arena *a, const struct mail_sender *sender,
    const struct message *m, const char *token,
    struct mail_envelope *envelope_r, struct err *e) MUST_CHECK;

#endif
