/*
 * inapp.c - entries of the in-app inbox
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The entry is a row, and writing it is the delivery: settle does that in the
 * transaction that records the outcome.  Here the rendered part is only checked and brought
 * into the one form that the query reads.
 */
#include "provider/inapp.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "provider/verdict.h"
#include "web/js.h"

enum { PART_MAX = 64 << 10, JSON_DEPTH = 32, TITLE_MAX = 500, URL_MAX = 2000 };

static const struct field fields[] = {
	FIELD(struct inapp_settings, body_max, INT, .flags = FIELD_DEFAULT,
	    .def = 4000, .min = 100, .max = 20000,
	    .help = "The most characters that the text of an entry may have."),
};

static const struct field_table table = FIELD_TABLE("InappSettings",
    struct inapp_settings, fields, "The inbox of users in their apps.");

/* Takes a text over; -1 when it is none, is missing or too long. */
static int
take_text(const json_t *part, json_t *entry, const char *name, size_t max,
    struct err *e)
{
	json_t *text = json_object_get(part, name);
	const char *s = json_string_value(text);
	size_t i, n = 0;

	if (text == NULL || json_is_null(text))
		return 0;
	if (s == NULL)
		return err_set(e, ERR_UNPROCESSABLE, "\"%s\" is not a text",
		    name);
	for (i = 0; s[i] != '\0'; i++)
		n += ((unsigned char)s[i] & 0xc0) != 0x80;
	if (n > max)
		return err_set(e, ERR_UNPROCESSABLE,
		    "\"%s\" has %zu characters; %zu are allowed", name, n, max);
	if (s[0] != '\0')
		json_object_set(entry, name, text);
	return 0;
}

static int
read_part(struct arena *a, const struct inapp_settings *s, const char *text,
    json_t *entry, struct err *e)
{
	json_t *part;

	if (text == NULL ||
	    js_parse(a, text, strlen(text), JSON_DEPTH, &part, e) == -1)
		return text == NULL
		    ? err_set(e, ERR_UNPROCESSABLE, "there is no part for it")
		    : -1;
	if (take_text(part, entry, "title", TITLE_MAX, e) == -1 ||
	    take_text(part, entry, "body", (size_t)s->body_max, e) == -1 ||
	    take_text(part, entry, "url", URL_MAX, e) == -1)
		return -1;
	if (json_object_get(entry, "title") == NULL)
		return err_set(e, ERR_UNPROCESSABLE, "it has no title");
	if (json_object_get(part, "data") != NULL)
		json_object_set(entry, "data", json_object_get(part, "data"));
	return 0;
}

static void
deliver(struct arena *a, const struct provider *p, const struct message *m,
    struct verdict *v_r)
{
	struct buf *out = buf_new(a, PART_MAX);
	json_t *entry = js_keep(a, json_object());
	struct err e;

	if (read_part(a, p->settings, m->json, entry, &e) == -1) {
		verdict_set(v_r, VERDICT_BAD_MESSAGE, "part", e.text);
		return;
	}
	js_write(out, entry);
	if (buf_overflowed(out)) {
		verdict_set(v_r, VERDICT_BAD_MESSAGE, "part",
		    "the entry is larger than 64 kB");
		return;
	}
	verdict_set(v_r, VERDICT_ACCEPTED, "", "");
	v_r->entry = out->data;
}

const struct provider_ops inapp_ops = {
	.kind = "inapp",
	.channel = CHANNEL_INAPP,
	.summary = "Entries of the inbox in users' apps.",
	.settings = &table,
	.deliver = deliver,
};
