/*
 * worker.h - how a worker hears of its end
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * In a worker SIGTERM, SIGINT, SIGHUP and SIGUSR1 are always blocked and read from a
 * descriptor, so no library call is ever interrupted and no signal can fall between
 * a test and a wait.  SIGTERM asks it to stop, SIGUSR1 reopens the log; the other two
 * are the master's alone (a terminal sends them to everybody).
 */
#ifndef BELFRY_BASE_WORKER_H
#define BELFRY_BASE_WORKER_H

#include <stdbool.h>

/* Makes the calling process a worker; the master does so after fork.
 * "listen_fd" may be -1. */
void worker_enter(int listen_fd);

/* The worker is to write its pid into "fd", which is closed then, as soon as it is
 * ready: when it calls worker_wait() or worker_signal_fd() for the first time. */
void worker_report_to(int fd);

/* True after SIGTERM. */
bool worker_stopping(void);

/* A descriptor that becomes readable when the worker should look at
 * worker_stopping(), for event loops.  -1 outside a worker. */
int worker_signal_fd(void);

/* Reads what came in on worker_signal_fd() and acts on it (stop flag, log reopen).
 * Does not block. */
void worker_signal_read(void);

/* Waits until fd (-1: none) or other_fd (-1: none) is readable, a signal comes, or
 * timeout_ms (-1: for ever) is over.  Returns 1 when fd is readable, 2 when only
 * other_fd is, 0 otherwise.  A signal before the wait ends it.  When many workers
 * wait for the listen socket alone, a connection wakes one of them. */
int worker_wait(int fd, int other_fd, int timeout_ms);

#endif
