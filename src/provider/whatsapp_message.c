/*
 * whatsapp_message.c - what the part whatsapp.json becomes
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Short forms for what is mostly sent: a template with its texts, a text, media by link or
 * of an attachment.
 * A part that says its "type" is already as the Cloud API has it.
 */
#include "provider/whatsapp_message.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/uuid.h"
#include "provider/http_json.h"
#include "provider/provider.h"
#include "provider/whatsapp_media.h"
#include "web/js.h"

enum { JSON_DEPTH = 32 };

/* ---- Members ------------------------------------------------------------------------- */

static bool
is_listed(const char *name, const char *const *list)
{
	while (*list != NULL && strcmp(*list, name) != 0)
		list++;
	return *list != NULL;
}

/* A part has what its form takes and nothing else, or something would be left out.  What
 * is null or an empty text says nothing: templates leave it. */
static int
check_members(const json_t *part, const char *const *taken, struct err *e)
{
	const char *name;
	const json_t *value;

	json_object_foreach((json_t *)(uintptr_t)part, name, value)
	{
		if (!is_listed(name, taken) && !json_is_null(value) &&
		    !(json_is_string(value) && json_string_length(value) == 0))
			return err_set(e, ERR_UNPROCESSABLE,
			    "the part for WhatsApp: /%.60s does not go with %s",
			    name, taken[0]);
	}
	return 0;
}

/* ---- Templates ----------------------------------------------------------------------- */

/* Texts as parameters; numbers and the like are written as JSON has them. */
static json_t *
parameters(const json_t *list)
{
	json_t *out = json_array(), *value;
	char *text;
	size_t i;

	json_array_foreach(list, i, value)
	{
		if (json_is_object(value)) {
			json_array_append(out, value);
			continue;
		}
		text = json_is_string(value) ? NULL
		                             : json_dumps(value, JSON_ENCODE_ANY);
		json_array_append_new(out,
		    json_pack("{s:s, s:s}", "type", "text", "text",
		        text != NULL ? text : json_string_value(value)));
		free(text);
	}
	return out;
}

/* "header": a text, or media. */
static json_t *
header(const json_t *value)
{
	const char *type = json_object_iter_key(
	    json_object_iter((json_t *)(uintptr_t)value));

	if (json_is_string(value))
		return json_pack("{s:s, s:[{s:s, s:O}]}", "type", "header",
		    "parameters", "type", "text", "text", value);
	return json_pack("{s:s, s:[{s:s, s:O}]}", "type", "header", "parameters",
	    "type", type, type, json_object_get(value, type));
}

/* What a button can be but a text: a component as the Cloud API has it.  Only its place
 * is ours to add. */
static bool
is_button(const json_t *value)
{
	static const char *const sub_types[] = { "url", "quick_reply",
		"copy_code", "flow", "catalog", "mpm", "order_details",
		"reminder", "voice_call" };
	const char *sub_type = http_json_text(value, "sub_type"), *name;
	const json_t *member;
	size_t i = 0;

	json_object_foreach((json_t *)(uintptr_t)value, name, member)
	{
		if (strcmp(name, "sub_type") != 0 && strcmp(name, "index") != 0 &&
		    (strcmp(name, "type") != 0 ||
		        strcmp(http_json_text(value, name), "button") != 0) &&
		    (strcmp(name, "parameters") != 0 || !json_is_array(member)))
			return false;
	}
	while (i < NELEMS(sub_types) && strcmp(sub_types[i], sub_type) != 0)
		i++;
	return i < NELEMS(sub_types);
}

static json_t *
button(const json_t *value, size_t place)
{
	json_t *out;

	if (json_is_string(value))
		return json_pack("{s:s, s:s, s:o, s:[{s:s, s:O}]}", "type",
		    "button", "sub_type", "url", "index",
		    json_sprintf("%zu", place), "parameters", "type", "text",
		    "text", value);
	out = json_copy((json_t *)(uintptr_t)value);
	json_object_set_new(out, "type", json_string("button"));
	if (json_object_get(out, "index") == NULL)
		json_object_set_new(out, "index", json_sprintf("%zu", place));
	return out;
}

/* A null is a button that wants nothing. */
static int
add_buttons(json_t *components, const json_t *buttons, struct err *e)
{
	json_t *value;
	size_t i;

	if (buttons != NULL && !json_is_array(buttons))
		return err_set(e, ERR_UNPROCESSABLE,
		    "the part for WhatsApp: /buttons is not a list");
	json_array_foreach(buttons, i, value)
	{
		if (json_is_null(value))
			continue;
		if (!json_is_string(value) && !is_button(value))
			return err_set(e, ERR_UNPROCESSABLE,
			    "the part for WhatsApp: /buttons/%zu is neither the "
			    "end of a URL nor a button with sub_type and "
			    "parameters", i);
		json_array_append_new(components, button(value, i));
	}
	return 0;
}

/* BCP 47 as WhatsApp writes it: "de_AT". */
static const char *
code_of(struct arena *a, const char *locale)
{
	char *text = arena_strdup(a, locale);
	char *dash = strchr(text, '-');

	if (dash != NULL)
		*dash = '_';
	return text;
}

/* Does the n-th way of looking for "code" find this one: as it is, by its language alone,
 * another country's of that language? */
static bool
suits(const char *one, const char *code, int way)
{
	size_t n = strcspn(code, "_");

	if (way == 0)
		return strcasecmp(one, code) == 0;
	return strncasecmp(one, code, n) == 0 &&
	    (one[n] == '\0' || (way == 2 && one[n] == '_'));
}

/* Of a list of those that the template is approved in the one for the recipient, else the
 * first. */
static const char *
choose_language(struct arena *a, const json_t *list, const char *locale)
{
	const char *code = code_of(a, locale), *one;
	size_t i;
	int way;

	for (way = 0; way < 3; way++)
		for (i = 0; i < json_array_size(list); i++) {
			one = code_of(a, json_string_value(
			    json_array_get(list, i)));
			if (suits(one, code, way))
				return one;
		}
	return code_of(a, json_string_value(json_array_get(list, 0)));
}

/* The API's own form says the same: {"code": "de"}. */
static const json_t *
language_given(const json_t *part)
{
	const json_t *given = json_object_get(part, "language");
	const json_t *code = json_object_get(given, "code");

	return json_object_size(given) == 1 && json_string_length(code) > 0
	    ? code
	    : given;
}

static int
language_of(struct arena *a, const json_t *part, const struct message *m,
    const char **code_r, struct err *e)
{
	const json_t *given = language_given(part);
	const char *locale = m->locale != NULL ? m->locale : "en";
	size_t i = 0, n = json_array_size(given);

	if (given != NULL && !json_is_null(given) && !json_is_string(given) &&
	    !json_is_array(given))
		return err_set(e, ERR_UNPROCESSABLE,
		    "the part for WhatsApp: /language is neither a language nor "
		    "a list of them");
	while (i < n && json_string_length(json_array_get(given, i)) > 0)
		i++;
	if (i < n || (json_is_array(given) && n == 0))
		return err_set(e, ERR_UNPROCESSABLE,
		    "the part for WhatsApp: /language/%zu is no language", i);
	*code_r = n > 0                         ? choose_language(a, given, locale)
	    : json_string_length(given) > 0 ? code_of(a, json_string_value(given))
	                                    : code_of(a, locale);
	return 0;
}

/* The components, or -1: something in them would be left out. */
static int
add_components(const json_t *part, json_t *components, struct err *e)
{
	const json_t *head = json_object_get(part, "header");
	const json_t *list = json_object_get(part, "parameters");

	if (json_is_string(head) || json_object_size(head) == 1)
		json_array_append_new(components, header(head));
	else if (head != NULL && !json_is_null(head))
		return err_set(e, ERR_UNPROCESSABLE,
		    "the part for WhatsApp: /header is neither a text nor one "
		    "medium");
	if (list != NULL && !json_is_null(list) && !json_is_array(list))
		return err_set(e, ERR_UNPROCESSABLE,
		    "the part for WhatsApp: /parameters is not a list");
	if (json_array_size(list) > 0)
		json_array_append_new(components,
		    json_pack("{s:s, s:o}", "type", "body", "parameters",
		        parameters(list)));
	return add_buttons(components, json_object_get(part, "buttons"), e);
}

static int
template(struct arena *a, const json_t *part, const struct message *m,
    json_t **body_r, struct err *e)
{
	static const char *const taken[] = { "template", "language", "header",
		"parameters", "buttons", NULL };
	json_t *components = json_array();
	const char *code = NULL;

	js_keep(a, components);
	if (check_members(part, taken, e) < 0 ||
	    language_of(a, part, m, &code, e) < 0 ||
	    add_components(part, components, e) < 0)
		return -1;
	*body_r = json_pack("{s:s, s:{s:s, s:{s:s}, s:O}}", "type", "template",
	    "template", "name", http_json_text(part, "template"), "language",
	    "code", code, "components", components);
	return 0;
}

/* ---- What is no template ------------------------------------------------------------- */

static json_t *
text(const json_t *part)
{
	return json_pack("{s:s, s:{s:s, s:b}}", "type", "text", "text", "body",
	    http_json_text(part, "text"), "preview_url",
	    json_is_true(json_object_get(part, "preview_url")));
}

static int
set_text(const json_t *part, json_t **body_r, struct err *e)
{
	static const char *const taken[] = { "text", "preview_url", NULL };

	if (check_members(part, taken, e) < 0)
		return -1;
	*body_r = text(part);
	return 0;
}

/* A medium by a link or of an attachment.  *body_r stays when there is none. */
static int
set_medium(const json_t *part, json_t **body_r, struct err *e)
{
	const char *taken[] = { NULL, NULL };
	size_t i;

	for (i = 0; whatsapp_media_kinds[i] != NULL; i++) {
		const char *kind = whatsapp_media_kinds[i];
		json_t *one = json_object_get(part, kind);

		if (!whatsapp_media_is_attachment(one) &&
		    strncmp(http_json_text(one, "link"), "https://", 8) != 0)
			continue;
		taken[0] = kind;
		if (check_members(part, taken, e) < 0)
			return -1;
		*body_r = json_pack("{s:s, s:O}", "type", kind, kind, one);
		return 0;
	}
	return 0;
}

/* *body_r is NULL when the part is nothing that is known. */
static int
read_part(struct arena *a, json_t *part, const struct message *m,
    json_t **body_r, struct err *e)
{
	*body_r = NULL;
	if (http_json_text(part, "type")[0] != '\0') {
		*body_r = json_deep_copy(part);
		return 0;
	}
	if (http_json_text(part, "template")[0] != '\0')
		return template(a, part, m, body_r, e);
	if (http_json_text(part, "text")[0] != '\0')
		return set_text(part, body_r, e);
	return set_medium(part, body_r, e);
}

bool
whatsapp_has_session(struct arena *a, const struct message *m)
{
	json_t *part;
	struct err e;

	return m->json != NULL && strstr(m->json, "\"session\"") != NULL &&
	    js_parse(a, m->json, strlen(m->json), JSON_DEPTH, &part, &e) == 0 &&
	    json_is_object(json_object_get(part, "session"));
}

/* The ids of the delivery, which WhatsApp repeats when it reports. */
static void
set_ids(json_t *body, const struct message *m)
{
	char n[UUID_TEXT_BYTES], d[UUID_TEXT_BYTES];

	if (uuid_is_nil(&m->delivery.u))
		return;
	uuid_format(&m->notification.u, n);
	uuid_format(&m->delivery.u, d);
	json_object_set_new(body, "biz_opaque_callback_data",
	    json_sprintf("%s/%s%s%s", n, d, m->shared ? "/" : "",
	        m->shared ? m->tenant_slug : ""));
}

int
whatsapp_part(struct arena *a, const struct message *m, json_t **part_r,
    struct err *e)
{
	const char *rendered = m->json != NULL ? m->json : "";
	json_t *part, *session;
	struct err fault;

	if (js_parse(a, rendered, strlen(rendered), JSON_DEPTH, &part, &fault) < 0)
		return err_set(e, ERR_UNPROCESSABLE,
		    "the part for WhatsApp is not JSON: %s", fault.text);
	*part_r = part;
	session = json_object_get(part, "session");
	if (session != NULL && !json_is_null(session) &&
	    !json_is_object(session))
		return err_set(e, ERR_UNPROCESSABLE,
		    "the part for WhatsApp: /session is not an object");
	if (m->in_session && json_is_object(session))
		*part_r = session;
	else
		json_object_del(part, "session");
	return 0;
}

int
whatsapp_message(struct arena *a, const struct message *m, json_t **body_r,
    struct err *e)
{
	json_t *part, *body;

	if (whatsapp_part(a, m, &part, e) < 0 ||
	    read_part(a, part, m, &body, e) < 0)
		return -1;
	if (body == NULL)
		return err_set(e, ERR_UNPROCESSABLE,
		    "the part for WhatsApp has no type, template, text or media "
		    "with an https: link or an attachment");
	js_keep(a, body);
	if (whatsapp_media_refer(body, m, e) < 0)
		return -1;
	json_object_set_new(body, "messaging_product", json_string("whatsapp"));
	json_object_set_new(body, "recipient_type", json_string("individual"));
	json_object_set_new(body, "to", json_string(m->address));
	set_ids(body, m);
	*body_r = body;
	return 0;
}
