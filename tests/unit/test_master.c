/*
 * test_master.c - a pre-forking master
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A master with toy workers runs in a child.  What it does is seen as a service
 * manager sees it (NOTIFY_SOCKET), as a client sees it and in its log.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/err.h"
#include "base/listen.h"
#include "base/log.h"
#include "base/master.h"
#include "base/metrics.h"
#include "base/worker.h"

enum { PATIENCE_MS = 20000 };

static char directory[] = "/tmp/belfry-master-XXXXXX";
static char socket_path[80], address[90], config_path[80], log_path[80];
static char notify_path[80];
static struct listen_params listen_at = { .address = address, .group = "",
	.mode = "0600", .backlog = 128 };
static int listen_fd, notify_fd;
static pid_t master;
static int lifeline; /* at its end when master and workers are gone */
static char log_text[1 << 16];

/* Values of api.json_depth with which a toy worker fails or is slow. */
enum { DEPTH_FAILS = 66, DEPTH_SLOW = 77 };

/* Does what the byte says and answers. */
static int
serve(const struct config *config, int fd, int slot)
{
	char command = '\0';

	if (read(fd, &command, 1) != 1)
		return 0;
	if (command == 'c')
		raise(SIGKILL);
	if (command == 'x')
		exit(3);
	if (command == 'l')
		log_info(NULL, "the worker was asked", LF_INT("slot", slot));
	dprintf(fd, "%d %d %" PRId64 "\n", (int)getpid(), slot,
	    config->api_json_depth);
	if (command == 'h')
		for (;;)
			pause();
	return 0;
}

static int
toy(const struct config *config, int fd, int slot)
{
	int client;
	bool stop;

	if (config->api_json_depth == DEPTH_FAILS)
		return 5;
	if (config->api_json_depth == DEPTH_SLOW)
		poll(NULL, 0, 200);
	for (;;) {
		stop = worker_stopping();
		if (worker_wait(fd, -1, stop ? 0 : -1) == 1) {
			client = accept(fd, NULL, NULL);
			if (client == -1)
				continue;
			serve(config, client, slot);
			close(client);
		} else if (stop) {
			return 0;
		}
	}
}

static int
failing(const struct config *config, int fd, int slot)
{
	return 7;
}

static int
count_workers(const struct config *config)
{
	return (int)config->api_workers;
}

static int64_t
stop_limit(const struct config *config)
{
	return config->api_body_timeout;
}

static void
write_config(const char *text)
{
	FILE *f = fopen(config_path, "w");

	assert_non_null(f);
	fprintf(f, "[process]\nrun_directory = %s\n%s", directory, text);
	assert_int_equal(fclose(f), 0);
}

/* The child's side. */
static int
run(int (*worker)(const struct config *, int, int))
{
	struct master_params p = {
		.program = "tester",
		.config_path = config_path,
		.listen_fd = listen_fd,
		.worker_count = count_workers,
		.worker = worker,
		.stop_limit_ms = stop_limit,
	};
	struct arena *a = arena_new(4096);
	struct config *config = NULL;
	struct err e;
	int status;

	if (config_load(a, config_path, &config, NULL, &e) == -1 ||
	    log_open("tester", log_path, LOG_LEVEL_DEBUG, &e) == -1 ||
	    metrics_open(directory, &e) == -1) {
		dprintf(STDERR_FILENO, "%s\n", e.text);
		return 99;
	}
	p.config = config;
	status = master_run(&p);
	arena_free(&a);
	return status;
}

/* SIGTERM is blocked from before the fork, so it cannot come too early. */
static void
start(int (*worker)(const struct config *, int, int))
{
	sigset_t term, before;
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	unlink(log_path);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, &before);
	fflush(NULL);
	master = fork();
	if (master == 0) {
		setpgid(0, 0);
		close(ends[0]);
		exit(run(worker));
	}
	setpgid(master, master); /* whoever comes first */
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(ends[1]);
	lifeline = ends[0];
}

static void
wait_readable(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	if (poll(&pfd, 1, PATIENCE_MS) != 1)
		fail_msg("nothing came for %d ms", PATIENCE_MS);
}

/* Reads messages of the master until "want" comes. */
static void
expect_told(const char *want)
{
	char text[300];
	ssize_t n;

	do {
		wait_readable(notify_fd);
		n = recv(notify_fd, text, sizeof(text) - 1, 0);
		assert_true(n > 0);
		text[n] = '\0';
	} while (strncmp(text, want, strlen(want)) != 0);
}

static void
forget_told(void)
{
	char text[300];

	while (recv(notify_fd, text, sizeof(text), MSG_DONTWAIT) > 0)
		continue;
}

/* Waits for the end of the master and of all that it started. */
static int
end_of_master(void)
{
	int pidfd = (int)syscall(SYS_pidfd_open, master, 0), status = -1;
	char byte;

	assert_true(pidfd >= 0);
	wait_readable(pidfd);
	close(pidfd);
	assert_int_equal(waitpid(master, &status, 0), master);
	wait_readable(lifeline);
	assert_int_equal(read(lifeline, &byte, 1), 0);
	close(lifeline);
	master = 0;
	return status;
}

/* After a test that failed in the middle. */
static int
end_what_is_left(void **state)
{
	if (master == 0)
		return 0;
	kill(-master, SIGKILL);
	waitpid(master, NULL, 0);
	master = 0;
	return 0;
}

static void
stop_in_order(void)
{
	kill(master, SIGTERM);
	assert_int_equal(end_of_master(), 0);
}

/* Connects and sends a command. */
static int
call(char command)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(sun.sun_path, socket_path, strlen(socket_path));
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    write(fd, &command, 1) != 1) {
		close(fd);
		return -1;
	}
	return fd;
}

struct answer {
	int pid, slot, depth;
};

/* False when there was none. */
static bool
read_answer(int fd, struct answer *answer_r)
{
	char text[100];
	ssize_t n;

	wait_readable(fd);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	return sscanf(text, "%d %d %d", &answer_r->pid, &answer_r->slot,
	           &answer_r->depth) == 3;
}

static struct answer
ask(char command)
{
	struct answer answer = { 0 };
	int fd = call(command);

	assert_true(fd >= 0);
	assert_true(read_answer(fd, &answer));
	return answer;
}

static void
read_log(void)
{
	FILE *f = fopen(log_path, "r");
	size_t n = 0;

	if (f != NULL) {
		n = fread(log_text, 1, sizeof(log_text) - 1, f);
		fclose(f);
	}
	log_text[n] = '\0';
}

static int
count_in_log(const char *text)
{
	const char *p;
	int count = 0;

	read_log();
	for (p = log_text; (p = strstr(p, text)) != NULL; p++)
		count++;
	return count;
}

static void
it_starts_serves_and_stops(void **state)
{
	char pid_path[80], text[32] = "";
	struct answer answer;
	FILE *f;

	write_config("[api]\nworkers = 3\njson_depth = 11\n");
	start(toy);
	expect_told("STATUS=3 workers");
	expect_told("READY=1");
	answer = ask('a');
	assert_int_equal(answer.depth, 11);
	assert_int_not_equal(answer.pid, master);
	snprintf(pid_path, sizeof(pid_path), "%s/tester.pid", directory);
	f = fopen(pid_path, "r");
	assert_non_null(f);
	assert_non_null(fgets(text, sizeof(text), f));
	fclose(f);
	assert_int_equal(strtol(text, NULL, 10), master);

	/* What a terminal sends to everybody is the master's alone. */
	kill(answer.pid, SIGINT);
	kill(answer.pid, SIGHUP);
	assert_int_equal(ask('a').depth, 11);
	kill(master, SIGINT);
	expect_told("STOPPING=1");
	assert_int_equal(end_of_master(), 0);
	assert_int_equal(access(pid_path, F_OK), -1);
	assert_int_equal(count_in_log("\"level\":\"error\""), 0);
	assert_int_equal(count_in_log("a worker has started"), 3);
	assert_int_equal(count_in_log("a worker has ended"), 3);
}

/* Whenever SIGTERM comes, the master ends, and who got through is answered. */
static void
no_round_hangs(void **state)
{
	struct answer answer;
	int round, fd;

	write_config("[api]\nworkers = 3\n");
	srand48(42);
	for (round = 0; round < 30; round++) {
		start(toy);
		fd = round % 2 == 0 ? call('a') : -1;
		poll(NULL, 0, (int)(lrand48() % 25));
		stop_in_order();
		if (round % 2 == 0)
			assert_true(fd != -1 && read_answer(fd, &answer));
	}
	forget_told();
}

/* A client that knocks all the time; returns how often it was turned away. */
static int
knock(int end)
{
	struct pollfd pfd = { .fd = end, .events = POLLIN };
	struct answer answer;
	int refused = 0, fd;

	while (poll(&pfd, 1, 0) == 0) {
		fd = call('a');
		if (fd == -1 || !read_answer(fd, &answer))
			refused++;
	}
	return refused > 255 ? 255 : refused;
}

static pid_t
start_knocking(int *end_r)
{
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		close(ends[1]);
		_exit(knock(ends[0]));
	}
	close(ends[0]);
	*end_r = ends[1];
	return pid;
}

/* Gives up on what does not come. */
static void
be_patient(int64_t begun_ms)
{
	if (clock_mono_ms() - begun_ms > PATIENCE_MS)
		fail_msg("it did not come for %d ms: %s", PATIENCE_MS, log_text);
}

/* Asks until the workers of the new configuration answer alone. */
static void
wait_for_depth(int depth)
{
	int64_t begun = clock_mono_ms();
	int in_a_row = 0;

	while (in_a_row < 20) {
		in_a_row = ask('a').depth == depth ? in_a_row + 1 : 0;
		be_patient(begun);
	}
}

static void
a_reload_refuses_nobody(void **state)
{
	int end, status, round;
	char text[128];
	pid_t client;

	write_config("[api]\nworkers = 2\njson_depth = 20\n");
	start(toy);
	expect_told("READY=1");
	client = start_knocking(&end);
	for (round = 21; round < 31; round++) {
		snprintf(text, sizeof(text),
		    "[api]\nworkers = %d\njson_depth = %d\n", 1 + round % 3,
		    round);
		write_config(text);
		kill(master, SIGHUP);
		expect_told("RELOADING=1\nMONOTONIC_USEC=");
		expect_told("READY=1");
		wait_for_depth(round);
	}
	close(end);
	assert_int_equal(waitpid(client, &status, 0), client);
	assert_int_equal(status, 0);
	stop_in_order();
	assert_int_equal(count_in_log("\"level\":\"error\""), 0);
	assert_int_equal(count_in_log("reloaded"), 10);
}

static void
a_faulty_file_changes_nothing(void **state)
{
	int pid;

	write_config("[api]\nworkers = 1\njson_depth = 20\n");
	start(toy);
	expect_told("READY=1");
	pid = ask('a').pid;
	write_config("[api]\nworkers = none\njson_depth = 21\nwokers = 3\n");
	kill(master, SIGHUP);
	expect_told("RELOADING=1");
	expect_told("READY=1");
	assert_int_equal(ask('a').pid, pid);
	assert_int_equal(ask('a').depth, 20);
	assert_int_equal(count_in_log("the configuration has a fault"), 2);
	assert_int_equal(count_in_log("api.wokers: unknown key"), 1);
	stop_in_order();
}

/* The old crew is not sent away before the new one is ready for work. */
static void
workers_that_cannot_start_change_nothing(void **state)
{
	int pid;

	write_config("[api]\nworkers = 1\njson_depth = 20\n");
	start(toy);
	expect_told("READY=1");
	pid = ask('a').pid;
	write_config("[api]\nworkers = 1\njson_depth = 66\n[log]\n"
	             "level = error\n");
	kill(master, SIGHUP);
	expect_told("RELOADING=1");
	expect_told("READY=1");
	assert_int_equal(ask('a').pid, pid);
	assert_int_equal(count_in_log("the reload failed"), 1);

	write_config("[api]\nworkers = 1\njson_depth = 67\n");
	kill(master, SIGHUP);
	expect_told("RELOADING=1");
	expect_told("READY=1");
	wait_for_depth(67);
	assert_int_equal(count_in_log("reloaded"), 1);
	stop_in_order();
}

static void
the_last_of_many_reloads_counts(void **state)
{
	write_config("[api]\nworkers = 1\njson_depth = 20\n");
	start(toy);
	expect_told("READY=1");
	write_config("[api]\nworkers = 1\njson_depth = 77\n");
	kill(master, SIGHUP);
	expect_told("RELOADING=1");
	write_config("[api]\nworkers = 1\njson_depth = 78\n");
	kill(master, SIGHUP);
	kill(master, SIGHUP);
	wait_for_depth(78);
	stop_in_order();
	forget_told();
}

static void
a_stop_ends_a_reload(void **state)
{
	write_config("[api]\nworkers = 1\njson_depth = 20\n");
	start(toy);
	expect_told("READY=1");
	write_config("[api]\nworkers = 2\njson_depth = 77\n[log]\n"
	             "level = debug\n");
	kill(master, SIGHUP);
	expect_told("RELOADING=1");
	stop_in_order();
	assert_int_equal(count_in_log("a worker has ended"), 3);
	forget_told();
}

static void
keys_that_need_a_restart_stay(void **state)
{
	write_config("[api]\nworkers = 1\n");
	start(toy);
	expect_told("READY=1");
	write_config("[api]\nworkers = 1\nlisten = 127.0.0.1:9\n"
	             "json_depth = 33\n[log]\nlevel = warn\n");
	kill(master, SIGHUP);
	expect_told("RELOADING=1");
	expect_told("READY=1");
	wait_for_depth(33);
	assert_int_equal(count_in_log("a changed key needs a restart"), 1);
	assert_int_equal(count_in_log("api.listen"), 1);

	/* It is said at each reload, and only then. */
	kill(master, SIGHUP);
	expect_told("RELOADING=1");
	expect_told("READY=1");
	assert_int_equal(count_in_log("a changed key needs a restart"), 2);
	stop_in_order();
}

static void
a_crashed_worker_comes_back(void **state)
{
	int64_t before = metrics_read(METRIC_WORKERS_RESTARTED_TOTAL, 0);
	struct answer first, second, third;

	write_config("[api]\nworkers = 1\n");
	start(toy);
	expect_told("READY=1");
	first = ask('a');
	close(call('c'));
	second = ask('a');
	assert_int_not_equal(first.pid, second.pid);
	assert_int_equal(second.slot, 0);
	assert_int_equal(count_in_log("a worker has crashed"), 1);
	assert_int_equal(count_in_log("\"signal\":9"), 1);
	close(call('x'));
	third = ask('a');
	assert_int_not_equal(third.pid, second.pid);
	assert_int_equal(count_in_log("a worker has failed"), 1);
	assert_int_equal(count_in_log("\"status\":3"), 1);
	assert_int_equal(metrics_read(METRIC_WORKERS_RESTARTED_TOTAL, 0),
	    before + 2);
	stop_in_order();
}

/* Two ends are logged; between the starts lies the brake. */
static void
a_failing_worker_is_started_once_a_second(void **state)
{
	int64_t begun = clock_mono_ms();
	char told[300];
	ssize_t n;

	forget_told();
	write_config("[api]\nworkers = 2\n");
	start(failing);
	while (count_in_log("a worker has failed") < 4) {
		poll(NULL, 0, 20);
		be_patient(begun);
	}
	assert_true(clock_mono_ms() - begun >= 1000);
	assert_true(count_in_log("a worker has started") <= 6);
	stop_in_order();
	/* It never was ready. */
	while ((n = recv(notify_fd, told, sizeof(told) - 1, MSG_DONTWAIT)) > 0) {
		told[n] = '\0';
		assert_string_not_equal(told, "READY=1");
	}
}

static void
a_worker_that_hangs_is_killed(void **state)
{
	int status;

	write_config("[api]\nworkers = 2\nbody_timeout = 300ms\n");
	start(toy);
	expect_told("READY=1");
	ask('h');
	kill(master, SIGTERM);
	status = end_of_master();
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_int_equal(count_in_log("did not stop in time and is killed"), 1);
	assert_int_equal(count_in_log("\"in_order\":false"), 1);
}

static void
workers_end_with_their_master(void **state)
{
	write_config("[api]\nworkers = 3\n");
	start(toy);
	expect_told("READY=1");
	ask('a');
	kill(master, SIGKILL);
	assert_true(WIFSIGNALED(end_of_master()));

	/* What it left behind hinders nobody. */
	start(toy);
	expect_told("READY=1");
	stop_in_order();
}

static void
a_second_master_is_refused(void **state)
{
	int status, line;
	pid_t first;

	write_config("[api]\nworkers = 1\n");
	start(toy);
	expect_told("READY=1");
	first = master;
	line = lifeline;
	start(toy);
	assert_int_not_equal(first, master);
	status = end_of_master();
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_int_equal(count_in_log("tester runs already as process"), 1);
	master = first;
	lifeline = line;
	assert_int_equal(ask('a').slot, 0);
	stop_in_order();
}

static void
everybody_reopens_the_log(void **state)
{
	int64_t begun = clock_mono_ms();
	char moved[90];
	struct answer answer;

	write_config("[api]\nworkers = 1\n");
	start(toy);
	expect_told("READY=1");
	answer = ask('l');
	assert_int_equal(count_in_log("the worker was asked"), 1);
	snprintf(moved, sizeof(moved), "%s.1", log_path);
	assert_int_equal(rename(log_path, moved), 0);
	kill(master, SIGUSR1);
	/* The worker hears of it after the master has made the file. */
	while (access(log_path, F_OK) == -1 ||
	    count_in_log("the worker was asked") == 0) {
		assert_int_equal(ask('l').pid, answer.pid);
		be_patient(begun);
	}
	stop_in_order();
	assert_int_equal(count_in_log("stopped"), 1);
	unlink(moved);
}

static int
set_up(void **state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct err e;

	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(socket_path, sizeof(socket_path), "%s/s", directory);
	snprintf(address, sizeof(address), "unix:%s", socket_path);
	snprintf(config_path, sizeof(config_path), "%s/belfry.conf",
	    directory);
	snprintf(log_path, sizeof(log_path), "%s/log", directory);
	snprintf(notify_path, sizeof(notify_path), "%s/notify", directory);
	memcpy(sun.sun_path, notify_path, strlen(notify_path));
	notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(notify_fd, (struct sockaddr *)&sun, sizeof(sun)) == -1)
		return -1;
	setenv("NOTIFY_SOCKET", notify_path, 1);
	listen_fd = listen_open(&listen_at, &e);
	return listen_fd == -1 ? -1 : metrics_open(directory, &e);
}

static int
tear_down(void **state)
{
	char metrics_path[90];

	snprintf(metrics_path, sizeof(metrics_path), "%s/metrics", directory);
	listen_unlink(&listen_at, listen_fd);
	unlink(metrics_path);
	unlink(config_path);
	unlink(log_path);
	unlink(notify_path);
	return rmdir(directory);
}

#define TEST(f) cmocka_unit_test_teardown(f, end_what_is_left)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_starts_serves_and_stops),
		TEST(no_round_hangs),
		TEST(a_reload_refuses_nobody),
		TEST(a_faulty_file_changes_nothing),
		TEST(workers_that_cannot_start_change_nothing),
		TEST(the_last_of_many_reloads_counts),
		TEST(a_stop_ends_a_reload),
		TEST(keys_that_need_a_restart_stay),
		TEST(a_crashed_worker_comes_back),
		TEST(a_failing_worker_is_started_once_a_second),
		TEST(a_worker_that_hangs_is_killed),
		TEST(workers_end_with_their_master),
		TEST(a_second_master_is_refused),
		TEST(everybody_reopens_the_log),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
