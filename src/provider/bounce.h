/*
 * bounce.h - mail that reports on a mail of ours
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Delivery status notifications (RFC 3464, multipart/report; delayed, failed, delivered)
 * and complaints (RFC 5965, ARF).  Anybody can send one, and with any content: what it
 * says is believed of a delivery only whose token it holds (model/bounce_token.h).  No
 * input is too strange: what cannot be read reports nothing.
 */
#ifndef BELFRY_PROVIDER_BOUNCE_H
#define BELFRY_PROVIDER_BOUNCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "provider/hook.h"

struct arena;

enum { BOUNCE_TOKENS_MAX = 16 };

struct bounce {
	struct hook_event event; /* without a delivery; its id is that of the mail's bytes */
	const char *tokens[BOUNCE_TOKENS_MAX]; /* what has the form of one */
	size_t token_count;
};

/* Reads a mail of any bytes.  0 with *b_r in "a", or -1 when it reports nothing. */
int bounce_read(struct arena *a, const char *mail, size_t n, struct bounce *b_r)
    MUST_CHECK;

#endif
