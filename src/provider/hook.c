/*
 * hook.c - what a provider reports by itself
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "provider/hook.h"

#include <string.h>

#include "base/arena.h"
#include "base/ensure.h"
#include "base/text.h"
#include "base/uuid.h"
#include "web/field.h"
#include "web/js.h"

static const char *const names[] = {
#define X(NAME, name) [HOOK_##NAME] = name,
#include "provider/hook.def"
#undef X
};

const char *
hook_name(enum hook_what what)
{
	ensure((int)what >= 0 && what < HOOK_WHAT_COUNT);
	return names[what];
}

const char *
hook_param(const struct hook_request *rq, const char *name)
{
	size_t i;

	for (i = 0; i < rq->params_count; i++)
		if (strcmp(rq->params[i].name, name) == 0)
			return rq->params[i].value;
	return NULL;
}

const char *
hook_base(struct arena *a, const char *public_url)
{
	size_t n = strlen(public_url);

	while (n > 0 && public_url[n - 1] == '/')
		n--;
	return arena_strndup(a, public_url, n);
}

struct hook_event *
hook_event_new(struct arena *a, struct hook_events *events)
{
	struct hook_event *list;

	if (events->count == events->cap) {
		events->cap = events->cap > 0 ? events->cap * 2 : 8;
		list = arena_zalloc(a, events->cap, sizeof(*list));
		if (events->count > 0)
			memcpy(list, events->list,
			    events->count * sizeof(*list));
		events->list = list;
	}
	return &events->list[events->count++];
}

/* ---- Forms ----------------------------------------------------------------------- */

static int
hex_value(char c)
{
	const char *digits = "0123456789abcdef", *at;

	if (c >= 'A' && c <= 'F')
		c = (char)(c - 'A' + 'a');
	at = c != '\0' ? strchr(digits, c) : NULL;
	return at != NULL ? (int)(at - digits) : -1;
}

static int
decode(struct arena *a, const char *s, size_t n, const char **text_r)
{
	char *text = arena_alloc(a, n + 1);
	size_t i, len = 0;
	int high, low;

	for (i = 0; i < n; i++) {
		if (s[i] != '%') {
			text[len++] = s[i] == '+' ? ' ' : s[i];
		} else {
			high = i + 2 < n ? hex_value(s[i + 1]) : -1;
			low = high >= 0 ? hex_value(s[i + 2]) : -1;
			if (low < 0)
				return -1;
			text[len++] = (char)(high * 16 + low);
			i += 2;
		}
		if (text[len - 1] == '\0')
			return -1;
	}
	text[len] = '\0';
	*text_r = text;
	return 0;
}

int
hook_form_parse(struct arena *a, const char *body, size_t n, size_t max,
    struct field_param **params_r, size_t *count_r)
{
	struct field_param *params = arena_zalloc(a, max, sizeof(*params));
	const char *s, *end = body + n, *stop, *equals;
	size_t count = 0;

	for (s = body; s < end; s = stop + 1) {
		stop = memchr(s, '&', (size_t)(end - s));
		if (stop == NULL)
			stop = end;
		if (stop == s)
			continue;
		if (count == max)
			return -1;
		equals = memchr(s, '=', (size_t)(stop - s));
		params[count].value = "";
		if (decode(a, s,
		        (size_t)((equals != NULL ? equals : stop) - s),
		        &params[count].name) == -1 ||
		    (equals != NULL &&
		        decode(a, equals + 1, (size_t)(stop - equals - 1),
		            &params[count].value) == -1))
			return -1;
		count++;
	}
	*params_r = params;
	*count_r = count;
	return 0;
}

/* ---- On the way to the spooler ---------------------------------------------------- */

static void
set_text(json_t *json, const char *name, const char *text)
{
	if (text != NULL && text_is_utf8(text, strlen(text)))
		json_object_set_new(json, name, json_string(text));
}

static void
set_number(json_t *json, const char *name, int64_t n)
{
	if (n != 0)
		json_object_set_new(json, name, json_integer(n));
}

static void
set_uuid(json_t *json, const char *name, const struct uuid *u)
{
	char text[UUID_TEXT_BYTES];

	if (uuid_is_nil(u))
		return;
	uuid_format(u, text);
	json_object_set_new(json, name, json_string(text));
}

json_t *
hook_events_write(const struct hook_event *list, size_t count)
{
	json_t *array = json_array(), *json;
	const struct hook_event *ev;

	for (ev = list; ev < list + count; ev++) {
		json = json_object();
		set_text(json, "what", hook_name(ev->what));
		set_uuid(json, "n", &ev->notification.u);
		set_uuid(json, "d", &ev->delivery.u);
		set_text(json, "ref", ev->provider_ref);
		set_number(json, "class", ev->class);
		set_number(json, "at", ev->at_ms);
		set_text(json, "code", ev->code);
		set_text(json, "text", ev->text);
		set_number(json, "suppress", ev->suppress);
		set_number(json, "sender", ev->for_sender);
		set_number(json, "category", ev->by_category);
		set_text(json, "address", ev->address);
		set_text(json, "id", ev->id);
		set_number(json, "known", ev->if_known);
		json_array_append_new(array, json);
	}
	return array;
}

static const char *
get_text(struct arena *a, const json_t *json, const char *name)
{
	const char *text = json_string_value(json_object_get(json, name));

	return text != NULL ? arena_strdup(a, text) : NULL;
}

static int64_t
get_number(const json_t *json, const char *name)
{
	return json_integer_value(json_object_get(json, name));
}

static void
get_uuid(const json_t *json, const char *name, struct uuid *u)
{
	const char *text = json_string_value(json_object_get(json, name));

	if (text == NULL || uuid_parse(text, u) == -1)
		memset(u, 0, sizeof(*u));
}

static enum hook_what
get_what(const json_t *json)
{
	const char *name = json_string_value(json_object_get(json, "what"));
	int what = 0;

	while (what < HOOK_WHAT_COUNT &&
	    (name == NULL || strcmp(names[what], name) != 0))
		what++;
	return (enum hook_what)what;
}

void
hook_events_read(struct arena *a, const json_t *json,
    struct hook_events *events_r)
{
	struct hook_event *ev;
	const json_t *one;
	enum hook_what what;
	int64_t n;
	size_t i;

	for (i = 0; i < json_array_size(json); i++) {
		one = json_array_get(json, i);
		what = get_what(one);
		if (what == HOOK_WHAT_COUNT)
			continue;
		ev = hook_event_new(a, events_r);
		ev->what = what;
		get_uuid(one, "n", &ev->notification.u);
		get_uuid(one, "d", &ev->delivery.u);
		ev->provider_ref = get_text(a, one, "ref");
		n = get_number(one, "class");
		if (n > VERDICT_NONE && n < VERDICT_COUNT)
			ev->class = (enum verdict_class)n;
		ev->at_ms = get_number(one, "at");
		ev->code = get_text(a, one, "code");
		ev->text = get_text(a, one, "text");
		n = get_number(one, "suppress");
		if (n > SUPPRESSION_NONE && n < SUPPRESSION_REASON_COUNT)
			ev->suppress = (enum suppression_reason)n;
		ev->for_sender = get_number(one, "sender") != 0;
		ev->by_category = get_number(one, "category") != 0;
		ev->address = get_text(a, one, "address");
		ev->id = get_text(a, one, "id");
		ev->if_known = get_number(one, "known") != 0;
	}
}
