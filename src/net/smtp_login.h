/*
 * smtp_login.h - logging in at a mail server (RFC 4954)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * PLAIN (RFC 4616), LOGIN, and CRAM-MD5 (RFC 2195).  Pure: no connection, no state beyond
 * how many answers came.  It is done here, because curl would remember the password for
 * as long as a connection is kept.
 */
#ifndef BELFRY_NET_SMTP_LOGIN_H
#define BELFRY_NET_SMTP_LOGIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct buf;

/* Bits, as a server offers several. */
enum smtp_mechanism {
	SMTP_AUTH_PLAIN = 1,
	SMTP_AUTH_LOGIN = 2,
	SMTP_AUTH_CRAM_MD5 = 4,
	SMTP_AUTH_UNKNOWN = 8
};

/* What a line of the answer to EHLO offers, from its keyword on ("AUTH PLAIN LOGIN"): 0
 * when it is about something else. */
unsigned smtp_login_offers(const char *line, size_t len) MUST_CHECK;

/* Which of the offered ones to use; 0 when there is none in common.  In the clear the
 * password is not sent where that can be helped. */
unsigned smtp_login_choose(unsigned offered, bool encrypted) MUST_CHECK;

struct smtp_login {
	unsigned mechanism;
	const char *username;
	const char *password;
	int answers; /* that came so far: 0 for the first line */
};

/* Appends the next line.  "challenge" is the text of the server's last reply (334).  -1 when
 * it makes no sense. */
int smtp_login_next(struct smtp_login *l, const char *challenge, struct buf *out)
    MUST_CHECK;

#endif
