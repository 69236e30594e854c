/*
 * webpush_subscription.c - where messages to a browser go
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "provider/webpush_subscription.h"

#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/text.h"
#include "provider/http_json.h"
#include "provider/webpush.h"
#include "provider/webpush_encrypt.h"
#include "web/js.h"

enum { JSON_DEPTH = 4 };

static bool
is_below(const char *host, size_t n, const char *domain)
{
	size_t m = strlen(domain);

	return n >= m && strncasecmp(host + n - m, domain, m) == 0 &&
	    (n == m || host[n - m - 1] == '.');
}

/* "https://host[:port]" of an endpoint that may be called, else NULL. */
static const char *
origin_of(struct arena *a, const struct webpush_settings *s, const char *endpoint)
{
	static const char *const known[] = { "fcm.googleapis.com",
		"push.services.mozilla.com", "push.apple.com",
		"notify.windows.com" };
	const char *const *list = s->hosts_count > 0 ? s->hosts : known;
	size_t count = s->hosts_count > 0 ? s->hosts_count : NELEMS(known);
	const char *host = endpoint + 8;
	size_t n, i;

	if (strncmp(endpoint, "https://", 8) != 0 || text_has_control(endpoint))
		return NULL;
	n = strcspn(host, "/?#");
	if (memchr(host, '@', n) != NULL || memchr(host, '\\', n) != NULL)
		return NULL;
	for (i = 0; i < count; i++)
		if (is_below(host, strcspn(host, "/?#:"), list[i]))
			return arena_strndup(a, endpoint, 8 + n);
	return NULL;
}

static const uint8_t *
bytes_of(struct arena *a, const json_t *keys, const char *name, size_t want)
{
	void *bytes;
	size_t n;

	if (text_base64url_decode(a, http_json_text(keys, name), &bytes, &n) < 0 ||
	    n != want)
		return NULL;
	return bytes;
}

int
webpush_subscription_read(struct arena *a, const struct webpush_settings *s,
    const char *text, struct webpush_subscription *sub_r, struct err *e)
{
	json_t *json, *keys;
	struct webpush_subscription sub;

	if (text == NULL ||
	    js_parse(a, text, strlen(text), JSON_DEPTH, &json, e) < 0)
		return err_set(e, ERR_UNPROCESSABLE, "it is no subscription");
	keys = json_object_get(json, "keys");
	sub.endpoint = http_json_text(json, "endpoint");
	sub.origin = origin_of(a, s, sub.endpoint);
	sub.point = bytes_of(a, keys, "p256dh", WEBPUSH_POINT_BYTES);
	sub.auth = bytes_of(a, keys, "auth", WEBPUSH_AUTH_BYTES);
	if (sub.origin == NULL)
		return err_set(e, ERR_UNPROCESSABLE,
		    "the subscription leads to no push service");
	if (sub.point == NULL || sub.auth == NULL)
		return err_set(e, ERR_UNPROCESSABLE,
		    "the keys of the subscription are no keys");
	*sub_r = sub;
	return 0;
}
