/*
 * webpush_vapid.h - who sends push messages to browsers (RFC 8292)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_PROVIDER_WEBPUSH_VAPID_H
#define BELFRY_PROVIDER_WEBPUSH_VAPID_H

#include <openssl/evp.h>

#include "base/compiler.h"

struct arena;
struct err;
struct webpush_settings;

/* The server's key pair of the settings, which lives in "a"; -1 when it is none. */
int webpush_vapid_key(struct arena *a, const struct webpush_settings *s,
    EVP_PKEY **key_r, struct err *e) MUST_CHECK;

/* Its public half as web pages need it to subscribe: base64url. */
const char *webpush_vapid_public(struct arena *a, EVP_PKEY *key) MUST_CHECK;

/* The header "Authorization" for a push service at "origin": who sends, signed. */
int webpush_vapid_sign(struct arena *a, const struct webpush_settings *s,
    const char *origin, const char **text_r, struct err *e) MUST_CHECK;

#endif
