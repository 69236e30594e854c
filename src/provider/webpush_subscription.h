/*
 * webpush_subscription.h - where messages to a browser go
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_PROVIDER_WEBPUSH_SUBSCRIPTION_H
#define BELFRY_PROVIDER_WEBPUSH_SUBSCRIPTION_H

#include <stdint.h>

#include "base/compiler.h"

struct arena;
struct err;
struct webpush_settings;

struct webpush_subscription {
	const char *endpoint;
	const char *origin; /* "https://host[:port]" of it */
	const uint8_t *point, *auth; /* the browser's public key and secret */
};

/* Reads a subscription as browsers give it, into "a".  -1 when it is none, or when it
 * leads to no push service: where it leads is the browser's choice, so no other host is
 * called. */
int webpush_subscription_read(struct arena *a, const struct webpush_settings *s,
    const char *text, struct webpush_subscription *sub_r, struct err *e)
    MUST_CHECK;

#endif
