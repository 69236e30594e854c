/*
 * durability.h - whether PostgreSQL keeps what it commits
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_DB_DURABILITY_H
#define BELFRY_DB_DURABILITY_H

#include <stdbool.h>

#include "base/compiler.h"

struct arena;
struct db;
struct err;

/* Sets *fault_r to what lets a commit of this session be lost when the host of PostgreSQL
 * fails ("fsync is off, synchronous_commit is off"), in "a"; NULL: nothing does. */
int durability_look(struct db *db, struct arena *a, const char **fault_r,
    struct err *e) MUST_CHECK;

/* Looks at the start of a program, and logs a line when there is something.  Returns
 * whether commits may be lost. */
bool durability_check(struct db *db, struct arena *a);

#endif
