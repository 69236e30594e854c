/*
 * preview.c - what a template would look like, and what is wrong with it
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "notify/preview.h"

#include <stdarg.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/err.h"
#include "model/data_path.h"
#include "model/sms_length.h"
#include "model/template.h"
#include "model/template_draft.h"
#include "model/template_render.h"
#include "model/tenant.h"
#include "notify/tenant_settings.h"
#include "provider/html_text.h"
#include "template/hbs.h"
#include "web/js.h"

enum {
	SUBJECT_LONG = 150, /* characters; mail programs show less than half */
	HTML_LARGE = 100000, /* bytes; Gmail cuts what is beyond */
	SMS_SEGMENTS_LONG = 3
};

/* What a template may use without declaring it. */
static const char *const standing[] = { "recipient", "tenant", "brand",
	"locale", "unsubscribe_url" };

struct preview {
	struct arena *a;
	const struct preview_params *p;
	json_t *parts, *warnings;
	json_t *used, *written; /* names as members */
	size_t errors;
};

/* ---- Data ---------------------------------------------------------------------- */

/* The sample for the locale: its own, its parents', or the default's. */
static json_t *
choose_sample(const struct template_draft *d, const char *locale)
{
	size_t len = locale != NULL ? strlen(locale) : 0;
	const char *name;
	json_t *sample;

	for (; len > 0; len = locale_parent(locale, len))
		json_object_foreach(d->sample, name, sample)
			if (locale_is(locale, len, name))
				return sample;
	return json_object_get(d->sample, d->default_locale);
}

json_t *
preview_data(struct arena *a, const struct template_draft *draft,
    const struct locale_wish *wish, json_t *data, json_t *recipient,
    json_t *tenant)
{
	json_t *all;

	if (data == NULL)
		data = choose_sample(draft, wish->locale);
	all = data != NULL ? json_copy(data) : json_object();
	js_keep(a, all);
	if (json_object_get(recipient, "data") != NULL)
		json_object_update(all, json_object_get(recipient, "data"));
	if (recipient != NULL)
		json_object_set(all, "recipient", recipient);
	if (tenant != NULL)
		json_object_update_missing(all, tenant);
	if (draft->unsubscribe && json_object_get(all, "unsubscribe_url") == NULL)
		json_object_set_new(all, "unsubscribe_url",
		    json_string("https://notify.example.org/u/preview"));
	return all;
}

json_t *
preview_tenant(struct arena *a, const struct tenant *t)
{
	return tenant_variables(a, t->name, t->slug,
	    json_object_get(tenant_settings_read(a, t), "branding"));
}

/* ---- Variables ----------------------------------------------------------------- */

static void
note_used(void *arg, const char *path, size_t len)
{
	struct preview *pv = arg;

	json_object_set_new_nocheck(pv->used,
	    arena_strndup(pv->a, path, len), json_true());
}

static void
note_written(void *arg, const char *path, size_t len)
{
	struct preview *pv = arg;

	json_object_set_new_nocheck(pv->written,
	    arena_strndup(pv->a, path, len), json_true());
}

static bool
is_standing(const char *name)
{
	size_t i;

	for (i = 0; i < NELEMS(standing); i++)
		if (data_path_overlaps(standing[i], name))
			return true;
	return false;
}

/* True when a name of the object is the same place, or within it. */
static bool
overlaps_one(json_t *names, const char *path)
{
	const char *name;
	json_t *unused;

	json_object_foreach(names, name, unused)
		if (data_path_overlaps(name, path))
			return true;
	return false;
}

static json_t *
list_names(json_t *names)
{
	json_t *list = json_array(), *unused;
	const char *name;

	json_object_foreach(names, name, unused)
		json_array_append_new(list, json_string(name));
	return list;
}

static json_t *
list_missing(struct preview *pv)
{
	json_t *missing = json_object(), *list, *variable;
	const char *name;

	json_object_foreach(pv->p->tpl->variables, name, variable)
		if (json_is_true(json_object_get(variable, "required")) &&
		    !data_path_given(pv->a, pv->p->data, name))
			json_object_set_new(missing, name, json_true());
	json_object_update(missing, pv->written);
	list = list_names(missing);
	json_decref(missing);
	return list;
}

static json_t *
list_undeclared(struct preview *pv)
{
	json_t *list = json_array(), *unused;
	const char *name;

	json_object_foreach(pv->used, name, unused)
		if (!is_standing(name) &&
		    !overlaps_one(pv->p->tpl->variables, name))
			json_array_append_new(list, json_string(name));
	return list;
}

static json_t *
list_unused(struct preview *pv)
{
	json_t *list = json_array(), *unused;
	const char *name;

	json_object_foreach(pv->p->tpl->variables, name, unused)
		if (!overlaps_one(pv->used, name))
			json_array_append_new(list, json_string(name));
	return list;
}

/* ---- Parts ---------------------------------------------------------------------- */

static void warn(struct preview *pv, const char *part, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

static void
warn(struct preview *pv, const char *part, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	json_array_append_new(pv->warnings,
	    json_pack("{s:s, s:s}", "part", part, "text",
	        arena_vprintf(pv->a, fmt, ap)));
	va_end(ap);
}

static json_t *
error_json(struct preview *pv, const struct template_trouble *t)
{
	struct buf *excerpt = buf_new(pv->a, 65536);
	struct hbs_error e = t->e;

	if (t->source != NULL) {
		e.partial[0] = '\0';
		hbs_error_format(&e, template_trouble_place(pv->a, t),
		    t->source, t->len, excerpt);
	}
	return json_pack("{s:s, s:s?, s:s?, s:s, s:i, s:i, s:s}", "text",
	    t->e.text, "template", t->tpl != NULL ? t->tpl->key : NULL,
	    "locale", t->locale, "part", template_part_name(t->part), "line",
	    t->e.line, "column", t->e.column, "excerpt", excerpt->data);
}

static json_t *
sms_json(const struct sms_length *l)
{
	return json_pack("{s:s, s:I, s:I, s:I}", "encoding",
	    sms_encoding_name(l->encoding), "characters",
	    (json_int_t)l->characters, "units", (json_int_t)l->units,
	    "segments", (json_int_t)l->segments);
}

static void
look_at_sms(struct preview *pv, const char *text, json_t *part)
{
	struct sms_length l = sms_length(text);

	json_object_set_new(part, "sms", sms_json(&l));
	if (l.segments > SMS_SEGMENTS_LONG)
		warn(pv, "sms", "it takes %zu segments", l.segments);
	if (l.first_other != 0)
		warn(pv, "sms", "U+%04zX is not in the GSM alphabet: a segment "
		    "holds 70 characters instead of 160", l.first_other);
}

static void
look_at_subject(struct preview *pv, const char *text)
{
	struct sms_length l = sms_length(text);

	if (text[0] == '\0')
		warn(pv, "email.subject", "it is empty");
	if (strpbrk(text, "\r\n") != NULL)
		warn(pv, "email.subject", "it has a line break, which "
		    "becomes a space");
	if (l.characters > SUBJECT_LONG)
		warn(pv, "email.subject", "it has %zu characters; mail programs "
		    "show about 60", l.characters);
}

static void
look_at_json(struct preview *pv, const char *name, const char *text)
{
	json_error_t fault;
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &fault);

	if (json == NULL)
		warn(pv, name, "it is not JSON: line %d, column %d: %s",
		    fault.line, fault.column, fault.text);
	else if (!json_is_object(json))
		warn(pv, name, "it is not a JSON object");
	json_decref(json);
}

/* The text without the line end that files have. */
static const char *
trimmed(struct arena *a, const char *text)
{
	size_t n;

	text += strspn(text, " \t\r\n");
	n = strlen(text);
	while (n > 0 && strchr(" \t\r\n", text[n - 1]) != NULL)
		n--;
	return arena_strndup(a, text, n);
}

static void
look_at(struct preview *pv, enum template_part part, const char *text,
    json_t *json)
{
	const char *name = template_part_name(part);

	if (part == TEMPLATE_EMAIL_SUBJECT)
		look_at_subject(pv, text);
	else if (part == TEMPLATE_SMS)
		look_at_sms(pv, text, json);
	else if (template_part_escape(part) == HBS_ESCAPE_JSON)
		look_at_json(pv, name, text);
	else if (text[strspn(text, " \t\r\n")] == '\0')
		warn(pv, name, "it is empty");
	if (part == TEMPLATE_EMAIL_HTML && strlen(text) > HTML_LARGE)
		warn(pv, name, "it has %zu bytes; Gmail shows the first 102 "
		    "kB", strlen(text));
}

static void
render(struct preview *pv, enum template_part part)
{
	const struct preview_params *p = pv->p;
	struct template_rendering rn = { .tpl = p->tpl, .wish = p->wish,
		.time_zone = p->time_zone, .now_ms = clock_wall_ms(),
		.data = p->data, .missing = note_written, .arg = pv };
	struct buf *out = buf_new(pv->a, (size_t)p->config->template_output_max);
	const char *name = template_part_name(part), *locale, *text;
	struct template_trouble t;
	json_t *json;
	int rc;

	template_rendering_limit(&rn, p->config);
	template_list_paths(&rn, part, note_used, pv);
	rc = template_render(&rn, part, out, &locale, &t);
	if (rc == 0)
		return;
	if (rc == -1) {
		pv->errors++;
		json_object_set_new(pv->parts, name,
		    json_pack("{s:s, s:o}", "locale", locale, "error",
		        error_json(pv, &t)));
		return;
	}
	text = part == TEMPLATE_EMAIL_SUBJECT || part == TEMPLATE_SMS
	    ? trimmed(pv->a, out->data)
	    : out->data;
	json = json_pack("{s:s, s:s, s:I}", "locale", locale, "output", text,
	    "bytes", (json_int_t)strlen(text));
	json_object_set_new(pv->parts, name, json);
	look_at(pv, part, text, json);
}

/* The text of a mail whose template has only HTML. */
static void
make_text(struct preview *pv)
{
	const char *html = json_string_value(json_object_get(
	    json_object_get(pv->parts, "email.html"), "output"));
	struct buf *text;

	if (html == NULL || json_object_get(pv->parts, "email.text") != NULL)
		return;
	text = buf_new(pv->a, (size_t)pv->p->config->template_output_max);
	html_text(text, html, strlen(html));
	json_object_set_new(pv->parts, "email.text",
	    json_pack("{s:s, s:s, s:I}", "made_from", "email.html", "output",
	        text->data, "bytes", (json_int_t)text->len));
	warn(pv, "email.html", "there is no email.text: the text is made from "
	    "the HTML");
}

/* A mail whose subject and body come from different languages, for example. */
static void
check_whole(struct preview *pv)
{
	const json_t *subject = json_object_get(pv->parts, "email.subject");
	const json_t *html = json_object_get(pv->parts, "email.html");
	const json_t *text = json_object_get(pv->parts, "email.text");

	if ((html != NULL || text != NULL) && subject == NULL)
		warn(pv, "email.subject", "there is none, so no mail can be "
		    "sent");
	if (subject != NULL && html == NULL && text == NULL)
		warn(pv, "email.subject", "there is neither email.html nor "
		    "email.text, so no mail can be sent");
}

json_t *
preview_render(struct arena *a, const struct preview_params *p)
{
	struct preview pv = { .a = a, .p = p, .parts = json_object(),
		.warnings = json_array(),
		.used = js_keep(a, json_object()),
		.written = js_keep(a, json_object()) };
	int i;

	for (i = 0; i < TEMPLATE_PART_COUNT; i++)
		if (p->only == NULL ||
		    strcmp(p->only, template_part_name((enum template_part)i)) ==
		        0)
			render(&pv, (enum template_part)i);
	if (p->only == NULL) {
		make_text(&pv);
		check_whole(&pv);
	}
	return js_keep(a,
	    json_pack("{s:o, s:{s:o, s:o, s:o, s:o}, s:o, s:I}", "parts",
	        pv.parts, "variables", "used", list_names(pv.used), "missing",
	        list_missing(&pv), "undeclared", list_undeclared(&pv), "unused",
	        list_unused(&pv), "warnings", pv.warnings, "errors",
	        (json_int_t)pv.errors));
}
