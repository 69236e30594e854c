/*
 * template_diff.c - what differs between two versions of a template
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "model/template_diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "model/line_diff.h"
#include "model/template_draft.h"
#include "model/template_part.h"

/* Both texts and twice the lines, should all of them differ. */
enum { DIFF_BYTES_MAX = 8 * TEMPLATE_BYTES_MAX };

struct diff {
	struct arena *a;
	json_t *list;
};

static void
defer_json(void *p)
{
	json_decref(p);
}

/* NULL: it is not there. */
static void
add(struct diff *d, const char *path, const char *from, const char *to)
{
	struct line_diff sum;
	struct buf *out;

	if (from == to || (from != NULL && to != NULL && strcmp(from, to) == 0))
		return;
	out = buf_new(d->a, DIFF_BYTES_MAX);
	sum = line_diff(d->a, from != NULL ? from : "", to != NULL ? to : "",
	    out);
	json_array_append_new(d->list,
	    json_pack("{s:s, s:s, s:I, s:I, s:s#}", "path", path, "change",
	        from == NULL ? "added" : to == NULL ? "removed" : "changed",
	        "added", (json_int_t)sum.added, "removed",
	        (json_int_t)sum.removed, "diff", out->data, (int)out->len));
}

/* As it would stand in a file. */
static const char *
text_of(struct arena *a, const json_t *json)
{
	char *text, *copy;

	if (json == NULL)
		return NULL;
	if (json_is_string(json))
		return json_string_value(json);
	text = json_dumps(json, JSON_INDENT(2) | JSON_ENCODE_ANY);
	copy = arena_printf(a, "%s\n", text != NULL ? text : "");
	free(text);
	return copy;
}

/* What of template.json a version keeps. */
static const char *
head_text(struct arena *a, const struct template_draft *t)
{
	json_t *head = json_pack("{s:s*, s:o*, s:s*, s:O*, s:O}", "layout", t->layout,
	    "unsubscribe", t->unsubscribe ? json_true() : NULL, "from", t->from,
	    "tracking", t->tracking, "variables", t->variables);
	const char *text = text_of(a, head);

	json_decref(head);
	return text;
}

static void
add_locale(struct diff *d, const char *locale,
    const struct template_draft *from, const struct template_draft *to)
{
	const json_t *old = json_object_get(from->parts, locale);
	const json_t *new = json_object_get(to->parts, locale);
	const char *name;
	int i;

	for (i = 0; i < TEMPLATE_PART_COUNT; i++) {
		name = template_part_name((enum template_part)i);
		add(d, arena_printf(d->a, "%s/%s", locale, name),
		    text_of(d->a, json_object_get(old, name)),
		    text_of(d->a, json_object_get(new, name)));
	}
	add(d, arena_printf(d->a, "%s/messages.json", locale),
	    text_of(d->a, json_object_get(old, TEMPLATE_MESSAGES)),
	    text_of(d->a, json_object_get(new, TEMPLATE_MESSAGES)));
	add(d, arena_printf(d->a, "%s/sample.json", locale),
	    text_of(d->a, json_object_get(from->sample, locale)),
	    text_of(d->a, json_object_get(to->sample, locale)));
}

json_t *
template_diff(struct arena *a, const struct template_draft *from,
    const struct template_draft *to)
{
	struct diff d = { .a = a, .list = json_array() };
	json_t *locales = json_object(), *unused;
	const char *locale;

	arena_defer(a, defer_json, d.list);
	arena_defer(a, defer_json, locales);
	add(&d, "template.json", head_text(a, from), head_text(a, to));
	json_object_update(locales, to->parts);
	json_object_update_missing(locales, from->parts);
	json_object_update_missing(locales, to->sample);
	json_object_update_missing(locales, from->sample);
	json_object_foreach(locales, locale, unused)
		add_locale(&d, locale, from, to);
	return d.list;
}
