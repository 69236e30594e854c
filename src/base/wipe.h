/*
 * wipe.h - memory tells nothing after it was given back
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * free() leaves what was in it until somebody else gets it, and realloc() leaves a copy
 * behind.  A credential that was read, quoted, put into a request and encrypted would so
 * outlive its use many times over, in memory of Belfry and of each library that it went
 * through; and nobody can say which of all the texts hold one.  So wipe.c has a free() and
 * a realloc() of its own, which wipe first, in front of those of the C library or of what
 * was preloaded.  Everything in a program uses them, the libraries too.
 */
#ifndef BELFRY_BASE_WIPE_H
#define BELFRY_BASE_WIPE_H

/* Every program calls it first of all.  Ends it when its memory is not wiped. */
void wipe_begin(void);

#endif
