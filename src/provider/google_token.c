/*
 * google_token.c - access tokens for service accounts of Google
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "provider/google_token.h"

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

enum { LIFETIME_S = 3600, TOKEN_TIMEOUT_MS = 10000, TOKEN_MAX = 4096 };

int
google_account_check(const json_t *account, struct err *e)
{
	static const char *const members[] = { "client_email", "private_key",
		"token_uri" };
	struct arena *a;
	EVP_PKEY *key;
	size_t i;
	int rc;

	for (i = 0; i < NELEMS(members); i++)
		if (http_json_text(account, members[i])[0] == '\0')
			return err_set(e, ERR_UNPROCESSABLE,
			    "setting \"service_account\": it has no %s",
			    members[i]);
	if (strncasecmp(http_json_text(account, "token_uri"), "https://", 8) != 0)
		return err_set(e, ERR_UNPROCESSABLE,
		    "setting \"service_account\": token_uri is not https:");
	a = arena_new(4096);
	rc = jwt_key_read(a, http_json_text(account, "private_key"), &key, e);
	if (rc == 0 && !EVP_PKEY_is_a(key, "RSA"))
		rc = err_set(e, ERR_UNPROCESSABLE,
		    "setting \"service_account\": private_key is not RSA");
	arena_free(&a);
	return rc;
}

static const char *
assertion(struct arena *a, EVP_PKEY *key, const json_t *account,
    const char *scope)
{
	json_int_t now_s = clock_wall_ms() / 1000;
	json_t *claims = js_keep(a,
	    json_pack("{s:s, s:s, s:s, s:I, s:I}", "iss",
	        http_json_text(account, "client_email"), "scope", scope, "aud",
	        http_json_text(account, "token_uri"), "iat", now_s, "exp",
	        now_s + LIFETIME_S));

	return jwt_sign(a, key, "JWT",
	    json_string_value(json_object_get(account, "private_key_id")),
	    claims);
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
	EVP_PKEY *key;
	const char *body;

	if (jwt_key_read(a, http_json_text(account, "private_key"), &key, e) < 0)
		return -1;
	body = arena_printf(a, "grant_type=%s&assertion=%s", GRANT,
	    assertion(a, key, account, scope));
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
