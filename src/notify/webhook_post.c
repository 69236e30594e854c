/*
 * webhook_post.c - one message on its way to one endpoint
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "notify/webhook_post.h"

#include <inttypes.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/compiler.h"
#include "model/webhook_endpoint.h"
#include "net/transfer.h"
#include "provider/webhook_sign.h"

enum { HEADERS_OWN = 6 };

/* ---- The request ------------------------------------------------------------------ */

static void
add(struct transfer_request *rq, struct transfer_header *list, const char *name,
    const char *value)
{
	if (value != NULL)
		list[rq->headers_count++] =
		    (struct transfer_header){ name, value };
}

static const char *
signatures(struct arena *a, const struct webhook_post *p)
{
	const char *first = webhook_sign(a, p->secrets->secret, p->id, p->now_s,
	    p->body);

	if (!p->both || p->secrets->previous == NULL)
		return first;
	return arena_printf(a, "%s %s", first,
	    webhook_sign(a, p->secrets->previous, p->id, p->now_s, p->body));
}

void
webhook_post_build(struct arena *a, const struct webhook_post *p,
    struct transfer_request *rq_r)
{
	json_t *headers = p->secrets->headers, *value;
	struct transfer_header *list = arena_zalloc(a,
	    HEADERS_OWN + json_object_size(headers), sizeof(*list));
	const char *name;

	*rq_r = (struct transfer_request){
		.kind = TRANSFER_HTTP,
		.url = p->url,
		.body = p->body->data,
		.body_len = p->body->len,
		.headers = list,
	};
	add(rq_r, list, "Content-Type", "application/json");
	add(rq_r, list, "User-Agent", "Belfry");
	add(rq_r, list, "webhook-id", p->id);
	add(rq_r, list, "webhook-timestamp",
	    arena_printf(a, "%" PRId64, p->now_s));
	add(rq_r, list, "webhook-signature", signatures(a, p));
	add(rq_r, list, "traceparent", p->traceparent);
	json_object_foreach(headers, name, value)
	{
		add(rq_r, list, arena_strdup(a, name),
		    arena_strdup(a, json_string_value(value)));
	}
}

/* ---- The answer ------------------------------------------------------------------- */

static int64_t
spread(int64_t ms, int percent, uint32_t random)
{
	int64_t width = ms * percent / 100;

	return ms - width +
	    (int64_t)((double)random / UINT32_MAX * (double)(2 * width));
}

/* Until the attempt after this one. */
static int64_t
delay_after(const struct webhook_policy *p, int attempt, uint32_t random)
{
	if (attempt < 1 || (size_t)attempt >= p->delays_count)
		return -1;
	return spread(p->delays_ms[attempt], p->jitter_percent, random);
}

/* 429, 502 and 504 say that it is too much, and so does whoever says when to come back. */
static int64_t
pause_of(const struct webhook_policy *p, const struct transfer_result *res)
{
	int64_t ms = res->retry_after_s * 1000;

	if (res->status < 300)
		return 0;
	if (ms == 0 && (res->status == 429 || res->status == 502 ||
	                   res->status == 504))
		ms = p->throttled_ms;
	return ms < p->pause_max_ms ? ms : p->pause_max_ms;
}

struct webhook_outcome
webhook_judge(const struct webhook_policy *p, const struct transfer_result *res,
    int attempt, uint32_t random)
{
	struct webhook_outcome o = { .status = res->status, .delay_ms = -1 };

	if (res->outcome == TRANSFER_ABORTED) {
		o.verdict = WEBHOOK_TAKEN_BACK;
		o.error = "it was taken back";
		o.delay_ms = 0;
		return o;
	}
	if (res->outcome != TRANSFER_ANSWERED) {
		o.status = 0;
		o.error = res->error;
	} else if (res->status >= 200 && res->status < 300) {
		o.verdict = WEBHOOK_SUCCESS;
		return o;
	}
	o.gone = o.status == 410;
	if (o.gone)
		return o;
	o.pause_ms = pause_of(p, res);
	o.delay_ms = delay_after(p, attempt, random);
	if (o.delay_ms >= 0 && o.delay_ms < o.pause_ms)
		o.delay_ms = o.pause_ms;
	return o;
}

struct webhook_outcome
webhook_unsendable(const struct webhook_policy *p, const char *why, int attempt,
    uint32_t random)
{
	return (struct webhook_outcome){
		.verdict = WEBHOOK_FAILURE,
		.error = why,
		.delay_ms = delay_after(p, attempt, random),
	};
}

int
webhook_warning(int64_t failing_ms, int64_t disable_after_ms, int warned)
{
	static const int steps[] = { 100, 90, 70, 50 };
	size_t i;

	if (failing_ms >= disable_after_ms && warned < 90) {
		for (i = NELEMS(steps) - 1; steps[i] <= warned; i--)
			;
		return steps[i];
	}
	for (i = 0; i < NELEMS(steps); i++)
		if (failing_ms >= disable_after_ms / 100 * steps[i])
			return steps[i] > warned ? steps[i] : 0;
	return 0;
}
