/*
 * http_sink.c - an HTTP server that takes everything over connections kept alive
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 *     http_sink
 *
 * Listens on a port of 127.0.0.1, which it prints ("port PORT").  Each POST is answered
 * with 200 and two octets.  GET /count answers "REQUESTS FIRST-US LAST-US", the times
 * being those of the first and the last POST, and counts from 0 again.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/ensure.h"

enum { INPUT_BYTES = 65536, FDS_MAX = 4096, EVENTS = 256 };

struct connection {
	size_t used;
	char input[INPUT_BYTES + 1];
};

static struct connection *connections[FDS_MAX];
static int64_t requests, first_us, last_us;

static int
listen_on_any_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	ensure(fd != -1 && bind(fd, (struct sockaddr *)&a, n) == 0 &&
	    listen(fd, 1024) == 0 &&
	    getsockname(fd, (struct sockaddr *)&a, &n) == 0);
	printf("port %d\n", ntohs(a.sin_port));
	fflush(stdout);
	return fd;
}

static void
watch(int epoll, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	ensure(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) == 0);
}

static void
welcome(int epoll, int listener)
{
	int fd, one = 1;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) != -1) {
		ensure(fd < FDS_MAX);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		connections[fd] = calloc(1, sizeof(struct connection));
		ensure(connections[fd] != NULL);
		watch(epoll, fd);
	}
}

static void
part(int fd)
{
	free(connections[fd]);
	connections[fd] = NULL;
	close(fd);
}

static void
answer(int fd, const char *request)
{
	char body[80] = "{}", text[256];
	int n;

	if (strncmp(request, "GET /count", 10) == 0) {
		snprintf(body, sizeof(body),
		    "%" PRId64 " %" PRId64 " %" PRId64, requests, first_us,
		    last_us);
		requests = first_us = last_us = 0;
	} else {
		last_us = clock_mono_us();
		if (requests++ == 0)
			first_us = last_us;
	}
	n = snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\n"
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
	    strlen(body), body);
	/* An answer always fits into the buffer of a socket that is read. */
	if (write(fd, text, (size_t)n) != n)
		part(fd);
}

/* The octets of the first request when it is whole, else 0. */
static size_t
whole(const struct connection *c)
{
	const char *end = strstr(c->input, "\r\n\r\n"), *length;
	size_t n = 0;

	if (end == NULL)
		return 0;
	length = strcasestr(c->input, "\r\nContent-Length:");
	if (length != NULL && length < end)
		n = strtoul(length + 17, NULL, 10);
	n += (size_t)(end - c->input) + 4;
	ensure(n <= INPUT_BYTES);
	return n <= c->used ? n : 0;
}

static void
take(int fd)
{
	struct connection *c = connections[fd];
	ssize_t got = read(fd, c->input + c->used, INPUT_BYTES - c->used);
	size_t n;

	if (got == -1 && errno == EAGAIN)
		return;
	if (got <= 0) {
		part(fd);
		return;
	}
	c->used += (size_t)got;
	c->input[c->used] = '\0';
	while ((n = whole(c)) > 0) {
		answer(fd, c->input);
		if (connections[fd] == NULL)
			return;
		c->used -= n;
		memmove(c->input, c->input + n, c->used + 1);
	}
}

int
main(void)
{
	int epoll = epoll_create1(0), listener = listen_on_any_port(), i, n;
	struct epoll_event events[EVENTS];

	ensure(epoll != -1);
	watch(epoll, listener);
	for (;;) {
		n = epoll_wait(epoll, events, EVENTS, -1);
		for (i = 0; i < n; i++) {
			if (events[i].data.fd == listener)
				welcome(epoll, listener);
			else if (connections[events[i].data.fd] != NULL)
				take(events[i].data.fd);
		}
	}
}
