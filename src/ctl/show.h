/*
 * show.h - the notification that a command is about
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_CTL_SHOW_H
#define BELFRY_CTL_SHOW_H

#include "base/compiler.h"

struct ctl;
struct err;
struct uuid;

/* The id of the notification that the first argument names; -1: INVALID when it is none. */
int show_id(struct ctl *c, struct uuid *id_r, struct err *e) MUST_CHECK;

/* There is none of that id: sets NOT_FOUND, gives -1. */
int show_missing(struct ctl *c, struct err *e) MUST_CHECK;

#endif
