/*
 * worker.c - one worker of belfry-api
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A worker serves one connection at a time.  A web server that keeps its connection
 * open would pin the worker to it, so a kept connection is given up as soon as
 * somebody else is waiting, and after api.idle_timeout at the latest.
 *
 * libfcgi keeps out of signals here: SIGTERM is blocked but for the waits in
 * worker_wait(), the listen socket does not block, so a connection that another
 * worker took first is no more than EAGAIN.
 */
#include "api/worker.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <fcgiapp.h>
#include <sodium.h>

#include "api/app.h"
#include "api/limits.h"
#include "api/once.h"
#include "api/origins.h"
#include "api/routes.h"
#include "auth/scope.h"
#include "base/arena.h"
#include "base/config.h"
#include "base/err.h"
#include "base/log.h"
#include "base/worker.h"
#include "web/serve.h"

enum { LOOK_MS = 1000, PAUSE_MS = 100 };

/* Waits until there is something to read on the kept connection; gives it up when there
 * is not, or when others wait. */
static void
keep_or_close(FCGX_Request *q, const struct config *config, int listen_fd)
{
	if (worker_stopping() || worker_wait(q->ipcFd, listen_fd,
	                             (int)config->api_idle_timeout) != 1)
		FCGX_Free(q, 1);
}

/* Ends a request.  When all of it was read and the connection is not kept, we close
 * first: libfcgi would wait until the web server has. */
static void
finish(FCGX_Request *q)
{
	int fd = q->ipcFd;

	if (q->keepConnection || FCGX_HasSeenEOF(q->in) != EOF) {
		FCGX_Finish_r(q);
		return;
	}
	(void)FCGX_FClose(q->err);
	(void)FCGX_FClose(q->out);
	FCGX_Free(q, 0);
	close(fd);
	q->ipcFd = -1;
}

/* Accepts and serves one request; false when there was none. */
static bool
serve_one(struct web *web, struct app *app, FCGX_Request *q)
{
	int rc = FCGX_Accept_r(q);

	if (rc == 0) {
		web_serve(web, q);
		finish(q);
		app_tend(app);
		return true;
	}
	if (rc != -EAGAIN && rc != -EINTR && rc != -ECONNABORTED) {
		log_warn(NULL, "a connection could not be accepted",
		    LF_INT("rc", rc), LF_STR("error", strerror(-rc)));
		worker_wait(-1, -1, PAUSE_MS);
	}
	return false;
}

static void
loop(struct web *web, struct app *app, FCGX_Request *q, int listen_fd)
{
	const struct config *config = app->config;

	for (;;) {
		if (q->keepConnection && q->ipcFd >= 0)
			keep_or_close(q, config, listen_fd);
		if (q->keepConnection && q->ipcFd >= 0) {
			(void)serve_one(web, app, q);
			continue;
		}
		if (worker_wait(listen_fd, -1,
		        worker_stopping() ? 0 : LOOK_MS) == 1)
			(void)serve_one(web, app, q);
		else if (worker_stopping())
			break;
	}
	FCGX_Free(q, 1);
}

static int
start_fcgi(FCGX_Request *q, int listen_fd)
{
	/* How long libfcgi waits for the first bytes of a connection, and for the
	 * web server to close after the last ones. */
	setenv("LIBFCGI_IS_AF_UNIX_KEEPER_POLL_TIMEOUT", "500", 0);
	setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "500", 0);
	if (FCGX_Init() != 0 ||
	    FCGX_InitRequest(q, listen_fd, FCGI_FAIL_ACCEPT_ON_INTR) != 0)
		return -1;
	return 0;
}

int
api_worker(const struct config *config, int listen_fd, int slot)
{
	struct arena *a = arena_new(16384);
	struct web_params p = { .config = config,
		.authenticate = app_authenticate, .admit = limits_admit,
		.once = once_handle, .origin_may = origins_may,
		.scope_bit = scope_bit };
	enum log_level level;
	FCGX_Request q;
	struct app *app;
	struct err e;

	/* The configuration may be a newer one than the master was started with. */
	if (log_level_parse(config->log_level, &level) == 0)
		log_set_level(level);
	if (sodium_init() == -1 || start_fcgi(&q, listen_fd) != 0) {
		log_error(NULL, "libfcgi or libsodium could not be started");
		arena_free(&a);
		return 1;
	}
	if (app_new(a, config, &app, &e) != 0) {
		log_error(NULL, "a worker could not be started", LF_ERR(&e));
		arena_free(&a);
		return 1;
	}
	p.app = app;
	p.routes = api_routes(&p.count);
	loop(web_new(a, &p), app, &q, listen_fd);
	arena_free(&a);
	return 0;
}
