/*
 * worker.h - one worker of belfry-api
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_API_WORKER_H
#define BELFRY_API_WORKER_H

struct config;

/* Serves requests that come in at listen_fd until worker_stopping(), and then those
 * that are waiting there already.  Returns the exit status. */
int api_worker(const struct config *config, int listen_fd, int slot);

#endif
