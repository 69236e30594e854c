/*
 * pidfile.c - the file that says which process is the master
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The lock is what counts, not that the file exists: it goes away with the
 * process, however that ends.
 */
#include "base/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

static void
name_file(char path[static PATH_MAX], const char *directory,
    const char *program)
{
	snprintf(path, PATH_MAX, "%s/%s.pid", directory, program);
}

/* Is the locked file still the one that has the name?  The process that held it
 * before may have removed it in between. */
static bool
is_in_place(int fd, const char *path)
{
	struct stat by_fd, by_name;

	return fstat(fd, &by_fd) == 0 && stat(path, &by_name) == 0 &&
	    by_fd.st_dev == by_name.st_dev && by_fd.st_ino == by_name.st_ino;
}

static int
refuse(int fd, const char *program, struct err *e)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(fd, F_GETLK, &lock) == -1 || lock.l_type == F_UNLCK)
		lock.l_pid = 0;
	return err_set(e, ERR_CONFLICT,
	    "%s runs already as process %d; stop it, or give this one another "
	    "process.run_directory", program, (int)lock.l_pid);
}

int
pidfile_open(const char *directory, const char *program, struct err *e)
{
	struct flock lock;
	char path[PATH_MAX];
	int fd;

	name_file(path, directory, program);
	for (;;) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		    0644);
		if (fd == -1)
			return err_set(e, ERR_INVALID,
			    "could not write \"%s\": %s", path,
			    strerror(errno));
		lock = (struct flock){ .l_type = F_WRLCK,
			.l_whence = SEEK_SET };
		if (fcntl(fd, F_SETLK, &lock) == -1) {
			refuse(fd, program, e);
			close(fd);
			return -1;
		}
		if (is_in_place(fd, path))
			break;
		close(fd);
	}
	if (ftruncate(fd, 0) == -1 || dprintf(fd, "%d\n", (int)getpid()) < 0) {
		err_set(e, ERR_TEMPORARY, "could not write \"%s\": %s", path,
		    strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

void
pidfile_close(int fd, const char *directory, const char *program)
{
	char path[PATH_MAX];

	name_file(path, directory, program);
	unlink(path);
	close(fd);
}
