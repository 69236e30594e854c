/*
 * push_message.h - a rendered push.json, read
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_PROVIDER_PUSH_MESSAGE_H
#define BELFRY_PROVIDER_PUSH_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/compiler.h"

struct arena;
struct err;
struct message;

struct push_message {
	const char *title, *body, *url, *image; /* or NULL */
	json_t *data; /* an object of texts, maybe empty; no "url" beside that above */
	int64_t ttl_s; /* -1: not said */
	const char *collapse_key; /* or NULL */
	bool high; /* wakes up a device that sleeps */
	json_t *android, *apns, *webpush; /* what FCM takes as it is, or NULL */
};

/* Reads the part; it lives in "a".  -1 when it is none: why stands in *e. */
int push_message_read(struct arena *a, const struct message *m,
    struct push_message *push_r, struct err *e) MUST_CHECK;

/* The purpose of the link (base/link.h) by which an app tells what became of a message. */
#define PUSH_RECEIPT "push_receipt"

/* Adds that link to the data, as "belfry_receipt"; not where the world does not reach
 * us. */
void push_message_add_receipt(struct arena *a, const struct message *m,
    struct push_message *push);

#endif
