/*
 * smtp_reply.h - what an SMTP server answers
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_NET_SMTP_REPLY_H
#define BELFRY_NET_SMTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>

enum { SMTP_REPLY_TEXT_BYTES = 400, SMTP_ENHANCED_BYTES = 12 };

/* All zero is the state before the first line. */
struct smtp_reply {
	int code; /* 200 to 599 */
	bool open; /* more lines will follow */
	char enhanced[SMTP_ENHANCED_BYTES]; /* "5.1.1", or "" */
	char text[SMTP_REPLY_TEXT_BYTES]; /* the lines in one, printable UTF-8 */
	size_t len;
};

/* Adds a line, with or without its line end; the first line behind a complete
 * reply begins the next.  Returns 1 when the reply is complete, 0 when more lines
 * follow, -1 when this is no SMTP. */
int smtp_reply_line(struct smtp_reply *r, const char *line, size_t len);

#endif
