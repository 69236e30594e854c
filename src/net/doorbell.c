/*
 * doorbell.c - telling the spooler of this host that there is work
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The ringer knows how many slots there were when it last looked.  It looks again once a
 * second at most, so a host without a spooler costs nothing but that.
 */
#include "net/doorbell.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"

enum { SLOTS_MAX = 64, LOOK_AGAIN_MS = 1000 };

static const uint32_t magic = 0x626c6601;

struct ring {
	uint32_t magic;
	int32_t queue;
	int64_t tenant;
};

static struct {
	int fd; /* 0: not open yet */
	int slots; /* that exist */
	int next;
	int64_t looked_ms;
} ringer;

static int
set_address(struct sockaddr_un *sa, const char *path, int slot)
{
	int n;

	*sa = (struct sockaddr_un){ .sun_family = AF_UNIX };
	n = snprintf(sa->sun_path, sizeof(sa->sun_path), "%s.%d", path, slot);
	return n > 0 && (size_t)n < sizeof(sa->sun_path) ? 0 : -1;
}

int
doorbell_open(const char *path, int slot, struct err *e)
{
	struct sockaddr_un sa;
	int fd;

	if (set_address(&sa, path, slot) == -1)
		return err_set(e, ERR_INVALID,
		    "the path \"%s\" is too long for a socket", path);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return err_set(e, ERR_TEMPORARY, "could not make a socket: %s",
		    strerror(errno));
	unlink(sa.sun_path);
	if (bind(fd, (const struct sockaddr *)&sa, sizeof(sa)) == -1 ||
	    chmod(sa.sun_path, 0660) == -1) {
		err_set(e, ERR_INVALID, "could not listen at \"%s\": %s",
		    sa.sun_path, strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

static void
look(const char *path)
{
	struct sockaddr_un sa;
	int i = 0;

	while (i < SLOTS_MAX && set_address(&sa, path, i) == 0 &&
	    access(sa.sun_path, F_OK) == 0)
		i++;
	ringer.slots = i;
	ringer.looked_ms = clock_mono_ms();
}

void
doorbell_ring(const char *path, struct tenant_id tenant, int queue)
{
	struct ring ring = { magic, queue, tenant.n };
	struct sockaddr_un sa;

	if (ringer.fd == 0)
		ringer.fd =
		    socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (ringer.looked_ms == 0 ||
	    clock_mono_ms() - ringer.looked_ms >= LOOK_AGAIN_MS)
		look(path);
	if (ringer.slots == 0 ||
	    set_address(&sa, path, ringer.next++ % ringer.slots) == -1)
		return;
	if (sendto(ringer.fd, &ring, sizeof(ring), 0,
	        (const struct sockaddr *)&sa, sizeof(sa)) == -1 &&
	    errno != EAGAIN)
		ringer.slots = 0;
}

int
doorbell_read(int fd, struct tenant_id *tenant_r, int *queue_r)
{
	struct ring ring;
	ssize_t n;

	while ((n = recv(fd, &ring, sizeof(ring), MSG_TRUNC)) >= 0) {
		if (n != sizeof(ring) || ring.magic != magic ||
		    ring.tenant <= 0)
			continue;
		tenant_r->n = ring.tenant;
		*queue_r = ring.queue;
		return 1;
	}
	return 0;
}
