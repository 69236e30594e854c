/*
 * template.c - templates as they are used
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "model/template.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "db/db.h"
#include "model/locale.h"

enum { TEMPLATE_ARENA_BYTES = 2048 };

static void
defer_json(void *p)
{
	json_decref(p);
}

static void
defer_hbs(void *p)
{
	struct hbs_template *tpl = p;

	hbs_free(&tpl);
}

/* Parses the column; the tree lives as long as "a". */
static int
parse(struct arena *a, const char *text, size_t len, json_t **json_r,
    struct err *e)
{
	json_error_t fault;
	json_t *json = json_loadb(text, len, 0, &fault);

	if (json == NULL) {
		err_set(e, ERR_INTERNAL, "the stored template is broken");
		return err_detail(
		    e, "%s at byte %d", fault.text, fault.position);
	}
	arena_defer(a, defer_json, json);
	*json_r = json;
	return 0;
}

/* What both forms begin with. */
struct opening {
	const char *id, *key, *category, *default_locale;
	int version;
	json_t *variables, *parts;
};

static int
read_opening(json_t *json, struct opening *o, struct template_id *id_r,
    struct err *e)
{
	if (json_unpack(json, "{s:s, s:s, s:s, s:s, s:i, s:o, s:o}", "id",
		&o->id, "key", &o->key, "category", &o->category,
		"default_locale", &o->default_locale, "version", &o->version,
		"variables", &o->variables, "parts", &o->parts) == -1 ||
	    uuid_parse(o->id, &id_r->u) == -1)
		return err_set(
		    e, ERR_INTERNAL, "the stored template is broken");
	return 0;
}

/* ---- Heads --------------------------------------------------------------- */

void
template_head_add(struct db_batch *b, struct tenant_id tenant, const char *key)
{
	db_add(b, Q_TEMPLATE_HEAD);
	db_arg_int(b, tenant.n);
	db_arg_text(b, key);
}

const char *
template_text(const struct db_rows *rows)
{
	return db_count(rows) == 0 ? NULL : db_text(rows, 0, 0);
}

static void
list_required(struct arena *a, struct template_head *head, json_t *variables)
{
	const char *name;
	json_t *variable;

	head->required = arena_zalloc(a, json_object_size(variables) + 1,
	    sizeof(*head->required));
	json_object_foreach(variables, name, variable)
		if (json_is_true(json_object_get(variable, "required")))
			head->required[head->required_count++] = name;
}

static unsigned
channels_of_names(json_t *names)
{
	unsigned mask = 0;
	json_t *name;
	size_t i;

	json_array_foreach(names, i, name) {
		enum template_part part = template_part_parse(
		    json_string_value(name), json_string_length(name));

		if (part != TEMPLATE_PART_COUNT)
			mask |= 1u << part;
	}
	return template_part_channels(mask);
}

int
template_head_from_text(struct arena *a, const char *text, size_t len,
    struct template_head **head_r, struct err *e)
{
	struct template_head *head = arena_object(a, struct template_head);
	struct opening o;
	json_t *json;

	if (parse(a, text, len, &json, e) == -1 ||
	    read_opening(json, &o, &head->id, e) == -1)
		return -1;
	head->key = o.key;
	head->category = o.category;
	head->default_locale = o.default_locale;
	head->version = o.version;
	head->channels = channels_of_names(o.parts);
	list_required(a, head, o.variables);
	*head_r = head;
	return 0;
}

int
template_head_find(struct arena *a, struct db *db, struct tenant_id tenant,
    const char *key, struct template_head **head_r, struct err *e)
{
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);
	struct db_rows **rows;
	const char *text;

	template_head_add(b, tenant, key);
	if (db_run(db, a, b, &rows, e) == -1)
		return -1;
	text = template_text(rows[0]);
	if (text == NULL)
		return 0;
	return template_head_from_text(a, text, strlen(text), head_r, e) == -1
		   ? -1
		   : 1;
}

static bool
is_given(const json_t *data, const char *name)
{
	const json_t *value = json_object_get(data, name);

	return value != NULL && !json_is_null(value);
}

const char *
template_head_missing(const struct template_head *head, size_t *i,
    const json_t *data, const json_t *more)
{
	const char *name;

	while (*i < head->required_count) {
		name = head->required[(*i)++];
		if (!is_given(data, name) && !is_given(more, name))
			return name;
	}
	return NULL;
}

/* ---- Wholes -------------------------------------------------------------- */

void
template_load_add(struct db_batch *b, struct tenant_id tenant,
    struct template_id id, int version)
{
	db_add(b, Q_TEMPLATE_LOAD);
	db_arg_int(b, tenant.n);
	db_arg_uuid(b, &id.u);
	db_arg_int(b, version);
}

static int
compile_part(struct template *tpl, struct template_locale *l, const char *name,
    const json_t *source, struct err *e)
{
	enum template_part part = template_part_parse(name, strlen(name));
	struct hbs_template *compiled;
	struct hbs_error fault;

	if (part == TEMPLATE_PART_COUNT)
		return 0;
	if (!json_is_string(source))
		return err_set(
		    e, ERR_INTERNAL, "the stored template is broken");
	if (hbs_compile(json_string_value(source), json_string_length(source),
	        NULL, &compiled, &fault) == -1) {
		err_set(e, ERR_INTERNAL, "the stored template is broken");
		return err_detail(e, "%s/%s:%d:%d: %s", l->name, name,
		    fault.line, fault.column, fault.text);
	}
	arena_defer(tpl->a, defer_hbs, compiled);
	l->parts[part] = compiled;
	tpl->size_bytes += hbs_size_bytes(compiled);
	return 0;
}

static int
compile_locales(struct template *tpl, json_t *locales, struct err *e)
{
	const char *locale, *name;
	json_t *parts, *source;
	unsigned mask = 0;
	int i;

	tpl->locales = arena_zalloc(tpl->a, json_object_size(locales),
	    sizeof(*tpl->locales));
	json_object_foreach(locales, locale, parts) {
		struct template_locale *l = &tpl->locales[tpl->locale_count++];

		l->name = arena_strdup(tpl->a, locale);
		json_object_foreach(parts, name, source)
			if (compile_part(tpl, l, name, source, e) == -1)
				return -1;
		for (i = 0; i < TEMPLATE_PART_COUNT; i++)
			if (l->parts[i] != NULL)
				mask |= 1u << i;
	}
	tpl->channels = template_part_channels(mask);
	return 0;
}

/* "scratch" holds the parsed text, which is not needed afterwards. */
static int
fill(struct template *tpl, struct arena *scratch, const char *text, size_t len,
    struct err *e)
{
	struct opening o;
	json_t *json;

	if (parse(scratch, text, len, &json, e) == -1 ||
	    read_opening(json, &o, &tpl->id, e) == -1)
		return -1;
	tpl->key = arena_strdup(tpl->a, o.key);
	tpl->category = arena_strdup(tpl->a, o.category);
	tpl->default_locale = arena_strdup(tpl->a, o.default_locale);
	tpl->version = o.version;
	tpl->variables = json_incref(o.variables);
	arena_defer(tpl->a, defer_json, tpl->variables);
	tpl->size_bytes = TEMPLATE_ARENA_BYTES;
	return compile_locales(tpl, o.parts, e);
}

int
template_from_text(const char *text, size_t len, struct template **tpl_r,
    struct err *e)
{
	struct arena *a = arena_new(TEMPLATE_ARENA_BYTES);
	struct arena *scratch = arena_new(256);
	struct template *tpl = arena_object(a, struct template);
	int rc;

	tpl->a = a;
	rc = fill(tpl, scratch, text, len, e);
	arena_free(&scratch);
	if (rc == -1)
		template_free(&tpl);
	else
		*tpl_r = tpl;
	return rc;
}

int
template_from_rows(const struct db_rows *rows, struct template **tpl_r,
    struct err *e)
{
	const char *text = template_text(rows);

	if (text == NULL)
		return 0;
	return template_from_text(text, strlen(text), tpl_r, e) == -1 ? -1 : 1;
}

int
template_load(struct arena *a, struct db *db, struct tenant_id tenant,
    struct template_id id, int version, struct template **tpl_r, struct err *e)
{
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);
	struct db_rows **rows;

	template_load_add(b, tenant, id, version);
	if (db_run(db, a, b, &rows, e) == -1)
		return -1;
	return template_from_rows(rows[0], tpl_r, e);
}

void
template_free(struct template **tplp)
{
	struct arena *a;

	if (*tplp == NULL)
		return;
	a = (*tplp)->a;
	*tplp = NULL;
	arena_free(&a);
}

static const struct template_locale *
find_locale(const struct template *tpl, const char *name, size_t len,
    enum template_part part)
{
	size_t i;

	for (i = 0; i < tpl->locale_count; i++)
		if (tpl->locales[i].parts[part] != NULL &&
		    locale_is(name, len, tpl->locales[i].name))
			return &tpl->locales[i];
	return NULL;
}

/* Looks in a locale and its parents. */
static const struct template_locale *
find_in_chain(const struct template *tpl, const char *name,
    enum template_part part)
{
	const struct template_locale *l = NULL;
	size_t len = name != NULL ? strlen(name) : 0;

	for (; len > 0 && l == NULL; len = locale_parent(name, len))
		l = find_locale(tpl, name, len, part);
	return l;
}

const struct hbs_template *
template_part(const struct template *tpl, const char *locale,
    enum template_part part, const char **locale_r)
{
	const struct template_locale *l = find_in_chain(tpl, locale, part);

	if (l == NULL)
		l = find_in_chain(tpl, tpl->default_locale, part);
	if (l == NULL && tpl->locale_count > 0)
		l = &tpl->locales[0];
	if (l == NULL || l->parts[part] == NULL)
		return NULL;
	if (locale_r != NULL)
		*locale_r = l->name;
	return l->parts[part];
}
