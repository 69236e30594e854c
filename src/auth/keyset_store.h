/*
 * keyset_store.h - where the workers of a host leave key sets for each other
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * In the run directory each source of keys has a file "jwks.NAME", which is replaced
 * as a whole, and a file "jwks.NAME.lock", which holds the time of the last fetch
 * that was begun and is locked while it is under way.  The names of those of one tenant begin
 * alike.  Files "jwks-place.N" are locked by
 * workers that see to sets that tenants named.
 */
#ifndef BELFRY_AUTH_KEYSET_STORE_H
#define BELFRY_AUTH_KEYSET_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct arena;
struct err;

/* Which version of a file was read last. */
struct keyset_stamp {
	uint64_t inode;
	int64_t changed_ns;
};

/* Reads a file of at most JWKS_BYTES_MAX and a line when it is another one than "stamp"
 * says, and sets the stamp.  1 with *text_r, 0 when it is the same or not there, -1
 * when it cannot be read. */
int keyset_file_read(struct arena *a, const char *path,
    struct keyset_stamp *stamp, const char **text_r, struct err *e) MUST_CHECK;

/* Replaces a file as a whole. */
int keyset_file_write(struct arena *a, const char *path, const char *text,
    struct err *e) MUST_CHECK;

/* Takes the lock of a source for a fetch, unless somebody has it (*busy_r) or began
 * within pause_ms.  The descriptor to close when the fetch is over, or -1. */
int keyset_lock(struct arena *a, const char *path, int64_t pause_ms,
    bool *busy_r);

/* Takes one of the "count" places of this host, of those that the owner may have: half of
 * them.  The descriptor to close, or -1 when they are taken. */
int keyset_place(struct arena *a, const char *directory, const char *owner,
    int count);

/* Removes the files of one owner, whose names begin with "jwks.OWNER", but for those of
 * "jwks.NAME", when there are more than "most": one who names ever new sources does not
 * fill the directory.  Locks that still hold off a fetch (keyset_lock) are not counted and
 * stay, up to KEYSET_LOCKS_MAX of them. */
enum { KEYSET_LOCKS_MAX = 256 };
void keyset_thin(const char *directory, const char *owner, const char *name,
    int most, int64_t pause_ms);

/* Removes what nobody has touched for a day. */
void keyset_sweep(const char *directory);

#endif
