/*
 * worker.c - how a worker hears of its end
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The listen socket is watched through epoll with EPOLLEXCLUSIVE: with poll() each
 * connection would wake every idle worker to find that another was faster.  The
 * price is that an idle worker does not hear of a connection whose event went to a
 * worker that then died.  So the queue itself is looked at when a wait is over
 * without event, and in place of epoll while stopping, when all must be served.
 */
#include "base/worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/ensure.h"
#include "base/log.h"

static struct {
	int signal_fd;
	int listen_fd;
	int epoll_fd;
	int report_fd;
	bool stopping;
} me = { .signal_fd = -1, .listen_fd = -1, .epoll_fd = -1, .report_fd = -1 };

static void
watch(int fd, unsigned events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	if (epoll_ctl(me.epoll_fd, EPOLL_CTL_ADD, fd, &event) == -1)
		panic("epoll_ctl: %s", strerror(errno));
}

void
worker_enter(int listen_fd)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGHUP);
	sigaddset(&mask, SIGUSR1);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	signal(SIGPIPE, SIG_IGN);
	me.stopping = false;
	me.listen_fd = listen_fd;
	me.signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	me.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (me.signal_fd == -1 || me.epoll_fd == -1)
		panic("could not watch for signals: %s", strerror(errno));
	watch(me.signal_fd, EPOLLIN);
	if (listen_fd != -1)
		watch(listen_fd, EPOLLIN | EPOLLEXCLUSIVE);
}

void
worker_report_to(int fd)
{
	me.report_fd = fd;
}

/* Less than PIPE_BUF is written whole or not at all; a master that is gone needs
 * no report. */
static void
report(void)
{
	pid_t pid;

	if (me.report_fd == -1)
		return;
	pid = getpid();
	if (write(me.report_fd, &pid, sizeof(pid)) == -1)
		log_warn(NULL, "could not report to the master",
		    LF_STR("error", strerror(errno)));
	close(me.report_fd);
	me.report_fd = -1;
}

int
worker_signal_fd(void)
{
	report();
	return me.signal_fd;
}

void
worker_signal_read(void)
{
	struct signalfd_siginfo info;

	if (me.signal_fd == -1)
		return;
	while (read(me.signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGTERM)
			me.stopping = true;
		if (info.ssi_signo == SIGUSR1)
			log_reopen();
	}
}

bool
worker_stopping(void)
{
	worker_signal_read();
	return me.stopping;
}

static bool
has_queue(void)
{
	struct pollfd pfd = { .fd = me.listen_fd, .events = POLLIN };

	return poll(&pfd, 1, 0) == 1;
}

static int
wait_exclusively(int timeout_ms)
{
	struct epoll_event events[2];
	int n, i, result = 0;

	n = epoll_wait(me.epoll_fd, events, 2, timeout_ms);
	if (n == 0)
		return has_queue() ? 1 : 0;
	for (i = 0; i < n; i++) {
		if (events[i].data.fd == me.listen_fd)
			result = 1;
		else
			worker_signal_read();
	}
	return result;
}

int
worker_wait(int fd, int other_fd, int timeout_ms)
{
	struct pollfd fds[3] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = other_fd, .events = POLLIN },
		{ .fd = me.signal_fd, .events = POLLIN },
	};

	report();
	if (fd != -1 && fd == me.listen_fd && other_fd == -1 && !me.stopping)
		return wait_exclusively(timeout_ms);
	if (poll(fds, NELEMS(fds), timeout_ms) <= 0)
		return 0;
	if (fds[2].revents != 0)
		worker_signal_read();
	if (fds[0].revents != 0)
		return 1;
	return fds[1].revents != 0 ? 2 : 0;
}
