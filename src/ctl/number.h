/*
 * number.h - options that are numbers
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_CTL_NUMBER_H
#define BELFRY_CTL_NUMBER_H

#include <stdint.h>

#include "base/compiler.h"

struct ctl;
struct err;

/* Reads an option as a number from min to max; *n_r stays as it is when the
 * option is absent.  -1 with ERR_INVALID. */
int ctl_number(const struct ctl *c, const char *option, int64_t min,
    int64_t max, int64_t *n_r, struct err *e) MUST_CHECK;

#endif
