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
};

const char *
principal_kind_name(enum principal_kind kind)
{
	ensure(kind < NELEMS(kinds));
	return kinds[kind];
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
	return arena_printf(a, "%s:%s", principal_kind_name(p->kind), p->name);
}
