/*
 * ensure.h - invariants that are checked in production too
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A broken invariant ends the process: it prints where it stands and aborts,
 * and the master starts a new worker.  Errors of input, of the database or of
 * the network are never invariants: they are struct err.
 */
#ifndef BELFRY_BASE_ENSURE_H
#define BELFRY_BASE_ENSURE_H

#include "base/compiler.h"

#define ensure(cond)                                                           \
	((cond) ? (void)0 : panic("%s:%d: broken: %s", __FILE__, __LINE__, #cond))

/* Prints one line on stderr and aborts. */
NORETURN void panic(const char *fmt, ...) PRINTF_LIKE(1, 2);

#endif
