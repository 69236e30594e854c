/*
 * master.h - a pre-forking master and its workers
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The master keeps N workers alive and does nothing else.  SIGTERM and SIGINT stop
 * all of them in order, SIGHUP starts new ones with the configuration read again and
 * then stops the old ones (the listen socket stays open throughout), SIGUSR1 has
 * everybody reopen the log.  A worker that ends by itself is started again, at most
 * once a second per slot.  sd_notify(3) is spoken when NOTIFY_SOCKET is set.
 */
#ifndef BELFRY_BASE_MASTER_H
#define BELFRY_BASE_MASTER_H

#include <signal.h>
#include <stdbool.h>

#include "base/compiler.h"

struct config;
struct err;

struct master_params {
	const char *program; /* "belfry-api" */
	const char *config_path; /* read again at SIGHUP; may be NULL */
	const struct config *config;
	int listen_fd; /* -1 when there is none */

	/* How many workers "config" asks for. */
	int (*worker_count)(const struct config *config);

	/* Runs in each worker until worker_stopping() is true; its result is the
	 * exit status.  "slot" counts from 0. */
	int (*worker)(const struct config *config, int listen_fd, int slot);
};

/* Runs until stopped.  Returns the exit status of the program. */
int master_run(const struct master_params *p);

/* In a worker: true after SIGTERM.  SIGTERM, SIGHUP and SIGUSR1 are blocked there but
 * for the waits below, so no library call is ever interrupted. */
bool worker_stopping(void);

/* A descriptor that becomes readable when the worker should look at
 * worker_stopping(), for event loops. */
int worker_signal_fd(void);

/* Reads what came in on worker_signal_fd() and acts on it (stop flag, log reopen). */
void worker_signal_read(void);

/* Waits until fd (-1: none) or other_fd (-1: none) is readable, SIGTERM comes, or
 * timeout_ms (-1: for ever) is over.  Returns 1 when fd is readable, 2 when only
 * other_fd is, 0 otherwise.  Race-free: a signal before the wait ends it. */
int worker_wait(int fd, int other_fd, int timeout_ms);

/* Drops to a user (name) with its groups; a no-op when it is "" or already so. */
int process_become(const char *user, struct err *e) MUST_CHECK;

#endif
