/*
 * fetch.h - one small document over HTTPS, now
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * For what is fetched seldom and must be there before work can go on, like the keys of
 * an issuer.  The caller waits, at most timeout_ms.  Everything else goes through
 * transfer.h.  Redirects are not followed and no proxy is asked.
 */
#ifndef BELFRY_NET_FETCH_H
#define BELFRY_NET_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct arena;
struct err;

struct fetch_request {
	const char *url; /* https:, or http: to this host */
	const char *ca_file; /* certificates instead of the system's; NULL */
	const char *allowed; /* a tenant chose the URL: networks that it may lead to
	                      * beside the open Internet (guard.h); NULL: any */
	const char *allowed_platform; /* further ones, where "allowed" is set; or NULL */
	size_t max_bytes; /* of the document */
	int64_t timeout_ms; /* for all of it */
};

/* True when the URL may be asked for at all, as far as it tells; "allowed" as above. */
bool fetch_url_is_good(const char *url, const char *allowed);

/* Gets the document; the text lives in "a" and ends in NUL.  -1 (ERR_TEMPORARY) when
 * it did not come whole, with status 200 and in time. */
int fetch(struct arena *a, const struct fetch_request *r, const char **text_r,
    size_t *len_r, struct err *e) MUST_CHECK;

#endif
