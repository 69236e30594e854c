/*
 * ca_file.c - a file with certificates that somebody has named
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "net/ca_file.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

enum { CA_FILE_MAX = 1 << 20 };

int
ca_file_check(const char *path, struct err *e)
{
	/* What is opened that way does not wait for a writer. */
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	bool good = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_size <= CA_FILE_MAX;

	if (fd >= 0)
		close(fd);
	return good ? 0
	            : err_set(e, ERR_UNPROCESSABLE,
	                  "its ca_file is not a regular file of at most %d bytes "
	                  "that can be read", CA_FILE_MAX);
}
