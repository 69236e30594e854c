/*
 * service.c - what the service manager is told
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "base/service.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* Sends one datagram.  A name that begins with @ is an abstract socket. */
static void
tell(const char *text)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	const char *name = getenv("NOTIFY_SOCKET");
	size_t len;
	int fd;

	if (name == NULL || (name[0] != '/' && name[0] != '@') ||
	    (len = strlen(name)) >= sizeof(sun.sun_path))
		return;
	memcpy(sun.sun_path, name, len);
	if (sun.sun_path[0] == '@')
		sun.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return;
	sendto(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
	    (struct sockaddr *)&sun,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	close(fd);
}

void
service_ready(void)
{
	tell("READY=1");
}

void
service_reloading(void)
{
	struct timespec ts;
	char text[64];

	/* systemd asks for this very clock, which clock.h does not tell. */
	clock_gettime(CLOCK_MONOTONIC, &ts);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
	    (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
	tell(text);
}

void
service_stopping(void)
{
	tell("STOPPING=1");
}

void
service_status(const char *fmt, ...)
{
	char text[256] = "STATUS=";
	size_t len = strlen(text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text + len, sizeof(text) - len, fmt, ap);
	va_end(ap);
	tell(text);
}
