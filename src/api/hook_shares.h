/*
 * hook_shares.h - what is reported of accounts of the platform goes to whom it concerns
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Our messages say whose they are, and what is reported of one brings that back.  What
 * does not name a tenant, such as what a person wrote, is for all who have leave to use
 * the account: there it changes something only of deliveries of theirs by this account,
 * and of addresses that they wrote to by it.
 */
#ifndef BELFRY_API_HOOK_SHARES_H
#define BELFRY_API_HOOK_SHARES_H

#include "base/compiler.h"

struct err;
struct hook_events;
struct request;

/* Puts the events, whose accounts are the platform's, into the tenants' inboxes: 0, -1. */
int hook_shares_put(struct request *rq, const struct hook_events *events,
    struct err *e) MUST_CHECK;

#endif
