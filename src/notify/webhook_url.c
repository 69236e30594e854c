/*
 * webhook_url.c - whether a URL may be a webhook endpoint
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * libcurl parses the URL, as it does again when it is asked for: two parsers that disagree
 * are how such checks are passed.  What a name leads to is judged at each connection.
 */
#include "notify/webhook_url.h"

#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "base/arena.h"
#include "base/config.h"
#include "base/config_list.h"
#include "base/ensure.h"
#include "base/err.h"
#include "net/guard.h"

enum { URL_MAX = 2000 };

static int
wrong(struct err *e, const char *what)
{
	return err_set(e, ERR_UNPROCESSABLE, "%s", what);
}

static void
defer_part(void *p)
{
	curl_free(p);
}

static void
defer_url(void *p)
{
	curl_url_cleanup(p);
}

/* A part of the URL, or NULL. */
static const char *
part(struct arena *a, CURLU *u, CURLUPart what, unsigned flags)
{
	char *text = NULL;

	if (curl_url_get(u, what, &text, flags) != CURLUE_OK)
		return NULL;
	arena_defer(a, defer_part, text);
	return text;
}

static int
check_scheme(const struct config *config, const char *scheme, struct err *e)
{
	if (scheme != NULL && strcmp(scheme, "https") == 0)
		return 0;
	if (scheme != NULL && strcmp(scheme, "http") == 0 && config->webhook_http)
		return 0;
	return wrong(e, "must begin with https://");
}

/* The host as libcurl will look it up. */
static int
check_host(const struct config *config, const char *host, struct err *e)
{
	if (host == NULL || host[0] == '\0' || strchr(host, '%') != NULL)
		return wrong(e, "must name a host");
	if (!guard_allows_url(config->network_allowed, host))
		return wrong(e, "must not lead to an address that is not of the "
		    "open Internet, unless network.allowed holds it");
	return 0;
}

static int
check_port(const struct config *config, struct arena *a, const char *port,
    struct err *e)
{
	long n = port != NULL ? strtol(port, NULL, 10) : 0;
	int64_t *ports;
	size_t i, count;

	ensure(config_ports(a, config->webhook_ports, &ports, &count, e) == 0);
	for (i = 0; i < count; i++)
		if (ports[i] == n)
			return 0;
	if (count == 0 && n > 0)
		return 0;
	return err_set(e, ERR_UNPROCESSABLE,
	    "must not have the port %ld: webhook.ports tells which may be", n);
}

static int
check(const struct config *config, struct arena *a, const char *url,
    struct err *e)
{
	CURLU *u = curl_url();

	ensure(u != NULL);
	arena_defer(a, defer_url, u);
	if (strlen(url) > URL_MAX)
		return wrong(e, "must not be longer than 2000 characters");
	if (curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) !=
	    CURLUE_OK)
		return wrong(e, "must be a URL");
	if (part(a, u, CURLUPART_USER, 0) != NULL ||
	    part(a, u, CURLUPART_PASSWORD, 0) != NULL)
		return wrong(e, "must not hold a user or password");
	if (part(a, u, CURLUPART_FRAGMENT, 0) != NULL)
		return wrong(e, "must not have a fragment");
	if (check_scheme(config, part(a, u, CURLUPART_SCHEME, 0), e) == -1 ||
	    check_host(config, part(a, u, CURLUPART_HOST, 0), e) == -1)
		return -1;
	return check_port(config, a,
	    part(a, u, CURLUPART_PORT, CURLU_DEFAULT_PORT), e);
}

int
webhook_url_check(const struct config *config, const char *url, struct err *e)
{
	struct arena *a = arena_new(1024);
	int rc = check(config, a, url, e);

	arena_free(&a);
	return rc;
}
