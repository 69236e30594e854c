/*
 * person.h - a name for somebody who is not to be named
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_MODEL_PERSON_H
#define BELFRY_MODEL_PERSON_H

#include "base/compiler.h"
#include "base/id.h"

struct arena;
struct keyring;

/* "person:" and 32 hexadecimal digits: a hash of a user's id or an address, keyed with
 * the ring's pepper and the tenant.  Who knows the id and has the ring finds it again;
 * nobody gets the id from it. */
const char *person_label(struct arena *a, const struct keyring *ring,
    struct tenant_id tenant, const char *who) MUST_CHECK;

#endif
