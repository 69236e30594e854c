/*
 * overload.h - when more is accepted than can be sent
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A spooler measures the queue every few seconds and marks tenants of whom too much waits
 * (sql/migrations/0009_operating.sql, overload_mark()).  belfry-api reads the marks along
 * with the tenant's generation, so they cost it nothing, and refuses: bulk first, what is
 * urgent last.  Without spoolers belfry-api measures.
 */
#ifndef BELFRY_MODEL_OVERLOAD_H
#define BELFRY_MODEL_OVERLOAD_H

#include <stdbool.h>

#include "base/compiler.h"

struct arena;
struct config;
struct db;
struct db_batch;
struct db_rows;
struct err;

/* Levels: 0 nothing is refused, 1 bulk, 2 normal too, 3 all. */
struct overload {
	int tenant;
	int total;
};

/* Adds the query that measures when the last time was "age_ms" ago. */
void overload_mark_add(
    struct db_batch *b, const struct config *config, int age_ms);

/* Of a row of generation_get. */
struct overload overload_from_row(const struct db_rows *rows);

/* Measures when nobody has done so for long.  0, or -1 with *e. */
int overload_measure(struct arena *a, struct db *db,
    const struct config *config, struct err *e) MUST_CHECK;

/* 0 when a notification of that priority (enum priority) may be accepted, or -1 with
 * ERR_QUEUE_FULL or ERR_OVERLOADED. */
int overload_check(struct overload o, int priority, struct err *e) MUST_CHECK;

#endif
