/*
 * listen.c - the listening socket
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A unix socket is bound under a name of its own, given its owner and mode, set
 * to listen, and only then renamed to its path: whoever finds the path finds a
 * socket that answers.
 */
#include "base/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"

/* The unix socket that this process bound last. */
static struct {
	int fd;
	pid_t pid;
	dev_t dev;
	ino_t ino;
} bound = { .fd = -1 };

/* An internet address taken apart. */
struct inet {
	char host[64];
	char port[8];
};

static const char *
unix_path(const char *address)
{
	return strncmp(address, "unix:", 5) == 0 ? address + 5 : NULL;
}

static int
check_unix(const char *path, struct err *e)
{
	/* The temporary name is up to 12 bytes longer than the path. */
	size_t max = sizeof(((struct sockaddr_un *)0)->sun_path) - 13;

	if (path[0] != '/')
		return err_set(e, ERR_INVALID,
		    "\"unix:%.80s\" is not an absolute path; begin it with a "
		    "slash after unix:", path);
	if (strlen(path) > max)
		return err_set(e, ERR_INVALID,
		    "the path of the socket is too long; give one of at most "
		    "%zu bytes", max);
	return 0;
}

static int
split_inet(const char *address, struct inet *inet, struct err *e)
{
	const char *colon = strrchr(address, ':');
	const char *host = address;
	size_t host_len, port_len;

	if (colon == NULL || colon[1] == '\0')
		return err_set(e, ERR_INVALID,
		    "\"%.80s\" has no port; give unix:PATH, ADDRESS:PORT or "
		    "[ADDRESS]:PORT", address);
	host_len = (size_t)(colon - address);
	port_len = strlen(colon + 1);
	if (host_len == 0)
		return err_set(e, ERR_INVALID,
		    "\"%.80s\" has no address; give one, such as 127.0.0.1%s",
		    address, colon);
	if (host[0] == '[' && host[host_len - 1] == ']') {
		host++;
		host_len -= 2;
	} else if (memchr(host, ':', host_len) != NULL) {
		return err_set(e, ERR_INVALID,
		    "\"%.80s\" is ambiguous; put an IPv6 address into [ ]",
		    address);
	}
	if (host_len >= sizeof(inet->host) || port_len > 5 ||
	    strspn(colon + 1, "0123456789") != port_len ||
	    strtol(colon + 1, NULL, 10) > 65535)
		return err_set(e, ERR_INVALID,
		    "\"%.80s\" has no port from 0 to 65535; give one", address);
	snprintf(inet->host, sizeof(inet->host), "%.*s", (int)host_len, host);
	snprintf(inet->port, sizeof(inet->port), "%s", colon + 1);
	return 0;
}

static int
resolve(const char *address, struct addrinfo **ai_r, struct err *e)
{
	const struct addrinfo hints = {
		.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM,
	};
	struct inet inet;

	if (split_inet(address, &inet, e) == -1)
		return -1;
	if (getaddrinfo(inet.host, inet.port, &hints, ai_r) != 0)
		return err_set(e, ERR_INVALID,
		    "\"%.80s\" is not a numeric address; give one, such as "
		    "127.0.0.1:%s or [::1]:%s", inet.host, inet.port, inet.port);
	return 0;
}

int
listen_check(const char *address, struct err *e)
{
	const char *path = unix_path(address);
	struct addrinfo *ai = NULL;

	if (path != NULL)
		return check_unix(path, e);
	if (resolve(address, &ai, e) == -1)
		return -1;
	freeaddrinfo(ai);
	return 0;
}

static int
bind_inet(const struct listen_params *p, struct err *e)
{
	struct addrinfo *ai = NULL;
	int fd, on = 1;

	if (resolve(p->address, &ai, e) == -1)
		return -1;
	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (fd == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
	    (ai->ai_family == AF_INET6 &&
	        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) ==
	            -1) ||
	    bind(fd, ai->ai_addr, ai->ai_addrlen) == -1 ||
	    listen(fd, p->backlog) == -1) {
		err_set(e, ERR_TEMPORARY, "could not listen on \"%s\": %s",
		    p->address, strerror(errno));
		if (fd != -1)
			close(fd);
		fd = -1;
	}
	freeaddrinfo(ai);
	return fd;
}

static void
fill_unix(struct sockaddr_un *sun, const char *path)
{
	*sun = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(sun->sun_path, sizeof(sun->sun_path), "%s", path);
}

/* Returns 0 when nobody answers on "path", -1 when somebody does or when it is no
 * socket. */
static int
refuse_live(const char *path, struct err *e)
{
	struct sockaddr_un sun;
	struct stat st;
	int fd, rc;

	if (lstat(path, &st) == -1)
		return 0; /* bind() will say what else is wrong */
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, ERR_CONFLICT,
		    "cannot listen on \"%s\": it exists and is not a socket",
		    path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return err_set(e, ERR_TEMPORARY,
		    "could not listen on \"%s\": %s", path, strerror(errno));
	fill_unix(&sun, path);
	rc = connect(fd, (struct sockaddr *)&sun, sizeof(sun));
	/* EAGAIN: somebody listens and is very busy. */
	if (rc == 0 || errno == EAGAIN)
		rc = err_set(e, ERR_CONFLICT,
		    "could not listen on \"%s\": another process answers there",
		    path);
	else
		rc = 0;
	close(fd);
	return rc;
}

static int
give_to_group(const char *path, const char *group, const char *name,
    struct err *e)
{
	struct group gr, *found = NULL;
	char space[16384];

	if (group[0] == '\0')
		return 0;
	if (getgrnam_r(group, &gr, space, sizeof(space), &found) != 0 ||
	    found == NULL)
		return err_set(e, ERR_INVALID,
		    "cannot give \"%s\" to the group \"%s\": there is no such "
		    "group", name, group);
	if (chown(path, (uid_t)-1, gr.gr_gid) == -1)
		return err_set(e, ERR_INVALID,
		    "cannot give \"%s\" to the group \"%s\": %s", name, group,
		    strerror(errno));
	return 0;
}

/* Makes the socket that is bound to "temporary" ready and moves it to "path". */
static int
install_unix(const struct listen_params *p, int fd, const char *temporary,
    struct err *e)
{
	const char *path = unix_path(p->address);
	struct stat st;

	if (give_to_group(temporary, p->group, path, e) == -1)
		return -1;
	if (chmod(temporary, (mode_t)strtoul(p->mode, NULL, 8)) == -1 ||
	    listen(fd, p->backlog) == -1 || lstat(temporary, &st) == -1 ||
	    rename(temporary, path) == -1)
		return err_set(e, ERR_TEMPORARY,
		    "could not listen on \"%s\": %s", path, strerror(errno));
	bound.fd = fd;
	bound.pid = getpid();
	bound.dev = st.st_dev;
	bound.ino = st.st_ino;
	return 0;
}

static int
bind_unix(const struct listen_params *p, struct err *e)
{
	const char *path = unix_path(p->address);
	char temporary[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct sockaddr_un sun;
	mode_t old;
	int fd, rc;

	if (check_unix(path, e) == -1 || refuse_live(path, e) == -1)
		return -1;
	snprintf(temporary, sizeof(temporary), "%s.%d", path, (int)getpid());
	unlink(temporary);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return err_set(e, ERR_TEMPORARY,
		    "could not listen on \"%s\": %s", path, strerror(errno));
	fill_unix(&sun, temporary);
	old = umask(0177);
	rc = bind(fd, (struct sockaddr *)&sun, sizeof(sun));
	umask(old);
	if (rc == -1)
		err_set(e, ERR_TEMPORARY, "could not listen on \"%s\": %s",
		    path, strerror(errno));
	else
		rc = install_unix(p, fd, temporary, e);
	if (rc == 0)
		return fd;
	unlink(temporary);
	close(fd);
	return -1;
}

/* Is descriptor 0 a socket that listens? */
static bool
was_handed_over(void)
{
	socklen_t len = sizeof(int);
	int listens = 0;

	return getsockopt(STDIN_FILENO, SOL_SOCKET, SO_ACCEPTCONN, &listens,
	           &len) == 0 &&
	    listens == 1;
}

/* Moves descriptor 0 away, so that nothing reads from it by mistake. */
static int
take_over(struct err *e)
{
	int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd == -1 || null == -1 || dup2(null, STDIN_FILENO) == -1 ||
	    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == -1) {
		err_set(e, ERR_TEMPORARY,
		    "could not take over the socket on descriptor 0: %s",
		    strerror(errno));
		if (fd != -1)
			close(fd);
		fd = -1;
	}
	if (null != -1)
		close(null);
	return fd;
}

int
listen_open(const struct listen_params *p, struct err *e)
{
	if (was_handed_over())
		return take_over(e);
	return unix_path(p->address) != NULL ? bind_unix(p, e) :
	                                       bind_inet(p, e);
}

void
listen_unlink(const struct listen_params *p, int fd)
{
	const char *path = unix_path(p->address);
	struct stat st;

	if (path == NULL || fd == -1 || bound.fd != fd ||
	    bound.pid != getpid() || lstat(path, &st) == -1 ||
	    st.st_dev != bound.dev || st.st_ino != bound.ino)
		return;
	unlink(path);
	bound.fd = -1;
}
