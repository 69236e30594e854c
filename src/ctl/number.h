/*
 * number.h - options and arguments that are numbers or times
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_CTL_NUMBER_H
#define BELFRY_CTL_NUMBER_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct ctl;
struct err;

/* Reads an option as a number from min to max; *n_r stays as it is when the
 * option is absent.  -1 with ERR_INVALID. */
int ctl_number(const struct ctl *c, const char *option, int64_t min,
    int64_t max, int64_t *n_r, struct err *e) MUST_CHECK;

/* The same with the n-th argument, which messages call "name": a number of something,
 * from 1 on. */
int ctl_number_argument(const struct ctl *c, size_t n, const char *name,
    int64_t *n_r, struct err *e) MUST_CHECK;

/* Which way "7d" is meant. */
enum ctl_direction { CTL_AGO, CTL_AHEAD };

/* Reads an option as a time: RFC 3339, a date (its midnight in UTC), or a duration from
 * now in the direction; *ms_r stays as it is when the option is absent.  -1 with
 * ERR_INVALID. */
int ctl_time(const struct ctl *c, const char *option,
    enum ctl_direction direction, int64_t *ms_r, struct err *e) MUST_CHECK;

/* The same with the n-th argument, which messages call "name". */
int ctl_time_argument(const struct ctl *c, size_t n, const char *name,
    enum ctl_direction direction, int64_t *ms_r, struct err *e) MUST_CHECK;

/* Reads an option as a duration such as "24h"; *ms_r stays as it is when it is absent.
 * -1 with ERR_INVALID. */
int ctl_duration(const struct ctl *c, const char *option, int64_t *ms_r,
    struct err *e) MUST_CHECK;

#endif
