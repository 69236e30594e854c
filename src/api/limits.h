/*
 * limits.h - which rate limits hold for a request
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * [limits] of the configuration, and the setting "limits" of a tenant, which goes before
 * it: {"send": {"rate": 100, "burst": 200}, "read": ..., "write": ..., "person": ...,
 * "account_share": 50}.  What does not make sense in a setting is passed over.
 */
#ifndef BELFRY_API_LIMITS_H
#define BELFRY_API_LIMITS_H

#include "base/compiler.h"
#include "base/id.h"

struct arena;
struct err;
struct request;
struct trusted;

/* The credentials that this worker has seen to be good, as far as it remembers. */
struct trusted *trusted_new(struct arena *a) MUST_CHECK;

/* The dispatcher's hook: takes the request out of its tenant's limit, its service
 * account's or person's, or its address's.  -1 with ERR_LIMITED. */
int limits_admit(struct request *rq, struct err *e) MUST_CHECK;

/* Takes note of a link of a delivery, whose kind "what" is.  -1 with ERR_LIMITED when it was
 * used too often: then nothing is to be written for it. */
int limits_link(struct request *rq, const char *what, struct delivery_id delivery,
    struct err *e) MUST_CHECK;

/* Around a proof of credentials.  Before: -1 with ERR_LIMITED when too many
 * failed that came from the same address, and these are not known to be good.  After:
 * "e" is what was wrong, NULL when they are good. */
int limits_before_proof(struct request *rq, const char *credentials,
    struct err *e) MUST_CHECK;
void limits_after_proof(struct request *rq, const char *credentials,
    const struct err *e);

#endif
