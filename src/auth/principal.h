/*
 * principal.h - who is asking
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_AUTH_PRINCIPAL_H
#define BELFRY_AUTH_PRINCIPAL_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/scope.h"
#include "base/compiler.h"
#include "base/id.h"

struct arena;

enum principal_kind {
	PRINCIPAL_SERVICE, /* a service account with an API key */
	PRINCIPAL_USER /* a person with an access token */
};

struct principal {
	enum principal_kind kind;
	struct tenant_id tenant;
	struct account_id account;
	const char *key_id; /* of the API key; NULL without one */
	const char *name; /* of the account or the person */
	const char *tenant_slug;
	const char *default_locale; /* the tenant's */
	const char *time_zone; /* the tenant's */
	uint64_t scopes; /* scope_set() */
	int64_t expires_ms; /* wall time; 0: never */
};

const char *principal_kind_name(enum principal_kind kind);

bool principal_may(const struct principal *p, enum scope scope);

/* How the audit names it: "key:01HZ... (shop)", "user:ann". */
const char *principal_label(struct arena *a, const struct principal *p)
    MUST_CHECK;

#endif
