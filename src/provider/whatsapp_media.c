/*
 * whatsapp_media.c - attachments in messages of WhatsApp
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "provider/whatsapp_media.h"

#include <stdint.h>
#include <string.h>

#include "base/compiler.h"
#include "base/err.h"
#include "provider/provider.h"

enum { FAR_AWAY = 1000 }; /* more than there are attachments */

const char *const whatsapp_media_kinds[] = { "image", "video", "document",
	"audio", "sticker", NULL };

/* Media, Supported media types; in the order of the kinds. */
static const size_t sizes[] = { 5 << 20, 16 << 20, 100 << 20, 16 << 20,
	500 << 10 };

bool
whatsapp_media_is_attachment(const json_t *value)
{
	return json_is_integer(json_object_get(value, "attachment"));
}

/* A place where an attachment is named. */
struct place {
	int kind;
	json_t *value;
	json_int_t n;
};

static int
kind_of(const char *name)
{
	int i = 0;

	while (whatsapp_media_kinds[i] != NULL &&
	    strcmp(whatsapp_media_kinds[i], name) != 0)
		i++;
	return whatsapp_media_kinds[i] != NULL ? i : -1;
}

/* Visits every such place below a node until "visit" returns something else but 0. */
static int
walk(json_t *node, int (*visit)(const struct place *pl, void *arg), void *arg)
{
	struct place pl;
	const char *name;
	json_t *value;
	size_t i;
	int rc = 0;

	json_array_foreach(node, i, value)
	{
		rc = walk(value, visit, arg);
		if (rc != 0)
			return rc;
	}
	json_object_foreach(node, name, value)
	{
		pl.kind = kind_of(name);
		pl.value = value;
		pl.n = json_integer_value(json_object_get(value, "attachment"));
		rc = pl.kind != -1 && whatsapp_media_is_attachment(value)
		    ? visit(&pl, arg)
		    : walk(value, visit, arg);
		if (rc != 0)
			return rc;
	}
	return rc;
}

struct question {
	const struct message *m;
	size_t n;
	int next;
	struct err *e;
};

static int
is_missing(const struct place *pl, void *arg)
{
	struct question *q = arg;
	const struct message *m = q->m;

	if (pl->n < 0 || (pl->n < (json_int_t)m->attachment_count &&
	        m->references != NULL && m->references[pl->n] != NULL))
		return 0;
	q->next = pl->n < FAR_AWAY ? (int)pl->n : FAR_AWAY;
	return 1;
}

int
whatsapp_media_next(const json_t *part, const struct message *m)
{
	struct question q = { .m = m, .next = -1 };

	(void)walk((json_t *)(uintptr_t)part, is_missing, &q);
	return q.next;
}

static int
fits(const struct place *pl, void *arg)
{
	const struct question *q = arg;

	if (pl->n != (json_int_t)q->n ||
	    q->m->attachments[q->n].bytes <= sizes[pl->kind])
		return 0;
	return err_set(q->e, ERR_UNPROCESSABLE,
	    "/attachments/%zu: as %s WhatsApp takes %zu bytes at most", q->n,
	    whatsapp_media_kinds[pl->kind], sizes[pl->kind]);
}

int
whatsapp_media_check(const json_t *part, const struct message *m, size_t n,
    struct err *e)
{
	struct question q = { .m = m, .n = n, .e = e };

	return walk((json_t *)(uintptr_t)part, fits, &q);
}

/* A document has a name, whatever the others are called. */
static int
refer(const struct place *pl, void *arg)
{
	const struct question *q = arg;
	const struct message *m = q->m;
	json_t *value = pl->value;

	if (pl->n < 0 || pl->n >= (json_int_t)m->attachment_count)
		return err_set(q->e, ERR_UNPROCESSABLE,
		    "the part for WhatsApp names attachment %" JSON_INTEGER_FORMAT
		    ", and there are %zu", pl->n, m->attachment_count);
	json_object_del(value, "attachment");
	json_object_set_new(value, "id", json_string(m->references[pl->n]));
	if (strcmp(whatsapp_media_kinds[pl->kind], "document") == 0 &&
	    json_object_get(value, "filename") == NULL)
		json_object_set_new(value, "filename",
		    json_string(m->attachments[pl->n].name));
	return 0;
}

int
whatsapp_media_refer(json_t *body, const struct message *m, struct err *e)
{
	struct question q = { .m = m, .e = e };

	return walk(body, refer, &q);
}
