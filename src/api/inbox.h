/*
 * inbox.h - where events wait until a spooler applies them
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_API_INBOX_H
#define BELFRY_API_INBOX_H

#include "base/compiler.h"
#include "base/id.h"

struct err;
struct hook_events;
struct request;

/* Puts events that are proven into a tenant's inbox, in one insert, and rings the spooler;
 * of none nothing comes. */
int inbox_put(struct request *rq, struct tenant_id tenant,
    const struct hook_events *events, struct err *e) MUST_CHECK;

#endif
