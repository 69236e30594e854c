/*
 * webhook_post.h - one message on its way to one endpoint
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * How the request looks, and what its answer means: without clock, database and network.
 */
#ifndef BELFRY_NOTIFY_WEBHOOK_POST_H
#define BELFRY_NOTIFY_WEBHOOK_POST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;
struct transfer_request;
struct transfer_result;
struct webhook_secrets;

struct webhook_post {
	const char *url;
	const char *id; /* of the message */
	const struct buf *body;
	const struct webhook_secrets *secrets;
	bool both; /* sign with the secret before, too */
	const char *traceparent; /* or NULL */
	int64_t now_s;
};

/* Fills URL, body and headers of the request.  Headers live in "a"; URL, body and id are
 * not copied. */
void webhook_post_build(struct arena *a, const struct webhook_post *p,
    struct transfer_request *rq_r);

/* When an endpoint is tried again. */
struct webhook_policy {
	const int64_t *delays_ms; /* before the first attempt, the second ... */
	size_t delays_count;
	int jitter_percent;
	int64_t throttled_ms; /* when it is too much and it does not say for how long */
	int64_t pause_max_ms; /* the longest Retry-After that is believed */
};

enum webhook_verdict { WEBHOOK_FAILURE, WEBHOOK_SUCCESS, WEBHOOK_TAKEN_BACK };

struct webhook_outcome {
	enum webhook_verdict verdict;
	bool gone; /* it wants no more messages */
	int status; /* 0: there was no answer */
	const char *error; /* why there was none; NULL */
	int64_t delay_ms; /* until the next attempt; -1: there is none */
	int64_t pause_ms; /* for so long it gets nothing at all; 0: it goes on */
};

/* What the answer to an attempt means, the first of its round being 1. */
struct webhook_outcome webhook_judge(const struct webhook_policy *p,
    const struct transfer_result *res, int attempt, uint32_t random);

/* The same for one that could not even begin. */
struct webhook_outcome webhook_unsendable(const struct webhook_policy *p,
    const char *why, int attempt, uint32_t random);

/* The percentage that the tenant is to be told when an endpoint failed for so long: 50,
 * 70, 90, 100 (it is to be disabled), or 0 when "warned" says that it knows.  Where so long
 * nothing was sent that its time is over untold, the warnings come first, one by one. */
int webhook_warning(int64_t failing_ms, int64_t disable_after_ms, int warned);

#endif
