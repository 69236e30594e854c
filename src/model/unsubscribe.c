/*
 * unsubscribe.c - what stands in a link that ends the messages of a category
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Under the seal: channel 1 | tenant 8 | notification 16 | delivery 16 | address NUL |
 * category NUL | locale NUL.
 */
#include "model/unsubscribe.h"

#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/seal.h"
#include "base/text.h"

enum { HEAD_BYTES = 1 + 8 + 16 + 16, PLAIN_MAX = 4096, TOKEN_MAX = 6000 };

/* The tenant is under the seal, not beside it: a link shows nothing. */
static const struct seal_place place = { .table = "link",
	.column = "unsubscribe" };

int
unsubscribe_token(struct arena *a, const struct keyring *ring,
    const struct unsubscribe *u, const char **token_r, struct err *e)
{
	struct buf *plain = buf_new(a, PLAIN_MAX);
	uint64_t tenant = (uint64_t)u->tenant.n;
	void *blob;
	size_t n;
	int i;

	buf_putc(plain, (char)u->channel);
	for (i = 56; i >= 0; i -= 8)
		buf_putc(plain, (char)(tenant >> i & 0xff));
	buf_add(plain, u->notification.u.b, sizeof(u->notification.u.b));
	buf_add(plain, u->delivery.u.b, sizeof(u->delivery.u.b));
	buf_add(plain, u->address, strlen(u->address) + 1);
	buf_add(plain, u->category, strlen(u->category) + 1);
	buf_add(plain, u->locale, strlen(u->locale) + 1);
	if (buf_overflowed(plain))
		return err_set(e, ERR_UNPROCESSABLE,
		    "the address is too long for a link");
	if (seal_alike(a, ring, &place, plain->data, plain->len, &blob, &n, e) ==
	    -1)
		return -1;
	*token_r = text_base64url(a, blob, n);
	return 0;
}

static void
read_plain(const uint8_t *p, struct unsubscribe *u)
{
	uint64_t tenant = 0;
	int i;

	u->channel = (enum channel)p[0];
	for (i = 1; i <= 8; i++)
		tenant = tenant << 8 | p[i];
	u->tenant.n = (int64_t)tenant;
	memcpy(u->notification.u.b, p + 9, sizeof(u->notification.u.b));
	memcpy(u->delivery.u.b, p + 25, sizeof(u->delivery.u.b));
	u->address = (const char *)p + HEAD_BYTES;
	u->category = u->address + strlen(u->address) + 1;
	u->locale = u->category + strlen(u->category) + 1;
}

int
unsubscribe_read(struct arena *a, const struct keyring *ring, const char *token,
    struct unsubscribe *u_r, struct err *e)
{
	void *blob, *plain;
	size_t n;

	/* What opens was written by us: its form needs no check. */
	if (strlen(token) > TOKEN_MAX ||
	    text_base64url_decode(a, token, &blob, &n) == -1 ||
	    unseal(a, ring, &place, blob, n, &plain, &n, e) == -1 ||
	    n < HEAD_BYTES + 3)
		return err_set(e, ERR_NOT_FOUND, "this link is not one of ours");
	read_plain(plain, u_r);
	return 0;
}
