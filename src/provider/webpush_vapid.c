/*
 * webpush_vapid.c - who sends push messages to browsers (RFC 8292)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "provider/webpush_vapid.h"

#include <string.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "provider/jwt_sign.h"
#include "provider/webpush.h"
#include "provider/webpush_encrypt.h"
#include "web/js.h"

enum { VALID_S = 12 * 3600 };

int
webpush_vapid_key(struct arena *a, const struct webpush_settings *s,
    EVP_PKEY **key_r, struct err *e)
{
	void *secret;
	size_t n = strcspn(s->private_key, "=");

	if (text_base64url_decode(a, arena_strndup(a, s->private_key, n),
	        &secret, &n) < 0)
		n = 0;
	if (n == 0 || webpush_key(a, secret, n, key_r, e) < 0)
		return err_set(e, ERR_UNPROCESSABLE,
		    "setting \"private_key\": not 32 secret bytes in base64url");
	return 0;
}

const char *
webpush_vapid_public(struct arena *a, EVP_PKEY *key)
{
	uint8_t point[WEBPUSH_POINT_BYTES];

	webpush_public(key, point);
	return text_base64url(a, point, sizeof(point));
}

int
webpush_vapid_sign(struct arena *a, const struct webpush_settings *s,
    const char *origin, const char **text_r, struct err *e)
{
	struct jwt_claimed what = { .type = "JWT",
		.claims = js_keep(a,
		    json_pack("{s:s, s:I, s:s}", "aud", origin, "exp",
		        (json_int_t)(clock_wall_ms() / 1000 + VALID_S), "sub",
		        s->subject)) };
	const char *token;
	EVP_PKEY *key;

	if (webpush_vapid_key(a, s, &key, e) < 0 ||
	    jwt_sign(a, key, &what, &token, e) < 0)
		return -1;
	*text_r = arena_printf(a, "vapid t=%s, k=%s", token,
	    webpush_vapid_public(a, key));
	return 0;
}
