/*
 * week.h - which weeks the history has partitions for
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Notifications, deliveries, attempts and events lie in partitions by the week of the
 * notification's id.  PostgreSQL opens every partition of a table that a statement
 * updates through its parent, each time: with three months of history that costs more
 * than all the rest of the statement.  So a query that has "{week}" behind the names of
 * such tables goes straight to one partition when all its rows are known to lie there,
 * and to the parent when not.  The week comes from the ids alone; that there is a
 * partition for it is known from the database, once for the whole process.
 */
#ifndef BELFRY_DB_WEEK_H
#define BELFRY_DB_WEEK_H

#include <stdint.h>

struct db_rows;
struct uuid;

/* What follows the name of a table: "_20261123", or nothing for the parent. */
enum { WEEK_NAME_BYTES = 16 };

/* Takes the rows of query "partition_weeks" in place of what was known. */
void weeks_learn(const struct db_rows *rows);

/* Nothing is known until the next weeks_learn(): everything goes by the parents. */
void weeks_forget(void);

/* The week of a notification's id, counted from the first Monday of 1970, when it has
 * partitions of its own; else 0. */
int week_of(const struct uuid *notification);

/* The week of "first" when the next id lies in the same one; else 0. */
int week_same(int first, const struct uuid *next);

/* 0 is the parent. */
void week_name(int week, char name[static WEEK_NAME_BYTES]);

#endif
