/*
 * scope.h - scopes by name and as a set of bits
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_AUTH_SCOPE_H
#define BELFRY_AUTH_SCOPE_H

#include <stddef.h>
#include <stdint.h>

enum scope {
#define X(NAME, name, help) SCOPE_##NAME,
#include "auth/scope.def"
#undef X
	SCOPE_COUNT
};

/* The names in the order of the enum, ended by NULL: for field tables. */
extern const char *const scope_names[];

const char *scope_help(enum scope scope);

/* The bit of a name; 0 when there is no such scope. */
uint64_t scope_bit(const char *name);

/* The set of the bits that the names stand for, with what "admin" and "platform"
 * bring along.  Names that are not known (any more) bring nothing. */
uint64_t scope_set(const char *const *names, size_t count);

#endif
