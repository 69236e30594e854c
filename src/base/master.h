/*
 * master.h - a pre-forking master
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The master keeps N workers alive and does nothing else; it stays in the
 * foreground.  SIGTERM and SIGINT stop all workers in order.  SIGHUP starts new ones
 * with the configuration read again and, when each of them is ready for work, stops
 * the old ones, while the listen socket stays open.  When the file has a fault, or a
 * new worker ends before it is ready, or that takes longer than 30 s, the log says so
 * and the old workers and configuration stay.  SIGUSR1 has everybody reopen the log.
 * A worker that ends by itself is started again, at most once a second per slot.  One
 * that was told to stop and does not is killed.  The service manager is told of all
 * this (base/service.h), of the start when each worker is ready.
 *
 * A worker is ready when it calls worker_wait() or worker_signal_fd() for the first
 * time.  While a reload goes on, two workers have the same slot number.
 */
#ifndef BELFRY_BASE_MASTER_H
#define BELFRY_BASE_MASTER_H

#include <stdint.h>

#include "base/compiler.h"

struct config;

struct master_params {
	const char *program; /* "belfry-api" */
	const char *config_path; /* read again at SIGHUP; may be NULL */
	const struct config *config; /* lives as long as master_run() */
	int listen_fd; /* -1 when there is none */

	/* How many workers "config" asks for, at least 1. */
	int (*worker_count)(const struct config *config);

	/* Runs in each worker until worker_stopping() is true; its result is the
	 * exit status.  "slot" counts from 0. */
	int (*worker)(const struct config *config, int listen_fd, int slot);

	/* How long a worker may take to stop before it is killed: what its
	 * longest piece of work may take and a margin.  NULL: 30 s. */
	int64_t (*stop_limit_ms)(const struct config *config);

	/* Called in the master when it begins to stop, before the workers are
	 * told: closes the door, so that they serve whoever is inside and then
	 * leave.  May be NULL. */
	void (*close_door)(void *door);
	void *door;
};

/* Runs until stopped.  To be called with the log and metrics open, the socket bound
 * and the user changed.  Writes PROGRAM.pid into process.run_directory and
 * refuses to run when another master holds it.  Returns the exit status of the
 * program: 0 when every worker stopped in order. */
int master_run(const struct master_params *p);

#endif
