/*
 * test_uuid.c - UUIDv7
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/uuid.h"

static void
ids_ascend_and_carry_version_and_variant(void **state)
{
	struct uuid before = { { 0 } }, u;
	int i;

	for (i = 0; i < 100000; i++) {
		u = uuid_make();
		assert_true(uuid_cmp(&before, &u) < 0);
		assert_int_equal(u.b[6] >> 4, 7);
		assert_int_equal(u.b[8] >> 6, 2);
		before = u;
	}
}

static void
the_time_part_is_the_wall_clock(void **state)
{
	int64_t before, after;
	struct uuid u;

	clock_shift_for_test(3600000, 0);
	before = clock_wall_ms();
	u = uuid_make();
	after = clock_wall_ms();
	assert_in_range(uuid_time_ms(&u), before, after);
}

static void
ids_ascend_while_the_clock_goes_back(void **state)
{
	struct uuid before = uuid_make(), u;
	int i;

	clock_shift_for_test(-3600000, 0);
	for (i = 0; i < 20000; i++) {
		u = uuid_make();
		assert_true(uuid_cmp(&before, &u) < 0);
		before = u;
	}
	clock_shift_for_test(7200000, 0);
	u = uuid_make();
	assert_true(uuid_cmp(&before, &u) < 0);
	assert_in_range(clock_wall_ms() - uuid_time_ms(&u), 0, 60000);
}

static void
a_forked_child_does_not_repeat_its_parent(void **state)
{
	struct uuid mine[64], theirs[64];
	int fds[2], i, j, status;
	pid_t pid;

	mine[0] = uuid_make();
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	for (i = 0; i < 64; i++)
		mine[i] = uuid_make();
	if (pid == 0)
		_exit(write(fds[1], mine, sizeof(mine)) != sizeof(mine));
	assert_int_equal(read(fds[0], theirs, sizeof(theirs)),
	    sizeof(theirs));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(fds[0]);
	close(fds[1]);
	for (i = 0; i < 64; i++)
		for (j = 0; j < 64; j++)
			assert_memory_not_equal(mine[i].b + 8, theirs[j].b + 8,
			    8);
}

static void
random_bits_are_spread(void **state)
{
	int ones[64] = { 0 }, i, bit;
	struct uuid u;

	for (i = 0; i < 4096; i++) {
		u = uuid_make();
		for (bit = 2; bit < 64; bit++)
			ones[bit] += u.b[8 + bit / 8] >> (7 - bit % 8) & 1;
	}
	/* 2048 are expected with a deviation of 32: eight of them. */
	for (bit = 2; bit < 64; bit++)
		assert_in_range(ones[bit], 2048 - 256, 2048 + 256);
}

static void
text_comes_back_in_either_case(void **state)
{
	char text[UUID_TEXT_BYTES];
	struct uuid u, back;

	assert_int_equal(
	    uuid_parse("017F22E2-79B0-7cc3-98C4-DC0C0C07398F", &u), 0);
	assert_int_equal(uuid_time_ms(&u), 0x017f22e279b0);
	uuid_format(&u, text);
	assert_string_equal(text, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
	u = uuid_make();
	uuid_format(&u, text);
	assert_int_equal(strlen(text), UUID_TEXT_BYTES - 1);
	assert_int_equal(uuid_parse(text, &back), 0);
	assert_int_equal(uuid_cmp(&u, &back), 0);
}

static void
other_texts_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"-",
		"0",
		"017f22e279b07cc398c4dc0c0c07398f",
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398",
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398f0",
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398f ",
		"{017f22e2-79b0-7cc3-98c4-dc0c0c07398}",
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
		"017f22e2-79b0-7cc3-98c40dc0c0c07398f",
		"017f22e279-b0-7cc3-98c4-dc0c0c07398f",
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398\xc3",
	};
	struct uuid u = { { 1 } };
	size_t i;

	for (i = 0; i < NELEMS(bad); i++) {
		if (uuid_parse(bad[i], &u) != -1)
			fail_msg("accepted: \"%s\"", bad[i]);
		assert_int_equal(u.b[0], 1);
	}
}

static void
nil_is_told_from_others(void **state)
{
	struct uuid u;

	assert_int_equal(
	    uuid_parse("00000000-0000-0000-0000-000000000000", &u), 0);
	assert_true(uuid_is_nil(&u));
	u.b[15] = 1;
	assert_false(uuid_is_nil(&u));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_ascend_and_carry_version_and_variant),
		cmocka_unit_test(the_time_part_is_the_wall_clock),
		cmocka_unit_test(ids_ascend_while_the_clock_goes_back),
		cmocka_unit_test(a_forked_child_does_not_repeat_its_parent),
		cmocka_unit_test(random_bits_are_spread),
		cmocka_unit_test(text_comes_back_in_either_case),
		cmocka_unit_test(other_texts_are_refused),
		cmocka_unit_test(nil_is_told_from_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
