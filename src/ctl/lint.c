/*
 * lint.c - belfryctl template lint
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * An error is what "push" would refuse, or what cannot be rendered with its sample.  A
 * warning is what is mostly a mistake.
 */
#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "ctl/author.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/out.h"
#include "model/data_path.h"
#include "model/template.h"
#include "model/template_dir.h"
#include "model/template_draft.h"
#include "model/template_part.h"
#include "template/hbs.h"
#include "web/js.h"

struct lint {
	json_t *remarks; /* {"place", "severity", "text", "excerpt"} */
	size_t errors, warnings;
	json_t *unused; /* variables of the directory that no part has used yet */
};

/* ---- Remarks -------------------------------------------------------------------- */

static void add(struct ctl *c, struct lint *l, bool error,
    const struct author_work *w, const struct template_fault *f,
    const char *fmt, ...) PRINTF_LIKE(6, 7);

/* The line of the source with its caret; "" without a place in it. */
static const char *
excerpt(struct ctl *c, const struct author_work *w,
    const struct template_fault *f)
{
	struct hbs_error e = { .line = f->line, .column = f->column };
	struct buf *out = buf_new(c->a, 65536);
	const json_t *source = NULL;
	const char *rest;

	if (f->line != 0 && f->part != NULL)
		source = json_object_get(
		    json_object_get(w->draft->parts, f->locale), f->part);
	if (!json_is_string(source))
		return "";
	hbs_error_format(&e, "", json_string_value(source),
	    json_string_length(source), out);
	rest = strchr(out->data, '\n');
	return rest != NULL ? rest + 1 : "";
}

static void
add(struct ctl *c, struct lint *l, bool error, const struct author_work *w,
    const struct template_fault *f, const char *fmt, ...)
{
	const char *place = template_dir_place(c->a, w->path, w->draft, f);
	va_list ap;

	va_start(ap, fmt);
	json_array_append_new(l->remarks,
	    json_pack("{s:s, s:s, s:s, s:s}", "place", place, "severity",
	        error ? "error" : "warning", "text",
	        arena_vprintf(c->a, fmt, ap), "excerpt", excerpt(c, w, f)));
	va_end(ap);
	*(error ? &l->errors : &l->warnings) += 1;
}

static void
take_fault(struct ctl *c, const struct author_work *w,
    const struct template_fault *f, void *arg)
{
	add(c, arg, true, w, f, "%s", f->text);
}

/* ---- Places of names -------------------------------------------------------------- */

static bool
is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' ||
	    (unsigned char)c >= 0x80;
}

/* Where a name stands in a tag of the source; NULL: nowhere. */
static const char *
find_name(const char *source, const char *name, size_t len)
{
	const char *p = source, *end;

	while ((p = strstr(p, "{{")) != NULL) {
		end = strstr(p, "}}");
		if (end == NULL)
			return NULL;
		for (; p + len <= end; p++)
			if (strncmp(p, name, len) == 0 && !is_word(p[-1]) &&
			    !is_word(p[len]))
				return p;
		p = end;
	}
	return NULL;
}

/* Puts the fault where the last name of the path is used first. */
static void
place_name(struct template_fault *f, const json_t *source, const char *path)
{
	const char *text = json_string_value(source), *name, *at, *p;

	name = strrchr(path, '.');
	name = name != NULL ? name + 1 : path;
	at = text == NULL ? NULL
			  : find_name(text, name, strcspn(name, "["));
	if (at == NULL)
		return;
	f->line = 1;
	f->column = 1;
	for (p = text; p < at; p++) {
		f->column += ((unsigned char)*p & 0xc0) != 0x80;
		if (*p == '\n') {
			f->line++;
			f->column = 1;
		}
	}
}

/* ---- What is looked at -------------------------------------------------------------- */

static const char *
text(const json_t *object, const char *member)
{
	return json_string_value(json_object_get(object, member));
}

static void
add_error(struct ctl *c, struct lint *l, const struct author_work *w,
    struct template_fault *f, const json_t *error)
{
	const char *key = text(error, "template");

	if (key == NULL || strcmp(key, w->draft->key) != 0) {
		add(c, l, true, w, f, "%s (in %s, line %d, column %d)",
		    text(error, "text"), key != NULL ? key : "a message",
		    (int)json_integer_value(json_object_get(error, "line")),
		    (int)json_integer_value(json_object_get(error, "column")));
		return;
	}
	f->line = (int)json_integer_value(json_object_get(error, "line"));
	f->column = (int)json_integer_value(json_object_get(error, "column"));
	add(c, l, true, w, f, "%s", text(error, "text"));
}

static void
forget_used(struct lint *l, const json_t *used)
{
	const char *name;
	json_t *unused;
	void *next;
	size_t i;

	for (i = 0; i < json_array_size(used); i++)
		json_object_foreach_safe(l->unused, next, name, unused)
			if (data_path_overlaps(name,
			        json_string_value(json_array_get(used, i))))
				json_object_del(l->unused, name);
}

static void
lint_part(struct ctl *c, struct lint *l, const struct author_work *w,
    const char *locale, const char *part, const json_t *source)
{
	struct template_fault f = { .member = "parts", .locale = locale,
		.part = part };
	json_t *shown = author_preview(c, w, locale, part), *names, *item;
	json_t *variables = json_object_get(shown, "variables");
	json_t *error = json_object_get(
	    json_object_get(json_object_get(shown, "parts"), part), "error");
	size_t i;

	forget_used(l, json_object_get(variables, "used"));
	if (error != NULL) {
		add_error(c, l, w, &f, error);
		return;
	}
	names = json_object_get(variables, "undeclared");
	json_array_foreach(names, i, item) {
		f.line = f.column = 0;
		place_name(&f, source, json_string_value(item));
		add(c, l, false, w, &f,
		    "\"%s\" is not declared in template.json",
		    json_string_value(item));
	}
	names = json_object_get(variables, "missing");
	json_array_foreach(names, i, item) {
		f.line = f.column = 0;
		place_name(&f, source, json_string_value(item));
		add(c, l, false, w, &f, "\"%s\" is not in the sample",
		    json_string_value(item));
	}
	f.line = f.column = 0;
	names = json_object_get(shown, "warnings");
	json_array_foreach(names, i, item)
		add(c, l, false, w, &f, "%s", text(item, "text"));
}

/* Parts that one language has and another has not. */
static void
compare_locales(struct ctl *c, struct lint *l, const struct author_work *w)
{
	const char *locale, *part;
	json_t *parts, *other, *unused;
	const json_t *whole =
	    json_object_get(w->draft->parts, w->draft->default_locale);

	json_object_foreach(w->draft->parts, locale, parts) {
		struct template_fault f = { .member = "parts",
			.locale = locale };

		/* "de-AT" may have as little as it likes, and so may what puts
		 * its words into messages. */
		if (strchr(locale, '-') != NULL || parts == whole ||
		    json_object_get(parts, TEMPLATE_MESSAGES) != NULL)
			continue;
		other = (json_t *)(uintptr_t)whole;
		json_object_foreach(other, part, unused)
			if (json_object_get(parts, part) == NULL)
				add(c, l, false, w, &f,
				    "there is no %s, which is shown in \"%s\" "
				    "instead", part, w->draft->default_locale);
		json_object_foreach(parts, part, unused)
			if (json_object_get(whole, part) == NULL)
				add(c, l, false, w, &f,
				    "there is no %s in the default locale \"%s\"",
				    part, w->draft->default_locale);
	}
}

static void
check_mail(struct ctl *c, struct lint *l, const struct author_work *w)
{
	const json_t *whole =
	    json_object_get(w->draft->parts, w->draft->default_locale);
	bool html = json_object_get(whole, "email.html") != NULL;
	bool plain = json_object_get(whole, "email.text") != NULL;
	bool subject = json_object_get(whole, "email.subject") != NULL;
	struct template_fault f = { .member = "parts",
		.locale = w->draft->default_locale };

	if (html && !plain)
		add(c, l, false, w, &f, "there is no email.text: the text is "
		    "made from the HTML");
	if ((html || plain) && !subject)
		add(c, l, false, w, &f,
		    "there is no email.subject, so no mail can be sent");
	if (subject && !html && !plain)
		add(c, l, false, w, &f, "there is neither email.html nor "
		    "email.text, so no mail can be sent");
}

static int
lint_one(struct ctl *c, const struct author_work *w, void *arg, struct err *e)
{
	struct template_fault head = { .member = "variables" };
	struct lint *l = arg;
	const char *locale, *part, *name;
	json_t *parts, *source, *unused;

	if (template_is_shared(w->draft->key))
		return 0;
	compare_locales(c, l, w);
	check_mail(c, l, w);
	l->unused = js_keep(c->a, json_deep_copy(w->draft->variables));
	json_object_foreach(w->draft->parts, locale, parts)
		json_object_foreach(parts, part, source)
			if (json_is_string(source))
				lint_part(c, l, w, locale, part, source);
	json_object_foreach(l->unused, name, unused)
		add(c, l, false, w, &head,
		    "the variable \"%s\" is declared, and no part uses it", name);
	return 0;
}

static void
print(struct ctl *c, const struct lint *l)
{
	struct buf *out = buf_new(c->a, SIZE_MAX / 2);
	json_t *remark;
	size_t i;

	json_array_foreach(l->remarks, i, remark)
		buf_printf(out, "%s: %s: %s\n%s", text(remark, "place"),
		    text(remark, "severity"), text(remark, "text"),
		    text(remark, "excerpt"));
	buf_printf(out, "%zu error%s, %zu warning%s\n", l->errors,
	    l->errors == 1 ? "" : "s", l->warnings,
	    l->warnings == 1 ? "" : "s");
	out_raw(out->data, out->len);
}

int
command_template_lint(struct ctl *c, struct err *e)
{
	struct lint l = { .remarks = js_keep(c->a, json_array()) };
	const struct author_job job = { lint_one, take_fault, &l };

	if (author_each(c, &job, e) == -1)
		return -1;
	if (c->json)
		out_said(c,
		    json_pack("{s:I, s:I, s:O}", "errors",
		        (json_int_t)l.errors, "warnings",
		        (json_int_t)l.warnings, "remarks", l.remarks),
		    "%s", "");
	else
		print(c, &l);
	if (l.errors > 0 || (l.warnings > 0 && ctl_has(c, "strict")))
		c->status = CTL_EXIT_REFUSED;
	return 0;
}
