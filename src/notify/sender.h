/*
 * sender.h - whether anybody may send as the address that a request names
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_NOTIFY_SENDER_H
#define BELFRY_NOTIFY_SENDER_H

#include "base/compiler.h"

struct accept_params;
struct arena;
struct err;
struct field_errors;

/* Asks the database, when content.email.from is given.  0, or -1: with a fault added to
 * "fe", or with *e when the database failed. */
int sender_check(struct arena *a, const struct accept_params *p,
    struct field_errors *fe, struct err *e) MUST_CHECK;

#endif
