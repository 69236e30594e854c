/*
 * issuer.c - whom access tokens are believed from, and what they mean here
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "auth/issuer.h"

#include <string.h>

#include "auth/scope.h"
#include "base/arena.h"
#include "base/config_issuer.h"
#include "base/err.h"
#include "base/text.h"

enum { ID_BYTES_MAX = 255 };

static const char *const role_scopes[] = {
#define X(NAME, name, scopes, help) [ROLE_##NAME] = scopes,
#include "auth/role.def"
#undef X
};

const char *const *
issuer_words(struct arena *a, const char *text)
{
	const char **list = arena_zalloc(a, strlen(text) / 2 + 2,
	    sizeof(*list));
	size_t count = 0, len;

	for (text += strspn(text, " "); *text != '\0';
	     text += strspn(text, " ")) {
		len = strcspn(text, " ");
		list[count++] = arena_strndup(a, text, len);
		text += len;
	}
	return list;
}

void
issuer_from_config(struct arena *a, const struct config_issuer *section,
    struct issuer *issuer_r)
{
	*issuer_r = (struct issuer){
		.name = section->name,
		.keys = {
			.issuer = section->issuer,
			.jwks = section->jwks,
			.ca_file = section->ca_file,
		},
		.audiences = issuer_words(a, section->audience),
		.parties = issuer_words(a, section->parties),
		.services = issuer_words(a, section->services),
		.roles_claims = issuer_words(a, section->roles_claim),
		.scopes_claims = issuer_words(a, section->scopes_claim),
		.user_claim = section->user_claim,
		.tenant_claim = section->tenant_claim,
		.tenant = section->tenant,
		.roles = {
			[ROLE_PLATFORM] = section->platform_role,
			[ROLE_ADMIN] = section->admin_role,
			[ROLE_AUTHOR] = section->author_role,
			[ROLE_AUDITOR] = section->auditor_role,
		},
	};
}

static const char *
setting(const json_t *settings, const char *name, const char *other)
{
	const char *text =
	    json_string_value(json_object_get(settings, name));

	return text != NULL ? text : other;
}

static const char *const *
setting_words(struct arena *a, const json_t *settings, const char *name)
{
	const json_t *list = json_object_get(settings, name), *one;
	const char **words = arena_zalloc(a, json_array_size(list) + 1,
	    sizeof(*words));
	size_t i, count = 0;

	json_array_foreach(list, i, one)
		if (json_is_string(one))
			words[count++] = json_string_value(one);
	return words;
}

void
issuer_from_settings(struct arena *a, const json_t *row, struct tenant_id owner,
    const char *tenant, struct issuer *issuer_r)
{
	const char *name = json_string_value(json_array_get(row, 0));
	const json_t *settings = json_array_get(row, 1);

	*issuer_r = (struct issuer){
		.name = name,
		.keys = {
			.issuer = setting(settings, "issuer", ""),
			.jwks = setting(settings, "jwks", ""),
			.ca_file = "",
			.guarded = true,
			.owner = keyset_owner(a, owner),
		},
		.audiences = setting_words(a, settings, "audience"),
		.parties = setting_words(a, settings, "parties"),
		.services = setting_words(a, settings, "services"),
		.roles_claims = setting_words(a, settings, "roles_claim"),
		.scopes_claims = setting_words(a, settings, "scopes_claim"),
		.user_claim = setting(settings, "user_claim", "sub"),
		.tenant_claim = "",
		.tenant = tenant,
		.roles = {
			[ROLE_PLATFORM] = "",
			[ROLE_ADMIN] = setting(settings, "admin_role", ""),
			[ROLE_AUTHOR] = setting(settings, "author_role", ""),
			[ROLE_AUDITOR] = setting(settings, "auditor_role", ""),
		},
		.own = true,
	};
}

/* ---- Claims -------------------------------------------------------------------- */

const json_t *
issuer_claim(struct arena *a, const json_t *claims, const char *path)
{
	const json_t *value = json_object_get(claims, path);
	const char *dot;

	for (dot = path; value == NULL && (dot = strchr(dot, '.')) != NULL;
	     dot++)
		value = issuer_claim(a,
		    json_object_get(claims,
		        arena_strndup(a, path, (size_t)(dot - path))), dot + 1);
	return value;
}

/* A text that can stand in a log and in a column. */
static const char *
name_in(const json_t *value)
{
	const char *text = json_string_value(value);

	return text != NULL && text[0] != '\0' &&
	        strlen(text) <= ID_BYTES_MAX && !text_has_control(text) ?
	    text :
	    NULL;
}

static bool
is_listed(const char *text, const char *const *list)
{
	for (; text != NULL && *list != NULL; list++)
		if (strcmp(text, *list) == 0)
			return true;
	return false;
}

/* Does a claim, a list of texts or words in one text, hold a word? */
static bool
claim_holds(struct arena *a, const json_t *value, const char *word)
{
	const json_t *one;
	size_t i;

	if (json_is_string(value))
		return is_listed(word,
		    issuer_words(a, json_string_value(value)));
	json_array_foreach(value, i, one)
		if (json_is_string(one) &&
		    strcmp(json_string_value(one), word) == 0)
			return true;
	return false;
}

static bool
any_claim_holds(struct arena *a, const json_t *claims,
    const char *const *paths, const char *word)
{
	for (; *paths != NULL; paths++)
		if (claim_holds(a, issuer_claim(a, claims, *paths), word))
			return true;
	return false;
}

/* ---- Rights ---------------------------------------------------------------------- */

static uint64_t
scopes_of_roles(struct arena *a, const struct issuer *issuer,
    const json_t *claims)
{
	const char *const *words;
	uint64_t set = 0;
	size_t role, n;

	for (role = 0; role < ROLE_COUNT; role++) {
		if (issuer->roles[role][0] == '\0' ||
		    (role == ROLE_PLATFORM && issuer->own) ||
		    !any_claim_holds(a, claims, issuer->roles_claims,
		        issuer->roles[role]))
			continue;
		words = issuer_words(a, role_scopes[role]);
		for (n = 0; words[n] != NULL;)
			n++;
		set |= scope_set(words, n);
	}
	return set;
}

/* Scopes that a service was given.  Nobody becomes a platform administrator by them, and
 * a service is no person. */
static uint64_t
scopes_of_service(struct arena *a, const struct issuer *issuer,
    const json_t *claims)
{
	uint64_t set = 0;
	size_t i;

	for (i = 0; i < SCOPE_COUNT; i++)
		if (i != SCOPE_PLATFORM && i != SCOPE_ME &&
		    any_claim_holds(a, claims, issuer->scopes_claims,
		        scope_names[i]))
			set |= scope_set(&scope_names[i], 1);
	return set;
}

static const char *
party_of(const json_t *claims)
{
	const char *azp = name_in(json_object_get(claims, "azp"));

	return azp != NULL ? azp : name_in(json_object_get(claims, "client_id"));
}

/* RFC 9068 section 2.2: a client that asks for itself is the subject. */
static bool
is_service(const struct issuer *issuer, const json_t *claims,
    const char *subject, const char *party)
{
	const char *client = name_in(json_object_get(claims, "client_id"));

	return is_listed(party, issuer->services) ||
	    (client != NULL && strcmp(client, subject) == 0);
}

static int
find_tenant(struct arena *a, const struct issuer *issuer, const json_t *claims,
    const char **tenant_r, struct err *e)
{
	const json_t *value = NULL;
	const char *slug;

	*tenant_r = issuer->tenant[0] != '\0' ? issuer->tenant : NULL;
	if (issuer->own || issuer->tenant_claim[0] == '\0')
		return 0;
	value = issuer_claim(a, claims, issuer->tenant_claim);
	if (value == NULL)
		return 0;
	slug = json_string_value(value);
	if (slug == NULL || !text_is_slug(slug))
		return err_set(e, ERR_UNAUTHENTICATED,
		    "the token names a tenant that cannot be");
	*tenant_r = slug;
	return 0;
}

int
issuer_identify(struct arena *a, const struct issuer *issuer,
    const json_t *claims, struct identity *id_r, struct err *e)
{
	struct identity id = { .issuer = issuer->keys.issuer };

	id.subject = name_in(json_object_get(claims, "sub"));
	id.party = party_of(claims);
	if (id.subject == NULL)
		return err_set(e, ERR_UNAUTHENTICATED,
		    "the token names nobody");
	if (issuer->parties[0] != NULL &&
	    !is_listed(id.party, issuer->parties))
		return err_set(e, ERR_UNAUTHENTICATED,
		    "the token was given to another client");
	if (find_tenant(a, issuer, claims, &id.tenant, e) != 0)
		return -1;
	id.scopes = scopes_of_roles(a, issuer, claims);
	if (is_service(issuer, claims, id.subject, id.party)) {
		id.scopes |= scopes_of_service(a, issuer, claims);
	} else {
		id.user_id = name_in(
		    issuer_claim(a, claims, issuer->user_claim));
		if (id.user_id == NULL)
			return err_set(e, ERR_UNAUTHENTICATED,
			    "the token does not say who the person is");
		id.scopes |= scope_bit(scope_names[SCOPE_ME]);
	}
	id.expires_ms = (int64_t)(json_number_value(
	                              json_object_get(claims, "exp")) * 1000);
	*id_r = id;
	return 0;
}
