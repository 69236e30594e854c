/*
 * process.c - what a process may do and what it leaves behind
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "base/process.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

enum { NAMES_BYTES = 16384 };

struct user {
	uid_t uid;
	gid_t gid;
};

static int
find_user(const char *name, struct user *user_r, struct err *e)
{
	struct passwd pw, *found = NULL;
	char space[NAMES_BYTES];
	int rc = getpwnam_r(name, &pw, space, sizeof(space), &found);

	if (rc != 0)
		return err_set(e, ERR_TEMPORARY,
		    "could not look up the user \"%s\": %s", name, strerror(rc));
	if (found == NULL)
		return err_set(e, ERR_INVALID,
		    "there is no user \"%s\"; add it or change process.user",
		    name);
	*user_r = (struct user){ pw.pw_uid, pw.pw_gid };
	return 0;
}

int
process_become(const char *name, struct err *e)
{
	struct user user = { (uid_t)-1, (gid_t)-1 };

	if (name[0] == '\0')
		return 0;
	if (find_user(name, &user, e) == -1)
		return -1;
	if (getuid() == user.uid && geteuid() == user.uid &&
	    getgid() == user.gid && getegid() == user.gid)
		return 0;
	if (geteuid() != 0)
		return err_set(e, ERR_INVALID,
		    "cannot become the user \"%s\"; start as root or as that "
		    "user, or leave process.user empty", name);
	if (initgroups(name, user.gid) == -1 ||
	    setresgid(user.gid, user.gid, user.gid) == -1 ||
	    setresuid(user.uid, user.uid, user.uid) == -1)
		return err_set(e, ERR_TEMPORARY,
		    "could not become the user \"%s\": %s", name,
		    strerror(errno));
	if (user.uid != 0 && setuid(0) == 0)
		return err_set(e, ERR_INTERNAL,
		    "cannot become the user \"%s\": the way back to root is "
		    "still open", name);
	return 0;
}

int
process_run_directory(const char *path, const char *name, struct err *e)
{
	struct user user = { (uid_t)-1, (gid_t)-1 };
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	if (name[0] != '\0' && find_user(name, &user, e) == -1)
		return -1;
	if (mkdir(path, 0755) == -1)
		return err_set(e, ERR_INVALID,
		    "could not make the directory \"%s\": %s; make it or change "
		    "process.run_directory", path, strerror(errno));
	if (name[0] != '\0' && chown(path, user.uid, user.gid) == -1 &&
	    geteuid() == 0)
		return err_set(e, ERR_INVALID,
		    "could not give the directory \"%s\" to the user \"%s\": %s",
		    path, name, strerror(errno));
	return 0;
}

void
process_harden(void)
{
	const struct rlimit none = { 0, 0 };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (getenv("BELFRY_DEBUG") != NULL)
		return;
	setrlimit(RLIMIT_CORE, &none);
#ifndef __SANITIZE_ADDRESS__
	/* The leak check of a sanitizer has to trace its own process. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}
