/*
 * push.h - directories of templates into the database
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_CTL_PUSH_H
#define BELFRY_CTL_PUSH_H

#include <stddef.h>

#include "base/compiler.h"

struct ctl;
struct err;
struct template_save;

/* Reads and checks all directories (or those below them, template_tree.h), then saves all of them and prints what
 * came of each.  When one is broken nothing is saved, and c->faults names
 * every fault. */
int push_directories(struct ctl *c, const char *const *paths, size_t count,
    const struct template_save *how, struct err *e) MUST_CHECK;

#endif
