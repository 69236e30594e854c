/*
 * master.c - a pre-forking master
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A worker is in one of two lists: slots holds those that work, leavers those
 * that were told to stop.  Signals are blocked and read from a descriptor, so
 * everything happens in the one loop at the end of this file, one thing after
 * the other.
 */
#include "base/master.h"

#include <errno.h>
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
#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/config_value.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/pidfile.h"
#include "base/process.h"
#include "base/service.h"
#include "base/worker.h"

enum { BRAKE_MS = 1000, STOP_LIMIT_MS = 30000, FAULTS_BYTES = 65536 };

/* A place for a working worker. */
struct slot {
	pid_t pid; /* 0: none runs */
	int64_t next_start_ms; /* not before */
};

/* A worker that was told to stop. */
struct leaver {
	pid_t pid;
	int slot;
	int64_t kill_at_ms;
	bool killed;
};

struct master {
	const struct master_params *p;
	const struct config *config;
	struct arena *config_arena; /* NULL while config is the caller's */
	struct slot *slots;
	int slot_count;
	struct leaver *leavers;
	int leaver_count;
	pid_t pid;
	int signal_fd;
	int pid_fd;
	sigset_t old_mask;
	bool stopping;
	bool in_order; /* no worker had to be killed */
};

static void *
resize(void *p, int count, size_t size_bytes)
{
	p = reallocarray(p, (size_t)count + 1, size_bytes);
	if (p == NULL)
		panic("out of memory");
	return p;
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
	if (m->signal_fd == -1)
		panic("signalfd: %s", strerror(errno));
}

/* The child's side of fork. */
static NORETURN void
be_worker(struct master *m, int slot)
{
	int status;

	worker_enter(m->p->listen_fd);
	prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
	if (getppid() != m->pid)
		exit(0);
	close(m->signal_fd);
	close(m->pid_fd);
	metrics_attach();
	status = m->p->worker(m->config, m->p->listen_fd, slot);
	exit(status);
}

static void
start_worker(struct master *m, int slot)
{
	pid_t pid;

	fflush(NULL);
	m->slots[slot].next_start_ms = clock_mono_ms() + BRAKE_MS;
	pid = fork();
	if (pid == 0)
		be_worker(m, slot);
	if (pid == -1) {
		log_error(NULL, "a worker could not be started",
		    LF_INT("slot", slot), LF_STR("error", strerror(errno)));
		return;
	}
	m->slots[slot].pid = pid;
	log_debug(NULL, "a worker has started", LF_INT("slot", slot),
	    LF_INT("worker", pid));
}

/* Starts a worker in each free slot whose time has come. */
static void
start_due(struct master *m)
{
	int64_t now = clock_mono_ms();
	int i;

	for (i = 0; i < m->slot_count && !m->stopping; i++)
		if (m->slots[i].pid == 0 && m->slots[i].next_start_ms <= now)
			start_worker(m, i);
}

static void
send_away(struct master *m, int slot, pid_t pid)
{
	int64_t limit_ms = m->p->stop_limit_ms != NULL ?
	    m->p->stop_limit_ms(m->config) :
	    STOP_LIMIT_MS;

	m->leavers = resize(m->leavers, m->leaver_count, sizeof(*m->leavers));
	m->leavers[m->leaver_count++] = (struct leaver){
		.pid = pid,
		.slot = slot,
		.kill_at_ms = clock_mono_ms() + limit_ms,
	};
	kill(pid, SIGTERM);
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
		    LF_INT("slot", l->slot), LF_INT("worker", l->pid));
		kill(l->pid, SIGKILL);
		l->killed = true;
		m->in_order = false;
	}
}

static void
log_end(struct master *m, int slot, pid_t pid, int status)
{
	if (WIFSIGNALED(status))
		log_error(NULL, "a worker has crashed", LF_INT("slot", slot),
		    LF_INT("worker", pid), LF_INT("signal", WTERMSIG(status)));
	else if (WEXITSTATUS(status) != 0)
		log_error(NULL, "a worker has failed", LF_INT("slot", slot),
		    LF_INT("worker", pid),
		    LF_INT("status", WEXITSTATUS(status)));
	else
		log_debug(NULL, "a worker has ended", LF_INT("slot", slot),
		    LF_INT("worker", pid));
}

/* Takes an ended worker out of its list. */
static void
forget(struct master *m, pid_t pid, int status)
{
	int i;

	for (i = 0; i < m->leaver_count; i++) {
		if (m->leavers[i].pid != pid)
			continue;
		if (!m->leavers[i].killed) {
			log_end(m, m->leavers[i].slot, pid, status);
			if (status != 0)
				m->in_order = false;
		}
		m->leavers[i] = m->leavers[--m->leaver_count];
		return;
	}
	for (i = 0; i < m->slot_count; i++) {
		if (m->slots[i].pid != pid)
			continue;
		m->slots[i].pid = 0;
		metrics_add(METRIC_WORKERS_RESTARTED_TOTAL, 0, 1);
		log_end(m, i, pid, status);
		return;
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

/* Sends all working workers away.  Returns how many there were. */
static int
send_all_away(struct master *m)
{
	int i, count = 0;

	for (i = 0; i < m->slot_count; i++) {
		if (m->slots[i].pid == 0)
			continue;
		send_away(m, i, m->slots[i].pid);
		m->slots[i].pid = 0;
		count++;
	}
	return count;
}

static void
make_slots(struct master *m)
{
	int i;

	m->slot_count = m->p->worker_count(m->config);
	ensure(m->slot_count > 0);
	m->slots = resize(m->slots, m->slot_count, sizeof(*m->slots));
	for (i = 0; i < m->slot_count; i++)
		m->slots[i] = (struct slot){ 0 };
}

static void
stop(struct master *m)
{
	int count;

	if (m->stopping)
		return;
	m->stopping = true;
	service_stopping();
	count = send_all_away(m);
	service_status("stopping: %d workers finish", count);
	log_info(NULL, "stopping", LF_INT("workers", count));
}

/* Logs each line of the faults. */
static void
log_faults(const struct buf *faults)
{
	const char *line = faults->data, *end;
	char text[512];

	for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		snprintf(text, sizeof(text), "%.*s", (int)(end - line), line);
		log_error(NULL, "the configuration has a fault; the one before "
		    "it stays in force", LF_STR("fault", text));
	}
}

/* Keys that need a restart keep their value in all processes until then. */
static void
keep_restart_keys(struct master *m, struct arena *a, struct config *new)
{
	const struct config_key *k;
	char name[128];
	size_t count, i;

	k = config_keys(&count);
	for (i = 0; i < count; i++) {
		if (k[i].reload != CONFIG_RESTART ||
		    config_value_equal(&k[i], new, m->config))
			continue;
		snprintf(name, sizeof(name), "%s.%s", k[i].section, k[i].name);
		log_warn(NULL, "a changed key needs a restart",
		    LF_STR("key", name));
		config_value_copy(a, &k[i], new, m->config);
	}
}

/* The log follows its keys. */
static void
turn_log(struct master *m, const struct config *new)
{
	enum log_level level = LOG_LEVEL_INFO;
	struct err e;

	ensure(log_level_parse(new->log_level, &level) == 0);
	if (strcmp(new->log_target, m->config->log_target) == 0)
		log_set_level(level);
	else if (log_open(m->p->program, new->log_target, level, &e) == -1)
		log_error(NULL, "the log stays where it was", LF_ERR(&e));
}

/* Reads the configuration again.  Returns false when it has faults. */
static bool
renew_config(struct master *m)
{
	struct arena *a = arena_new(4096);
	struct buf *faults = buf_new(a, FAULTS_BYTES);
	struct config *new = NULL;
	struct err e;

	if (config_load(a, m->p->config_path, &new, faults, &e) == -1) {
		log_faults(faults);
		arena_free(&a);
		return false;
	}
	keep_restart_keys(m, a, new);
	turn_log(m, new);
	m->config = new;
	arena_free(&m->config_arena);
	m->config_arena = a;
	return true;
}

static void
reload(struct master *m)
{
	struct slot *old = m->slots;
	int old_count = m->slot_count, i;

	if (m->stopping)
		return;
	service_reloading();
	if (renew_config(m)) {
		m->slots = NULL;
		make_slots(m);
		start_due(m);
		for (i = 0; i < old_count; i++)
			if (old[i].pid != 0)
				send_away(m, i, old[i].pid);
		free(old);
		log_info(NULL, "reloaded", LF_INT("workers", m->slot_count));
		service_status("%d workers", m->slot_count);
	}
	service_ready();
}

/* Everybody opens the log anew. */
static void
reopen_log(struct master *m)
{
	int i;

	log_reopen();
	for (i = 0; i < m->slot_count; i++)
		if (m->slots[i].pid != 0)
			kill(m->slots[i].pid, SIGUSR1);
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

/* How long until something is due; -1 when nothing is. */
static int
time_left_ms(const struct master *m)
{
	int64_t due = INT64_MAX, now = clock_mono_ms();
	int i;

	for (i = 0; i < m->slot_count && !m->stopping; i++)
		if (m->slots[i].pid == 0 && m->slots[i].next_start_ms < due)
			due = m->slots[i].next_start_ms;
	for (i = 0; i < m->leaver_count; i++)
		if (!m->leavers[i].killed && m->leavers[i].kill_at_ms < due)
			due = m->leavers[i].kill_at_ms;
	if (due == INT64_MAX)
		return -1;
	if (due <= now)
		return 0;
	return due - now > 60000 ? 60000 : (int)(due - now);
}

static void
loop(struct master *m)
{
	struct pollfd pfd = { .fd = m->signal_fd, .events = POLLIN };

	while (!m->stopping || m->leaver_count > 0) {
		start_due(m);
		poll(&pfd, 1, time_left_ms(m));
		read_signals(m);
		kill_late(m);
	}
}

/* Gives back what master_run() took. */
static void
done(struct master *m)
{
	pidfile_close(m->pid_fd, m->config->process_run_directory,
	    m->p->program);
	close(m->signal_fd);
	sigprocmask(SIG_SETMASK, &m->old_mask, NULL);
	free(m->slots);
	free(m->leavers);
	arena_free(&m->config_arena);
}

int
master_run(const struct master_params *p)
{
	struct master m = { .p = p, .config = p->config, .pid = getpid(),
		.in_order = true };
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
	make_slots(&m);
	start_due(&m);
	log_info(NULL, "started", LF_INT("workers", m.slot_count));
	service_status("%d workers", m.slot_count);
	service_ready();
	loop(&m);
	log_info(NULL, "stopped", LF_BOOL("in_order", m.in_order));
	done(&m);
	return m.in_order ? 0 : 1;
}
