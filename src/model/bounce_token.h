/*
 * bounce_token.h - how a mail that comes back tells which delivery it was
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A token names tenant and notification, and proves both and the delivery by a keyed hash
 * (RFC 5321 has 64 bytes for a local part, and ids would not fit).  Whose deliveries they
 * are is looked up; the one whose hash it is was meant.  Lower-case base32, since mail
 * servers may change the case.
 */
#ifndef BELFRY_MODEL_BOUNCE_TOKEN_H
#define BELFRY_MODEL_BOUNCE_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/id.h"

struct arena;
struct keyring;

enum { BOUNCE_TOKEN_CHARS = 50, BOUNCE_PROOF_BYTES = 10 };

struct bounce_token {
	struct tenant_id tenant;
	struct notification_id notification;
	uint8_t proof[BOUNCE_PROOF_BYTES];
};

/* The token of a delivery, in "a". */
const char *bounce_token_make(struct arena *a, const struct keyring *ring,
    struct tenant_id tenant, const struct notification_id *notification,
    const struct delivery_id *delivery) MUST_CHECK;

/* -1 for what has not the form of one. */
int bounce_token_read(struct arena *a, const char *text,
    struct bounce_token *t_r) MUST_CHECK;

/* Is it that delivery's? */
bool bounce_token_is(const struct keyring *ring, const struct bounce_token *t,
    const struct delivery_id *delivery);

#endif
