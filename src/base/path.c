/*
 * path.c - names of files
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "base/path.h"

#include <stddef.h>
#include <string.h>

const char *
path_below(const char *base, const char *path)
{
	const char *p;
	size_t n;

	if (base == NULL || base[0] != '/')
		return NULL;
	n = strlen(base);
	while (n > 1 && base[n - 1] == '/')
		n--;
	if (n == 1)
		n = 0; /* all absolute paths are below the root */
	if (strncmp(path, base, n) != 0 || (path[n] != '/' && path[n] != '\0'))
		return NULL;
	for (p = path + n; (p = strstr(p, "/.")) != NULL; p++) {
		if (p[2] == '/' || p[2] == '\0' ||
		    (p[2] == '.' && (p[3] == '/' || p[3] == '\0')))
			return NULL;
	}
	return path + n + strspn(path + n, "/");
}
