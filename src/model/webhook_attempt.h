/*
 * webhook_attempt.h - what was posted to webhook endpoints, and posting it again
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_MODEL_WEBHOOK_ATTEMPT_H
#define BELFRY_MODEL_WEBHOOK_ATTEMPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/id.h"

struct editor;
struct err;

struct webhook_attempt {
	struct uuid id;
	struct uuid message;
	const char *type; /* NULL: the message is gone */
	int n; /* which attempt of the message it was, from 1 on */
	int64_t started_ms;
	int64_t finished_ms; /* 0: it is on its way */
	bool ok;
	int status; /* of HTTP; 0: there was no answer */
	const char *error; /* or NULL */
	int64_t took_ms;
	int64_t next_ms; /* 0: it is not tried again by itself */
	const char *request, *response; /* how they begin; only of one that was got */
};

struct webhook_attempt_filter {
	struct uuid message; /* nil: any */
	const char *type; /* NULL: any */
	enum { WEBHOOK_ANY, WEBHOOK_OK, WEBHOOK_FAILED } result;
	int64_t since_ms, until_ms; /* 0: no bound */
};

/* Up to "limit" before the one with that id (nil: from the newest on), the newest first. */
int webhook_attempt_list(const struct editor *ed, struct uuid endpoint,
    const struct webhook_attempt_filter *filter, struct uuid before, int limit,
    struct webhook_attempt **list_r, size_t *count_r, struct err *e) MUST_CHECK;

/* 1, 0 when there is none, -1. */
int webhook_attempt_get(const struct editor *ed, struct uuid endpoint,
    struct uuid id, struct webhook_attempt **attempt_r, struct err *e) MUST_CHECK;

/* The message of an attempt is due at once.  -1: NOT_FOUND, or CONFLICT when the endpoint is
 * disabled. */
int webhook_redeliver_attempt(const struct editor *ed, struct uuid endpoint,
    struct uuid id, struct uuid *message_r, struct err *e) MUST_CHECK;

/* So many messages are looked at in one call. */
enum { WEBHOOK_SLICE = 10000 };

struct webhook_redelivery {
	int64_t since_ms;
	bool failed; /* only what never got through */
	struct uuid after; /* nil: from the first on; then the last one looked at */
	int64_t count; /* how many are due at once now */
	bool more; /* call again */
};

/* Messages since a time are due at once.  The same faults. */
int webhook_redeliver(const struct editor *ed, struct uuid endpoint,
    struct webhook_redelivery *rd, struct err *e) MUST_CHECK;

#endif
