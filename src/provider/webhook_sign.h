/*
 * webhook_sign.h - signatures of Standard Webhooks
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A secret is text: "whsec_" and the base64 of 24 to 64 bytes for v1 (HMAC-SHA256), which
 * the receiver has, too; "whsk_" and the base64 of an Ed25519 key pair for v1a, of which
 * the receiver has the public key only, "whpk_" and its base64.
 */
#ifndef BELFRY_PROVIDER_WEBHOOK_SIGN_H
#define BELFRY_PROVIDER_WEBHOOK_SIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct arena;
struct buf;
struct err;

/* Makes a secret of 32 random bytes; v1a: a key pair, whose public key is *public_r
 * (else NULL).  They live in "a". */
const char *webhook_secret_make(struct arena *a, bool v1a,
    const char **public_r) MUST_CHECK;

/* Checks a secret of v1. */
int webhook_secret_check(const char *secret, struct err *e) MUST_CHECK;

/* The value of the header webhook-signature, "v1," or "v1a," and the base64 of the
 * signature of "id.timestamp.body"; lives in "a".  The secret is one that was made, or
 * passed the check. */
const char *webhook_sign(struct arena *a, const char *secret, const char *id,
    int64_t timestamp_s, const struct buf *body) MUST_CHECK;

#endif
