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
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"

enum {
	SLOTS_MAX = 64,
	LOOK_AGAIN_MS = 1000,
	PARCEL_BYTES_MAX = 64 << 10,
	HAND_MS = 50, /* a full socket is waited for */
	SOCKET_SHARE = 256 /* of the socket's buffer, kept for the system */
};

static const uint32_t magic = 0x626c6601, parcel_magic = 0x626c6702;

struct ring {
	uint32_t magic;
	int32_t queue;
	int64_t tenant;
};

static struct {
	int fd; /* 0: not open yet */
	int hand_fd; /* waits */
	size_t parcel_max;
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

/* Opens the socket for parcels when it is first needed. */
static bool
can_hand(void)
{
	struct timeval most = { .tv_usec = HAND_MS * 1000 };
	int bytes = 0;
	socklen_t n = sizeof(bytes);

	if (ringer.hand_fd == 0) {
		ringer.hand_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (setsockopt(ringer.hand_fd, SOL_SOCKET, SO_SNDTIMEO, &most,
		        sizeof(most)) == -1 ||
		    getsockopt(ringer.hand_fd, SOL_SOCKET, SO_SNDBUF, &bytes,
		        &n) == -1)
			bytes = 0;
		if (bytes > SOCKET_SHARE)
			ringer.parcel_max = (size_t)bytes - SOCKET_SHARE;
		if (ringer.parcel_max > PARCEL_BYTES_MAX)
			ringer.parcel_max = PARCEL_BYTES_MAX;
	}
	return ringer.parcel_max > 0;
}

size_t
doorbell_parcel_max(void)
{
	return can_hand() ? ringer.parcel_max : 0;
}

int
doorbell_hand(const char *path, int slot, const void *parcel, size_t n)
{
	uint32_t head = parcel_magic;
	struct sockaddr_un sa;
	struct iovec parts[2] = { { &head, sizeof(head) },
		{ (void *)(uintptr_t)parcel, n } };
	struct msghdr m = { .msg_name = &sa, .msg_namelen = sizeof(sa),
		.msg_iov = parts, .msg_iovlen = 2 };

	if (!can_hand() || n > ringer.parcel_max ||
	    set_address(&sa, path, slot) == -1)
		return -1;
	return sendmsg(ringer.hand_fd, &m, 0) == -1 ? -1 : 0;
}

int
doorbell_read(int fd, struct doorbell_heard *heard_r)
{
	static _Alignas(struct ring) char in[PARCEL_BYTES_MAX +
	    sizeof(parcel_magic)];
	const struct ring *ring = (const struct ring *)(const void *)in;
	ssize_t n;

	while ((n = recv(fd, in, sizeof(in), MSG_TRUNC)) >= 0) {
		if ((size_t)n > sizeof(in) || (size_t)n <= sizeof(ring->magic))
			continue;
		if (ring->magic == parcel_magic) {
			*heard_r = (struct doorbell_heard){
				.parcel = in + sizeof(ring->magic),
				.parcel_bytes = (size_t)n - sizeof(ring->magic),
			};
			return 1;
		}
		if (n != sizeof(*ring) || ring->magic != magic ||
		    ring->tenant <= 0)
			continue;
		*heard_r = (struct doorbell_heard){ .tenant = { ring->tenant },
			.queue = ring->queue };
		return 1;
	}
	return 0;
}
