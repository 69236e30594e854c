/*
 * migrate.h - the schema and its versions
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The files of sql/migrations/ are part of the programs.  Each is applied once, in a
 * transaction of its own, by belfry_owner, and recorded with its checksum.
 */
#ifndef BELFRY_DB_MIGRATE_H
#define BELFRY_DB_MIGRATE_H

#include "base/compiler.h"

struct arena;
struct db;
struct err;

/* The version that this program was built for. */
int migrate_latest(void);

/* Applies what is missing, under an advisory lock; "db" is connected as a role that may
 * become belfry_owner.  Calls told() for each one.  Refuses a database that is newer
 * than the program or whose past migrations differ from ours. */
int migrate_up(struct db *db, struct arena *a,
    void (*told)(void *arg, const char *name), void *arg, struct err *e)
    MUST_CHECK;

/* 0 when the database has exactly this program's version or a newer one that says it is
 * compatible; -1 with *e saying what to run. */
int migrate_check(struct db *db, struct arena *a, struct err *e) MUST_CHECK;

#endif
