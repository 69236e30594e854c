/*
 * probe.h - can an account at a provider be used?
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Asks the provider something harmless, from the host where it is called, and waits for
 * the answer.  No delivery, attempt or health of the account comes of it.
 */
#ifndef BELFRY_NOTIFY_PROBE_H
#define BELFRY_NOTIFY_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "provider/verdict.h"

struct arena;
struct err;
struct provider;

struct probe_report {
	bool good; /* the account can be used */
	const char *words; /* what that means, for people */
	struct verdict verdict;
	int64_t took_ms;
};

/* "address" may be NULL.  Waits for timeout_ms at most.  -1 with *e when there is nothing
 * that can be asked. */
int probe_run(struct arena *a, const struct provider *p, const char *address,
    int timeout_ms, struct probe_report *report_r, struct err *e) MUST_CHECK;

#endif
