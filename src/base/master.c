/*
 * master.c - a pre-forking master
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A worker belongs to the crew that works ("now"), to the crew of a configuration
 * that is being tried ("next"), or to the leavers, who were told to stop.  SIGHUP makes
 * "next"; when each of its workers has waited for work once, it becomes "now" and the
 * crew before it leaves.  When one of them ends before that, or time runs out, "next"
 * leaves and nothing has changed.
 *
 * Signals are blocked and read from a descriptor, and workers report through a
 * pipe, so everything happens in the one loop at the end of this file, one thing
 * after the other.
 */
#include "base/master.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/crew.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/pidfile.h"
#include "base/process.h"
#include "base/renew.h"
#include "base/service.h"
#include "base/worker.h"

enum { BRAKE_MS = 1000, STOP_LIMIT_MS = 30000, TRIAL_LIMIT_MS = 30000 };

/* A worker that was told to stop. */
struct leaver {
	pid_t pid;
	int64_t kill_at_ms;
	bool killed;
};

struct master {
	const struct master_params *p;
	struct crew now;
	struct crew next; /* on trial; its slots are NULL when there is none */
	int64_t trial_ends_ms;
	bool reload_again; /* SIGHUP came during the trial */
	struct leaver *leavers;
	int leaver_count;
	pid_t pid;
	int signal_fd;
	int pid_fd;
	int ready_fds[2]; /* workers write their pid into the second */
	sigset_t old_mask;
	bool announced; /* the service manager knows that we are ready */
	bool stopping;
	bool in_order; /* so far the stop went as it should */
};

static bool
on_trial(const struct master *m)
{
	return m->next.slots != NULL;
}

static void
block_signals(struct master *m)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGHUP);
	sigaddset(&mask, SIGUSR1);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, &m->old_mask);
	signal(SIGPIPE, SIG_IGN);
	m->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (m->signal_fd == -1 ||
	    pipe2(m->ready_fds, O_CLOEXEC | O_NONBLOCK) == -1)
		panic("could not watch workers: %s", strerror(errno));
}

/* The child's side of fork. */
static NORETURN void
be_worker(struct master *m, const struct crew *c, int slot)
{
	int status;

	worker_enter(m->p->listen_fd);
	prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
	if (getppid() != m->pid)
		exit(0);
	worker_report_to(m->ready_fds[1]);
	close(m->ready_fds[0]);
	close(m->signal_fd);
	close(m->pid_fd);
	metrics_attach();
	status = m->p->worker(c->config, m->p->listen_fd, slot);
	exit(status);
}

static void
start_worker(struct master *m, struct crew *c, int slot)
{
	struct slot *s = &c->slots[slot];
	pid_t pid;

	fflush(NULL);
	s->next_start_ms = clock_mono_ms() + BRAKE_MS;
	pid = fork();
	if (pid == 0)
		be_worker(m, c, slot);
	if (pid == -1) {
		log_error(NULL, "a worker could not be started",
		    LF_INT("slot", slot), LF_STR("error", strerror(errno)));
		return;
	}
	s->pid = pid;
	s->ready = false;
	log_debug(NULL, "a worker has started", LF_INT("slot", slot),
	    LF_INT("worker", pid));
}

/* Starts a worker in each empty slot whose time has come. */
static void
start_due(struct master *m, struct crew *c)
{
	int64_t now = clock_mono_ms();
	int i;

	for (i = 0; i < c->count; i++)
		if (c->slots[i].pid == 0 && c->slots[i].next_start_ms <= now)
			start_worker(m, c, i);
}

static void
send_away(struct master *m, const struct crew *c, pid_t pid)
{
	int64_t limit_ms = m->p->stop_limit_ms != NULL ?
	    m->p->stop_limit_ms(c->config) :
	    STOP_LIMIT_MS;

	m->leavers = reallocarray(m->leavers, (size_t)m->leaver_count + 1,
	    sizeof(*m->leavers));
	if (m->leavers == NULL)
		panic("out of memory");
	m->leavers[m->leaver_count++] = (struct leaver){
		.pid = pid,
		.kill_at_ms = clock_mono_ms() + limit_ms,
	};
	kill(pid, SIGTERM);
}

/* Sends a whole crew away.  Returns how many there were. */
static int
dismiss(struct master *m, struct crew *c)
{
	int i, count = 0;

	for (i = 0; i < c->count; i++) {
		if (c->slots[i].pid == 0)
			continue;
		send_away(m, c, c->slots[i].pid);
		count++;
	}
	crew_done(c);
	return count;
}

static void
kill_late(struct master *m)
{
	int64_t now = clock_mono_ms();
	struct leaver *l;

	for (l = m->leavers; l < m->leavers + m->leaver_count; l++) {
		if (l->killed || l->kill_at_ms > now)
			continue;
		log_error(NULL, "a worker did not stop in time and is killed",
		    LF_INT("worker", l->pid));
		kill(l->pid, SIGKILL);
		l->killed = true;
		m->in_order = m->in_order && !m->stopping;
	}
}

static void
log_end(pid_t pid, int status)
{
	if (WIFSIGNALED(status))
		log_error(NULL, "a worker has crashed", LF_INT("worker", pid),
		    LF_INT("signal", WTERMSIG(status)));
	else if (WEXITSTATUS(status) != 0)
		log_error(NULL, "a worker has failed", LF_INT("worker", pid),
		    LF_INT("status", WEXITSTATUS(status)));
	else
		log_debug(NULL, "a worker has ended", LF_INT("worker", pid));
}

/* Takes an ended worker off the leavers; false when it is none. */
static bool
forget_leaver(struct master *m, pid_t pid, int status)
{
	int i;

	for (i = 0; i < m->leaver_count && m->leavers[i].pid != pid; i++)
		continue;
	if (i == m->leaver_count)
		return false;
	if (!m->leavers[i].killed) {
		log_end(pid, status);
		if (status != 0 && m->stopping)
			m->in_order = false;
	}
	m->leavers[i] = m->leavers[--m->leaver_count];
	return true;
}

/* Ends a trial that went wrong: all is as before it. */
static void
give_up_trial(struct master *m, const char *reason)
{
	renew_log(m->p->program, m->next.config, m->now.config);
	log_error(NULL, "the reload failed; workers and configuration stay",
	    LF_STR("reason", reason));
	dismiss(m, &m->next);
	service_ready();
}

static void
forget(struct master *m, pid_t pid, int status)
{
	struct slot *s;

	if (forget_leaver(m, pid, status))
		return;
	log_end(pid, status);
	if ((s = crew_find(&m->now, pid)) != NULL) {
		metrics_add(METRIC_WORKERS_RESTARTED_TOTAL, 0, 1);
		s->pid = 0;
		s->ready = false;
	} else if ((s = crew_find(&m->next, pid)) != NULL) {
		s->pid = 0;
		give_up_trial(m, "a new worker ended");
	}
}

static void
reap(struct master *m)
{
	int status = 0;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		forget(m, pid, status);
}

static void
stop(struct master *m)
{
	int count;

	if (m->stopping)
		return;
	m->stopping = true;
	service_stopping();
	if (m->p->close_door != NULL)
		m->p->close_door(m->p->door);
	count = dismiss(m, &m->next) + dismiss(m, &m->now);
	service_status("stopping: %d workers finish", count);
	log_info(NULL, "stopping", LF_INT("workers", count));
}

static void
reload(struct master *m)
{
	struct arena *a;
	struct config *new;

	m->reload_again = on_trial(m);
	if (m->stopping || m->reload_again)
		return;
	service_reloading();
	a = arena_new(4096);
	new = renew_config(a, m->p->config_path, m->now.config);
	if (new == NULL) {
		arena_free(&a);
		service_ready();
		return;
	}
	renew_log(m->p->program, m->now.config, new);
	crew_init(&m->next, new, a, m->p->worker_count(new));
	m->trial_ends_ms = clock_mono_ms() + TRIAL_LIMIT_MS;
	start_due(m, &m->next);
}

/* The crew on trial is ready: it takes over. */
static void
take_over(struct master *m)
{
	struct crew old = m->now;

	m->now = m->next;
	m->next = (struct crew){ 0 };
	dismiss(m, &old);
	log_info(NULL, "reloaded", LF_INT("workers", m->now.count));
	service_status("%d workers", m->now.count);
	service_ready();
}

/* Looks how far a trial is. */
static void
look_at_trial(struct master *m)
{
	if (on_trial(m) && crew_is_ready(&m->next))
		take_over(m);
	else if (on_trial(m) && m->trial_ends_ms <= clock_mono_ms())
		give_up_trial(m, "the new workers are not ready in time");
	if (m->reload_again && !on_trial(m))
		reload(m);
}

static void
signal_all(const struct crew *c, int number)
{
	int i;

	for (i = 0; i < c->count; i++)
		if (c->slots[i].pid != 0)
			kill(c->slots[i].pid, number);
}

/* Everybody opens the log anew. */
static void
reopen_log(struct master *m)
{
	int i;

	log_reopen();
	signal_all(&m->now, SIGUSR1);
	signal_all(&m->next, SIGUSR1);
	for (i = 0; i < m->leaver_count; i++)
		kill(m->leavers[i].pid, SIGUSR1);
}

static void
read_signals(struct master *m)
{
	struct signalfd_siginfo info;

	while (read(m->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
			stop(m);
		else if (info.ssi_signo == SIGHUP)
			reload(m);
		else if (info.ssi_signo == SIGUSR1)
			reopen_log(m);
	}
	/* One SIGCHLD may stand for several children. */
	reap(m);
}

/* Workers report that they wait for work. */
static void
read_reports(struct master *m)
{
	struct slot *s;
	pid_t pid;

	while (read(m->ready_fds[0], &pid, sizeof(pid)) == sizeof(pid)) {
		s = crew_find(&m->now, pid);
		if (s == NULL)
			s = crew_find(&m->next, pid);
		if (s != NULL)
			s->ready = true;
	}
	if (!m->announced && !m->stopping && crew_is_ready(&m->now)) {
		m->announced = true;
		service_status("%d workers", m->now.count);
		service_ready();
	}
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* How long until something is due; -1 when nothing is. */
static int
time_left_ms(const struct master *m)
{
	int64_t due = crew_next_start_ms(&m->now), now = clock_mono_ms();
	int i;

	due = earlier(due, crew_next_start_ms(&m->next));
	if (on_trial(m))
		due = earlier(due, m->trial_ends_ms);
	for (i = 0; i < m->leaver_count; i++)
		if (!m->leavers[i].killed)
			due = earlier(due, m->leavers[i].kill_at_ms);
	if (due == INT64_MAX)
		return -1;
	return due <= now ? 0 : (int)earlier(due - now, 60000);
}

static void
loop(struct master *m)
{
	struct pollfd fds[] = {
		{ .fd = m->signal_fd, .events = POLLIN },
		{ .fd = m->ready_fds[0], .events = POLLIN },
	};

	while (!m->stopping || m->leaver_count > 0) {
		start_due(m, &m->now);
		start_due(m, &m->next);
		poll(fds, NELEMS(fds), time_left_ms(m));
		read_reports(m);
		read_signals(m);
		look_at_trial(m);
		kill_late(m);
	}
}

/* Gives back what master_run() took. */
static void
done(struct master *m)
{
	pidfile_close(m->pid_fd, m->p->config->process_run_directory,
	    m->p->program);
	close(m->signal_fd);
	close(m->ready_fds[0]);
	close(m->ready_fds[1]);
	sigprocmask(SIG_SETMASK, &m->old_mask, NULL);
	free(m->leavers);
}

int
master_run(const struct master_params *p)
{
	struct master m = { .p = p, .pid = getpid(), .in_order = true };
	struct err e;

	process_harden();
	m.pid_fd = pidfile_open(p->config->process_run_directory, p->program,
	    &e);
	if (m.pid_fd == -1) {
		log_error(NULL, "cannot start", LF_ERR(&e));
		return 1;
	}
	block_signals(&m);
	metrics_attach();
	crew_init(&m.now, p->config, NULL, p->worker_count(p->config));
	start_due(&m, &m.now);
	log_info(NULL, "started", LF_INT("workers", m.now.count));
	loop(&m);
	log_info(NULL, "stopped", LF_BOOL("in_order", m.in_order));
	done(&m);
	return m.in_order ? 0 : 1;
}
