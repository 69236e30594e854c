/*
 * test_process.c - what a process may do and what it leaves behind
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/err.h"
#include "base/pidfile.h"
#include "base/process.h"

static char directory[] = "/tmp/belfry-process-XXXXXX";

/* Runs a check in a child; it returns 0, or the number of the line that does not
 * hold. */
static void
in_child(int (*check)(void))
{
	int status = -1;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child == 0)
		_exit(check() % 256);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

#define HOLD(cond)                                                             \
	if (!(cond))                                                           \
	return __LINE__

static void
an_unknown_user_is_refused(void **state)
{
	struct err e;

	assert_int_equal(process_become("no-such-user", &e), -1);
	assert_string_equal(e.text,
	    "there is no user \"no-such-user\"; add it or change process.user");
}

static void
staying_is_not_a_change(void **state)
{
	const struct passwd *pw = getpwuid(getuid());
	struct err e;

	assert_int_equal(process_become("", &e), 0);
	if (pw != NULL && pw->pw_gid == getgid())
		assert_int_equal(process_become(pw->pw_name, &e), 0);
}

static int
drop(void)
{
	const struct passwd *pw = getpwnam("nobody");
	gid_t extra[] = { 0, 1 }, groups[64];
	struct err e;
	int n, i;

	HOLD(setgroups(2, extra) == 0);
	HOLD(pw != NULL && process_become("nobody", &e) == 0);
	HOLD(getuid() == pw->pw_uid && geteuid() == pw->pw_uid);
	HOLD(getgid() == pw->pw_gid && getegid() == pw->pw_gid);
	HOLD(setuid(0) == -1);
	n = getgroups(64, groups);
	for (i = 0; i < n; i++)
		HOLD(groups[i] != 0 && groups[i] != 1);

	/* A second time it is so already; another user is out of reach. */
	HOLD(process_become("nobody", &e) == 0);
	HOLD(process_become("root", &e) == -1);
	HOLD(strstr(e.text, "cannot become the user \"root\"") != NULL);
	return 0;
}

static void
root_becomes_a_user_with_its_groups(void **state)
{
	if (geteuid() != 0)
		skip();
	in_child(drop);
}

static int
harden(void)
{
	struct rlimit core = { 1, 1 };

	unsetenv("BELFRY_DEBUG");
	process_harden();
	HOLD(getrlimit(RLIMIT_CORE, &core) == 0);
	HOLD(core.rlim_cur == 0 && core.rlim_max == 0);
	HOLD(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
#ifndef __SANITIZE_ADDRESS__
	HOLD(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
#endif
	return 0;
}

static int
harden_for_debugging(void)
{
	setenv("BELFRY_DEBUG", "1", 1);
	process_harden();
	HOLD(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1);
	HOLD(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	return 0;
}

static void
dumps_are_off_but_for_debugging(void **state)
{
	in_child(harden);
	in_child(harden_for_debugging);
}

static void
the_run_directory_is_made(void **state)
{
	const struct passwd *pw = getpwnam("nobody");
	char path[80], deep[90];
	struct stat st;
	struct err e;

	snprintf(path, sizeof(path), "%s/run", directory);
	snprintf(deep, sizeof(deep), "%s/no/run", directory);
	assert_int_equal(process_run_directory(path, "", &e), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(process_run_directory(path, "", &e), 0);
	assert_int_equal(rmdir(path), 0);

	assert_int_equal(process_run_directory(deep, "", &e), -1);
	assert_non_null(strstr(e.text, "could not make the directory"));
	assert_int_equal(process_run_directory(path, "no-such-user", &e), -1);
	if (geteuid() == 0 && pw != NULL) {
		assert_int_equal(process_run_directory(path, "nobody", &e), 0);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_uid, pw->pw_uid);
		assert_int_equal(rmdir(path), 0);
	}
}

static int
open_second(void)
{
	struct err e;
	char want[200];

	snprintf(want, sizeof(want),
	    "tester runs already as process %d; stop it, or give this one "
	    "another process.run_directory", (int)getppid());
	HOLD(pidfile_open(directory, "tester", &e) == -1);
	HOLD(strcmp(e.text, want) == 0);
	return 0;
}

static int
open_first(void)
{
	struct err e;

	HOLD(pidfile_open(directory, "tester", &e) != -1);
	return 0; /* ends without removing it */
}

static void
a_pid_file_holds_off_a_second_master(void **state)
{
	char path[80], text[32] = "", want[32];
	struct err e;
	FILE *f;
	int fd;

	in_child(open_first);
	fd = pidfile_open(directory, "tester", &e);
	assert_true(fd >= 0);
	in_child(open_second);
	snprintf(path, sizeof(path), "%s/tester.pid", directory);
	snprintf(want, sizeof(want), "%d\n", (int)getpid());
	f = fopen(path, "r");
	assert_non_null(f);
	assert_non_null(fgets(text, sizeof(text), f));
	fclose(f);
	assert_string_equal(text, want);

	/* fclose() above gave up the lock, as POSIX has it. */
	pidfile_close(fd, directory, "tester");
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(pidfile_open("/no/such", "tester", &e), -1);
	assert_string_equal(e.text,
	    "could not write \"/no/such/tester.pid\": No such file or directory");
}

static int
enter_directory(void **state)
{
	return mkdtemp(directory) == NULL ? -1 : 0;
}

static int
leave_directory(void **state)
{
	return rmdir(directory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unknown_user_is_refused),
		cmocka_unit_test(staying_is_not_a_change),
		cmocka_unit_test(root_becomes_a_user_with_its_groups),
		cmocka_unit_test(dumps_are_off_but_for_debugging),
		cmocka_unit_test(the_run_directory_is_made),
		cmocka_unit_test(a_pid_file_holds_off_a_second_master),
	};

	return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
