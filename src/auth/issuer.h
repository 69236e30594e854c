/*
 * issuer.h - whom access tokens are believed from, and what they mean here
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * An issuer comes from the configuration ([issuer NAME]) or belongs to a tenant.  That of
 * a tenant speaks for this tenant alone and never makes platform administrators.
 *
 * A claim is named by a path: "realm_access.roles" is the member "roles" of the member
 * "realm_access".  Members whose names hold dots are found as well, as in
 * "resource_access.shop.example.org.roles".
 */
#ifndef BELFRY_AUTH_ISSUER_H
#define BELFRY_AUTH_ISSUER_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "auth/keyset.h"
#include "base/compiler.h"

struct arena;
struct config_issuer;
struct err;

enum role {
#define X(NAME, name, scopes, help) ROLE_##NAME,
#include "auth/role.def"
#undef X
	ROLE_COUNT
};

/* Lists end in NULL. */
struct issuer {
	const char *name; /* for the log */
	struct key_source keys; /* with the issuer's own name */
	const char *const *audiences;
	const char *const *parties; /* empty: all */
	const char *const *services;
	const char *const *roles_claims;
	const char *const *scopes_claims;
	const char *user_claim;
	const char *tenant_claim; /* "": none */
	const char *tenant; /* "": none */
	const char *roles[ROLE_COUNT]; /* what they are called; "": none */
	bool own; /* belongs to the tenant above */
};

/* Whom a token is about. */
struct identity {
	const char *issuer; /* this and the next one together are who it is */
	const char *subject;
	const char *user_id; /* NULL: a service */
	const char *party; /* the client that asked for the token; NULL */
	const char *tenant; /* a slug; NULL: none is named */
	uint64_t scopes;
	int64_t expires_ms;
};

/* Makes an issuer of a section of the configuration. */
void issuer_from_config(struct arena *a, const struct config_issuer *section,
    struct issuer *issuer_r);

/* Makes one of a tenant's own: [name, settings], which are as api/issuers.c writes them.
 * The tenant is given by its number and by its slug. */
void issuer_from_settings(struct arena *a, const json_t *row,
    struct tenant_id owner, const char *tenant, struct issuer *issuer_r);

/* The words of a text as a list that ends in NULL. */
const char *const *issuer_words(struct arena *a, const char *text) MUST_CHECK;

/* What the claims of a verified token mean.  Texts live as long as the claims, or in
 * "a".  -1 with *e (ERR_UNAUTHENTICATED) when they name nobody. */
int issuer_identify(struct arena *a, const struct issuer *issuer,
    const json_t *claims, struct identity *id_r, struct err *e) MUST_CHECK;

/* The claim at a path; NULL when there is none. */
const json_t *issuer_claim(struct arena *a, const json_t *claims,
    const char *path);

#endif
