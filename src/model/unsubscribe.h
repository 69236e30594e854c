/*
 * unsubscribe.h - what stands in a link that ends the messages of a category
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A token is all that a link needs (base/link.h): whose messages to whom of which category,
 * and the delivery that it came with.
 */
#ifndef BELFRY_MODEL_UNSUBSCRIBE_H
#define BELFRY_MODEL_UNSUBSCRIBE_H

#include "base/compiler.h"
#include "base/id.h"
#include "model/channel.h"

struct arena;
struct err;
struct keyring;

struct unsubscribe {
	struct tenant_id tenant;
	struct notification_id notification;
	struct delivery_id delivery;
	enum channel channel;
	const char *address; /* as suppression_address() makes it */
	const char *category; /* not empty */
	const char *locale; /* of the message, or "" */
};

/* base64url, in "a". */
int unsubscribe_token(struct arena *a, const struct keyring *ring,
    const struct unsubscribe *u, const char **token_r, struct err *e)
    MUST_CHECK;

/* -1 with ERR_NOT_FOUND for anything else than a token that we made. */
int unsubscribe_read(struct arena *a, const struct keyring *ring,
    const char *token, struct unsubscribe *u_r, struct err *e) MUST_CHECK;

#endif
