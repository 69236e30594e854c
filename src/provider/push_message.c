/*
 * push_message.c - a rendered push.json, read
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "provider/push_message.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/link.h"
#include "provider/hook.h"
#include "provider/provider.h"
#include "web/js.h"

enum { JSON_DEPTH = 32, VALUE_MAX = 4096, TTL_MAX_S = 2419200 };

/* A text that is not empty, or NULL; -1 when it is something else. */
static int
take_text(const json_t *part, const char *name, const char **text_r,
    struct err *e)
{
	const json_t *value = json_object_get(part, name);

	*text_r = NULL;
	if (value == NULL || json_is_null(value))
		return 0;
	if (!json_is_string(value))
		return err_set(e, ERR_UNPROCESSABLE,
		    "\"%s\" of the push message is not a text", name);
	if (json_string_length(value) > 0)
		*text_r = json_string_value(value);
	return 0;
}

static int
take_object(const json_t *part, const char *name, json_t **object_r,
    struct err *e)
{
	*object_r = json_object_get(part, name);
	/* What a variable that is missing renders to. */
	if (json_is_null(*object_r))
		*object_r = NULL;
	if (*object_r != NULL && !json_is_object(*object_r))
		return err_set(e, ERR_UNPROCESSABLE,
		    "\"%s\" of the push message is not an object", name);
	return 0;
}

/* Templates write numbers as texts. */
static int
take_ttl(const json_t *part, int64_t *ttl_r, struct err *e)
{
	const json_t *value = json_object_get(part, "ttl");
	const char *text = json_string_value(value);
	char *end = NULL;

	*ttl_r = -1;
	if (value == NULL || json_is_null(value))
		return 0;
	*ttl_r = json_integer_value(value);
	if (text != NULL)
		*ttl_r = strtoll(text, &end, 10);
	if ((!json_is_integer(value) && text == NULL) ||
	    (text != NULL && (end == text || *end != '\0')) || *ttl_r < 0 ||
	    *ttl_r > TTL_MAX_S)
		return err_set(e, ERR_UNPROCESSABLE,
		    "\"ttl\" of the push message is not 0 to %d seconds",
		    TTL_MAX_S);
	return 0;
}

/* Apps get texts: what is none is written as JSON. */
static int
texts_of(struct arena *a, json_t *data, json_t **texts_r, struct err *e)
{
	json_t *texts = js_keep(a, json_object()), *value;
	const char *name;
	struct buf *text;

	json_object_foreach(data, name, value)
	{
		if (json_is_string(value)) {
			json_object_set(texts, name, value);
			continue;
		}
		text = buf_new(a, VALUE_MAX);
		js_write(text, value);
		if (buf_overflowed(text))
			return err_set(e, ERR_UNPROCESSABLE,
			    "\"data.%.64s\" of the push message is larger than "
			    "%d bytes", name, VALUE_MAX);
		json_object_set_new(texts, name, json_string(text->data));
	}
	*texts_r = texts;
	return 0;
}

static int
take_all(struct arena *a, const json_t *part, struct push_message *p,
    struct err *e)
{
	const char *priority;
	json_t *data;

	if (take_text(part, "title", &p->title, e) < 0 ||
	    take_text(part, "body", &p->body, e) < 0 ||
	    take_text(part, "url", &p->url, e) < 0 ||
	    take_text(part, "image", &p->image, e) < 0 ||
	    take_text(part, "collapse_key", &p->collapse_key, e) < 0 ||
	    take_text(part, "priority", &priority, e) < 0 ||
	    take_object(part, "data", &data, e) < 0 ||
	    take_object(part, "android", &p->android, e) < 0 ||
	    take_object(part, "apns", &p->apns, e) < 0 ||
	    take_object(part, "webpush", &p->webpush, e) < 0 ||
	    take_ttl(part, &p->ttl_s, e) < 0)
		return -1;
	p->high = priority != NULL && strcmp(priority, "high") == 0;
	if (texts_of(a, data, &p->data, e) < 0)
		return -1;
	if (p->url != NULL)
		json_object_del(p->data, "url");
	return 0;
}

int
push_message_read(struct arena *a, const struct message *m,
    struct push_message *push_r, struct err *e)
{
	struct push_message p = { .ttl_s = -1 };
	const char *text = m->json != NULL ? m->json : "";
	json_t *part;
	struct err fault = { .text = "" };

	if (js_parse(a, text, strlen(text), JSON_DEPTH, &part, &fault) < 0 ||
	    !json_is_object(part))
		return err_set(e, ERR_UNPROCESSABLE,
		    "the part for push is not a JSON object: %s",
		    fault.text);
	if (take_all(a, part, &p, e) < 0)
		return -1;
	if (p.title == NULL && p.body == NULL && json_object_size(p.data) == 0)
		return err_set(e, ERR_UNPROCESSABLE,
		    "the push message has neither title nor body nor data");
	*push_r = p;
	return 0;
}

void
push_message_add_receipt(struct arena *a, const struct message *m,
    struct push_message *push)
{
	const struct link l = { m->tenant, m->notification, m->delivery, "" };

	const char *text = m->public_url != NULL && m->ring != NULL
	    ? link_write(a, m->ring, PUSH_RECEIPT, &l)
	    : NULL;

	if (text != NULL)
		json_object_set_new(push->data, "belfry_receipt",
		    json_sprintf("%s/t/r/%s", hook_base(a, m->public_url),
		        text));
}
