/*
 * test_cache.c - a cache that lies, dies or freezes is one that misses
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Runs real memcached servers on unix sockets in a directory of its own.
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
#include <sys/prctl.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/compiler.h"
#include "base/config.h"
#include "base/err.h"
#include "base/metrics.h"
#include "net/cache.h"

enum { TIMEOUT_MS = 300, PAUSE_MS = 1000, PAUSE_MAX_MS = 16000 };

static char directory[] = "/tmp/belfry-cache-XXXXXX";
static char sockets[2][64];
static pid_t servers[2];
static struct arena *a;

static int
connect_to(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Begins a child that does not outlive this program. */
static pid_t
start_child(void)
{
	pid_t parent = getpid(), pid = fork();

	assert_true(pid >= 0);
	if (pid == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ||
	                    getppid() != parent))
		_exit(1);
	return pid;
}

static void
start_server(int i)
{
	int64_t until_ms = clock_mono_ms() + 20000;
	int fd;

	unlink(sockets[i]);
	servers[i] = start_child();
	if (servers[i] == 0) {
		execlp("memcached", "memcached", "-s", sockets[i], "-a", "0700",
		    "-u", "root", "-t", "1", "-m", "8", (char *)NULL);
		_exit(127);
	}
	while ((fd = connect_to(sockets[i])) < 0) {
		if (clock_mono_ms() > until_ms)
			fail_msg("memcached did not start");
		poll(NULL, 0, 5);
	}
	close(fd);
}

static void
kill_server(int i)
{
	if (servers[i] <= 0)
		return;
	kill(servers[i], SIGKILL);
	waitpid(servers[i], NULL, 0);
	servers[i] = 0;
}

/* Returns when all its threads stand still. */
static void
freeze_server(int i)
{
	int status;

	assert_int_equal(kill(servers[i], SIGSTOP), 0);
	assert_int_equal(waitpid(servers[i], &status, WUNTRACED), servers[i]);
	assert_true(WIFSTOPPED(status));
}

static struct cache *
open_cache(const char *list)
{
	struct config config = { .cache_servers = list,
		.cache_timeout = TIMEOUT_MS };
	struct cache *c = NULL;
	struct err e;

	if (cache_new(a, &config, &c, &e) != 0)
		fail_msg("%s", e.text);
	return c;
}

static bool
has(struct cache *c, const char *key, const char *want)
{
	const void *value;
	size_t n;

	if (!cache_get(c, a, key, &value, &n))
		return false;
	assert_int_equal(n, strlen(want));
	assert_string_equal(value, want);
	return true;
}

static void
put(struct cache *c, const char *key, const char *value)
{
	cache_set(c, key, value, strlen(value), 60000);
}

static int64_t
errors(void)
{
	return metrics_read(METRIC_CACHE_ERRORS_TOTAL, 0);
}

static void
values_of_all_sizes_come_back(void **state)
{
	static const size_t sizes[] = { 0, 1, 300, 9000,
		CACHE_VALUE_BYTES_MAX };
	struct cache *c = open_cache(sockets[0]);
	char *in = arena_alloc(a, CACHE_VALUE_BYTES_MAX + 1);
	const void *value;
	size_t i, n;

	for (i = 0; i < CACHE_VALUE_BYTES_MAX + 1; i++)
		in[i] = (char)(i * 31);
	for (i = 0; i < NELEMS(sizes); i++) {
		cache_set(c, "k", in, sizes[i], 60000);
		assert_true(cache_get(c, a, "k", &value, &n));
		assert_int_equal(n, sizes[i]);
		assert_memory_equal(value, in, n);
		assert_int_equal(((const char *)value)[n], '\0');
	}
	cache_set(c, "big", in, CACHE_VALUE_BYTES_MAX + 1, 60000);
	assert_false(cache_get(c, a, "big", &value, &n));
	assert_false(cache_get(c, a, "none", &value, &n));
	assert_int_equal(errors(), 0);
}

static void
keys_may_hold_any_bytes(void **state)
{
	static const char evil[] =
	    "k 0 0 1\r\nx\r\nset evil 0 0 1\r\nx\r\nget k";
	struct cache *c = open_cache(sockets[0]);
	char long_key[301];
	const char *keys[] = { "", " ", "\r\n", "a b", "a\tb", "\x01\xff", evil,
		long_key };
	char text[16];
	size_t i;

	memset(long_key, 'k', sizeof(long_key) - 1);
	long_key[sizeof(long_key) - 1] = '\0';
	for (i = 0; i < NELEMS(keys); i++) {
		snprintf(text, sizeof(text), "%zu", i);
		put(c, keys[i], text);
	}
	for (i = 0; i < NELEMS(keys); i++) {
		snprintf(text, sizeof(text), "%zu", i);
		assert_true(has(c, keys[i], text));
	}
	assert_int_equal(errors(), 0);
}

static void
a_ttl_that_is_over_or_endless_is_no_error(void **state)
{
	struct cache *c = open_cache(sockets[0]);

	cache_set(c, "k", "v", 1, 0);
	assert_false(has(c, "k", "v"));
	cache_set(c, "k", "v", 1, -5);
	assert_false(has(c, "k", "v"));
	cache_set(c, "k", "v", 1, INT64_MAX);
	assert_true(has(c, "k", "v"));
	assert_int_equal(errors(), 0);
}

static void
a_killed_server_is_passed_over_and_found_again(void **state)
{
	struct cache *c = open_cache(sockets[0]);
	int i;

	put(c, "k", "v");
	kill_server(0);
	for (i = 0; i < 100; i++) {
		assert_false(has(c, "k", "v"));
		put(c, "k", "v");
	}
	assert_int_equal(errors(), 1);
	start_server(0);
	clock_shift_for_test(0, PAUSE_MS + 1);
	assert_false(has(c, "k", "v"));
	put(c, "k", "v2");
	assert_true(has(c, "k", "v2"));
	assert_int_equal(cache_probe(c), CACHE_OK);
	/* Restarted between two requests: one miss and a second of them. */
	kill_server(0);
	start_server(0);
	assert_false(has(c, "k", "v2"));
	clock_shift_for_test(0, PAUSE_MS + 1);
	put(c, "k", "v3");
	assert_true(has(c, "k", "v3"));
	assert_int_equal(errors(), 2);
}

static void
a_frozen_server_costs_the_timeout_once(void **state)
{
	struct cache *c = open_cache(sockets[0]);
	int64_t start_ms, first_ms;
	int i;

	put(c, "k", "v");
	freeze_server(0);
	start_ms = clock_mono_ms();
	assert_false(has(c, "k", "v"));
	first_ms = clock_mono_ms() - start_ms;
	assert_in_range(first_ms, TIMEOUT_MS - 5, 5 * TIMEOUT_MS);
	start_ms = clock_mono_ms();
	for (i = 0; i < 100; i++) {
		assert_false(has(c, "k", "v"));
		put(c, "k", "lost");
	}
	assert_in_range(clock_mono_ms() - start_ms, 0, TIMEOUT_MS - 5);
	assert_int_equal(errors(), 1);
	clock_shift_for_test(0, PAUSE_MS + 1);
	start_ms = clock_mono_ms();
	put(c, "lost", "lost");
	assert_in_range(clock_mono_ms() - start_ms, 0, TIMEOUT_MS - 5);
	assert_false(has(c, "k", "v"));
	assert_in_range(clock_mono_ms() - start_ms, TIMEOUT_MS - 5,
	    5 * TIMEOUT_MS);
	assert_int_equal(errors(), 2);
	assert_int_equal(cache_probe(c), CACHE_FAILED);
	assert_int_equal(kill(servers[0], SIGCONT), 0);
	c = open_cache(sockets[0]);
	put(c, "k", "v2");
	assert_true(has(c, "k", "v2"));
}

/* The answer to a request that timed out must not become that of a later
 * one. */
static void
a_thawed_server_answers_the_right_question(void **state)
{
	struct cache *c = open_cache(sockets[0]);
	int i;

	put(c, "one", "1");
	put(c, "two", "2");
	for (i = 0; i < 3; i++) {
		freeze_server(0);
		assert_false(has(c, "one", "1"));
		assert_int_equal(kill(servers[0], SIGCONT), 0);
		clock_shift_for_test(0, PAUSE_MS + 1);
		assert_true(has(c, "two", "2"));
		assert_true(has(c, "one", "1"));
	}
}

static void
one_dead_server_of_two_loses_only_its_keys(void **state)
{
	struct cache *c;
	char list[160], key[16];
	int i, on_first = 0, left = 0;

	start_server(1);
	snprintf(list, sizeof(list), " %s, %s,", sockets[0], sockets[1]);
	c = open_cache(list);
	for (i = 0; i < 200; i++) {
		snprintf(key, sizeof(key), "key %d", i);
		put(c, key, key);
		assert_true(has(c, key, key));
	}
	c = open_cache(sockets[0]);
	for (i = 0; i < 200; i++) {
		snprintf(key, sizeof(key), "key %d", i);
		on_first += has(c, key, key) ? 1 : 0;
	}
	assert_in_range(on_first, 60, 140);
	kill_server(1);
	c = open_cache(list);
	for (i = 0; i < 200; i++) {
		snprintf(key, sizeof(key), "key %d", i);
		put(c, key, key);
		left += has(c, key, key) ? 1 : 0;
	}
	assert_int_equal(left, on_first);
	assert_int_equal(errors(), 1);
}

static void
counters_count(void **state)
{
	struct cache *c = open_cache(sockets[0]);
	uint64_t after = 7;

	assert_int_equal(cache_count(c, "n", 5, &after), 0);
	assert_int_equal(after, 7);
	put(c, "n", "1790000000000000000");
	assert_int_equal(cache_count(c, "n", 5, &after), 1);
	assert_int_equal(after, INT64_C(1790000000000000005));
	cache_uncount(c, "n", 4);
	assert_int_equal(cache_count(c, "n", 0, &after), 1);
	assert_int_equal(after, INT64_C(1790000000000000001));
	cache_uncount(c, "n", UINT64_MAX);
	assert_int_equal(cache_count(c, "n", 2, &after), 1);
	assert_int_equal(after, 2);
	cache_uncount(c, "none", 1);
	assert_int_equal(errors(), 0);
	put(c, "text", "no number");
	assert_int_equal(cache_count(c, "text", 1, &after), -1);
	assert_int_equal(errors(), 1);
	kill_server(0);
	clock_shift_for_test(0, PAUSE_MS + 1);
	assert_int_equal(cache_count(c, "n", 1, &after), -1);
	assert_int_equal(cache_count(c, "n", 1, &after), -1);
	assert_int_equal(errors(), 2);
	/* The second failure in a row costs a longer pause. */
	clock_shift_for_test(0, PAUSE_MS + 1);
	assert_int_equal(cache_count(c, "n", 1, &after), -1);
	assert_int_equal(errors(), 2);
	clock_shift_for_test(0, PAUSE_MS + 1);
	assert_int_equal(cache_count(c, "n", 1, &after), -1);
	assert_int_equal(errors(), 3);
}

/* Accepts one connection after another and answers each request with a text. */
static pid_t
start_liar(const char *path, const char *answer)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), c;
	char request[4096];
	pid_t pid;

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	unlink(path);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 8), 0);
	pid = start_child();
	while (pid == 0) {
		c = accept(fd, NULL, NULL);
		if (c < 0)
			_exit(1);
		if (read(c, request, sizeof(request)) > 0 && *answer != '\0')
			if (write(c, answer, strlen(answer)) < 0)
				_exit(1);
		close(c);
	}
	close(fd);
	return pid;
}

static char long_line[9000];

static void
nonsense_from_a_server_is_harmless(void **state)
{
	memset(long_line, 'x', sizeof(long_line) - 1);
	static const char *const answers[] = { "", "\r\n", "garbage\r\n",
		"VALUE k 0 10\r\n012", "VALUE blf:1 0 2\r\nab\r\nEND\r\n",
		"VALUE blf:1 0 18446744073709551615\r\nx\r\nEND\r\n",
		"VALUE blf:1 0 18446744073709551613\r\nEND\r\n",
		"VALUE blf:1 0 5\r\nab\r\nEND\r\n", "DELETED\r\n", "OK\r\n",
		"HTTP/1.1 400 Bad Request\r\n\r\n", "220 mail ESMTP\r\n",
		"-ERR unknown command\r\n", "VERSION 1\r\n", "7\r\n",
		"VALUE blf:1 0 999999\r\nEND\r\n",
		"VALUE blf:1 0 -1\r\nEND\r\n",
		"VALUE blf:1 0 \r\nEND\r\n", "END",
		"SERVER_ERROR out of order\r\n", "ERROR\r\n", "STORED\r\n",
		"VALUE\r\n", long_line };
	const void *value;
	struct cache *c;
	uint64_t after;
	size_t i, n;
	pid_t pid;
	int j;

	for (i = 0; i < NELEMS(answers); i++) {
		pid = start_liar(sockets[1], answers[i]);
		c = open_cache(sockets[1]);
		for (j = 0; j < 3; j++) {
			clock_shift_for_test(0, PAUSE_MAX_MS + 1);
			if (cache_get(c, a, "k", &value, &n))
				assert_in_range(n, 0, 5);
			put(c, "k", "v");
			clock_shift_for_test(0, PAUSE_MAX_MS + 1);
			put(c, "k", "v");
			clock_shift_for_test(0, PAUSE_MAX_MS + 1);
			assert_in_range(cache_count(c, "k", 1, &after) + 1, 0,
			    2);
			clock_shift_for_test(0, PAUSE_MAX_MS + 1);
			cache_uncount(c, "k", 1);
		}
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
}

/* One byte every third of the timeout: no wait is too long, their sum is. */
static void
a_server_that_trickles_has_to_pause(void **state)
{
	static const char answer[] = "VALUE k 0 1\r\nv\r\nEND\r\n";
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), con;
	char request[256];
	struct cache *c;
	size_t i;
	pid_t pid;

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", sockets[1]);
	unlink(sockets[1]);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 8), 0);
	pid = start_child();
	if (pid == 0) {
		con = accept(fd, NULL, NULL);
		if (read(con, request, sizeof(request)) <= 0)
			_exit(1);
		for (i = 0; i < sizeof(answer) - 1; i++) {
			poll(NULL, 0, TIMEOUT_MS / 3);
			if (write(con, answer + i, 1) != 1)
				_exit(1);
		}
		pause();
	}
	close(fd);
	c = open_cache(sockets[1]);
	(void)has(c, "k", "v");
	assert_int_equal(errors(), 1);
	assert_false(has(c, "k", "v"));
	assert_int_equal(errors(), 1);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void
without_servers_everything_misses(void **state)
{
	struct cache *c = open_cache(" , ");

	put(c, "k", "v");
	assert_false(has(c, "k", "v"));
	assert_int_equal(cache_probe(c), CACHE_UNUSED);
	assert_int_equal(errors(), 0);
}

static void
lists_of_servers_are_read(void **state)
{
	static const struct {
		const char *servers;
		int rc;
	} cases[] = {
		{ "127.0.0.1:11211", 0 },
		{ "127.0.0.1", 0 },
		{ "[::1]:11211", 0 },
		{ "[::1]", 0 },
		{ "a.example:1, b.example:2,/run/m.sock", 0 },
		{ " , ", 0 },
		{ "127.0.0.1:", -1 },
		{ "127.0.0.1:0", -1 },
		{ "127.0.0.1:x", -1 },
		{ "127.0.0.1:1x", -1 },
		{ "127.0.0.1:-1", -1 },
		{ "127.0.0.1:65536", -1 },
		{ "127.0.0.1:99999999999999999999", -1 },
		{ ":11211", -1 },
		{ "[]:11211", -1 },
	};
	struct config config = { .cache_timeout = TIMEOUT_MS };
	struct cache *c;
	struct err e;
	size_t i;

	for (i = 0; i < NELEMS(cases); i++) {
		config.cache_servers = cases[i].servers;
		if (cache_new(a, &config, &c, &e) != cases[i].rc)
			fail_msg("%s", cases[i].servers);
	}
}

static int
begin(void **state)
{
	struct err e;
	char path[64];

	a = arena_new(1 << 16);
	snprintf(path, sizeof(path), "%s/metrics", directory);
	unlink(path);
	if (metrics_open(directory, &e) != 0)
		return -1;
	metrics_attach();
	start_server(0);
	return 0;
}

static int
end(void **state)
{
	arena_free(&a);
	kill_server(0);
	kill_server(1);
	return 0;
}

static int
make_directory(void **state)
{
	int i;

	if (mkdtemp(directory) == NULL)
		return -1;
	for (i = 0; i < 2; i++)
		snprintf(sockets[i], sizeof(sockets[i]), "%s/s%d", directory,
		    i);
	return 0;
}

static int
remove_directory(void **state)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/metrics", directory);
	unlink(path);
	unlink(sockets[0]);
	unlink(sockets[1]);
	return rmdir(directory);
}

static void
memcached_is_not_installed(void **state)
{
	skip();
}

#define with_server(test) cmocka_unit_test_setup_teardown(test, begin, end)

int
main(void)
{
	const struct CMUnitTest without[] = {
		cmocka_unit_test(memcached_is_not_installed),
	};
	const struct CMUnitTest tests[] = {
		with_server(values_of_all_sizes_come_back),
		with_server(keys_may_hold_any_bytes),
		with_server(a_ttl_that_is_over_or_endless_is_no_error),
		with_server(a_killed_server_is_passed_over_and_found_again),
		with_server(a_frozen_server_costs_the_timeout_once),
		with_server(a_thawed_server_answers_the_right_question),
		with_server(one_dead_server_of_two_loses_only_its_keys),
		with_server(nonsense_from_a_server_is_harmless),
		with_server(counters_count),
		with_server(a_server_that_trickles_has_to_pause),
		with_server(without_servers_everything_misses),
		with_server(lists_of_servers_are_read),
	};

	if (system("command -v memcached >/dev/null") != 0)
		return cmocka_run_group_tests(without, NULL, NULL);
	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
