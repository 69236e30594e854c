/*
 * quiet.h - is it quiet where a recipient is?
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Quiet hours are the recipient's own, or else the tenant's ("quiet_hours" in its
 * settings).  In-app entries and webhooks disturb nobody and are never held; nor is what
 * is urgent, what a template exempts, or whose category the tenant exempts ("exempt", a
 * list, beside its quiet hours).
 */
#ifndef BELFRY_NOTIFY_QUIET_H
#define BELFRY_NOTIFY_QUIET_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "model/channel.h"
#include "model/quiet_hours.h"

struct arena;
struct notification;
struct page;

/* A tenant's own. */
struct tenant_quiet {
	bool given;
	struct quiet_hours hours;
	const json_t *exempt; /* categories; NULL: none */
};

/* Reads the member of a tenant's settings, which lives as long as "json"; what cannot
 * be read is none. */
struct tenant_quiet tenant_quiet_read(const json_t *json);

struct quiet {
	bool applies; /* there are hours, and nothing exempts from them */
	int64_t until_ms; /* 0: it is not quiet now */
	const char *zone; /* whose clock was asked */
};

/* "to" is the recipient, with what is stored of it. */
struct quiet quiet_now(const struct page *page, const struct notification *n,
    enum channel channel, const json_t *to, int64_t now_ms);

/* The same for a recipient as a delivery keeps it; "a" is for the time of the call. */
int64_t quiet_until(struct arena *a, const struct page *page,
    const struct notification *n, enum channel channel, const char *recipient,
    int64_t now_ms);

#endif
