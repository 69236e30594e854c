/*
 * ca_file.h - a file with certificates that somebody has named
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_NET_CA_FILE_H
#define BELFRY_NET_CA_FILE_H

#include "base/compiler.h"

struct err;

/* libcurl reads such a file at once, whatever it is: a pipe would stop everything, a disk
 * fill the memory.  0 when it is a regular file of a size that certificates have and can be
 * read; else -1, in the same words whatever it is. */
int ca_file_check(const char *path, struct err *e) MUST_CHECK;

#endif
