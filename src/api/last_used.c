/*
 * last_used.c - when API keys were used
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a worker remembers of a key is as old as its cache, so the worker remembers by
 * itself which keys it has written; each key has one place, which it may lose to
 * another: then it is written once more.
 */
#include "api/last_used.h"

#include <stdbool.h>
#include <string.h>

#include "auth/apikey.h"
#include "base/arena.h"
#include "base/clock.h"
#include "model/account.h"

enum { PLACES = 256, HOUR_MS = 60 * 60 * 1000 };

struct last_used {
	struct {
		char id[APIKEY_ID_CHARS + 1];
		int64_t written_ms; /* monotonic */
	} places[PLACES];
	bool noted;
	struct tenant_id tenant;
	char id[APIKEY_ID_CHARS + 1];
};

struct last_used *
last_used_new(struct arena *a)
{
	return arena_object(a, struct last_used);
}

static size_t
place_of(const char *id)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *id != '\0'; id++)
		h = (h ^ (unsigned char)*id) * UINT64_C(1099511628211);
	return (size_t)((h ^ h >> 32) % PLACES);
}

void
last_used_note(struct last_used *u, struct tenant_id tenant, const char *key_id,
    int64_t used_ms)
{
	size_t i = place_of(key_id);

	if (clock_wall_ms() - used_ms < HOUR_MS ||
	    (strcmp(u->places[i].id, key_id) == 0 &&
	        clock_mono_ms() - u->places[i].written_ms < HOUR_MS))
		return;
	u->noted = true;
	u->tenant = tenant;
	memcpy(u->id, key_id, sizeof(u->id));
	memcpy(u->places[i].id, key_id, sizeof(u->id));
	u->places[i].written_ms = clock_mono_ms();
}

int
last_used_write(struct last_used *u, struct db *db, struct err *e)
{
	struct arena *a;
	int rc;

	if (!u->noted)
		return 0;
	u->noted = false;
	a = arena_new(1024);
	rc = api_key_touch(a, db, u->tenant, u->id, e);
	arena_free(&a);
	return rc;
}
