/*
 * test_metrics.c - counters that several processes share
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/metrics.h"

static char directory[64], path[96];

static void
open_metrics(void)
{
	struct err e;

	if (metrics_open(directory, &e) != 0)
		fail_msg("%s", e.text);
}

static void
attach(void)
{
	open_metrics();
	metrics_attach();
}

/* A child that runs fn and then waits to be told to end.  It has run fn when
 * this returns. */
struct child {
	pid_t pid;
	int to, from;
};

static struct child
start(void (*fn)(void))
{
	struct child c;
	int to[2], from[2];
	char byte = 0;

	assert_int_equal(pipe(to), 0);
	assert_int_equal(pipe(from), 0);
	c.pid = fork();
	assert_true(c.pid >= 0);
	if (c.pid == 0) {
		close(to[1]);
		close(from[0]);
		fn();
		if (write(from[1], &byte, 1) != 1 || read(to[0], &byte, 1) != 1)
			_exit(1);
		_exit(0);
	}
	close(to[0]);
	close(from[1]);
	c.to = to[1];
	c.from = from[0];
	assert_int_equal(read(c.from, &byte, 1), 1);
	return c;
}

static void
stop(struct child *c, bool by_kill)
{
	int status;

	/* A byte, not the end of the file: later children have the pipe too. */
	if (by_kill)
		assert_int_equal(kill(c->pid, SIGKILL), 0);
	else
		assert_int_equal(write(c->to, "", 1), 1);
	close(c->to);
	close(c->from);
	assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
	if (!by_kill)
		assert_int_equal(status, 0);
}

/* How many slots were ever taken: the number after the hash of the layout.  A
 * child reads it, because to close the file would give up our own lock. */
static int
slots_used(void)
{
	int n = -1, status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (pread(open(path, O_RDONLY), &n, sizeof(n), 16) != sizeof(n))
			_exit(255);
		_exit(n);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static void
nothing_is_counted_before_the_file_is_open(void **state)
{
	struct buf out;

	buf_init(&out, 1 << 20);
	metrics_attach();
	metrics_add(METRIC_SETTLES_TOTAL, 0, 1);
	metrics_set(METRIC_IN_FLIGHT, 0, 1);
	metrics_observe_us(METRIC_CLAIM_SECONDS, 0, 1);
	assert_int_equal(metrics_read(METRIC_SETTLES_TOTAL, 0), 0);
	metrics_render(&out);
	assert_string_equal(out.data, "");
	open_metrics();
	metrics_add(METRIC_SETTLES_TOTAL, 0, 1);
	assert_int_equal(metrics_read(METRIC_SETTLES_TOTAL, 0), 0);
}

static void
every_cell_is_its_own(void **state)
{
	attach();
	metrics_add(METRIC_HTTP_REQUESTS_TOTAL, 0, 1);
	metrics_add(METRIC_HTTP_REQUESTS_TOTAL, 3, 2);
	metrics_observe_us(METRIC_HTTP_REQUEST_SECONDS, 0, 3000);
	metrics_observe_us(METRIC_HTTP_REQUEST_SECONDS, 0, INT64_C(1) << 40);
	metrics_add(METRIC_NOTIFICATIONS_ACCEPTED_TOTAL, 0, 4);
	assert_int_equal(metrics_read(METRIC_HTTP_REQUESTS_TOTAL, 0), 1);
	assert_int_equal(metrics_read(METRIC_HTTP_REQUESTS_TOTAL, 1), 0);
	assert_int_equal(metrics_read(METRIC_HTTP_REQUESTS_TOTAL, 2), 0);
	assert_int_equal(metrics_read(METRIC_HTTP_REQUESTS_TOTAL, 3), 2);
	assert_int_equal(metrics_read(METRIC_HTTP_REQUEST_SECONDS, 0), 2);
	assert_int_equal(metrics_read(METRIC_NOTIFICATIONS_ACCEPTED_TOTAL, 0),
	    4);
	assert_int_equal(metrics_read(METRIC_IDEMPOTENT_REPLAYS_TOTAL, 0), 0);
}

static void
count_in_child(void)
{
	int i;

	metrics_attach();
	for (i = 0; i < 100000; i++)
		metrics_add(METRIC_SETTLES_TOTAL, 0, 1);
	metrics_set(METRIC_IN_FLIGHT, 0, 5);
}

static void
processes_add_up_and_counters_outlive_them(void **state)
{
	struct child c[4];
	int i;

	attach();
	metrics_add(METRIC_SETTLES_TOTAL, 0, 7);
	metrics_set(METRIC_IN_FLIGHT, 0, 3);
	for (i = 0; i < 4; i++)
		c[i] = start(count_in_child);
	assert_int_equal(metrics_read(METRIC_SETTLES_TOTAL, 0), 400007);
	assert_int_equal(metrics_read(METRIC_IN_FLIGHT, 0), 23);
	stop(&c[0], true);
	stop(&c[1], false);
	assert_int_equal(metrics_read(METRIC_SETTLES_TOTAL, 0), 400007);
	assert_int_equal(metrics_read(METRIC_IN_FLIGHT, 0), 13);
	assert_int_equal(slots_used(), 5);
	c[0] = start(count_in_child);
	assert_int_equal(metrics_read(METRIC_SETTLES_TOTAL, 0), 500007);
	assert_int_equal(metrics_read(METRIC_IN_FLIGHT, 0), 18);
	assert_int_equal(slots_used(), 5);
	stop(&c[0], true);
	stop(&c[2], true);
	stop(&c[3], true);
	assert_int_equal(metrics_read(METRIC_IN_FLIGHT, 0), 3);
}

static void
only_attach(void)
{
	metrics_attach();
}

static void
a_taken_over_slot_has_no_old_gauge(void **state)
{
	struct child c;

	open_metrics();
	c = start(count_in_child);
	assert_int_equal(metrics_read(METRIC_IN_FLIGHT, 0), 5);
	stop(&c, true);
	c = start(only_attach);
	assert_int_equal(metrics_read(METRIC_IN_FLIGHT, 0), 0);
	assert_int_equal(metrics_read(METRIC_SETTLES_TOTAL, 0), 100000);
	assert_int_equal(slots_used(), 1);
	stop(&c, false);
}

static void
open_and_count(void)
{
	attach();
	metrics_add(METRIC_SETTLES_TOTAL, 0, 1);
}

/* Eight processes find no file, or one of another layout, all at once. */
static void
racing_processes_end_up_in_one_file(void **state)
{
	int round, i, status, gate[2];
	char byte;
	pid_t pid[8];

	for (round = 0; round < 20; round++) {
		FILE *f;

		unlink(path);
		if (round % 2 == 1) {
			f = fopen(path, "w");
			assert_non_null(f);
			fputs("another layout", f);
			fclose(f);
		}
		assert_int_equal(pipe(gate), 0);
		for (i = 0; i < 8; i++) {
			pid[i] = fork();
			if (pid[i] != 0)
				continue;
			close(gate[1]);
			if (read(gate[0], &byte, 1) == 0)
				open_and_count();
			_exit(0);
		}
		close(gate[0]);
		close(gate[1]);
		for (i = 0; i < 8; i++)
			assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		open_metrics();
		assert_int_equal(metrics_read(METRIC_SETTLES_TOTAL, 0), 8);
	}
}

static void
a_file_of_another_layout_is_replaced(void **state)
{
	struct stat before, after;
	char c;
	int fd;

	attach();
	metrics_add(METRIC_SETTLES_TOTAL, 0, 9);
	open_metrics();
	assert_int_equal(metrics_read(METRIC_SETTLES_TOTAL, 0), 9);
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(before.st_mode & 07777, 0660);
	fd = open(path, O_RDWR);
	assert_int_equal(pread(fd, &c, 1, 0), 1);
	c ^= 1; /* the layout is a hash: any letter might be its first */
	assert_int_equal(pwrite(fd, &c, 1, 0), 1);
	open_metrics();
	assert_int_equal(metrics_read(METRIC_SETTLES_TOTAL, 0), 0);
	assert_int_equal(stat(path, &after), 0);
	assert_true(before.st_ino != after.st_ino);
	close(fd);
	assert_int_equal(truncate(path, 100), 0);
	attach();
	metrics_add(METRIC_SETTLES_TOTAL, 0, 1);
	assert_int_equal(metrics_read(METRIC_SETTLES_TOTAL, 0), 1);
}

static void
take_all_slots(void)
{
	struct flock all = { .l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = 1 };

	if (fcntl(open(path, O_RDWR), F_SETLK, &all) != 0)
		_exit(1);
}

static void
without_a_free_slot_processes_share_the_last(void **state)
{
	struct child thief, c;

	open_metrics();
	thief = start(take_all_slots);
	c = start(count_in_child);
	metrics_attach();
	metrics_add(METRIC_SETTLES_TOTAL, 0, 1);
	assert_int_equal(metrics_read(METRIC_SETTLES_TOTAL, 0), 100001);
	stop(&c, false);
	stop(&thief, false);
}

static void
a_bad_directory_is_an_error(void **state)
{
	char bad[128];
	struct err e;

	snprintf(bad, sizeof(bad), "%s/none", directory);
	assert_int_equal(metrics_open(bad, &e), -1);
	assert_int_equal(e.kind, ERR_TEMPORARY);
	assert_non_null(strstr(e.text, "/none/metrics\": No such file"));
	metrics_attach();
	metrics_add(METRIC_SETTLES_TOTAL, 0, 1);
}

static void
must_hold(const struct buf *out, const char *lines)
{
	if (strstr(out->data, lines) == NULL)
		fail_msg("missing:\n%s\nin:\n%s", lines, out->data);
}

static void
prometheus_text_is_written(void **state)
{
	static const int64_t us[] = { -5, 0, 500, 501, 60000000, 60000001 };
	struct buf out;
	size_t i;

	buf_init(&out, 1 << 20);
	attach();
	metrics_add(METRIC_HTTP_REQUESTS_TOTAL, 1, 12);
	metrics_set(METRIC_IN_FLIGHT, 0, -2);
	for (i = 0; i < NELEMS(us); i++)
		metrics_observe_us(METRIC_CLAIM_SECONDS, 0, us[i]);
	metrics_render(&out);
	assert_false(buf_overflowed(&out));
	must_hold(&out,
	    "# HELP belfry_http_requests_total "
	    "Requests answered, by class of status.\n"
	    "# TYPE belfry_http_requests_total counter\n"
	    "belfry_http_requests_total{status=\"2xx\"} 0\n"
	    "belfry_http_requests_total{status=\"3xx\"} 12\n"
	    "belfry_http_requests_total{status=\"4xx\"} 0\n"
	    "belfry_http_requests_total{status=\"5xx\"} 0\n");
	must_hold(&out,
	    "# TYPE belfry_in_flight gauge\n"
	    "belfry_in_flight -2\n");
	must_hold(&out,
	    "# TYPE belfry_claim_seconds histogram\n"
	    "belfry_claim_seconds_bucket{found=\"rows\",le=\"0.0005\"} 3\n"
	    "belfry_claim_seconds_bucket{found=\"rows\",le=\"0.001\"} 4\n");
	must_hold(&out,
	    "belfry_claim_seconds_bucket{found=\"rows\",le=\"30\"} 4\n"
	    "belfry_claim_seconds_bucket{found=\"rows\",le=\"60\"} 5\n"
	    "belfry_claim_seconds_bucket{found=\"rows\",le=\"+Inf\"} 6\n"
	    "belfry_claim_seconds_sum{found=\"rows\"} 120.001002\n"
	    "belfry_claim_seconds_count{found=\"rows\"} 6\n");
	assert_int_equal(out.data[out.len - 1], '\n');
	buf_done(&out);
}

/* As nobody when this is root, whom no mode stops. */
static void
become_a_stranger(void)
{
	if (geteuid() == 0)
		assert_int_equal(seteuid(65534), 0);
}

static void
become_myself(void)
{
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
}

static void
a_file_of_another_user_is_told_with_its_mend(void **state)
{
	bool root = geteuid() == 0;
	struct err e;
	int rc;

	assert_int_equal(chmod(directory, 0755), 0);
	open_metrics();
	assert_int_equal(chmod(path, 0400), 0);
	become_a_stranger();
	rc = metrics_open(directory, &e);
	become_myself();
	assert_int_equal(rc, -1);
	if (strstr(e.text, "mode 0400") == NULL ||
	    strstr(e.text, root ? "it belongs to root" : "it belongs to") == NULL ||
	    strstr(e.text, root ? ": chown " : ": chmod 660 ") == NULL)
		fail_msg("%s", e.text);

	assert_int_equal(unlink(path), 0);
	assert_int_equal(chmod(directory, 0555), 0);
	become_a_stranger();
	rc = metrics_open(directory, &e);
	become_myself();
	assert_int_equal(rc, -1);
	if (strstr(e.text, "its directory belongs to") == NULL)
		fail_msg("%s", e.text);
	assert_int_equal(chmod(directory, 0755), 0);

	assert_int_equal(metrics_open("/nonexistent", &e), -1);
	assert_non_null(strstr(e.text, ": make the directory, owned by "));
}

static int
make_directory(void **state)
{
	snprintf(directory, sizeof(directory), "/tmp/belfry-metrics-XXXXXX");
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/metrics", directory);
	return 0;
}

static int
remove_directory(void **state)
{
	unlink(path);
	return rmdir(directory);
}

#define in_directory(test)                                                     \
	cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		in_directory(nothing_is_counted_before_the_file_is_open),
		in_directory(every_cell_is_its_own),
		in_directory(processes_add_up_and_counters_outlive_them),
		in_directory(a_taken_over_slot_has_no_old_gauge),
		in_directory(racing_processes_end_up_in_one_file),
		in_directory(a_file_of_another_layout_is_replaced),
		in_directory(a_file_of_another_user_is_told_with_its_mend),
		in_directory(without_a_free_slot_processes_share_the_last),
		in_directory(a_bad_directory_is_an_error),
		in_directory(prometheus_text_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
