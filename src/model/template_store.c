/*
 * template_store.c - templates as they are kept
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "model/template_store.h"

#include <string.h>

#include "base/arena.h"
#include "base/ensure.h"
#include "base/err.h"
#include "db/db.h"
#include "model/edit.h"

const char *
template_outcome_name(enum template_outcome outcome)
{
	static const char *const names[] = {
		[TEMPLATE_CREATED] = "created",
		[TEMPLATE_NEW_VERSION] = "new version",
		[TEMPLATE_CHANGED] = "changed",
		[TEMPLATE_SAME] = "unchanged",
		[TEMPLATE_KEPT] = "kept",
	};

	ensure(outcome <= TEMPLATE_KEPT);
	return names[outcome];
}

const char *
template_way_name(enum template_way way)
{
	static const char *const names[] = { NULL, "publish", "rollback" };

	ensure(way <= TEMPLATE_BY_ROLLBACK);
	return names[way];
}

/* ---- Reading
 * -------------------------------------------------------------- */

static void
rows_of(struct arena *a, const struct db_rows *r, struct template_row **list_r,
    size_t *count_r)
{
	int i, n = db_count(r);
	struct template_row *list = arena_zalloc(a, (size_t)n, sizeof(*list));

	for (i = 0; i < n; i++)
		list[i] = (struct template_row){
			.id = { db_uuid(r, i, 0) },
			.key = db_text(r, i, 1),
			.name = db_text(r, i, 2),
			.description = db_text(r, i, 3),
			.category = db_text(r, i, 4),
			.default_locale = db_text(r, i, 5),
			.published = (int)db_int(r, i, 6),
			.latest = (int)db_int(r, i, 7),
			.version = (int)db_int(r, i, 8),
			.created_ms = db_time_ms(r, i, 9),
			.updated_ms = db_time_ms(r, i, 10),
			.fallback = db_text(r, i, 11),
			.quiet_exempt = db_bool(r, i, 12),
		};
	*list_r = list;
	*count_r = (size_t)n;
}

int
template_find(struct arena *a, struct db *db, struct tenant_id tenant,
    const char *key, struct template_row **row_r, struct err *e)
{
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);
	struct template_row *list;
	struct db_rows **rows;
	size_t count;

	db_add(b, Q_TEMPLATE_FIND);
	db_arg_int(b, tenant.n);
	db_arg_text(b, key);
	if (db_run(db, a, b, &rows, e) == -1)
		return -1;
	rows_of(a, rows[0], &list, &count);
	if (count == 0)
		return 0;
	*row_r = list;
	return 1;
}

int
template_list(struct arena *a, struct db *db, struct tenant_id tenant,
    const char *after, int limit, struct template_row **list_r, size_t *count_r,
    struct err *e)
{
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);
	struct db_rows **rows;

	db_add(b, Q_TEMPLATE_LIST);
	db_arg_int(b, tenant.n);
	db_arg_text(b, after);
	db_arg_int(b, limit);
	if (db_run(db, a, b, &rows, e) == -1)
		return -1;
	rows_of(a, rows[0], list_r, count_r);
	return 0;
}

int
template_versions(struct arena *a, struct db *db, struct tenant_id tenant,
    struct template_id id, int before, int limit,
    struct template_version **list_r, size_t *count_r, struct err *e)
{
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);
	struct template_version *list;
	struct db_rows **rows;
	int i, n;

	db_add(b, Q_TEMPLATE_VERSION_LIST);
	db_arg_int(b, tenant.n);
	db_arg_uuid(b, &id.u);
	db_arg_int(b, before);
	db_arg_int(b, limit);
	if (db_run(db, a, b, &rows, e) == -1)
		return -1;
	n = db_count(rows[0]);
	list = arena_zalloc(a, (size_t)n, sizeof(*list));
	for (i = 0; i < n; i++)
		list[i] = (struct template_version){
			.number = (int)db_int(rows[0], i, 0),
			.created_by = db_text(rows[0], i, 1),
			.created_ms = db_time_ms(rows[0], i, 2),
			.published_as =
			    (enum template_way)db_int(rows[0], i, 3),
			.published_by = db_text(rows[0], i, 4),
			.published_ms = db_time_ms(rows[0], i, 5),
		};
	*list_r = list;
	*count_r = (size_t)n;
	return 0;
}

static void
defer_json(void *p)
{
	json_decref(p);
}

/* A column of JSON.  What lies there was written by us: broken is empty. */
static json_t *
json_column(struct arena *a, const struct db_rows *r, int column)
{
	json_t *json = json_loads(db_text(r, 0, column), 0, NULL);

	if (json == NULL)
		json = json_object();
	arena_defer(a, defer_json, json);
	return json;
}

int
template_draft_load(struct arena *a, struct db *db, struct tenant_id tenant,
    const char *key, int number, struct template_draft **draft_r,
    struct template_version *version_r, struct err *e)
{
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);
	struct template_draft *d;
	struct db_rows **rows;
	const struct db_rows *r;

	db_add(b, Q_TEMPLATE_DRAFT);
	db_arg_int(b, tenant.n);
	db_arg_text(b, key);
	db_arg_int(b, number);
	if (db_run(db, a, b, &rows, e) == -1)
		return -1;
	r = rows[0];
	if (db_count(r) == 0)
		return 0;
	d = arena_object(a, struct template_draft);
	*d = (struct template_draft){
		.key = db_text(r, 0, 0),
		.name = db_text(r, 0, 1),
		.description = db_text(r, 0, 2),
		.category = db_text(r, 0, 3),
		.default_locale = db_text(r, 0, 4),
		.variables = json_column(a, r, 5),
		.sample = json_column(a, r, 6),
		.parts = json_column(a, r, 7),
		.layout = db_text(r, 0, 11),
		.unsubscribe = db_bool(r, 0, 15),
		.from = db_text(r, 0, 16),
		.quiet_exempt = db_bool(r, 0, 19),
		.says_fallback = true,
		.says_quiet_exempt = true,
	};
	if (!db_is_null(r, 0, 17))
		d->tracking = json_column(a, r, 17);
	if (!db_is_null(r, 0, 18))
		d->fallback = json_column(a, r, 18);
	if (version_r != NULL)
		*version_r = (struct template_version){
			.number = (int)db_int(r, 0, 8),
			.created_by = db_text(r, 0, 9),
			.created_ms = db_time_ms(r, 0, 10),
			.published_as = (enum template_way)db_int(r, 0, 12),
			.published_by = db_text(r, 0, 13),
			.published_ms = db_time_ms(r, 0, 14),
		};
	*draft_r = d;
	return 1;
}

/* ---- Saving
 * --------------------------------------------------------------- */

/* What the template is before it is saved. */
struct before {
	bool exists;
	bool same_version; /* parts and so on are those of the latest */
	bool same_row; /* name, category and so on too */
	bool seeded; /* the latest version came with Belfry */
	struct template_id id;
	int version, latest, published;
};

static int
lock(const struct editor *ed, const char *key, const struct db_rows **r_r,
    struct err *e)
{
	struct db_batch *b = edit_begin(ed);
	struct db_rows **rows;

	db_add(b, Q_TEMPLATE_LOCK);
	db_arg_int(b, ed->tenant.n);
	db_arg_text(b, key);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	*r_r = rows[1];
	return 0;
}

/* Whether what a draft says of requests that do not say otherwise is stored already. */
static bool
has_defaults(struct arena *a, const struct db_rows *r,
    const struct template_draft *d)
{
	const json_t *stored = db_is_null(r, 0, 11) ? NULL : json_column(a, r, 11);

	if (d->says_quiet_exempt && d->quiet_exempt != db_bool(r, 0, 12))
		return false;
	return !d->says_fallback || stored == d->fallback ||
	    json_equal(stored, d->fallback);
}

static struct before
compare(
    struct arena *a, const struct db_rows *r, const struct template_draft *d)
{
	uint8_t sum[TEMPLATE_CHECKSUM_BYTES];
	const void *old;
	size_t n;

	if (db_count(r) == 0)
		return (struct before){ .exists = false };
	template_checksum(d, sum);
	old = db_bytes(a, r, 0, 8, &n);
	return (struct before){
		.exists = true,
		.same_version = n == sizeof(sum) && memcmp(old, sum, n) == 0,
		.same_row = strcmp(db_text(r, 0, 2), d->name) == 0 &&
		    strcmp(db_text(r, 0, 3), d->description) == 0 &&
		    strcmp(db_text(r, 0, 4), d->category) == 0 &&
		    strcmp(db_text(r, 0, 5), d->default_locale) == 0 &&
		    has_defaults(a, r, d),
		.seeded = !db_is_null(r, 0, 9) &&
		    strcmp(db_text(r, 0, 9), TEMPLATE_SEEDER) == 0,
		.id = { db_uuid(r, 0, 1) },
		.version = (int)db_int(r, 0, 0),
		.published = (int)db_int(r, 0, 6),
		.latest = (int)db_int(r, 0, 7),
	};
}

/* The parts with the default locale in front, where template_part() ends. */
static const char *
parts_text(const struct editor *ed, const struct template_draft *d)
{
	json_t *ordered = json_object();

	json_object_set(ordered, d->default_locale,
	    json_object_get(d->parts, d->default_locale));
	json_object_update_missing(ordered, d->parts);
	arena_defer(ed->a, defer_json, ordered);
	return edit_json(ed->a, ordered);
}

static void
add_release(const struct editor *ed, struct db_batch *b, const char *key)
{
	if (!template_is_shared(key))
		return;
	db_add(b, Q_TEMPLATE_RELEASE_MAKE);
	db_arg_int(b, ed->tenant.n);
}

static void
add_version(const struct editor *ed, struct db_batch *b,
    const struct template_draft *d, const struct template_saved *saved,
    const char *created_by)
{
	uint8_t *sum = arena_alloc(ed->a, TEMPLATE_CHECKSUM_BYTES);

	template_checksum(d, sum);
	db_add(b, Q_TEMPLATE_VERSION_INSERT);
	db_arg_int(b, ed->tenant.n);
	db_arg_uuid(b, &saved->id.u);
	db_arg_int(b, saved->number);
	db_arg_text(b, parts_text(ed, d));
	db_arg_text(b, edit_json(ed->a, d->variables));
	db_arg_text(b, edit_json(ed->a, d->sample));
	db_arg_bytes(b, sum, TEMPLATE_CHECKSUM_BYTES);
	db_arg_text(b, created_by);
	db_arg_text(b, d->layout);
	db_arg_bool(b, d->unsubscribe);
	db_arg_text(b, d->from);
	db_arg_text(b, edit_json(ed->a, d->tracking));
}

/* Notes that a version came into use; a new release, if others are made of it. */
static void
add_use(const struct editor *ed, struct db_batch *b, const char *key,
    const struct template_id *id, int number, enum template_way way)
{
	db_add(b, Q_TEMPLATE_VERSION_USED);
	db_arg_int(b, ed->tenant.n);
	db_arg_uuid(b, &id->u);
	db_arg_int(b, number);
	db_arg_int(b, way);
	db_arg_text(b, ed->principal);
	add_release(ed, b, key);
}

static void
bind_published(struct db_batch *b, int number)
{
	if (number == 0)
		db_arg_null(b);
	else
		db_arg_int(b, number);
}

static int
create(const struct editor *ed, const struct template_draft *d,
    const struct template_save *how, struct template_saved *s, struct err *e)
{
	struct db_batch *b = edit_commit(ed, "template.create", d->key, NULL);
	struct db_rows **rows;

	*s = (struct template_saved){ .outcome = TEMPLATE_CREATED,
		.id = { uuid_make() },
		.number = 1,
		.version = 1 };
	db_add(b, Q_TEMPLATE_INSERT);
	db_arg_int(b, ed->tenant.n);
	db_arg_uuid(b, &s->id.u);
	db_arg_text(b, d->key);
	db_arg_text(b, d->name);
	db_arg_text(b, d->description);
	db_arg_text(b, d->category);
	db_arg_text(b, d->default_locale);
	bind_published(b, how->publish ? 1 : 0);
	db_arg_text(b, edit_json(ed->a, d->fallback));
	db_arg_bool(b, d->quiet_exempt);
	add_version(ed, b, d, s, how->created_by);
	if (how->publish)
		add_use(ed, b, d->key, &s->id, 1, TEMPLATE_BY_PUBLISH);
	if (db_run(ed->db, ed->a, b, &rows, e) == 0)
		return 0;
	if (db_violates(e, "template_tenant_id_key_key"))
		err_set(e, ERR_CONFLICT, "there is a template \"%s\" already",
		    d->key);
	return -1;
}

static int
change(const struct editor *ed, const struct template_draft *d,
    const struct template_save *how, const struct before *was,
    struct template_saved *s, struct err *e)
{
	int published;
	struct db_batch *b;
	struct db_rows **rows;

	s->outcome =
	    was->same_version ? TEMPLATE_CHANGED : TEMPLATE_NEW_VERSION;
	s->id = was->id;
	s->number = was->same_version ? was->latest : was->latest + 1;
	published = how->publish ? s->number : was->published;
	b = edit_commit(ed, "template.change", d->key,
	    json_pack(
		"{s:i, s:i}", "latest", s->number, "published", published));
	db_add(b, Q_TEMPLATE_UPDATE);
	db_arg_int(b, ed->tenant.n);
	db_arg_uuid(b, &s->id.u);
	db_arg_text(b, d->name);
	db_arg_text(b, d->description);
	db_arg_text(b, d->category);
	db_arg_text(b, d->default_locale);
	db_arg_int(b, s->number);
	bind_published(b, published);
	db_arg_bool(b, d->says_fallback);
	db_arg_text(b, edit_json(ed->a, d->fallback));
	db_arg_bool(b, d->says_quiet_exempt);
	db_arg_bool(b, d->quiet_exempt);
	if (!was->same_version)
		add_version(ed, b, d, s, how->created_by);
	if (published != was->published)
		add_use(ed, b, d->key, &s->id, published,
		    TEMPLATE_BY_PUBLISH);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	s->version = (int)db_int(rows[1], 0, 0);
	return 0;
}

static int
save_old(const struct editor *ed, const struct template_draft *d,
    const struct template_save *how, const struct before *was,
    struct template_saved *s, struct err *e)
{
	bool kept = how->mode == TEMPLATE_SAVE_SEED && !was->seeded;
	bool in_use = !how->publish || was->published == was->latest;

	if (!kept && !(was->same_version && was->same_row && in_use))
		return change(ed, d, how, was, s, e);
	db_rollback(ed->db);
	*s = (struct template_saved){
		.outcome = kept ? TEMPLATE_KEPT : TEMPLATE_SAME,
		.id = was->id,
		.number = was->latest,
		.version = was->version,
	};
	return 0;
}

/* The layout of a draft, or of a version that was stored, has to be in use. */
static int
check_layout(const struct editor *ed, const char *key, int number,
    const char *layout, struct err *e)
{
	struct db_batch *b = db_batch_new(ed->a, ed->tenant, DB_CONTINUE);
	struct db_rows **rows;

	db_add(b, Q_TEMPLATE_LAYOUT_MISSING);
	db_arg_int(b, ed->tenant.n);
	db_arg_text(b, key);
	db_arg_int(b, number);
	db_arg_text(b, layout);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	if (db_count(rows[0]) == 0)
		return 0;
	err_set(e, ERR_UNPROCESSABLE,
	    "template \"%s\": the layout \"%s\" is not in use", key,
	    db_text(rows[0], 0, 0));
	return edit_abort(ed);
}

int
template_save(const struct editor *ed, const struct template_draft *d,
    const struct template_save *how, struct template_saved *saved_r,
    struct err *e)
{
	struct template_faults faults;
	const struct db_rows *r;
	struct before was;

	template_faults_init(&faults, ed->a);
	if (template_check(d, &faults) == -1)
		return template_faults_err(d, &faults, e);
	if (lock(ed, d->key, &r, e) == -1 ||
	    (d->layout != NULL && how->publish &&
	        check_layout(ed, d->key, 0, d->layout, e) == -1))
		return -1;
	was = compare(ed->a, r, d);
	if (!was.exists && how->mode != TEMPLATE_SAVE_OLD &&
	    how->expected_version == 0)
		return create(ed, d, how, saved_r, e);
	if (edit_expect(ed, r, how->expected_version, "template", e) == -1)
		return -1;
	if (how->mode == TEMPLATE_SAVE_NEW) {
		err_set(e, ERR_CONFLICT, "there is a template \"%s\" already",
		    d->key);
		return edit_abort(ed);
	}
	return save_old(ed, d, how, &was, saved_r, e);
}

/* ---- Publishing and removing
 * ---------------------------------------------- */

/* Which version is meant; -1 with *e set when there is no such. */
static int
choose(const char *key, const struct db_rows *r, enum template_way way,
    int number, struct err *e)
{
	int published = (int)db_int(r, 0, 6), latest = (int)db_int(r, 0, 7);
	int before = (int)db_int(r, 0, 10);

	if (way == TEMPLATE_BY_PUBLISH)
		return number != 0 ? number : latest;
	if (number == 0 && before == 0)
		return err_set(e, ERR_CONFLICT,
		    "no version of the template \"%s\" was in use before the "
		    "one that is", key);
	if (number != 0 && number == published)
		return err_set(e, ERR_CONFLICT,
		    "version %d of the template \"%s\" is the one in use",
		    number, key);
	return number != 0 ? number : before;
}

static int
no_version(const struct editor *ed, const char *key, int number,
    enum template_way way, struct err *e)
{
	err_set(e, ERR_NOT_FOUND, "the template \"%s\" has no version %d%s", key,
	    number, way == TEMPLATE_BY_ROLLBACK ? " that was ever in use" : "");
	return edit_abort(ed);
}

int
template_publish(const struct editor *ed, const char *key, int number,
    enum template_way way, int expected_version, int *number_r, struct err *e)
{
	const struct db_rows *r;
	struct template_id id;
	struct db_batch *b;
	struct db_rows **rows;

	if (lock(ed, key, &r, e) == -1 ||
	    edit_expect(ed, r, expected_version, "template", e) == -1)
		return -1;
	id.u = db_uuid(r, 0, 1);
	number = choose(key, r, way, number, e);
	if (number == -1)
		return edit_abort(ed);
	if (check_layout(ed, key, number, NULL, e) == -1)
		return -1;
	b = db_batch_new(ed->a, ed->tenant, DB_CONTINUE);
	db_add(b, Q_TEMPLATE_SET_PUBLISHED);
	db_arg_int(b, ed->tenant.n);
	db_arg_text(b, key);
	db_arg_int(b, number);
	db_arg_bool(b, way == TEMPLATE_BY_ROLLBACK);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	if (db_affected(rows[0]) == 0)
		return no_version(ed, key, number, way, e);
	b = edit_commit(ed, way == TEMPLATE_BY_ROLLBACK ? "template.rollback"
	                                                : "template.publish",
	    key, json_pack("{s:i, s:i}", "version", number, "before",
	        (int)db_int(r, 0, 6)));
	add_use(ed, b, key, &id, number, way);
	*number_r = number;
	return db_run(ed->db, ed->a, b, &rows, e);
}

/* A layout stays as long as templates in use stand in it. */
static int
check_unused(const struct editor *ed, const char *key, struct err *e)
{
	struct db_batch *b = db_batch_new(ed->a, ed->tenant, DB_CONTINUE);
	size_t prefix = strlen(TEMPLATE_LAYOUT);
	struct db_rows **rows;

	if (strncmp(key, TEMPLATE_LAYOUT, prefix) != 0)
		return 0;
	db_add(b, Q_TEMPLATE_LAYOUT_USER);
	db_arg_int(b, ed->tenant.n);
	db_arg_text(b, key + prefix);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	if (db_count(rows[0]) == 0)
		return 0;
	err_set(e, ERR_CONFLICT, "the template \"%s\" stands in this layout",
	    db_text(rows[0], 0, 0));
	return edit_abort(ed);
}

int
template_remove(const struct editor *ed, const char *key,
    int expected_version, struct err *e)
{
	const struct db_rows *r;
	struct db_batch *b;
	struct db_rows **rows;

	if (lock(ed, key, &r, e) == -1 ||
	    edit_expect(ed, r, expected_version, "template", e) == -1 ||
	    check_unused(ed, key, e) == -1)
		return -1;
	b = edit_commit(ed, "template.remove", key, NULL);
	db_add(b, Q_TEMPLATE_DELETE);
	db_arg_int(b, ed->tenant.n);
	db_arg_text(b, key);
	add_release(ed, b, key);
	return db_run(ed->db, ed->a, b, &rows, e);
}

int
template_set_defaults(const struct editor *ed, const char *key,
    struct template_defaults *d, struct err *e)
{
	struct db_batch *b = edit_begin(ed);
	struct db_rows **rows;

	db_add(b, Q_TEMPLATE_SET_DEFAULTS);
	db_arg_int(b, ed->tenant.n);
	db_arg_text(b, key);
	db_arg_bool(b, d->set_fallback);
	db_arg_text(b, d->fallback);
	db_arg_bool(b, d->set_quiet_exempt);
	db_arg_bool(b, d->quiet_exempt);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	if (db_count(rows[1]) == 0) {
		err_set(e, ERR_NOT_FOUND, "there is no such template");
		return edit_abort(ed);
	}
	d->fallback = db_text(rows[1], 0, 0);
	d->quiet_exempt = db_bool(rows[1], 0, 1);
	b = edit_commit(ed, "template.defaults", key, NULL);
	return db_run(ed->db, ed->a, b, &rows, e);
}
