/*
 * last_used.h - when API keys were used
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * To the hour, so that it costs a key one small write in an hour and worker; written after the
 * answer, when nobody waits for it.
 */
#ifndef BELFRY_API_LAST_USED_H
#define BELFRY_API_LAST_USED_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/id.h"

struct arena;
struct db;
struct err;
struct last_used;

struct last_used *last_used_new(struct arena *a) MUST_CHECK;

/* A key was used; used_ms is what the database says of it. */
void last_used_note(struct last_used *u, struct tenant_id tenant,
    const char *key_id, int64_t used_ms);

/* Writes down what was noted. */
int last_used_write(struct last_used *u, struct db *db, struct err *e) MUST_CHECK;

#endif
