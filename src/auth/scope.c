/*
 * scope.c - scopes by name and as a set of bits
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "auth/scope.h"

#include <string.h>

#include "base/ensure.h"

const char *const scope_names[] = {
#define X(NAME, name, help) name,
#include "auth/scope.def"
#undef X
	NULL
};

static const char *const helps[] = {
#define X(NAME, name, help) help,
#include "auth/scope.def"
#undef X
};

const char *
scope_help(enum scope scope)
{
	ensure(scope < NELEMS(helps));
	return helps[scope];
}

uint64_t
scope_bit(const char *name)
{
	int i;

	for (i = 0; i < SCOPE_COUNT; i++)
		if (strcmp(scope_names[i], name) == 0)
			return UINT64_C(1) << i;
	return 0;
}

uint64_t
scope_set(const char *const *names, size_t count)
{
	uint64_t set = 0;
	size_t i;

	for (i = 0; i < count; i++)
		set |= scope_bit(names[i]);
	/* All that they bring stands above them in the table. */
	if (set & UINT64_C(1) << SCOPE_PLATFORM)
		set |= (UINT64_C(1) << SCOPE_PLATFORM) - 1;
	if (set & UINT64_C(1) << SCOPE_ADMIN)
		set |= (UINT64_C(1) << SCOPE_ADMIN) - 1;
	return set;
}
