/*
 * principal.c - who is asking
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "auth/principal.h"

#include <stddef.h>

#include "base/arena.h"
#include "base/ensure.h"

static const char *const kinds[] = {
	[PRINCIPAL_SERVICE] = "service",
	[PRINCIPAL_USER] = "user",
	[PRINCIPAL_ADMIN] = "admin",
};

const char *
principal_kind_name(enum principal_kind kind)
{
	ensure(kind < NELEMS(kinds));
	return kinds[kind];
}

void
principal_enter(struct arena *a, struct principal *p, struct tenant_id tenant,
    const char *slug, const char *default_locale, const char *time_zone)
{
	p->tenant = tenant;
	p->tenant_slug = arena_strdup(a, slug);
	p->default_locale = arena_strdup(a, default_locale);
	p->time_zone = arena_strdup(a, time_zone);
}

bool
principal_may(const struct principal *p, enum scope scope)
{
	return (p->scopes & UINT64_C(1) << scope) != 0;
}

const char *
principal_label(struct arena *a, const struct principal *p)
{
	if (p->key_id != NULL)
		return arena_printf(a, "key:%s (%s)", p->key_id, p->name);
	return arena_printf(a, "%s:%s (%s)", principal_kind_name(p->kind),
	    p->name, p->issuer);
}
