/*
 * secret_file.c - secrets of tenants that the operator keeps in files
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "base/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"

enum { SECRET_MAX = 4096 };

static int
check(const char *path, int fd, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return err_set(e, ERR_UNPROCESSABLE,
		    "secret file \"%s\" is not a regular file", path);
	if ((st.st_mode & 037) != 0)
		return err_set(e, ERR_UNPROCESSABLE,
		    "secret file \"%s\" can be read or changed by others: "
		    "chmod 600", path);
	return 0;
}

static int
read_all(struct arena *a, const char *path, int fd, const char **secret_r,
    struct err *e)
{
	char *secret = arena_zalloc(a, 1, SECRET_MAX + 1);
	ssize_t n;

	n = read(fd, secret, SECRET_MAX);
	if (n < 0)
		return err_set(e, ERR_TEMPORARY,
		    "could not read secret file \"%s\": %s", path,
		    strerror(errno));
	while (n > 0 && strchr(" \t\r\n", secret[n - 1]) != NULL)
		secret[--n] = '\0';
	if (n == 0 || n >= SECRET_MAX || strlen(secret) != (size_t)n ||
	    text_has_control(secret))
		return err_set(e, ERR_UNPROCESSABLE,
		    "secret file \"%s\" has no secret in one line of text", path);
	*secret_r = secret;
	return 0;
}

int
secret_file_read(struct arena *a, const char *directory, const char *tenant,
    const char *name, const char **secret_r, struct err *e)
{
	const char *path = arena_printf(a, "%s/%s/%s", directory, tenant, name);
	int fd, rc = -1;

	if (!text_is_slug(tenant) || !text_is_slug(name))
		return err_set(e, ERR_UNPROCESSABLE,
		    "\"%s\" cannot be the name of a secret file", name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0)
		return err_set(e, ERR_TEMPORARY,
		    "could not open secret file \"%s\": %s", path,
		    strerror(errno));
	if (check(path, fd, e) == 0)
		rc = read_all(a, path, fd, secret_r, e);
	close(fd);
	return rc;
}
