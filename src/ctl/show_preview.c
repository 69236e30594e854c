/*
 * show_preview.c - previews, as commands print them
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "ctl/show_preview.h"

#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "ctl/ctl.h"
#include "ctl/out.h"
#include "model/template.h"
#include "notify/preview.h"

static const char *
text(const json_t *object, const char *member)
{
	return json_string_value(json_object_get(object, member));
}

static void
print_text(struct buf *out, const char *s)
{
	buf_puts(out, s);
	if (out->len > 0 && out->data[out->len - 1] != '\n')
		buf_putc(out, '\n');
}

/* "---- sms (de, gsm-7, 126 of 160 ...)" */
static void
print_head(struct buf *out, const char *name, const json_t *part)
{
	const json_t *sms = json_object_get(part, "sms");
	const char *locale = text(part, "locale");

	buf_printf(out, "---- %s (%s%s, %d bytes", name,
	    locale != NULL ? "" : "made from ",
	    locale != NULL ? locale : text(part, "made_from"),
	    (int)json_integer_value(json_object_get(part, "bytes")));
	if (sms != NULL)
		buf_printf(out, ", %s, %d units, %d segment%s",
		    text(sms, "encoding"),
		    (int)json_integer_value(json_object_get(sms, "units")),
		    (int)json_integer_value(json_object_get(sms, "segments")),
		    json_integer_value(json_object_get(sms, "segments")) == 1
		        ? ""
		        : "s");
	buf_puts(out, ")\n");
}

static void
print_names(struct buf *out, const char *title, const json_t *names)
{
	size_t i;

	if (json_array_size(names) == 0)
		return;
	buf_printf(out, "%s:", title);
	for (i = 0; i < json_array_size(names); i++)
		buf_printf(out, " %s",
		    json_string_value(json_array_get(names, i)));
	buf_putc(out, '\n');
}

static void
print_remarks(struct buf *out, const json_t *preview)
{
	const json_t *variables = json_object_get(preview, "variables");
	const json_t *warnings = json_object_get(preview, "warnings");
	json_t *warning;
	size_t i;

	print_names(out, "missing", json_object_get(variables, "missing"));
	print_names(out, "not declared",
	    json_object_get(variables, "undeclared"));
	json_array_foreach(warnings, i, warning)
		buf_printf(out, "warning: %s: %s\n", text(warning, "part"),
		    text(warning, "text"));
}

static void
print_parts(struct ctl *c, const struct preview_params *p, json_t *preview)
{
	struct buf *out = buf_new(c->a, SIZE_MAX / 2);
	json_t *parts = json_object_get(preview, "parts"), *part;
	const char *name;

	json_object_foreach(parts, name, part) {
		if (json_object_get(part, "output") == NULL)
			continue;
		if (p->only == NULL)
			print_head(out, name, part);
		print_text(out, text(part, "output"));
	}
	if (p->only == NULL) {
		if (out->len > 0)
			buf_puts(out, "----\n");
		print_remarks(out, preview);
	}
	out_raw(out->data, out->len);
}

/* The parts that cannot be rendered, each with its place, for out_error(). */
static int
tell_faults(struct ctl *c, const json_t *preview, struct err *e)
{
	json_t *parts = json_object_get(preview, "parts"), *part, *error;
	const char *name, *place;

	json_object_foreach(parts, name, part) {
		error = json_object_get(part, "error");
		if (error == NULL)
			continue;
		if (c->faults == NULL)
			c->faults = json_array();
		place = arena_printf(c->a, "%s/%s/%s:%d:%d",
		    text(error, "template") != NULL ? text(error, "template")
						    : "?",
		    text(error, "locale") != NULL ? text(error, "locale") : "?",
		    text(error, "part"),
		    (int)json_integer_value(json_object_get(error, "line")),
		    (int)json_integer_value(json_object_get(error, "column")));
		json_array_append_new(c->faults,
		    json_pack("{s:s, s:s}", "place", place, "text",
		        text(error, "text")));
	}
	return err_set(e, ERR_UNPROCESSABLE, "a part cannot be rendered");
}

int
show_preview(struct ctl *c, const struct preview_params *p, json_t *preview,
    struct err *e)
{
	json_t *all;

	if (json_integer_value(json_object_get(preview, "errors")) > 0)
		return tell_faults(c, preview, e);
	if (p->only != NULL &&
	    json_object_size(json_object_get(preview, "parts")) == 0)
		return err_set(e, ERR_NOT_FOUND,
		    "the template has no part \"%s\"", p->only);
	if (!c->json) {
		print_parts(c, p, preview);
		return 0;
	}
	all = json_pack("{s:s, s:i}", "key", p->tpl->key, "version",
	    p->tpl->version);
	json_object_update(all, preview);
	out_said(c, all, "%s", "");
	return 0;
}
