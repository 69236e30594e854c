/*
 * tenant.c - tenants
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "model/tenant.h"

#include "base/arena.h"
#include "base/ensure.h"
#include "base/err.h"
#include "db/db.h"
#include "model/edit.h"
#include "model/provider_share.h"

enum { WALK_AT_ONCE = 200 };

static const struct tenant_id nobody = { 0 };

const char *const tenant_state_names[] = { "active", "suspended", "deleting",
	NULL };

const char *
tenant_state_name(enum tenant_state state)
{
	ensure(state >= TENANT_ACTIVE && state <= TENANT_DELETING);
	return tenant_state_names[state - 1];
}

static void
tenants_of(struct arena *a, const struct db_rows *r, struct tenant **list_r,
    size_t *count_r)
{
	int i, n = db_count(r);
	struct tenant *list = arena_zalloc(a, (size_t)n, sizeof(*list));

	for (i = 0; i < n; i++)
		list[i] = (struct tenant){
			.id = { db_int(r, i, 0) },
			.slug = db_text(r, i, 1),
			.name = db_text(r, i, 2),
			.state = (enum tenant_state)db_int(r, i, 3),
			.weight = (int)db_int(r, i, 4),
			.default_locale = db_text(r, i, 5),
			.time_zone = db_text(r, i, 6),
			.settings = db_text(r, i, 7),
			.created_ms = db_time_ms(r, i, 8),
			.test = db_bool(r, i, 9),
			.version = (int)db_int(r, i, 10),
			.updated_ms = db_time_ms(r, i, 11),
		};
	for (i = 0; i < n; i++)
		if (!db_is_null(r, i, 12))
			list[i].sealed = db_bytes(a, r, i, 12,
			    &list[i].sealed_bytes);
	*list_r = list;
	*count_r = (size_t)n;
}

static int
one(struct arena *a, struct db *db, struct db_batch *b,
    struct tenant **tenant_r, struct err *e)
{
	struct db_rows **rows;
	struct tenant *list;
	size_t count;

	if (db_run(db, a, b, &rows, e) == -1)
		return -1;
	tenants_of(a, rows[0], &list, &count);
	if (count == 0)
		return 0;
	*tenant_r = list;
	return 1;
}

int
tenant_get(struct arena *a, struct db *db, struct tenant_id id,
    struct tenant **tenant_r, struct err *e)
{
	struct db_batch *b = db_batch_new(a, nobody, DB_PLAIN);

	db_add(b, Q_TENANT_GET);
	db_arg_int(b, id.n);
	return one(a, db, b, tenant_r, e);
}

int
tenant_find(struct arena *a, struct db *db, const char *slug,
    struct tenant **tenant_r, struct err *e)
{
	struct db_batch *b = db_batch_new(a, nobody, DB_PLAIN);

	db_add(b, Q_TENANT_FIND);
	db_arg_text(b, slug);
	return one(a, db, b, tenant_r, e);
}

int
tenant_list(struct arena *a, struct db *db, const char *after, int limit,
    struct tenant **list_r, size_t *count_r, struct err *e)
{
	struct db_batch *b = db_batch_new(a, nobody, DB_PLAIN);
	struct db_rows **rows;

	db_add(b, Q_TENANT_LIST);
	db_arg_text(b, after);
	db_arg_int(b, limit);
	if (db_run(db, a, b, &rows, e) == -1)
		return -1;
	tenants_of(a, rows[0], list_r, count_r);
	return 0;
}

int
tenant_next(struct tenant_walk *w, struct tenant **tenant_r, struct err *e)
{
	if (w->at == w->count) {
		if (w->begun && w->count < WALK_AT_ONCE)
			return 0;
		if (tenant_list(w->a, w->db,
		        w->count > 0 ? w->list[w->count - 1].slug : "",
		        WALK_AT_ONCE, &w->list, &w->count, e) == -1)
			return -1;
		w->begun = true;
		w->at = 0;
		if (w->count == 0)
			return 0;
	}
	*tenant_r = &w->list[w->at++];
	return 1;
}

/* Its rows are those of the new id, then of provider_share_everyone_add(). */
static int
insert(const struct editor *ed, const struct tenant *t, struct db_rows ***rows_r,
    struct err *e)
{
	struct db_batch *b = db_batch_new(ed->a, nobody, DB_BEGIN);

	db_add(b, Q_TENANT_INSERT);
	db_arg_text(b, t->slug);
	db_arg_text(b, t->name);
	db_arg_text(b, t->default_locale);
	db_arg_text(b, t->time_zone);
	db_arg_int(b, t->weight);
	db_arg_bool(b, t->test);
	provider_share_everyone_add(b);
	if (db_run(ed->db, ed->a, b, rows_r, e) == -1) {
		if (db_violates(e, "tenant_slug_key"))
			err_set(e, ERR_CONFLICT,
			    "there is a tenant \"%s\" already", t->slug);
		return -1;
	}
	return 0;
}

/* The id is known only after the insert, so the transaction enters its
 * tenant then. */
int
tenant_create(const struct editor *ed, struct tenant *t, struct err *e)
{
	struct editor inside = *ed;
	struct db_batch *b;
	struct db_rows **rows, *everyones;

	if (insert(ed, t, &rows, e) == -1)
		return -1;
	inside.tenant.n = db_int(rows[0], 0, 0);
	everyones = rows[2];
	b = db_batch_new(ed->a, inside.tenant, DB_COMMIT);
	db_add(b, Q_TENANT_ENTER);
	db_arg_int(b, inside.tenant.n);
	db_add(b, Q_TENANT_GENERATION_INSERT);
	db_arg_int(b, inside.tenant.n);
	provider_share_welcome_add(ed->a, b, inside.tenant, t->slug, everyones);
	edit_record(&inside, b, "tenant.add", t->slug, NULL);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	t->id = inside.tenant;
	t->state = TENANT_ACTIVE;
	return 0;
}

/* Begins a change; there must be the tenant, in that version when it is not 0. */
static int
begin(const struct editor *ed, int version, struct err *e)
{
	struct db_batch *b = edit_begin(ed);
	struct db_rows **rows;

	db_add(b, Q_TENANT_VERSION);
	db_arg_int(b, ed->tenant.n);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	return edit_expect(ed, rows[1], version, "tenant", e);
}

int
tenant_update(const struct editor *ed, const struct tenant *t, json_t *changed,
    struct err *e)
{
	struct editor inside = *ed;
	struct db_rows **rows;
	struct db_batch *b;

	inside.tenant = t->id;
	b = edit_commit(&inside, "tenant.change", t->slug, changed);
	if (begin(&inside, t->version, e) == -1)
		return -1;
	db_add(b, Q_TENANT_UPDATE);
	db_arg_int(b, t->id.n);
	db_arg_text(b, t->name);
	db_arg_text(b, t->default_locale);
	db_arg_text(b, t->time_zone);
	db_arg_int(b, t->weight);
	db_arg_bool(b, t->test);
	db_arg_text(b, t->settings);
	if (t->sealed != NULL)
		db_arg_bytes(b, t->sealed, t->sealed_bytes);
	else
		db_arg_null(b);
	return db_run(ed->db, ed->a, b, &rows, e);
}

int
tenant_say_stays(struct err *e)
{
	if (db_violates(e, "tenant_platform_stays"))
		err_set(e, ERR_CONFLICT, "the platform's own tenant can be "
		    "neither suspended nor deleted");
	return -1;
}

int
tenant_set_state(
    const struct editor *ed, enum tenant_state state, struct err *e)
{
	struct db_rows **rows;
	struct db_batch *b;

	if (begin(ed, 0, e) == -1)
		return -1;
	b = edit_commit(ed, "tenant.state", tenant_state_name(state), NULL);
	db_add(b, Q_TENANT_SET_STATE);
	db_arg_int(b, ed->tenant.n);
	db_arg_int(b, state);
	if (db_run(ed->db, ed->a, b, &rows, e) == 0)
		return 0;
	return tenant_say_stays(e);
}

int
tenant_set_quiet_hours(const struct editor *ed, const char *json, struct err *e)
{
	struct db_batch *b = edit_begin(ed);
	struct db_rows **rows;

	db_add(b, Q_TENANT_SET_QUIET_HOURS);
	db_arg_int(b, ed->tenant.n);
	db_arg_text(b, json);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	b = edit_commit(ed, "tenant.quiet_hours", json != NULL ? "set" : "none",
	    NULL);
	return db_run(ed->db, ed->a, b, &rows, e);
}
