/*
 * sink.c - an SMTP server that takes every mail and keeps none
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The other end of the benchmarks: one thread, one epoll loop, as little work for a
 * mail as can be.  It listens on a free port of 127.0.0.1 and prints "port N".
 *
 *     sink [-l LOG] [-m MAIL]
 *
 * LOG gets a line "MICROSECONDS RECIPIENT" for each mail: the moment (CLOCK_BOOTTIME)
 * at which the first byte of its MAIL command was read.  MAIL gets the first mail as
 * it was received, up to the dot.  Besides SMTP there are two commands: XSTAT
 * writes the log out and answers "250 MAILS CONNECTIONS FIRST LAST", where the latter
 * are the moments at which the first MAIL command came and the last mail ended; XZERO
 * empties the log and begins to count again.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
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
#include <unistd.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/ensure.h"

enum { CONN_BYTES = 256 << 10, ADDRESS_BYTES = 320, EVENTS = 64 };

struct conn {
	int fd;
	bool in_data;
	bool closing;
	size_t skip; /* of the line end in front of the mail */
	int64_t mail_us; /* when MAIL came */
	char rcpt[ADDRESS_BYTES];
	size_t len;
	size_t out_len;
	char out[4096];
	char in[CONN_BYTES];
};

static struct {
	int64_t mails;
	int64_t conns;
	int64_t first_us;
	int64_t last_us;
} stats;

static FILE *log_file;
static FILE *mail_file;
static struct conn *mail_conn; /* whose mail goes there */
static int64_t now_us; /* when the bytes at hand were read */
static volatile sig_atomic_t stopped;

static void
stop(int number)
{
	stopped = number;
}

static void
reply(struct conn *c, const char *text)
{
	size_t n = strlen(text);

	ensure(c->out_len + n <= sizeof(c->out));
	memcpy(c->out + c->out_len, text, n);
	c->out_len += n;
}

static void
on_ehlo(struct conn *c, const char *line)
{
	reply(c, "250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n"
	    "250-ENHANCEDSTATUSCODES\r\n250 SIZE 33554432\r\n");
}

static void
on_mail(struct conn *c, const char *line)
{
	c->mail_us = now_us;
	if (stats.first_us == 0)
		stats.first_us = now_us;
	reply(c, "250 2.1.0 ok\r\n");
}

static void
on_rcpt(struct conn *c, const char *line)
{
	const char *from = strchr(line, '<');
	const char *to = from != NULL ? strchr(from, '>') : NULL;

	if (to == NULL || to - from > ADDRESS_BYTES) {
		reply(c, "501 5.1.3 bad address\r\n");
		return;
	}
	snprintf(c->rcpt, sizeof(c->rcpt), "%.*s", (int)(to - from - 1), from + 1);
	reply(c, "250 2.1.5 ok\r\n");
}

static void
on_data(struct conn *c, const char *line)
{
	c->in_data = true;
	c->skip = 2;
	if (mail_file != NULL && mail_conn == NULL)
		mail_conn = c;
	reply(c, "354 go on\r\n");
}

static void
on_ok(struct conn *c, const char *line)
{
	reply(c, "250 2.0.0 ok\r\n");
}

static void
on_quit(struct conn *c, const char *line)
{
	c->closing = true;
	reply(c, "221 2.0.0 bye\r\n");
}

static void
on_stat(struct conn *c, const char *line)
{
	char text[128];

	if (log_file != NULL)
		fflush(log_file);
	snprintf(text, sizeof(text),
	    "250 %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\r\n", stats.mails,
	    stats.conns, stats.first_us, stats.last_us);
	reply(c, text);
}

static void
on_zero(struct conn *c, const char *line)
{
	memset(&stats, 0, sizeof(stats));
	if (log_file != NULL) {
		rewind(log_file);
		if (ftruncate(fileno(log_file), 0) == -1)
			panic("could not empty the log: %s", strerror(errno));
	}
	reply(c, "250 ok\r\n");
}

static const struct command {
	const char *verb;
	void (*run)(struct conn *c, const char *line);
} commands[] = {
	{ "MAIL", on_mail },
	{ "RCPT", on_rcpt },
	{ "DATA", on_data },
	{ "EHLO", on_ehlo },
	{ "HELO", on_ok },
	{ "RSET", on_ok },
	{ "NOOP", on_ok },
	{ "QUIT", on_quit },
	{ "XSTAT", on_stat },
	{ "XZERO", on_zero },
};

static void
command(struct conn *c, const char *line)
{
	size_t i;

	for (i = 0; i < NELEMS(commands); i++) {
		if (strncasecmp(line, commands[i].verb,
		        strlen(commands[i].verb)) != 0)
			continue;
		commands[i].run(c, line);
		return;
	}
	reply(c, "500 5.5.1 unknown command\r\n");
}

static void
mail_ended(struct conn *c)
{
	stats.mails++;
	stats.last_us = now_us;
	if (log_file != NULL)
		fprintf(log_file, "%" PRId64 " %s\n", c->mail_us, c->rcpt);
	if (mail_file != NULL && mail_conn == c) {
		fclose(mail_file);
		mail_file = NULL;
	}
	c->in_data = false;
	reply(c, "250 2.0.0 taken\r\n");
}

static void
keep_mail(struct conn *c, const char *p, size_t n)
{
	if (mail_file != NULL && mail_conn == c)
		fwrite(p + c->skip, 1, n - c->skip, mail_file);
	c->skip = 0;
}

/* Takes one command, or a piece of a mail, from the n bytes at p; returns how many
 * bytes were used.  The line end in front of a mail stays, since the dot may follow
 * it at once. */
static size_t
take(struct conn *c, char *p, size_t n)
{
	char *end;

	if (!c->in_data) {
		end = memmem(p, n, "\r\n", 2);
		if (end == NULL)
			return 0;
		*end = '\0';
		command(c, p);
		*end = '\r';
		return (size_t)(end - p) + (c->in_data ? 0 : 2);
	}
	end = memmem(p, n, "\r\n.\r\n", 5);
	if (end != NULL) {
		keep_mail(c, p, (size_t)(end - p) + 2);
		mail_ended(c);
		return (size_t)(end - p) + 5;
	}
	if (n <= 6)
		return 0;
	keep_mail(c, p, n - 4);
	return n - 4;
}

static void
conn_free(struct conn *c)
{
	if (mail_conn == c && mail_file != NULL)
		mail_conn = NULL;
	close(c->fd);
	free(c);
}

/* Answers are so short that a socket always takes them at once. */
static bool
flush_out(struct conn *c)
{
	bool done = c->out_len == 0 ||
	    write(c->fd, c->out, c->out_len) == (ssize_t)c->out_len;

	c->out_len = 0;
	return done;
}

static void
conn_serve(struct conn *c)
{
	size_t used = 0, step;
	ssize_t n = read(c->fd, c->in + c->len, sizeof(c->in) - c->len);

	now_us = clock_mono_us();
	if (n == -1 && errno == EAGAIN)
		return;
	if (n <= 0) {
		conn_free(c);
		return;
	}
	c->len += (size_t)n;
	do {
		step = take(c, c->in + used, c->len - used);
		used += step;
	} while (step > 0 && !c->closing);
	c->len -= used;
	memmove(c->in, c->in + used, c->len);
	if (!flush_out(c) || c->closing || c->len == sizeof(c->in))
		conn_free(c);
}

static void
conn_accept(int listener, int epoll)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct conn *c;
	int on = 1;
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd == -1)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c = calloc(1, sizeof(*c));
	ensure(c != NULL);
	c->fd = fd;
	ev.data.ptr = c;
	ensure(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev) == 0);
	stats.conns++;
	reply(c, "220 sink ESMTP\r\n");
	if (!flush_out(c))
		conn_free(c);
}

static int
listen_somewhere(void)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	ensure(fd != -1);
	ensure(bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == 0);
	ensure(listen(fd, 512) == 0);
	ensure(getsockname(fd, (struct sockaddr *)&sin, &len) == 0);
	printf("port %d\n", ntohs(sin.sin_port));
	fflush(stdout);
	return fd;
}

static void
loop(int listener)
{
	struct epoll_event events[EVENTS], ev = { .events = EPOLLIN };
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	int i, n;

	ensure(epoll != -1);
	ensure(epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &ev) == 0);
	while (!stopped) {
		n = epoll_wait(epoll, events, EVENTS, -1);
		for (i = 0; i < n; i++) {
			if (events[i].data.ptr == NULL)
				conn_accept(listener, epoll);
			else
				conn_serve(events[i].data.ptr);
		}
	}
}

static FILE *
open_file(const char *path)
{
	FILE *f = fopen(path, "we");

	if (f == NULL)
		panic("could not open \"%s\": %s", path, strerror(errno));
	return f;
}

int
main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = stop };
	int option;

	while ((option = getopt(argc, argv, "l:m:")) != -1) {
		if (option == 'l')
			log_file = open_file(optarg);
		else if (option == 'm')
			mail_file = open_file(optarg);
		else
			return 2;
	}
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	loop(listen_somewhere());
	if (log_file != NULL)
		fclose(log_file);
	return 0;
}
