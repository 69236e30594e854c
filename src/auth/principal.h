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
	PRINCIPAL_SERVICE, /* a service account, or a client of an issuer */
	PRINCIPAL_USER, /* a person with an access token */
	PRINCIPAL_ADMIN /* a person who administers a tenant, or all */
};

struct principal {
	enum principal_kind kind;
	struct tenant_id tenant; /* 0: none, a platform administrator */
	struct account_id account;
	const char *key_id; /* of the API key; NULL without one */
	const char *issuer; /* of the token; NULL with an API key */
	const char *name; /* of the account; the subject of a token */
	const char *user_id; /* of the person; NULL for a service */
	const char *tenant_slug;
	const char *default_locale; /* the tenant's */
	const char *time_zone; /* the tenant's */
	uint64_t scopes; /* scope_set() */
	int64_t expires_ms; /* wall time; 0: never */
	bool test; /* simulators alone send what it asks for */
};

const char *principal_kind_name(enum principal_kind kind);

/* Puts it into a tenant; the texts are copied into "a". */
void principal_enter(struct arena *a, struct principal *p,
    struct tenant_id tenant, const char *slug, const char *default_locale,
    const char *time_zone);

bool principal_may(const struct principal *p, enum scope scope);

/* How the audit names it: "key:01hz... (shop)", "user:ann (https://sso.example.org)". */
const char *principal_label(struct arena *a, const struct principal *p)
    MUST_CHECK;

#endif
