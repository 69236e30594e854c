/*
 * test_doorbell.c - rings arrive, and lost ones hurt nobody
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "net/doorbell.h"

static char dir[64], path[80];

/* Time goes by, so that the ringer looks again who listens. */
static void
wait_a_while(void)
{
	static int64_t shift_ms;

	shift_ms += 5000;
	clock_shift_for_test(0, shift_ms);
}

static int
set_up(void **state)
{
	strcpy(dir, "/tmp/blf-bell-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/bell", dir);
	wait_a_while();
	return 0;
}

static void
rings_reach_each_slot_in_turn(void **state)
{
	struct doorbell_heard h;
	struct err e;
	int i, heard, fds[2];

	fds[0] = doorbell_open(path, 0, &e);
	fds[1] = doorbell_open(path, 1, &e);
	assert_true(fds[0] >= 0 && fds[1] >= 0);
	for (i = 0; i < 4; i++)
		doorbell_ring(path, (struct tenant_id){ 70 + i }, 256 + i);
	for (i = 0; i < 2; i++) {
		heard = 0;
		while (doorbell_read(fds[i], &h) == 1) {
			assert_null(h.parcel);
			assert_in_range(h.tenant.n, 70, 73);
			assert_int_equal(h.queue - 256, h.tenant.n - 70);
			heard++;
		}
		assert_int_equal(heard, 2);
		close(fds[i]);
	}
}

static void
nobody_has_to_listen(void **state)
{
	struct doorbell_heard h;
	struct err e;
	int i, fd;

	doorbell_ring(path, (struct tenant_id){ 1 }, 0);
	fd = doorbell_open(path, 0, &e);
	wait_a_while();
	for (i = 0; i < 100000; i++) /* far more than a socket holds */
		doorbell_ring(path, (struct tenant_id){ 1 }, 0);
	assert_int_equal(doorbell_read(fd, &h), 1);
	close(fd);
	doorbell_ring(path, (struct tenant_id){ 1 }, 0);
	fd = doorbell_open(path, 0, &e); /* replaces the stale socket */
	assert_true(fd >= 0);
	wait_a_while();
	doorbell_ring(path, (struct tenant_id){ 2 }, 0);
	assert_int_equal(doorbell_read(fd, &h), 1);
	assert_int_equal(h.tenant.n, 2);
	close(fd);
}

static void
noise_is_not_a_ring(void **state)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	char noise[64] = "hello";
	struct doorbell_heard h;
	struct err e;
	int fd = doorbell_open(path, 0, &e);
	int out = socket(AF_UNIX, SOCK_DGRAM, 0);
	size_t n;

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s.0", path);
	for (n = 0; n < sizeof(noise); n += 7)
		sendto(out, noise, n, MSG_DONTWAIT, (struct sockaddr *)&sa,
		    sizeof(sa));
	assert_int_equal(doorbell_read(fd, &h), 0);
	close(out);
	close(fd);
}

static void
parcels_reach_the_slot_that_is_named(void **state)
{
	size_t most = doorbell_parcel_max();
	char *parcel = calloc(1, most + 1);
	struct doorbell_heard h;
	struct err e;
	int fds[2];

	fds[0] = doorbell_open(path, 0, &e);
	fds[1] = doorbell_open(path, 1, &e);
	assert_true(fds[0] >= 0 && fds[1] >= 0);
	assert_in_range(most, 16384, 65536);
	parcel[most - 1] = 'x';
	assert_int_equal(doorbell_hand(path, 1, parcel, most), 0);
	assert_int_equal(doorbell_hand(path, 1, "little", 6), 0);
	assert_int_equal(doorbell_hand(path, 1, parcel, most + 1), -1);
	assert_int_equal(doorbell_read(fds[0], &h), 0);
	assert_int_equal(doorbell_read(fds[1], &h), 1);
	assert_int_equal(h.parcel_bytes, most);
	assert_memory_equal(h.parcel, parcel, most);
	assert_int_equal(doorbell_read(fds[1], &h), 1);
	assert_int_equal(h.parcel_bytes, 6);
	assert_int_equal(doorbell_read(fds[1], &h), 0);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(doorbell_hand(path, 1, "little", 6), -1);
	free(parcel);
}

static void
a_full_door_is_waited_for_a_moment(void **state)
{
	struct doorbell_heard h;
	int i, taken = 0, heard = 0;
	struct err e;
	int fd = doorbell_open(path, 0, &e);

	for (i = 0; i < 2000 && doorbell_hand(path, 0, "parcel", 6) == 0; i++)
		taken++;
	assert_in_range(taken, 1, 1999);
	while (doorbell_read(fd, &h) == 1)
		heard++;
	assert_int_equal(heard, taken);
	close(fd);
}

static void
a_path_that_cannot_be_is_an_error(void **state)
{
	char longest[200];
	struct err e;

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(doorbell_open(longest, 0, &e), -1);
	assert_non_null(strstr(e.text, "too long"));
	assert_int_equal(doorbell_open("/nonexistent/x", 0, &e), -1);
	assert_non_null(strstr(e.text, "could not listen"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(rings_reach_each_slot_in_turn, set_up),
		cmocka_unit_test_setup(nobody_has_to_listen, set_up),
		cmocka_unit_test_setup(noise_is_not_a_ring, set_up),
		cmocka_unit_test_setup(parcels_reach_the_slot_that_is_named,
		    set_up),
		cmocka_unit_test_setup(a_full_door_is_waited_for_a_moment,
		    set_up),
		cmocka_unit_test(a_path_that_cannot_be_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
