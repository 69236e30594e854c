/*
 * link.c - what stands in links that only we can have made
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Under the seal: tenant 8 | notification 16 | delivery 16 | rest.
 */
#include "base/link.h"

#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/seal.h"
#include "base/text.h"

enum { FIXED_BYTES = 8 + 16 + 16, TEXT_MAX = 4096 };

/* The tenant is under the seal, not beside it: a link shows nothing. */
static struct seal_place
place_of(const char *purpose)
{
	return (struct seal_place){ .table = "link", .column = purpose };
}

const char *
link_write(struct arena *a, const struct keyring *ring, const char *purpose,
    const struct link *l)
{
	struct seal_place place = place_of(purpose);
	size_t rest = strlen(l->rest), n;
	uint8_t plain[FIXED_BYTES + LINK_REST_MAX];
	struct err e;
	void *blob;
	int i;

	ensure(rest <= LINK_REST_MAX);
	for (i = 0; i < 8; i++)
		plain[i] = (uint8_t)((uint64_t)l->tenant.n >> (56 - 8 * i));
	memcpy(plain + 8, l->notification.u.b, 16);
	memcpy(plain + 24, l->delivery.u.b, 16);
	memcpy(plain + FIXED_BYTES, l->rest, rest);
	if (seal_alike(a, ring, &place, plain, FIXED_BYTES + rest, &blob, &n,
	        &e) == -1)
		return NULL;
	return text_base64url(a, blob, n);
}

int
link_read(struct arena *a, const struct keyring *ring, const char *purpose,
    const char *text, struct link *l_r)
{
	struct seal_place place = place_of(purpose);
	uint64_t tenant = 0;
	const uint8_t *p;
	void *blob, *plain;
	struct err e;
	size_t n;
	int i;

	if (strlen(text) > TEXT_MAX ||
	    text_base64url_decode(a, text, &blob, &n) == -1 ||
	    unseal(a, ring, &place, blob, n, &plain, &n, &e) == -1 ||
	    n < FIXED_BYTES)
		return -1;
	p = plain;
	for (i = 0; i < 8; i++)
		tenant = tenant << 8 | p[i];
	l_r->tenant.n = (int64_t)tenant;
	memcpy(l_r->notification.u.b, p + 8, 16);
	memcpy(l_r->delivery.u.b, p + 24, 16);
	l_r->rest = (const char *)p + FIXED_BYTES;
	return 0;
}
