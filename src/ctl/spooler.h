/*
 * spooler.h - spoolers as operators see them
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_CTL_SPOOLER_H
#define BELFRY_CTL_SPOOLER_H

#include <jansson.h>

#include "base/compiler.h"

struct ctl;
struct err;

/* All spoolers, or those of the host or with the id "which".  0, or -1 with *e. */
int spooler_rows(struct ctl *c, const char *which, json_t **rows_r,
    struct err *e) MUST_CHECK;

#endif
