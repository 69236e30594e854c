/*
 * smtp_session.h - one SMTP connection and the mails that go over it
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * libcurl looks the name up, connects, does TLS, greeting and EHLO; then it is asked
 * for nothing but to read and write bytes (CURLOPT_CONNECT_ONLY).  The login
 * (smtp_login.h) and the mails themselves are sent from here, because libcurl's own way
 * of sending a mail waits for the server's answer inside curl_multi_perform(), and so
 * stops every other transfer of the process until it comes (README.md).
 */
#ifndef BELFRY_NET_SMTP_SESSION_H
#define BELFRY_NET_SMTP_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "net/smtp_login.h"
#include "net/smtp_reply.h"
#include "net/transfer_private.h"

enum smtp_state {
	SMTP_CLOSED,
	SMTP_CONNECTING, /* curl is at work, for s->transfer */
	SMTP_IDLE, /* ready for the next mail */
	SMTP_TALKING /* s->transfer is on its way */
};

/* What a reply is awaited for, in the order of sending. */
enum smtp_step {
	SMTP_LOGIN, /* all of it, in front of the first mail */
	SMTP_RESET, /* behind a mail that was refused */
	SMTP_MAIL,
	SMTP_RCPT,
	SMTP_DATA,
	SMTP_MESSAGE, /* the message and its final dot */
	SMTP_STEPS
};

struct smtp_session {
	struct transfers *ts;
	enum smtp_state state;
	unsigned int index; /* in ts->sessions */
	CURLM *multi; /* its own: curl closes what is idle in a shared one */
	CURL *easy;
	curl_socket_t fd; /* while IDLE or TALKING */
	uint8_t identity[TRANSFER_IDENTITY_BYTES];
	struct transfer *transfer; /* or NULL */
	int64_t curl_timer_ms; /* when curl wants to be called, or -1 */
	int64_t idle_since_ms;
	int mails; /* that were tried over this connection */
	bool in_multi; /* easy is in multi */
	bool writing; /* epoll watches for room to write */

	/* What the server offered in its last EHLO. */
	bool pipelining, size, smtputf8, eight_bit, dsn;
	unsigned mechanisms; /* of logging in; 0: it does not want any */
	struct smtp_login login; /* under way */

	struct smtp_reply reply; /* the one that is being read */
	struct smtp_reply refusal; /* the first refusal; code 0 without one */
	enum smtp_step steps[SMTP_STEPS];
	unsigned int steps_count, steps_sent, steps_answered;
	bool needs_reset;
	bool in_body; /* 354 came, and the final dot is not in "out" */
	char last_byte; /* of the body that went into "out" */
	struct buf in; /* a line that is not complete */
	struct buf out; /* what is to be written, from out_done on */
	size_t out_done;
};

/* Connects for the transfer, which is then sent at once.  The session must be
 * closed. */
void smtp_session_connect(struct smtp_session *s, struct transfer *t);

/* Sends the transfer over an idle session. */
void smtp_session_send(struct smtp_session *s, struct transfer *t);

/* A socket of the session is ready for "events" of epoll. */
void smtp_session_event(struct smtp_session *s, curl_socket_t fd,
    uint32_t events);

/* The time of curl_timer_ms has come. */
void smtp_session_timer(struct smtp_session *s);

/* Closes the connection at once, whatever is going on.  An idle one says QUIT.
 * The transfer, if any, is left to the caller. */
void smtp_session_close(struct smtp_session *s);

#endif
