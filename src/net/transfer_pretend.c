/*
 * transfer_pretend.c - transfers that only pretend to be some
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * They take their time, can be aborted and run out of time like any other, and touch
 * no network: what simulators are made of.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "net/transfer_private.h"

static int64_t
due_ms(const struct transfer *t)
{
	const struct transfer_request *req = &t->req;
	int64_t started_ms = t->deadline_ms - req->timeout_ms;

	return req->pretence->after_ms < req->timeout_ms
	    ? started_ms + req->pretence->after_ms
	    : t->deadline_ms;
}

void
transfer_pretend_start(struct transfer *t)
{
	struct transfers *ts = t->ts;

	transfer_list_add(&ts->pretending, t);
	if (due_ms(t) < ts->next_pretence_ms)
		ts->next_pretence_ms = due_ms(t);
}

void
transfer_pretend_abort(struct transfer *t)
{
	transfer_list_remove(&t->ts->pretending, t);
}

static void
end(struct transfer *t)
{
	const struct transfer_pretence *p = t->req.pretence;
	enum transfer_outcome outcome = p->outcome;

	if (p->after_ms >= t->req.timeout_ms)
		outcome = TRANSFER_TIMED_OUT;
	t->res.stage = TRANSFER_AT_BODY;
	t->res.body_started = t->res.body_sent =
	    outcome != TRANSFER_NOT_CONNECTED;
	if (outcome == TRANSFER_ANSWERED) {
		t->res.status = p->status;
		t->res.retry_after_s = p->retry_after_s;
		t->res.body = p->body != NULL ? p->body : "";
		t->res.body_len = strlen(t->res.body);
	} else if (outcome == TRANSFER_TIMED_OUT) {
		snprintf(t->error, sizeof(t->error), "timed out after %d ms",
		    t->req.timeout_ms);
	} else {
		snprintf(t->error, sizeof(t->error), "as it was told to");
	}
	transfer_list_remove(&t->ts->pretending, t);
	transfer_finish(t, outcome);
}

void
transfer_pretend_expire(struct transfers *ts, int64_t now_ms)
{
	struct transfer *t, *next;

	if (now_ms < ts->next_pretence_ms)
		return;
	ts->next_pretence_ms = INT64_MAX;
	for (t = ts->pretending.first; t != NULL; t = next) {
		next = t->next;
		if (due_ms(t) <= now_ms)
			end(t);
		else if (due_ms(t) < ts->next_pretence_ms)
			ts->next_pretence_ms = due_ms(t);
	}
}
