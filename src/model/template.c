/*
 * template.c - templates as they are used
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "model/template.h"

#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/ensure.h"
#include "base/err.h"
#include "db/db.h"
#include "model/locale.h"
#include "model/template_compile.h"
#include "model/template_release.h"

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

/* ---- Variables ------------------------------------------------------------ */

static const struct {
	const char *name;
	json_type type;
} types[] = {
	[TEMPLATE_ANY] = { NULL, JSON_NULL },
	[TEMPLATE_STRING] = { "string", JSON_STRING },
	[TEMPLATE_NUMBER] = { "number", JSON_REAL },
	[TEMPLATE_INTEGER] = { "integer", JSON_INTEGER },
	[TEMPLATE_BOOLEAN] = { "boolean", JSON_TRUE },
	[TEMPLATE_ARRAY] = { "array", JSON_ARRAY },
	[TEMPLATE_OBJECT] = { "object", JSON_OBJECT },
};

const char *
template_type_name(enum template_type type)
{
	ensure(type < TEMPLATE_TYPE_COUNT);
	return types[type].name;
}

enum template_type
template_type_parse(const char *name)
{
	int i;

	for (i = TEMPLATE_ANY + 1; i < TEMPLATE_TYPE_COUNT; i++)
		if (strcmp(types[i].name, name) == 0)
			break;
	return (enum template_type)i;
}

bool
template_type_fits(enum template_type type, const json_t *value)
{
	if (type == TEMPLATE_ANY || type == TEMPLATE_TYPE_COUNT)
		return true;
	if (type == TEMPLATE_BOOLEAN)
		return json_is_boolean(value);
	if (type == TEMPLATE_NUMBER)
		return json_is_number(value);
	return json_typeof(value) == types[type].type;
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
list_variables(struct arena *a, struct template_head *head, json_t *variables)
{
	struct template_variable *list = arena_zalloc(a,
	    json_object_size(variables) + 1, sizeof(*list));
	const char *name, *type;
	json_t *variable;

	head->variables = list;
	json_object_foreach(variables, name, variable) {
		type = json_string_value(json_object_get(variable, "type"));
		*list++ = (struct template_variable){
			.path = name,
			.required = json_is_true(
			    json_object_get(variable, "required")),
			.type = type != NULL ? template_type_parse(type)
					     : TEMPLATE_ANY,
		};
		head->variable_count++;
	}
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

/* What a notification takes over that does not say it itself. */
static void
read_defaults(struct arena *a, struct template_head *head, const json_t *json)
{
	const json_t *fallback = json_object_get(json, "fallback");
	char *text;

	head->quiet_exempt = json_is_true(json_object_get(json, "quiet_exempt"));
	if (!json_is_array(fallback))
		return;
	text = json_dumps(fallback, JSON_COMPACT);
	head->fallback = arena_strdup(a, text);
	free(text);
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
	head->release = (int)json_integer_value(json_object_get(json, "release"));
	read_defaults(a, head, json);
	list_variables(a, head, o.variables);
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

/* ---- Wholes -------------------------------------------------------------- */

void
template_load_add(struct db_batch *b, struct tenant_id tenant,
    struct template_id id, int version, int release)
{
	db_add(b, Q_TEMPLATE_LOAD);
	db_arg_int(b, tenant.n);
	db_arg_uuid(b, &id.u);
	db_arg_int(b, version);
	db_arg_int(b, release);
}

static int
compile(struct template *tpl, const char *locale, const char *name,
    const json_t *source, struct hbs_template **compiled_r, struct err *e)
{
	struct hbs_error fault;

	if (!json_is_string(source))
		return err_set(
		    e, ERR_INTERNAL, "the stored template is broken");
	if (template_compile(json_string_value(source),
	        json_string_length(source), compiled_r, &fault) == -1) {
		err_set(e, ERR_INTERNAL, "the stored template is broken");
		return err_detail(e, "%s/%s:%d:%d: %s", locale, name,
		    fault.line, fault.column, fault.text);
	}
	arena_defer(tpl->a, defer_hbs, *compiled_r);
	tpl->size_bytes += hbs_size_bytes(*compiled_r);
	return 0;
}

static int
compile_messages(struct template *tpl, struct template_locale *l,
    json_t *messages, struct err *e)
{
	struct template_message *m;
	json_t *source;
	const char *key;

	l->messages = arena_zalloc(tpl->a, json_object_size(messages),
	    sizeof(*l->messages));
	json_object_foreach(messages, key, source) {
		m = &l->messages[l->message_count++];
		m->key = arena_strdup(tpl->a, key);
		if (compile(tpl, l->name, key, source, &m->text, e) == -1)
			return -1;
	}
	return 0;
}

static int
compile_part(struct template *tpl, struct template_locale *l, const char *name,
    json_t *source, struct err *e)
{
	enum template_part part = template_part_parse(name, strlen(name));

	if (strcmp(name, TEMPLATE_MESSAGES) == 0)
		return compile_messages(tpl, l, source, e);
	if (part == TEMPLATE_PART_COUNT)
		return 0;
	return compile(tpl, l->name, name, source, &l->parts[part], e);
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

static int
fill(struct template *tpl, const json_t *json, struct err *e)
{
	const char *layout =
	    json_string_value(json_object_get(json, "layout"));
	const char *from = json_string_value(json_object_get(json, "from"));
	struct opening o;

	if (read_opening((json_t *)(uintptr_t)json, &o, &tpl->id, e) == -1)
		return -1;
	tpl->key = arena_strdup(tpl->a, o.key);
	tpl->category = arena_strdup(tpl->a, o.category);
	tpl->default_locale = arena_strdup(tpl->a, o.default_locale);
	tpl->version = o.version;
	if (layout != NULL)
		tpl->layout = arena_strdup(tpl->a, layout);
	if (from != NULL)
		tpl->from = arena_strdup(tpl->a, from);
	tpl->unsubscribe = json_is_true(json_object_get(json, "unsubscribe"));
	tpl->tracking = json_incref(json_object_get(json, "tracking"));
	arena_defer(tpl->a, defer_json, tpl->tracking);
	tpl->variables = json_incref(o.variables);
	arena_defer(tpl->a, defer_json, tpl->variables);
	tpl->size_bytes = TEMPLATE_ARENA_BYTES;
	return compile_locales(tpl, o.parts, e);
}

int
template_from_json(const json_t *json, struct template **tpl_r, struct err *e)
{
	struct arena *a = arena_new(TEMPLATE_ARENA_BYTES);
	struct template *tpl = arena_object(a, struct template);

	tpl->a = a;
	if (fill(tpl, json, e) == -1) {
		template_free(&tpl);
		return -1;
	}
	*tpl_r = tpl;
	return 0;
}

int
template_from_text(const char *text, size_t len, struct template **tpl_r,
    struct err *e)
{
	struct arena *scratch = arena_new(256);
	json_t *json;
	int rc = parse(scratch, text, len, &json, e);

	if (rc == 0)
		rc = template_from_json(json, tpl_r, e);
	arena_free(&scratch);
	return rc;
}

int
template_from_rows(const struct db_rows *rows,
    struct template_release *at_hand, struct template **tpl_r, struct err *e)
{
	const char *text = template_text(rows), *release;
	struct template_release *made;
	int number;

	if (text == NULL)
		return 0;
	if (template_from_text(text, strlen(text), tpl_r, e) == -1)
		return -1;
	number = (int)db_int(rows, 0, 1);
	release = db_text(rows, 0, 2);
	if (at_hand != NULL && at_hand->number == number) {
		(*tpl_r)->release = template_release_hold(at_hand);
		return 1;
	}
	if (release == NULL)
		return 1;
	if (template_release_from_text(release, strlen(release), number, &made,
	        e) == -1) {
		template_free(tpl_r);
		return -1;
	}
	(*tpl_r)->release = made;
	return 1;
}

int
template_load(struct arena *a, struct db *db, struct tenant_id tenant,
    struct template_id id, int version, int release, struct template **tpl_r,
    struct err *e)
{
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);
	struct db_rows **rows;

	template_load_add(b, tenant, id, version, release);
	if (db_run(db, a, b, &rows, e) == -1)
		return -1;
	return template_from_rows(rows[0], NULL, tpl_r, e);
}

void
template_free(struct template **tplp)
{
	struct arena *a;

	if (*tplp == NULL)
		return;
	template_release_drop(&(*tplp)->release);
	a = (*tplp)->a;
	*tplp = NULL;
	arena_free(&a);
}

/* ---- Locales -------------------------------------------------------------- */

/* Whether a locale has what is looked for. */
typedef bool has_fn(const struct template_locale *l, const void *what);

static bool
has_part(const struct template_locale *l, const void *what)
{
	return l->parts[*(const enum template_part *)what] != NULL;
}

struct message_name {
	const char *key;
	size_t len;
};

static const struct hbs_template *
find_message(const struct template_locale *l, const struct message_name *name)
{
	size_t i;

	for (i = 0; i < l->message_count; i++)
		if (strncmp(l->messages[i].key, name->key, name->len) == 0 &&
		    l->messages[i].key[name->len] == '\0')
			return l->messages[i].text;
	return NULL;
}

static bool
has_message(const struct template_locale *l, const void *what)
{
	return find_message(l, what) != NULL;
}

/* Looks in a locale (NULL: none) and its parents. */
static const struct template_locale *
find_in_chain(const struct template *tpl, const char *name, has_fn *has,
    const void *what)
{
	size_t len = name != NULL ? strlen(name) : 0, i;

	for (; len > 0; len = locale_parent(name, len))
		for (i = 0; i < tpl->locale_count; i++)
			if (locale_is(name, len, tpl->locales[i].name) &&
			    has(&tpl->locales[i], what))
				return &tpl->locales[i];
	return NULL;
}

static const struct template_locale *
find_locale(const struct template *tpl, const struct locale_wish *wish,
    has_fn *has, const void *what)
{
	const char *const names[] = { wish->locale, wish->fallback,
		tpl->default_locale };
	const struct template_locale *l = NULL;
	size_t i;

	for (i = 0; i < NELEMS(names) && l == NULL; i++)
		l = find_in_chain(tpl, names[i], has, what);
	if (l == NULL && tpl->locale_count > 0 && has(&tpl->locales[0], what))
		l = &tpl->locales[0];
	return l;
}

const struct hbs_template *
template_part(const struct template *tpl, const struct locale_wish *wish,
    enum template_part part, const char **locale_r)
{
	const struct template_locale *l =
	    find_locale(tpl, wish, has_part, &part);

	if (l == NULL)
		return NULL;
	if (locale_r != NULL)
		*locale_r = l->name;
	return l->parts[part];
}

const struct hbs_template *
template_message(const struct template *tpl, const struct locale_wish *wish,
    const char *key, size_t len)
{
	const struct message_name name = { key, len };
	const struct template_locale *l =
	    find_locale(tpl, wish, has_message, &name);

	return l != NULL ? find_message(l, &name) : NULL;
}
