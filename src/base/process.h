/*
 * process.h - what a process may do and what it leaves behind
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_BASE_PROCESS_H
#define BELFRY_BASE_PROCESS_H

#include "base/compiler.h"

struct err;

/* Drops to a user (name) with its groups; a no-op when it is "" or already so. */
int process_become(const char *user, struct err *e) MUST_CHECK;

/* Makes the directory for counters and pid files when it is missing, and gives a
 * new one to "user" ("": to the user of the process).  Its parent must exist. */
int process_run_directory(const char *path, const char *user, struct err *e)
    MUST_CHECK;

/* No core dumps, no tracing by the same user, no new privileges by exec.  With
 * BELFRY_DEBUG in the environment dumps and tracing stay possible. */
void process_harden(void);

#endif
