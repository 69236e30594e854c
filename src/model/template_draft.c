/*
 * template_draft.c - a template as its author wrote it
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "model/template_draft.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/text.h"
#include "model/data_path.h"
#include "model/locale.h"
#include "model/template.h"
#include "model/template_compile.h"
#include "model/template_part.h"

void
template_faults_init(struct template_faults *faults, struct arena *a)
{
	*faults = (struct template_faults){ .a = a };
}

static struct template_fault *
add(struct template_faults *faults, const char *member, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

static struct template_fault *
add(struct template_faults *faults, const char *member, const char *fmt, ...)
{
	struct template_fault *f =
	    arena_object(faults->a, struct template_fault);
	va_list ap;

	f->member = member;
	va_start(ap, fmt);
	f->text = arena_vprintf(faults->a, fmt, ap);
	va_end(ap);
	if (faults->last == NULL)
		faults->first = f;
	else
		faults->last->next = f;
	faults->last = f;
	faults->count++;
	return f;
}

void
template_faults_add(struct template_faults *faults, const char *member,
    const char *text)
{
	add(faults, member, "%s", text);
}

static void
add_in_part(struct template_faults *faults, const char *locale,
    const char *part, const struct hbs_error *e)
{
	struct template_fault *f = add(faults, "parts", "%s", e->text);

	f->locale = locale;
	f->part = part;
	f->line = e->line;
	f->column = e->column;
}

/* How many bytes of a key say that it is a layout or a partial. */
static size_t
shared_prefix(const char *key)
{
	static const char *const prefixes[] = { TEMPLATE_LAYOUT,
		TEMPLATE_PARTIAL };
	size_t i;

	for (i = 0; i < NELEMS(prefixes); i++)
		if (strncmp(key, prefixes[i], strlen(prefixes[i])) == 0)
			return strlen(prefixes[i]);
	return 0;
}

bool
template_is_shared(const char *key)
{
	return shared_prefix(key) > 0;
}

/* ---- What stands beside the parts --------------------------------------- */

static void
check_text(struct template_faults *faults, const char *member, const char *s,
    bool required)
{
	if (required && s[0] == '\0')
		add(faults, member, "\"%s\" is empty", member);
	else if (strlen(s) > TEMPLATE_NAME_MAX * 4)
		add(faults, member, "\"%s\" is too long", member);
	else if (text_has_control(s))
		add(faults, member, "\"%s\" has control characters", member);
}

static void
check_type(struct template_faults *faults, const char *name,
    const json_t *variable)
{
	const json_t *type = json_object_get(variable, "type");

	if (type != NULL &&
	    (!json_is_string(type) ||
	        template_type_parse(json_string_value(type)) ==
	            TEMPLATE_TYPE_COUNT))
		add(faults, "variables",
		    "\"type\" of the variable \"%s\" is none of string, "
		    "number, integer, boolean, array and object",
		    name);
}

static void
check_tracking(struct template_faults *faults, json_t *tracking)
{
	const char *name;
	json_t *value;

	if (tracking != NULL && !json_is_object(tracking)) {
		add(faults, "tracking", "\"tracking\" is not an object");
		return;
	}
	json_object_foreach(tracking, name, value)
		if (!json_is_boolean(value) || (strcmp(name, "opens") != 0 &&
		                                   strcmp(name, "clicks") != 0))
			add(faults, "tracking", "\"tracking\" holds \"opens\" and "
			    "\"clicks\", each true or false");
}

static void
check_variables(struct template_faults *faults, json_t *variables)
{
	const char *name;
	json_t *variable, *required;

	if (!json_is_object(variables)) {
		add(faults, "variables", "\"variables\" is not an object");
		return;
	}
	json_object_foreach(variables, name, variable) {
		required = json_object_get(variable, "required");
		if (!data_path_is_valid(name))
			add(faults, "variables",
			    "\"%.80s\" is not a name, as in \"order\", "
			    "\"order.id\" or \"items[].name\"",
			    name);
		else if (!json_is_object(variable))
			add(faults, "variables",
			    "the variable \"%s\" is not an object", name);
		else if (required != NULL && !json_is_boolean(required))
			add(faults, "variables",
			    "\"required\" of the variable \"%s\" is neither "
			    "true nor false",
			    name);
		else
			check_type(faults, name, variable);
	}
}

static void
check_sample(struct template_faults *faults, json_t *sample)
{
	const char *locale;
	json_t *data;

	if (!json_is_object(sample)) {
		add(faults, "sample", "\"sample\" is not an object");
		return;
	}
	json_object_foreach(sample, locale, data)
		if (!locale_is_valid(locale) || !json_is_object(data))
			add(faults, "sample",
			    "the sample for \"%s\" is not an object by locale",
			    locale);
}

static void
check_head(const struct template_draft *d, struct template_faults *faults)
{
	if (!text_is_slug(d->key + shared_prefix(d->key)))
		add(faults, "key",
		    "the key \"%.80s\" is not made of a-z, 0-9 and \"-\"",
		    d->key);
	if (d->layout != NULL && template_is_shared(d->key))
		add(faults, "layout", "a layout or partial has no layout");
	else if (d->layout != NULL && !text_is_slug(d->layout))
		add(faults, "layout",
		    "the name \"%.80s\" is not made of a-z, 0-9 and \"-\"",
		    d->layout);
	check_text(faults, "name", d->name, true);
	check_text(faults, "description", d->description, false);
	check_text(faults, "category", d->category, false);
	if (d->unsubscribe && d->category[0] == '\0')
		add(faults, "category", "with \"unsubscribe\" there must be a "
		    "category: it is what ends");
	if (!locale_is_valid(d->default_locale))
		add(faults, "default_locale", "\"%.80s\" is not a locale",
		    d->default_locale);
	check_tracking(faults, d->tracking);
	check_variables(faults, d->variables);
	check_sample(faults, d->sample);
}

/* ---- Parts
 * ---------------------------------------------------------------- */

/* The sample for a locale: its own, its parents', or the default's. */
static const json_t *
find_sample(const struct template_draft *d, const char *locale)
{
	size_t len = strlen(locale);
	const char *name;
	json_t *data;

	for (; len > 0; len = locale_parent(locale, len))
		json_object_foreach(d->sample, name, data)
			if (locale_is(locale, len, name))
				return data;
	return json_object_get(d->sample, d->default_locale);
}

/* Partials and messages are not at hand: nothing stands for them. */
struct stand_in {
	struct hbs_template *empty;
	bool used;
};

static int
stand_in(void *arg, const char *name, size_t len,
    const struct hbs_template **tpl_r, struct hbs_error *e)
{
	struct stand_in *si = arg;

	si->used = true;
	*tpl_r = si->empty;
	return 1;
}

/* Renders a JSON part with its sample and looks whether JSON came of it. */
static void
check_json(const struct template_draft *d, struct template_faults *faults,
    const char *locale, enum template_part part,
    const struct hbs_template *compiled)
{
	struct stand_in si = { .used = false };
	struct hbs_render_params params = { .escape = HBS_ESCAPE_JSON,
		.locale = locale,
		.calls = { .partial = stand_in, .message = stand_in,
		    .arg = &si } };
	struct buf *out = buf_new(faults->a, TEMPLATE_BYTES_MAX);
	const json_t *sample = find_sample(d, locale);
	struct hbs_error e;
	json_error_t wrong;
	json_t *json;
	int rc;

	if (sample == NULL)
		return;
	ensure(template_compile("", 0, &si.empty, &e) == 0);
	rc = hbs_render(compiled, sample, &params, out, &e);
	hbs_free(&si.empty);
	if (rc == -1)
		add_in_part(faults, locale, template_part_name(part), &e);
	if (rc == -1 || si.used)
		return;
	json = json_loadb(out->data, out->len, JSON_REJECT_DUPLICATES, &wrong);
	if (!json_is_object(json)) {
		e = (struct hbs_error){ 0 };
		snprintf(e.text, sizeof(e.text),
		    "with the sample this is no JSON object: %.160s",
		    json == NULL ? wrong.text : "it is an array");
		add_in_part(faults, locale, template_part_name(part), &e);
	}
	json_decref(json);
}

static void
check_messages(struct template_faults *faults, const char *locale,
    json_t *messages)
{
	struct hbs_template *compiled;
	struct template_fault *f;
	struct hbs_error e;
	const char *key;
	json_t *text;

	if (!json_is_object(messages)) {
		add(faults, "parts", "\"messages\" is not an object")->locale =
		    locale;
		return;
	}
	json_object_foreach(messages, key, text) {
		if (json_is_string(text) &&
		    template_compile(json_string_value(text),
		        json_string_length(text), &compiled, &e) == 0) {
			hbs_free(&compiled);
			continue;
		}
		f = json_is_string(text)
		    ? add(faults, "parts", "the message \"%.80s\", column %d: %s",
		          key, e.column, e.text)
		    : add(faults, "parts", "the message \"%.80s\" is not a text",
		          key);
		f->locale = locale;
		f->part = TEMPLATE_MESSAGES;
	}
}

static void
check_part(const struct template_draft *d, struct template_faults *faults,
    const char *locale, const char *name, json_t *source)
{
	enum template_part part = template_part_parse(name, strlen(name));
	struct hbs_template *compiled;
	struct hbs_error e;

	if (strcmp(name, TEMPLATE_MESSAGES) == 0) {
		check_messages(faults, locale, source);
		return;
	}
	if (part == TEMPLATE_PART_COUNT) {
		add(faults, "parts", "there is no part \"%.80s\"", name)
		    ->locale = locale;
		return;
	}
	if (!json_is_string(source)) {
		add(faults, "parts", "\"%s\" is not a text", name)->locale =
		    locale;
		return;
	}
	if (template_compile(json_string_value(source),
	        json_string_length(source), &compiled, &e) == -1) {
		add_in_part(faults, locale, name, &e);
		return;
	}
	if (template_part_escape(part) == HBS_ESCAPE_JSON)
		check_json(d, faults, locale, part, compiled);
	hbs_free(&compiled);
}

static void
check_locale(const struct template_draft *d, struct template_faults *faults,
    const char *locale, json_t *parts)
{
	const char *name;
	json_t *source;

	if (!locale_is_valid(locale))
		add(faults, "parts", "\"%.80s\" is not a locale", locale);
	else if (!json_is_object(parts) || json_object_size(parts) == 0)
		add(faults, "parts", "there are no parts for \"%s\"", locale);
	else
		json_object_foreach(parts, name, source)
			check_part(d, faults, locale, name, source);
}

/* The bytes of all sources. */
static size_t
count_bytes(json_t *locales)
{
	const char *locale, *name, *key;
	json_t *parts, *source, *text;
	size_t n = 0;

	json_object_foreach(locales, locale, parts)
		json_object_foreach(parts, name, source) {
			n += json_string_length(source);
			json_object_foreach(source, key, text)
				n += strlen(key) + json_string_length(text);
		}
	return n;
}

int
template_check(const struct template_draft *d, struct template_faults *faults)
{
	const char *locale;
	json_t *parts;

	check_head(d, faults);
	if (!json_is_object(d->parts))
		add(faults, "parts", "\"parts\" is not an object");
	else if (json_object_get(d->parts, d->default_locale) == NULL)
		add(faults, "parts",
		    "there are no parts for the default locale \"%.35s\"",
		    d->default_locale);
	else if (json_object_size(d->parts) > TEMPLATE_LOCALES_MAX)
		add(faults, "parts", "there are more than %d locales",
		    TEMPLATE_LOCALES_MAX);
	else if (count_bytes(d->parts) > TEMPLATE_BYTES_MAX)
		add(faults, "parts",
		    "the parts have more than %d bytes together",
		    TEMPLATE_BYTES_MAX);
	else
		json_object_foreach(d->parts, locale, parts)
			check_locale(d, faults, locale, parts);
	return faults->count == 0 ? 0 : -1;
}

int
template_faults_err(const struct template_draft *d,
    const struct template_faults *faults, struct err *e)
{
	const struct template_fault *f = faults->first;
	char more[40] = "", place[120] = "";

	if (faults->count > 1)
		snprintf(more, sizeof(more), " (and %zu more)",
		    faults->count - 1);
	if (f->part != NULL && f->line > 0)
		snprintf(place, sizeof(place), "%s/%s, line %d, column %d: ",
		    f->locale, f->part, f->line, f->column);
	else if (f->part != NULL)
		snprintf(place, sizeof(place), "%s/%s: ", f->locale, f->part);
	return err_set(e, ERR_UNPROCESSABLE, "template \"%.63s\": %s%s%s",
	    d->key, place, f->text, more);
}

/* ---- Checksum
 * ------------------------------------------------------------- */

static int
add_bytes(const char *bytes, size_t n, void *arg)
{
	crypto_generichash_update(arg, (const unsigned char *)bytes, n);
	return 0;
}

void
template_checksum(const struct template_draft *d,
    uint8_t sum[static TEMPLATE_CHECKSUM_BYTES])
{
	const json_t *pieces[] = { d->parts, d->variables, d->sample };
	crypto_generichash_state state;
	size_t i;

	crypto_generichash_init(&state, NULL, 0, TEMPLATE_CHECKSUM_BYTES);
	for (i = 0; i < NELEMS(pieces); i++) {
		ensure(json_dump_callback(pieces[i], add_bytes, &state,
		           JSON_COMPACT | JSON_SORT_KEYS) == 0);
		crypto_generichash_update(&state, (const unsigned char *)"", 1);
	}
	if (d->layout != NULL)
		crypto_generichash_update(&state,
		    (const unsigned char *)d->layout, strlen(d->layout));
	if (d->unsubscribe)
		crypto_generichash_update(&state, (const unsigned char *)"\0u",
		    2);
	if (d->tracking != NULL)
		ensure(json_dump_callback(d->tracking, add_bytes, &state,
		           JSON_COMPACT | JSON_SORT_KEYS) == 0);
	if (d->from != NULL)
		crypto_generichash_update(&state,
		    (const unsigned char *)d->from, strlen(d->from));
	crypto_generichash_final(&state, sum, TEMPLATE_CHECKSUM_BYTES);
}
