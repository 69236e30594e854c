/*
 * test_cache.c - memcached, there and gone
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <poll.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/err.h"
#include "net/cache.h"

static struct config config = { .cache_timeout = 100 };
static struct arena *a;
static char dir[] = "/tmp/belfry-cache-XXXXXX";
static char path[sizeof(dir) + 8];
static pid_t server;

static bool
answers(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), rc;

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	rc = connect(fd, (struct sockaddr *)&sun, sizeof(sun));
	close(fd);
	return rc == 0;
}

static void
start(void)
{
	int tries;

	server = fork();
	assert_int_not_equal(server, -1);
	if (server == 0) {
		execlp("memcached", "memcached", "-s", path, "-a", "0700", "-u",
		    "root", "-m", "8", (char *)NULL);
		_exit(127);
	}
	for (tries = 0; tries < 1000 && !answers(); tries++) {
		if (waitpid(server, NULL, WNOHANG) == server) {
			server = -1;
			return;
		}
		poll(NULL, 0, 10);
	}
}

static void
stop(void)
{
	if (server <= 0)
		return;
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	server = -1;
}

static int
setup(void **state)
{
	a = arena_new(4096);
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/m.sock", dir);
	config.cache_servers = path;
	return 0;
}

static int
teardown(void **state)
{
	stop();
	unlink(path);
	rmdir(dir);
	arena_free(&a);
	return 0;
}

static struct cache *
client(void)
{
	struct cache *c;
	struct err e;

	if (cache_new(a, &config, &c, &e) != 0)
		fail_msg("%s", e.text);
	return c;
}

static void
values_come_back_whatever_the_key(void **state)
{
	static const char *const keys[] = { "a", "", "with blank",
		"set x 0 0 1\r\ny\r\n", "\x01\xff",
		"0123456789012345678901234567890123456789012345678901234567890"
		"0123456789012345678901234567890123456789012345678901234567890"
		"0123456789012345678901234567890123456789012345678901234567890"
		"0123456789012345678901234567890123456789012345678901234567890"
		"0123456789012345678901234567890123456789012345678901234567890" };
	struct cache *c;
	const void *value;
	size_t i, n;

	start();
	if (server == -1)
		skip();
	c = client();
	assert_int_equal(cache_probe(c), CACHE_OK);
	for (i = 0; i < NELEMS(keys); i++) {
		assert_false(cache_get(c, a, keys[i], &value, &n));
		cache_set(c, keys[i], "a\0b", 3, 60000);
		assert_true(cache_get(c, a, keys[i], &value, &n));
		assert_int_equal(n, 3);
		assert_memory_equal(value, "a\0b", 4);
	}
	cache_set(c, "empty", "", 0, 60000);
	assert_true(cache_get(c, a, "empty", &value, &n));
	assert_int_equal(n, 0);
}

static void
what_is_too_large_is_not_kept(void **state)
{
	char *large = calloc(1, CACHE_VALUE_BYTES_MAX + 1);
	struct cache *c = client();
	const void *value;
	size_t n;

	if (server <= 0)
		skip();
	cache_set(c, "large", large, CACHE_VALUE_BYTES_MAX + 1, 60000);
	assert_false(cache_get(c, a, "large", &value, &n));
	cache_set(c, "large", large, CACHE_VALUE_BYTES_MAX, 60000);
	assert_true(cache_get(c, a, "large", &value, &n));
	free(large);
}

/* A server that is gone is asked once a second; one that is back is used again. */
static void
a_server_may_go_and_come_back(void **state)
{
	struct cache *c = client();
	const void *value;
	int64_t before;
	size_t n;
	int i;

	if (server <= 0)
		skip();
	cache_set(c, "k", "v", 1, 60000);
	assert_true(cache_get(c, a, "k", &value, &n));
	stop();
	unlink(path);
	before = clock_mono_ms();
	for (i = 0; i < 1000; i++)
		assert_false(cache_get(c, a, "k", &value, &n));
	cache_set(c, "k", "v", 1, 60000);
	assert_int_equal(cache_probe(c), CACHE_FAILED);
	assert_true(clock_mono_ms() - before < 1000);
	start();
	clock_shift_for_test(0, 2000);
	assert_false(cache_get(c, a, "k", &value, &n));
	cache_set(c, "k", "v", 1, 60000);
	assert_true(cache_get(c, a, "k", &value, &n));
	clock_shift_for_test(0, 0);
}

/* Connections come in and nobody answers. */
static void
a_server_that_hangs_costs_one_timeout(void **state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), i;
	const void *value;
	struct cache *c;
	int64_t before;
	size_t n;

	stop();
	unlink(path);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 16), 0);
	c = client();
	before = clock_mono_ms();
	for (i = 0; i < 1000; i++)
		assert_false(cache_get(c, a, "k", &value, &n));
	assert_true(clock_mono_ms() - before < 900);
	close(fd);
}

static void
without_servers_everything_misses(void **state)
{
	const void *value;
	struct cache *c;
	size_t n;

	config.cache_servers = "";
	c = client();
	cache_set(c, "k", "v", 1, 60000);
	assert_false(cache_get(c, a, "k", &value, &n));
	assert_int_equal(cache_probe(c), CACHE_UNUSED);
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
		{ "127.0.0.1:0", -1 },
		{ "127.0.0.1:x", -1 },
		{ "127.0.0.1:65536", -1 },
	};
	struct cache *c;
	struct err e;
	size_t i;

	for (i = 0; i < NELEMS(cases); i++) {
		config.cache_servers = cases[i].servers;
		if (cache_new(a, &config, &c, &e) != cases[i].rc)
			fail_msg("%s", cases[i].servers);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_come_back_whatever_the_key),
		cmocka_unit_test(what_is_too_large_is_not_kept),
		cmocka_unit_test(a_server_may_go_and_come_back),
		cmocka_unit_test(a_server_that_hangs_costs_one_timeout),
		cmocka_unit_test(without_servers_everything_misses),
		cmocka_unit_test(lists_of_servers_are_read),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
