/*
 * config_list.h - keys of the configuration that are lists
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_BASE_CONFIG_LIST_H
#define BELFRY_BASE_CONFIG_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct arena;
struct err;

/* Durations in milliseconds, separated by blanks: "0s 5s 5m".  The list lives in "a" and
 * has at least one entry.  -1 with "what is wrong; the mend". */
int config_durations(struct arena *a, const char *text, int64_t **list_r,
    size_t *count_r, struct err *e) MUST_CHECK;

/* The same with ports; there may be none. */
int config_ports(struct arena *a, const char *text, int64_t **list_r,
    size_t *count_r, struct err *e) MUST_CHECK;

#endif
