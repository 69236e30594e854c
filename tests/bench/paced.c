/*
 * paced.c - sends POST requests at a fixed rate, whatever the answers do
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 *     paced -p PORT -r RATE -n REQUESTS [-k KEY] [-i TEXT] < BODY
 *
 * An open loop: request N is sent N / RATE seconds after the first, on a kept
 * connection that is free or on a new one, so a slow answer delays nothing but
 * itself.  Each "@N@" in the body becomes the number of the request; -k is the API
 * key, -i the beginning of the Idempotency-Key.  Prints "N SENT ANSWERED STATUS" for
 * each request when all are answered: microseconds of CLOCK_BOOTTIME.  Requests
 * without an answer within 10 s have the status 0.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/ensure.h"

enum { BODY_BYTES = 64 << 10, ANSWER_BYTES = 64 << 10, CONNS_MAX = 1024,
	GRACE_MS = 10000 };

struct request {
	int64_t sent_us;
	int64_t answered_us;
	int status;
};

struct conn {
	int fd; /* -1: not connected */
	struct request *busy; /* NULL: free */
	size_t len;
	char in[ANSWER_BYTES];
};

static struct conn *conns[CONNS_MAX];
static int conns_count;
static struct request *requests;
static int64_t wanted, sent, answered;
static int epoll_fd;
static int port;
static const char *api_key = "", *key_prefix = "paced";
static char body_text[BODY_BYTES];

static void
conn_open(struct conn *c)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port),
	};
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };
	int on = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ensure(c->fd != -1);
	if (connect(c->fd, (struct sockaddr *)&sin, sizeof(sin)) == -1)
		panic("could not connect to port %d: %s", port, strerror(errno));
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	ensure(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &ev) == 0);
}

static void
conn_close(struct conn *c)
{
	close(c->fd);
	c->fd = -1;
	c->busy = NULL;
	c->len = 0;
}

static struct conn *
conn_find(void)
{
	struct conn *c = NULL;
	int i;

	for (i = 0; i < conns_count; i++) {
		if (conns[i]->busy == NULL && conns[i]->fd != -1)
			return conns[i];
		if (conns[i]->fd == -1)
			c = conns[i];
	}
	if (c == NULL) {
		ensure(conns_count < CONNS_MAX);
		c = calloc(1, sizeof(*c));
		ensure(c != NULL);
		conns[conns_count++] = c;
	}
	conn_open(c);
	return c;
}

/* Writes the body of request n to "out". */
static size_t
fill_body(char *out, size_t size, int64_t n)
{
	const char *p = body_text, *mark;
	size_t len = 0;

	while ((mark = strstr(p, "@N@")) != NULL) {
		len += (size_t)snprintf(out + len, size - len, "%.*s%" PRId64,
		    (int)(mark - p), p, n);
		p = mark + 3;
	}
	len += (size_t)snprintf(out + len, size - len, "%s", p);
	ensure(len < size);
	return len;
}

static void
send_request(int64_t n)
{
	static char body[BODY_BYTES * 2], text[BODY_BYTES * 2 + 1024];
	size_t body_bytes = fill_body(body, sizeof(body), n);
	struct conn *c = conn_find();
	int len = snprintf(text, sizeof(text),
	    "POST /api/v1/services/notifications/send HTTP/1.1\r\n"
	    "Host: 127.0.0.1:%d\r\nAuthorization: Bearer %s\r\n"
	    "Content-Type: application/json\r\nIdempotency-Key: %s-%" PRId64 "\r\n"
	    "Content-Length: %zu\r\n\r\n%s",
	    port, api_key, key_prefix, n, body_bytes, body);

	ensure(len > 0 && (size_t)len < sizeof(text));
	c->busy = &requests[n];
	requests[n].sent_us = clock_mono_us();
	if (write(c->fd, text, (size_t)len) != len) {
		conn_close(c);
		answered++;
	}
}

/* The length of the answer at p, or 0 when it is not complete. */
static size_t
answer_bytes(char *p, size_t n)
{
	char *end, *field;

	p[n] = '\0';
	end = strstr(p, "\r\n\r\n");
	if (end == NULL)
		return 0;
	field = strcasestr(p, "\r\ncontent-length:");
	if (field != NULL && field < end) {
		size_t bytes = (size_t)(end - p) + 4 +
		    strtoull(field + strlen("\r\ncontent-length:"), NULL, 10);

		return bytes <= n ? bytes : 0;
	}
	end = strstr(end, "\r\n0\r\n\r\n"); /* chunked */
	return end != NULL ? (size_t)(end - p) + 7 : 0;
}

static void
conn_serve(struct conn *c)
{
	ssize_t n = read(c->fd, c->in + c->len, sizeof(c->in) - 1 - c->len);

	if (n <= 0) {
		if (c->busy != NULL)
			answered++;
		conn_close(c);
		return;
	}
	c->len += (size_t)n;
	if (c->busy == NULL || answer_bytes(c->in, c->len) == 0)
		return;
	c->busy->answered_us = clock_mono_us();
	c->busy->status = (int)strtol(c->in + strlen("HTTP/1.1 "), NULL, 10);
	c->busy = NULL;
	c->len = 0;
	answered++;
}

/* Sends all requests whose time has come. */
static void
on_tick(int timer, int64_t begin_us, double rate)
{
	uint64_t ticks;

	if (read(timer, &ticks, sizeof(ticks)) == -1)
		return;
	while (sent < wanted &&
	    (double)(clock_mono_us() - begin_us) >= (double)sent * 1e6 / rate)
		send_request(sent++);
}

static void
loop(double rate)
{
	long gap_ns = (long)(1e9 / rate);
	struct itimerspec gap = { .it_interval = { gap_ns / 1000000000L,
	    gap_ns % 1000000000L }, .it_value = { 0, 1 } };
	struct epoll_event events[64], ev = { .events = EPOLLIN };
	int timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	int64_t begin_us = clock_mono_us();
	int i, n;

	ensure(timer != -1 && epoll_fd != -1);
	ensure(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, timer, &ev) == 0);
	ensure(timerfd_settime(timer, 0, &gap, NULL) == 0);
	while (answered < wanted) {
		n = epoll_wait(epoll_fd, events, 64, GRACE_MS);
		if (sent == wanted && (double)(clock_mono_us() - begin_us) >
		    (double)wanted * 1e6 / rate + GRACE_MS * 1e3)
			return;
		for (i = 0; i < n; i++) {
			if (events[i].data.ptr == NULL)
				on_tick(timer, begin_us, rate);
			else
				conn_serve(events[i].data.ptr);
		}
	}
}

static void
report(void)
{
	int64_t i;

	for (i = 0; i < wanted; i++)
		printf("%" PRId64 " %" PRId64 " %" PRId64 " %d\n", i,
		    requests[i].sent_us, requests[i].answered_us,
		    requests[i].status);
}

int
main(int argc, char **argv)
{
	double rate = 0;
	int option;

	while ((option = getopt(argc, argv, "i:k:n:p:r:")) != -1) {
		if (option == 'i')
			key_prefix = optarg;
		else if (option == 'k')
			api_key = optarg;
		else if (option == 'n')
			wanted = strtoll(optarg, NULL, 10);
		else if (option == 'p')
			port = (int)strtol(optarg, NULL, 10);
		else if (option == 'r')
			rate = strtod(optarg, NULL);
	}
	if (port <= 0 || wanted <= 0 || rate <= 0) {
		fprintf(stderr, "paced -p PORT -r RATE -n REQUESTS [-k KEY] "
		    "[-i TEXT] < BODY\n");
		return 2;
	}
	ensure(fread(body_text, 1, sizeof(body_text) - 1, stdin) > 0);
	signal(SIGPIPE, SIG_IGN);
	requests = calloc((size_t)wanted, sizeof(*requests));
	ensure(requests != NULL);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	loop(rate);
	report();
	return 0;
}
