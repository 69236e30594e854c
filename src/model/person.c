/*
 * person.c - a name for somebody who is not to be named
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "model/person.h"

#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/seal.h"
#include "base/text.h"

enum { LABEL_BYTES = 16 };

const char *
person_label(struct arena *a, const struct keyring *ring,
    struct tenant_id tenant, const char *who)
{
	const char *text = arena_printf(a, "person %" PRId64 " %s", tenant.n,
	    who);
	uint8_t hash[SECRET_HASH_BYTES];

	secret_hash(ring, text, strlen(text), hash);
	return arena_printf(a, "person:%s", text_hex(a, hash, LABEL_BYTES));
}
