/*
 * google_token.c - access tokens for service accounts of Google
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "provider/google_token.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "net/transfer.h"
#include "provider/http_json.h"
#include "provider/http_judge.h"
#include "provider/jwt_sign.h"
#include "provider/verdict.h"
#include "web/js.h"

#define GRANT "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"

enum {
	LIFETIME_S = 3600,
	TOKEN_TIMEOUT_MS = 10000,
	TOKEN_MAX = 4096,
	MEMBER_MAX = 1000, /* bytes of what a token is made of */
	RSA_BITS_MIN = 1024, /* Google gives 2048 */
	RSA_BITS_MAX = 4096
};

static int
assertion(struct arena *a, const json_t *account, const char *scope,
    const char **token_r, struct err *e)
{
	json_int_t now_s = clock_wall_ms() / 1000;
	struct jwt_claimed what = { .type = "JWT",
		.kid = json_string_value(
		    json_object_get(account, "private_key_id")) };
	EVP_PKEY *key;

	if (jwt_key_read(a, http_json_text(account, "private_key"), &key, e) < 0)
		return -1;
	if (!EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_get_bits(key) < RSA_BITS_MIN ||
	    EVP_PKEY_get_bits(key) > RSA_BITS_MAX)
		return err_set(e, ERR_UNPROCESSABLE,
		    "private_key is not RSA of %d to %d bits", RSA_BITS_MIN,
		    RSA_BITS_MAX);
	what.claims = js_keep(a,
	    json_pack("{s:s, s:s, s:s, s:I, s:I}", "iss",
	        http_json_text(account, "client_email"), "scope", scope, "aud",
	        http_json_text(account, "token_uri"), "iat", now_s, "exp",
	        now_s + LIFETIME_S));
	return jwt_sign(a, key, &what, token_r, e);
}

/* The members that a token is made of; the key may be longer. */
static int
check_members(const json_t *account, struct err *e)
{
	static const struct {
		const char *name;
		size_t min, max;
	} members[] = {
		{ "client_email", 1, MEMBER_MAX },
		{ "private_key", 1, SIZE_MAX },
		{ "private_key_id", 0, MEMBER_MAX },
		{ "token_uri", 1, MEMBER_MAX },
	};
	size_t i, n;

	for (i = 0; i < NELEMS(members); i++) {
		n = strlen(http_json_text(account, members[i].name));
		if (n < members[i].min)
			return err_set(e, ERR_UNPROCESSABLE,
			    "it has no %s", members[i].name);
		if (n > members[i].max)
			return err_set(e, ERR_UNPROCESSABLE,
			    "%s has more than %zu bytes", members[i].name,
			    members[i].max);
	}
	return 0;
}

int
google_account_check(const json_t *account, struct err *e)
{
	struct arena *a = arena_new(4096);
	struct err why = { .text = "" };
	const char *unused;
	int rc = check_members(account, &why);

	if (rc == 0 &&
	    strncasecmp(http_json_text(account, "token_uri"), "https://", 8) != 0)
		rc = err_set(&why, ERR_UNPROCESSABLE, "token_uri is not https:");
	/* That a key can be read does not say that it signs. */
	if (rc == 0)
		rc = assertion(a, account, "", &unused, &why);
	arena_free(&a);
	return rc == 0 ? 0
	               : err_set(e, ERR_UNPROCESSABLE,
	                     "setting \"service_account\": %s", why.text);
}

int
google_token_request(struct arena *a, const json_t *account, const char *scope,
    struct transfer_request *request_r, struct err *e)
{
	static const struct transfer_header headers[] = {
		{ "Content-Type", "application/x-www-form-urlencoded" },
		{ "Accept", "application/json" },
		{ "User-Agent", "Belfry" },
	};
	const char *token, *body;

	if (assertion(a, account, scope, &token, e) < 0)
		return -1;
	body = arena_printf(a, "grant_type=%s&assertion=%s", GRANT, token);
	*request_r = (struct transfer_request){
		.kind = TRANSFER_HTTP,
		.url = arena_strdup(a, http_json_text(account, "token_uri")),
		.headers = headers,
		.headers_count = NELEMS(headers),
		.body = body,
		.body_len = strlen(body),
		.timeout_ms = TOKEN_TIMEOUT_MS,
		.secret = true,
	};
	return 0;
}

const char *
google_token_read(struct arena *a, const struct transfer_result *res,
    const struct http_rule *rules, size_t count, int64_t *lifetime_ms_r,
    struct verdict *v_r)
{
	const json_t *answer;
	const char *token;

	if (http_judge_silence(res, v_r)) {
		/* Nothing of the message went out. */
		v_r->class = VERDICT_THROTTLED;
		return NULL;
	}
	answer = http_json_answer(a, res);
	token = http_json_text(answer, "access_token");
	if (res->status == 200 && token[0] != '\0' &&
	    !text_has_control(token) && strlen(token) <= TOKEN_MAX) {
		*lifetime_ms_r = clock_ms_of_s(json_integer_value(
		    json_object_get(answer, "expires_in")));
		return token;
	}
	http_json_judge(rules, count, res, http_json_text(answer, "error"),
	    answer != NULL ? http_json_text(answer, "error_description")
	                   : res->body,
	    v_r);
	return NULL;
}
