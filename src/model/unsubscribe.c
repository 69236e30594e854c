/*
 * unsubscribe.c - what stands in a link that ends the messages of a category
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The rest of the link: channel, address, category and locale, a line each.
 */
#include "model/unsubscribe.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/link.h"

static const char purpose[] = "unsubscribe";

int
unsubscribe_token(struct arena *a, const struct keyring *ring,
    const struct unsubscribe *u, const char **token_r, struct err *e)
{
	struct buf *rest = buf_new(a, LINK_REST_MAX);
	struct link link = { .tenant = u->tenant,
		.notification = u->notification, .delivery = u->delivery };

	buf_printf(rest, "%d\n%s\n%s\n%s", (int)u->channel, u->address,
	    u->category, u->locale);
	if (buf_overflowed(rest))
		return err_set(e, ERR_UNPROCESSABLE,
		    "the address is too long for a link");
	link.rest = rest->data;
	*token_r = link_write(a, ring, purpose, &link);
	if (*token_r == NULL)
		return err_set(e, ERR_INTERNAL, "a link could not be sealed");
	return 0;
}

/* The line at *p, which moves behind it. */
static const char *
line(struct arena *a, const char **p)
{
	size_t n = strcspn(*p, "\n");
	const char *text = arena_printf(a, "%.*s", (int)n, *p);

	*p += (*p)[n] == '\n' ? n + 1 : n;
	return text;
}

int
unsubscribe_read(struct arena *a, const struct keyring *ring, const char *token,
    struct unsubscribe *u_r, struct err *e)
{
	struct link link;
	const char *p;

	/* What opens was written by us: its form needs no check. */
	if (link_read(a, ring, purpose, token, &link) == -1)
		return err_set(e, ERR_NOT_FOUND, "this link is not one of ours");
	p = link.rest;
	*u_r = (struct unsubscribe){ .tenant = link.tenant,
		.notification = link.notification, .delivery = link.delivery };
	u_r->channel = (enum channel)strtol(line(a, &p), NULL, 10);
	u_r->address = line(a, &p);
	u_r->category = line(a, &p);
	u_r->locale = line(a, &p);
	return 0;
}
