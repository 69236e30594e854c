/*
 * pidfile.h - the file that says which process is the master
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_BASE_PIDFILE_H
#define BELFRY_BASE_PIDFILE_H

#include "base/compiler.h"

struct err;

/* Writes the pid into DIRECTORY/PROGRAM.pid and holds a lock on it until the
 * process ends; the lock does not pass to children.  Returns the descriptor, or -1
 * with *e set when another process holds it or the file cannot be written. */
int pidfile_open(const char *directory, const char *program, struct err *e)
    MUST_CHECK;

/* Removes the file and gives up the lock. */
void pidfile_close(int fd, const char *directory, const char *program);

#endif
