/*
 * cancel.h - taking back what has not gone out, until the last moment
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Row locks decide the race with the spooler: a delivery that a claim has committed is on
 * the wire and goes on; one that is cancelled first is never started, and a claim that
 * held it is repeated without it.
 */
#ifndef BELFRY_NOTIFY_CANCEL_H
#define BELFRY_NOTIFY_CANCEL_H

#include <stdint.h>

#include <jansson.h>

#include "base/compiler.h"
#include "base/id.h"

struct editor;
struct err;

/* Cancels what is not on the wire.  *answer_r (a new reference) says what became of each
 * delivery, and how many were cancelled, on the wire, and over.  -1: NOT_FOUND. */
int cancel_notification(const struct editor *ed,
    const struct notification_id *id, json_t **answer_r, struct err *e)
    MUST_CHECK;

/* Gives one that waits for its send_at another one.  -1: NOT_FOUND, CONFLICT when it is
 * routed already or being routed. */
int reschedule_notification(const struct editor *ed,
    const struct notification_id *id, int64_t send_at_ms, struct err *e)
    MUST_CHECK;

#endif
