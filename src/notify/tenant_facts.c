/*
 * tenant_facts.c - what every request must know of its tenant
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "notify/tenant_facts.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "db/db.h"
#include "model/known.h"
#include "model/tenant.h"
#include "notify/tenant_settings.h"
#include "web/js.h"

enum { PLACES = 512, SLUG_BYTES = 64 };

/* Each slug has one place, which the last one asked for has.  What stands there is only
 * a hint: whether the tenant still has the slug is looked up. */
struct tenant_index {
	struct known *known;
	struct db *db;
	struct {
		char slug[SLUG_BYTES];
		struct tenant_id id;
	} places[PLACES];
};

static void
add(struct db_batch *b, struct tenant_id tenant, const char *name)
{
	db_add(b, Q_TENANT_FACTS);
	db_arg_int(b, tenant.n);
}

static const char *
text(const struct db_rows *rows)
{
	return db_count(rows) == 0 ? NULL : db_text(rows, 0, 0);
}

static int
parse(struct arena *a, const char *said, size_t len, const void **record_r,
    struct err *e)
{
	struct tenant_facts *f = arena_object(a, struct tenant_facts);
	json_t *json, *settings, *issuers;
	struct field_errors fe;
	json_int_t id;
	int suspended;

	if (js_parse_stored(a, arena_strndup(a, said, len), &json, e) == -1 ||
	    json_unpack(json, "{s:I, s:s, s:b, s:s, s:s, s:o, s:o}", "id",
	        &id, "slug", &f->slug, "suspended", &suspended, "default_locale",
	        &f->default_locale, "time_zone", &f->time_zone, "settings",
	        &settings, "issuers", &issuers) == -1)
		return err_set(e, ERR_INTERNAL, "the stored tenant is broken");
	f->id.n = id;
	f->suspended = suspended != 0;
	field_errors_init(&fe, a);
	f->settings = tenant_settings_heal(a, settings, &fe);
	tenant_settings_complain(f->id, &fe);
	f->limits = json_object_get(f->settings, "limits");
	f->issuers = issuers;
	*record_r = f;
	return 0;
}

static const struct known_kind kind = {
	.name = "tenant",
	.add = add,
	.text = text,
	.parse = parse,
};

struct tenant_index *
tenant_index_new(struct arena *a, struct known *known, struct db *db)
{
	struct tenant_index *index = arena_object(a, struct tenant_index);

	index->known = known;
	index->db = db;
	return index;
}

int
tenant_facts_get(struct tenant_index *index, struct arena *a,
    struct tenant_id tenant, const struct tenant_facts **facts_r, struct err *e)
{
	const void *record;
	int rc = known_get(index->known, a, &kind, tenant, "", &record, e);

	if (rc == 1)
		*facts_r = record;
	return rc;
}

static size_t
place_of(const char *slug)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *slug != '\0'; slug++)
		h = (h ^ (unsigned char)*slug) * UINT64_C(1099511628211);
	return (size_t)((h ^ h >> 32) % PLACES);
}

int
tenant_facts_find(struct tenant_index *index, struct arena *a, const char *slug,
    const struct tenant_facts **facts_r, struct err *e)
{
	size_t i = place_of(slug), len = strlen(slug);
	struct tenant *t;
	int rc;

	if (len >= SLUG_BYTES)
		return 0;
	if (strcmp(index->places[i].slug, slug) == 0 && len > 0) {
		rc = tenant_facts_get(index, a, index->places[i].id, facts_r,
		    e);
		if (rc == -1 ||
		    (rc == 1 && strcmp((*facts_r)->slug, slug) == 0))
			return rc;
	}
	rc = tenant_find(a, index->db, slug, &t, e);
	if (rc != 1)
		return rc;
	memcpy(index->places[i].slug, slug, len + 1);
	index->places[i].id = t->id;
	return tenant_facts_get(index, a, t->id, facts_r, e);
}
