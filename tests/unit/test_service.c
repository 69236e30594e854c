/*
 * test_service.c - what the service manager is told
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/service.h"

static char directory[] = "/tmp/belfry-service-XXXXXX";
static int fd = -1;
static const char too_long[] =
    "/234567890123456789012345678901234567890123456789012345678901234567890"
    "1234567890123456789012345678901234567890";

/* Listens as the manager does; "name" as it stands in NOTIFY_SOCKET. */
static void
listen_as(const char *name)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	size_t len = strlen(name);

	memcpy(sun.sun_path, name, len);
	if (name[0] == '@')
		sun.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun,
	                     (socklen_t)(offsetof(struct sockaddr_un,
	                                     sun_path) +
	                         len)),
	    0);
	setenv("NOTIFY_SOCKET", name, 1);
}

static void
expect_told(const char *want)
{
	char text[300];
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

	assert_true(n >= 0);
	text[n] = '\0';
	assert_string_equal(text, want);
}

static void
tell_all(void)
{
	service_status("%d workers", 3);
	service_ready();
	service_stopping();
	expect_told("STATUS=3 workers");
	expect_told("READY=1");
	expect_told("STOPPING=1");
}

static void
a_path_and_an_abstract_name_are_told(void **state)
{
	char name[80];

	snprintf(name, sizeof(name), "%s/notify", directory);
	listen_as(name);
	tell_all();
	close(fd);
	unlink(name);
	snprintf(name, sizeof(name), "@belfry-test-%d", (int)getpid());
	listen_as(name);
	tell_all();
	close(fd);
}

static void
a_reload_carries_the_monotonic_clock(void **state)
{
	struct timespec before, after;
	char name[80], text[100];
	int64_t us = 0;
	ssize_t n;

	snprintf(name, sizeof(name), "@belfry-test-%d", (int)getpid());
	listen_as(name);
	clock_gettime(CLOCK_MONOTONIC, &before);
	service_reloading();
	clock_gettime(CLOCK_MONOTONIC, &after);
	n = recv(fd, text, sizeof(text) - 1, 0);
	assert_true(n > 0);
	text[n] = '\0';
	assert_int_equal(
	    sscanf(text, "RELOADING=1\nMONOTONIC_USEC=%" SCNd64, &us), 1);
	assert_true(us >= before.tv_sec * 1000000 + before.tv_nsec / 1000);
	assert_true(us <= after.tv_sec * 1000000 + after.tv_nsec / 1000);
	close(fd);
}

static void
a_deaf_manager_stops_nobody(void **state)
{
	static const char *const names[] = { "", "relative", "/no/such/socket",
		"@nobody-listens-here",
		too_long };
	char name[80];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		setenv("NOTIFY_SOCKET", names[i], 1);
		service_ready();
	}
	unsetenv("NOTIFY_SOCKET");
	service_ready();

	/* One that never reads. */
	snprintf(name, sizeof(name), "@belfry-test-%d", (int)getpid());
	listen_as(name);
	for (i = 0; i < 5000; i++)
		service_ready();
	close(fd);
}

static int
enter_directory(void **state)
{
	return mkdtemp(directory) == NULL ? -1 : 0;
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
		cmocka_unit_test(a_path_and_an_abstract_name_are_told),
		cmocka_unit_test(a_reload_carries_the_monotonic_clock),
		cmocka_unit_test(a_deaf_manager_stops_nobody),
	};

	return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
