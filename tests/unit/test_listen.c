/*
 * test_listen.c - the listening socket
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/err.h"
#include "base/listen.h"

static char directory[] = "/tmp/belfry-listen-XXXXXX";
static char path[64], address[80];

static struct listen_params
params(const char *where)
{
	return (struct listen_params){
		.address = where,
		.group = "",
		.mode = "0660",
		.backlog = 16,
	};
}

static int
open_good(const struct listen_params *p)
{
	struct err e;
	int fd = listen_open(p, &e);

	if (fd == -1)
		fail_msg("%s", e.text);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	return fd;
}

/* Expects an error; each %s in "want" is the path of the socket. */
static void
expect_failure(const struct listen_params *p, const char *want)
{
	char text[256];
	struct err e;

	snprintf(text, sizeof(text), want, path);
	assert_int_equal(listen_open(p, &e), -1);
	assert_string_equal(e.text, text);
}

/* Connects to the unix socket; true when somebody listens. */
static bool
answers(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	bool yes;

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	yes = connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0;
	close(fd);
	return yes;
}

static void
addresses_are_checked(void **state)
{
	static const struct {
		const char *address;
		const char *want; /* NULL: good */
	} rows[] = {
		{ "unix:/run/belfry/api.sock", NULL },
		{ "127.0.0.1:9000", NULL },
		{ "0.0.0.0:0", NULL },
		{ "[::1]:9000", NULL },
		{ "[::]:65535", NULL },
		{ "unix:api.sock",
		    "\"unix:api.sock\" is not an absolute path; begin it with a "
		    "slash after unix:" },
		{ "/run/api.sock",
		    "\"/run/api.sock\" has no port; give unix:PATH, ADDRESS:PORT "
		    "or [ADDRESS]:PORT" },
		{ "unix:/23456789012345678901234567890123456789012345678901234567"
		  "890123456789012345678901234567890123456789",
		    "the path of the socket is too long; give one of at most 95 "
		    "bytes" },
		{ "", "\"\" has no port; give unix:PATH, ADDRESS:PORT or "
		      "[ADDRESS]:PORT" },
		{ ":9000", "\":9000\" has no address; give one, such as "
		           "127.0.0.1:9000" },
		{ "127.0.0.1:", "\"127.0.0.1:\" has no port; give unix:PATH, "
		                "ADDRESS:PORT or [ADDRESS]:PORT" },
		{ "127.0.0.1:65536",
		    "\"127.0.0.1:65536\" has no port from 0 to 65535; give one" },
		{ "127.0.0.1:-1",
		    "\"127.0.0.1:-1\" has no port from 0 to 65535; give one" },
		{ "127.0.0.1:http",
		    "\"127.0.0.1:http\" has no port from 0 to 65535; give one" },
		{ "::1:9000",
		    "\"::1:9000\" is ambiguous; put an IPv6 address into [ ]" },
		{ "localhost:9000",
		    "\"localhost\" is not a numeric address; give one, such as "
		    "127.0.0.1:9000 or [::1]:9000" },
	};
	struct err e;
	size_t i;

	for (i = 0; i < NELEMS(rows); i++) {
		int rc = listen_check(rows[i].address, &e);

		assert_int_equal(rc, rows[i].want == NULL ? 0 : -1);
		if (rows[i].want != NULL)
			assert_string_equal(e.text, rows[i].want);
	}
}

static void
a_unix_socket_has_its_mode_and_group(void **state)
{
	struct listen_params p = params(address);
	const struct group *gr = getgrgid(getegid());
	struct stat st;
	int fd;

	assert_non_null(gr);
	p.group = gr->gr_name;
	p.mode = "0620";
	umask(0);
	fd = open_good(&p);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0620);
	assert_int_equal(st.st_gid, getegid());
	assert_true(answers());
	listen_unlink(&p, fd);
	assert_int_equal(stat(path, &st), -1);
	close(fd);

	p.group = "no-such-group";
	expect_failure(&p, "cannot give \"%s\" to the group \"no-such-group\": "
	                   "there is no such group");
	/* Nothing is left behind: rmdir() at the end would fail. */
	assert_int_equal(stat(path, &st), -1);
}

static void
a_live_socket_is_left_alone(void **state)
{
	struct listen_params p = params(address);
	int fd = open_good(&p);

	expect_failure(&p,
	    "could not listen on \"%s\": another process answers there");
	assert_true(answers());
	listen_unlink(&p, fd);
	close(fd);
}

static void
a_full_queue_is_not_taken_for_a_stale_socket(void **state)
{
	struct listen_params p = params(address);
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int clients[8], fd;
	size_t n;

	p.backlog = 0;
	fd = open_good(&p);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	for (n = 0; n < NELEMS(clients); n++) {
		clients[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (connect(clients[n], (struct sockaddr *)&sun,
		        sizeof(sun)) == -1)
			break;
	}
	assert_true(n < NELEMS(clients));
	assert_int_equal(errno, EAGAIN);
	expect_failure(&p,
	    "could not listen on \"%s\": another process answers there");
	do
		close(clients[n]);
	while (n-- > 0);
	listen_unlink(&p, fd);
	close(fd);
}

static void
a_stale_socket_is_replaced(void **state)
{
	struct listen_params p = params(address);
	struct stat st;
	int fd = open_good(&p);

	close(fd);
	assert_int_equal(stat(path, &st), 0);
	assert_false(answers());
	fd = open_good(&p);
	assert_true(answers());
	listen_unlink(&p, fd);
	close(fd);
}

static void
what_is_not_a_socket_is_left_alone(void **state)
{
	struct listen_params p = params(address);
	FILE *f = fopen(path, "w");
	struct stat st;

	assert_non_null(f);
	fclose(f);
	expect_failure(&p,
	    "cannot listen on \"%s\": it exists and is not a socket");
	assert_int_equal(stat(path, &st), 0);
	unlink(path);

	p.address = "unix:/no-such-directory/api.sock";
	expect_failure(&p, "could not listen on \"/no-such-directory/api.sock\": "
	                   "No such file or directory");
}

static void
only_the_own_path_is_removed(void **state)
{
	struct listen_params p = params(address);
	int old = open_good(&p), fd, status;
	pid_t child;

	/* Somebody removed it and listens there now. */
	unlink(path);
	fd = open_good(&p);
	listen_unlink(&p, old);
	assert_true(answers());

	/* A child that stops does not take it away from its parent. */
	child = fork();
	if (child == 0) {
		listen_unlink(&p, fd);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(answers());
	listen_unlink(&p, fd);
	assert_false(answers());
	close(old);
	close(fd);
}

/* Opens, connects, accepts. */
static void
serve_inet(const char *where)
{
	struct listen_params p = params(where);
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int fd = open_good(&p), client, server;
	char byte = '\0';

	assert_int_equal(getsockname(fd, (struct sockaddr *)&ss, &len), 0);
	client = socket(ss.ss_family, SOCK_STREAM, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&ss, len), 0);
	server = accept(fd, NULL, NULL);
	assert_true(server >= 0);
	assert_int_equal(write(client, "x", 1), 1);
	assert_int_equal(read(server, &byte, 1), 1);
	assert_int_equal(byte, 'x');

	if (ss.ss_family == AF_INET) {
		char taken[32], want[100];

		snprintf(taken, sizeof(taken), "127.0.0.1:%d",
		    ntohs(((struct sockaddr_in *)&ss)->sin_port));
		snprintf(want, sizeof(want),
		    "could not listen on \"%s\": Address already in use", taken);
		p.address = taken;
		expect_failure(&p, want);
	}
	close(client);
	close(server);
	close(fd);
}

static void
internet_addresses_are_served(void **state)
{
	serve_inet("127.0.0.1:0");
}

static void
ipv6_is_served(void **state)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	if (fd == -1 ||
	    bind(fd, (struct sockaddr *)&sin6, sizeof(sin6)) == -1) {
		close(fd);
		skip();
	}
	close(fd);
	serve_inet("[::1]:0");
}

/* In a child: descriptor 0 is a listening socket.  Returns a line of the caller's
 * that did not hold, 0 when all did. */
static int
take_handed_over(int listener)
{
	struct listen_params p = params("unix:/no-such-directory/x");
	struct stat null, zero;
	struct err e;
	int fd;

	if (dup2(listener, STDIN_FILENO) == -1 ||
	    fcntl(STDIN_FILENO, F_SETFL, 0) == -1)
		return __LINE__ % 200;
	close(listener);
	fd = listen_open(&p, &e);
	if (fd < 3 || !(fcntl(fd, F_GETFD) & FD_CLOEXEC) ||
	    !(fcntl(fd, F_GETFL) & O_NONBLOCK))
		return __LINE__ % 200;
	if (stat("/dev/null", &null) == -1 || fstat(STDIN_FILENO, &zero) == -1 ||
	    zero.st_rdev != null.st_rdev)
		return __LINE__ % 200;
	if (!answers() || accept(fd, NULL, NULL) == -1)
		return __LINE__ % 200;
	listen_unlink(&p, fd);
	return answers() ? 0 : __LINE__ % 200;
}

static void
a_socket_on_descriptor_0_is_taken_over(void **state)
{
	struct listen_params p = params(address);
	int fd = open_good(&p), status;
	pid_t child = fork();

	if (child == 0)
		_exit(take_handed_over(fd));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(answers());
	listen_unlink(&p, fd);
	close(fd);
}

static int
enter_directory(void **state)
{
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/api.sock", directory);
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
		cmocka_unit_test(addresses_are_checked),
		cmocka_unit_test(a_unix_socket_has_its_mode_and_group),
		cmocka_unit_test(a_live_socket_is_left_alone),
		cmocka_unit_test(a_full_queue_is_not_taken_for_a_stale_socket),
		cmocka_unit_test(a_stale_socket_is_replaced),
		cmocka_unit_test(what_is_not_a_socket_is_left_alone),
		cmocka_unit_test(only_the_own_path_is_removed),
		cmocka_unit_test(internet_addresses_are_served),
		cmocka_unit_test(ipv6_is_served),
		cmocka_unit_test(a_socket_on_descriptor_0_is_taken_over),
	};

	return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
