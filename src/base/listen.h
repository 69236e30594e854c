/*
 * listen.h - the listening socket
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_BASE_LISTEN_H
#define BELFRY_BASE_LISTEN_H

#include "base/compiler.h"

struct err;

struct listen_params {
	const char *address; /* unix:PATH, ADDRESS:PORT, [ADDRESS]:PORT */
	const char *group; /* of the unix socket; "" leaves it */
	const char *mode; /* of the unix socket, octal text */
	int backlog;
};

/* Is "address" of a form that listen_open() takes?  Returns 0, or -1 with e->text
 * "what is wrong; the mend". */
int listen_check(const char *address, struct err *e) MUST_CHECK;

/* Opens the socket, non-blocking and close-on-exec.  When descriptor 0 is a listening
 * socket (the web server or systemd started us), that one is taken and "address" is
 * ignored.  A unix socket that somebody answers on is an error; a stale one is
 * replaced.  Returns the descriptor, or -1 with *e set. */
int listen_open(const struct listen_params *p, struct err *e) MUST_CHECK;

/* Removes the unix socket's path, if this process made it and it still leads to
 * "fd".  To be called when the last worker has ended. */
void listen_unlink(const struct listen_params *p, int fd);

#endif
