/*
 * crash.h - who was to blame when a spooler crashed
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A delivery whose data make the program crash would do so for ever.  So the handler of
 * fatal signals leaves a small file in the run directory that names the spooler and what
 * it worked on.  The next spooler of the host takes over the leases at once and blames
 * that delivery; when none was at work, the suspect that was on the wire, or else all that
 * were are suspected.  Who is
 * killed leaves no file, and blames nobody.
 */
#ifndef BELFRY_SPOOLER_CRASH_H
#define BELFRY_SPOOLER_CRASH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"

struct crash_report {
	struct uuid spooler;
	struct tenant_id tenant; /* 0: nothing was at work */
	struct notification_id notification;
	struct delivery_id delivery; /* nil: it was being routed */
	int32_t signal;
};

/* Sets the handlers; call again when the spooler's id changes. */
void crash_watch(const char *run_directory, const struct uuid *spooler);

/* What is worked on from now on, until crash_idle().  "delivery" NULL: it is routed. */
void crash_working_on(struct tenant_id tenant,
    const struct notification_id *notification,
    const struct delivery_id *delivery);
void crash_idle(void);

/* The one suspected delivery that is on the wire; NULLs: none is. */
void crash_suspect(struct tenant_id tenant,
    const struct notification_id *notification,
    const struct delivery_id *delivery);

/* Takes a report out of the directory: 1, or 0 when there is none. */
bool crash_report_take(const char *run_directory, struct crash_report *report_r);

#endif
