/*
 * show.h - a notification with what became of it, as rows
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_CTL_SHOW_H
#define BELFRY_CTL_SHOW_H

#include "base/compiler.h"

struct ctl;
struct db_rows;
struct err;

/* Reads the notification that the first argument names: the rows of queries
 * notification_get (one row), notification_deliveries and notification_timeline.
 * -1: INVALID when it is no id, NOT_FOUND, or as db_run(). */
int show_read(struct ctl *c, struct db_rows ***rows_r, struct err *e) MUST_CHECK;

#endif
