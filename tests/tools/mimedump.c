/*
 * mimedump.c - builds the mail that a JSON object describes
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * For tests/integration/test_mime.py: reads one JSON object a line and writes,
 * for each, a line "ok N" followed by the N bytes of the message, or "error TEXT".
 * Members are those of struct mail; attachments have base64 in "bytes".  Text may
 * hold anything that a JSON string of the API can, and lone surrogates as
 * {"raw": hex}.
 */
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "provider/mime.h"

enum { LISTS_MAX = 16, MESSAGE_MAX_BYTES = 32 << 20 };

/* A string, or the bytes of {"raw": hex}, with their length. */
static const char *
get_bytes(struct arena *a, const json_t *o, const char *key, size_t *len_r)
{
	const json_t *v = json_object_get(o, key);
	const char *hex = json_string_value(json_object_get(v, "raw"));
	char *raw;

	*len_r = json_string_length(v);
	if (hex == NULL)
		return json_string_value(v);
	raw = arena_zalloc(a, 1, strlen(hex) / 2 + 1);
	if (sodium_hex2bin((unsigned char *)raw, strlen(hex) / 2, hex,
	        strlen(hex), NULL, len_r, NULL) != 0)
		abort();
	return raw;
}

static const char *
get(struct arena *a, const json_t *o, const char *key)
{
	size_t len;

	return get_bytes(a, o, key, &len);
}

static void
read_headers(struct arena *a, const json_t *list, struct mail *m)
{
	struct mail_header *h = arena_zalloc(a, LISTS_MAX, sizeof(*h));
	const json_t *o;
	size_t i;

	json_array_foreach(list, i, o)
	{
		h[i].name = get(a, o, "name");
		h[i].value = get(a, o, "value");
	}
	m->headers = h;
	m->headers_count = json_array_size(list);
}

static void
read_attachments(struct arena *a, const json_t *list, struct mail *m)
{
	struct mail_attachment *at = arena_zalloc(a, LISTS_MAX, sizeof(*at));
	const json_t *o;
	size_t i;

	json_array_foreach(list, i, o)
	{
		at[i].name = get(a, o, "name");
		at[i].type = get(a, o, "type");
		at[i].content_id = get(a, o, "content_id");
		at[i].bytes = get_bytes(a, o, "bytes", &at[i].size_bytes);
	}
	m->attachments = at;
	m->attachments_count = json_array_size(list);
}

static void
dump(struct arena *a, const json_t *o)
{
	struct buf *out = buf_new(a, MESSAGE_MAX_BYTES);
	struct mail m = { .from = get(a, o, "from"),
		.from_name = get(a, o, "from_name"),
		.to = get(a, o, "to"),
		.to_name = get(a, o, "to_name"),
		.reply_to = get(a, o, "reply_to"),
		.subject = get(a, o, "subject"),
		.message_id = get(a, o, "message_id"),
		.date_ms = json_integer_value(json_object_get(o, "date_ms")) };
	struct err e;

	m.text.p = get_bytes(a, o, "text", &m.text.len);
	m.html.p = get_bytes(a, o, "html", &m.html.len);
	read_headers(a, json_object_get(o, "headers"), &m);
	read_attachments(a, json_object_get(o, "attachments"), &m);
	if (mime_build(a, &m, out, &e) < 0) {
		printf("error %s %s\n", err_code(e.kind), e.text);
		return;
	}
	printf("ok %zu\n", out->len);
	fwrite(out->data, 1, out->len, stdout);
}

int
main(void)
{
	json_error_t error;
	json_t *o;
	struct arena *a = arena_new(65536);

	while ((o = json_loadf(stdin,
	            JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL, &error)) != NULL) {
		dump(a, o);
		json_decref(o);
		arena_reset(a);
	}
	arena_free(&a);
	return fflush(stdout) == 0 ? 0 : 1;
}
