/*
 * fallback.h - channels one after the other: push, then SMS unless it was read
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * For each recipient an order becomes one delivery per step.  The first one that is
 * possible goes as any delivery does.  Each that follows waits:
 *
 *	it goes on at once	when the one before failed, died, expired or was skipped
 *	it goes on after "after"	counted from the first attempt of the one before, even
 *				while that one is still being retried
 *	it is skipped		when the one before was sent, delivered or read, as
 *				"unless" says, and so are all after it
 *
 * Without "after" it waits for a failure alone, and is not needed when the one before was
 * sent.  Where an account reports nothing (provider_ops.reports), that it was sent counts
 * as delivered.  A step that is not possible for a recipient (no part, address or account,
 * suppressed) is skipped when it is routed, and the one after takes its place: it waits
 * as that one would have.
 *
 * Steps follow each other in the database (trigger step_follow), in the transaction of
 * whatever changed the one before.
 */
#ifndef BELFRY_NOTIFY_FALLBACK_H
#define BELFRY_NOTIFY_FALLBACK_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/compiler.h"
#include "model/channel.h"
#include "notify/decide.h"

struct arena;
struct err;
struct field_errors;
struct send_request;
struct send_step;
struct template_draft;
struct template_faults;

enum { FALLBACK_STEPS_MAX = 6 };

struct fallback_step {
	enum channel channel;
	int64_t after_ms; /* -1: only when the one before fails */
	enum unless unless;
};

struct fallback {
	struct fallback_step steps[FALLBACK_STEPS_MAX];
	size_t count;
};

/* What the field table cannot know of a request's order; "parts" are the channels that
 * there is content for, as bits. */
void fallback_check(struct arena *a, const struct send_request *rq, unsigned parts,
    struct field_errors *fe);

/* The same for the order of a template, of which no other channel is known. */
void fallback_check_steps(struct arena *a, const struct send_step *steps,
    size_t count, struct field_errors *fe);

/* Checks the order of a draft that has one, as template_check() does the rest of it.
 * Returns 0, or -1 when faults of "fallback" were added. */
int fallback_check_draft(const struct template_draft *draft,
    struct template_faults *faults) MUST_CHECK;

/* Reads what a request or a template had.  0, or -1 with *e (INVALID: where and what). */
int fallback_read(struct arena *a, json_t *json, struct fallback *f_r,
    struct err *e) MUST_CHECK;

/* "it goes on when push fails, or 300 s after it unless it is read" */
const char *fallback_why(struct arena *a, enum channel before,
    const struct fallback_step *step);

#endif
