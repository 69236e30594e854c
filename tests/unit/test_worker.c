/*
 * test_worker.c - how a worker hears of its end
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/err.h"
#include "base/listen.h"
#include "base/worker.h"

enum { WORKERS = 4, CONNECTIONS = 40 };

static char directory[] = "/tmp/belfry-worker-XXXXXX";
static char path[64], address[80];
static int first[2], second[2];

/* Runs a check in a child; it returns 0, or the number of the line that does not
 * hold. */
static void
in_child(int (*check)(void))
{
	int status = -1;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child == 0)
		_exit(check() % 256);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

#define HOLD(cond)                                                             \
	if (!(cond))                                                           \
	return __LINE__

static int
wait_for_two(void)
{
	char byte;

	worker_enter(-1);
	HOLD(pipe(first) == 0 && pipe(second) == 0);
	HOLD(worker_wait(first[0], second[0], 0) == 0);
	HOLD(worker_wait(-1, -1, 1) == 0);
	HOLD(write(second[1], "x", 1) == 1);
	HOLD(worker_wait(first[0], second[0], -1) == 2);
	HOLD(worker_wait(first[0], -1, 0) == 0);
	HOLD(write(first[1], "x", 1) == 1);
	HOLD(worker_wait(first[0], second[0], -1) == 1);
	HOLD(worker_wait(-1, second[0], -1) == 2);
	HOLD(read(first[0], &byte, 1) == 1);

	/* The other side's end is something to read, too. */
	close(first[1]);
	HOLD(worker_wait(first[0], second[0], -1) == 1);
	return 0;
}

static void
two_descriptors_are_told_apart(void **state)
{
	in_child(wait_for_two);
}

static int
hear_signals(void)
{
	worker_enter(-1);
	HOLD(!worker_stopping());

	/* What a terminal sends to everybody ends a wait, not the worker. */
	kill(getpid(), SIGINT);
	kill(getpid(), SIGHUP);
	HOLD(worker_wait(-1, -1, -1) == 0);
	HOLD(!worker_stopping());
	HOLD(worker_wait(-1, -1, 0) == 0);

	/* A signal before the wait ends it. */
	kill(getpid(), SIGTERM);
	HOLD(worker_wait(-1, -1, -1) == 0);
	HOLD(worker_stopping());
	return 0;
}

static int
hear_signals_in_a_loop(void)
{
	struct pollfd pfd;

	worker_enter(-1);
	pfd = (struct pollfd){ .fd = worker_signal_fd(), .events = POLLIN };
	HOLD(poll(&pfd, 1, 0) == 0);
	kill(getpid(), SIGTERM);
	HOLD(poll(&pfd, 1, -1) == 1);
	worker_signal_read();
	HOLD(poll(&pfd, 1, 0) == 0);
	HOLD(worker_stopping());
	return 0;
}

static int
hear_without_waiting(void)
{
	worker_enter(-1);
	kill(getpid(), SIGTERM);
	HOLD(worker_stopping());
	return 0;
}

static void
sigterm_is_heard_whenever_it_comes(void **state)
{
	in_child(hear_signals);
	in_child(hear_signals_in_a_loop);
	in_child(hear_without_waiting);
}

static int
outside(void)
{
	HOLD(worker_signal_fd() == -1);
	HOLD(!worker_stopping());
	HOLD(pipe(first) == 0 && write(first[1], "x", 1) == 1);
	HOLD(worker_wait(first[0], -1, -1) == 1);
	return 0;
}

static void
outside_a_worker_only_descriptors_count(void **state)
{
	in_child(outside);
}

/* Serves as worker.h shows: one byte for each connection. */
static int
serve(int listen_fd)
{
	bool stop;
	int fd;

	worker_enter(listen_fd);
	for (;;) {
		stop = worker_stopping();
		if (worker_wait(listen_fd, -1, stop ? 0 : -1) == 1) {
			fd = accept(listen_fd, NULL, NULL);
			if (fd != -1) {
				if (write(fd, "x", 1) != 1)
					return __LINE__ % 256;
				close(fd);
			}
		} else if (stop) {
			return 0;
		}
	}
}

static int
connect_one(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(sun.sun_path, path, strlen(path));
	assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	return fd;
}

/* Connections that are in the queue when the workers are told to stop, and
 * connections whose wake-up went to a worker that was killed. */
static void
a_queue_is_served_to_its_end(void **state)
{
	struct listen_params p = { .address = address, .group = "",
		.mode = "0600", .backlog = CONNECTIONS };
	int fds[CONNECTIONS], status, listen_fd, i;
	pid_t workers[WORKERS];
	sigset_t term, before;
	struct err e;
	char byte;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, &before);
	listen_fd = listen_open(&p, &e);
	assert_true(listen_fd >= 0);
	fflush(NULL);
	for (i = 0; i < WORKERS; i++)
		if ((workers[i] = fork()) == 0)
			_exit(serve(listen_fd));
	for (i = 0; i < WORKERS; i++)
		kill(workers[i], SIGSTOP);
	for (i = 0; i < CONNECTIONS; i++)
		fds[i] = connect_one();
	kill(workers[0], SIGKILL);
	for (i = 1; i < WORKERS; i++)
		kill(workers[i], SIGTERM);
	for (i = 1; i < WORKERS; i++)
		kill(workers[i], SIGCONT);
	for (i = 0; i < WORKERS; i++)
		assert_int_equal(waitpid(workers[i], &status, 0), workers[i]);
	for (i = 0; i < CONNECTIONS; i++) {
		assert_int_equal(read(fds[i], &byte, 1), 1);
		close(fds[i]);
	}
	listen_unlink(&p, listen_fd);
	close(listen_fd);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static int
enter_directory(void **state)
{
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/w.sock", directory);
	snprintf(address, sizeof(address), "unix:%s", path);
	return 0;
}

static int
leave_directory(void **state)
{
	return rmdir(directory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_descriptors_are_told_apart),
		cmocka_unit_test(sigterm_is_heard_whenever_it_comes),
		cmocka_unit_test(outside_a_worker_only_descriptors_count),
		cmocka_unit_test(a_queue_is_served_to_its_end),
	};

	return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
