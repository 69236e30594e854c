/*
 * webhook_sign.h - signatures of Standard Webhooks
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_PROVIDER_WEBHOOK_SIGN_H
#define BELFRY_PROVIDER_WEBHOOK_SIGN_H

#include <stdint.h>

#include "base/compiler.h"

struct arena;
struct buf;
struct err;

/* Checks a secret: "whsec_" and the base64 of 24 to 64 bytes. */
int webhook_secret_check(const char *secret, struct err *e) MUST_CHECK;

/* The value of the header webhook-signature, "v1," and the base64 of HMAC-SHA256 over
 * "id.timestamp.body"; lives in "a".  The secret must have passed the check. */
const char *webhook_sign(struct arena *a, const char *secret, const char *id,
    int64_t timestamp_s, const struct buf *body) MUST_CHECK;

#endif
