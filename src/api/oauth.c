/*
 * oauth.c - access tokens that Belfry makes itself
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Faults of the request have the form of RFC 6749 section 5.2, since that is what the
 * libraries of clients read; when Belfry itself is at fault, or the client too fast, it
 * is a problem as everywhere.
 */
#include "api/oauth.h"

#include <string.h>
#include <strings.h>

#include <sodium.h>

#include "api/app.h"
#include "api/authenticate.h"
#include "api/limits.h"
#include "auth/apikey.h"
#include "auth/principal.h"
#include "auth/signing.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/err.h"
#include "base/uuid.h"
#include "db/db.h"
#include "provider/hook.h"
#include "provider/jwt_sign.h"
#include "web/field.h"
#include "web/js.h"
#include "web/request.h"
#include "web/response.h"
#include "web/url.h"

enum { SCOPES_BYTES_MAX = 4096 };

#define FORM_TYPE "application/x-www-form-urlencoded"

/* What a request for a token says. */
struct grant {
	const char *type;
	const char *client; /* NULL: none */
	const char *secret;
	const char *scope; /* NULL: all */
	bool basic; /* client and secret came in the header */
};

const char *
oauth_issuer(const struct config *config)
{
	return config->oauth_issuer[0] != '\0' ? config->oauth_issuer
					       : config->api_public_url;
}

static int
check_enabled(const struct request *rq, struct err *e)
{
	if (oauth_issuer(rq->config)[0] != '\0')
		return 0;
	return err_set(e, ERR_NOT_FOUND,
	    "no tokens are made here: oauth.issuer and api.public_url are "
	    "empty");
}

/* ---- Refusing ------------------------------------------------------------------ */

/* Always 0: the answer is there. */
static int
refuse(struct response *rs, const struct grant *g, const char *code,
    const char *why)
{
	bool client = strcmp(code, "invalid_client") == 0;
	json_t *json = js_keep(rs->a,
	    json_pack("{s:s, s:s}", "error", code, "error_description", why));

	response_json(rs, client ? 401 : 400, json);
	if (client)
		response_header(rs, "WWW-Authenticate",
		    g->basic ? "Basic realm=\"belfry\"" : "Bearer");
	return 0;
}

/* ---- Reading ------------------------------------------------------------------- */

/* A member of the form; false when it stands there twice. */
static bool
member(const struct field_param *list, size_t count, const char *name,
    const char **value_r)
{
	const char *found = NULL;
	size_t i;

	for (i = 0; i < count; i++) {
		if (strcmp(list[i].name, name) != 0)
			continue;
		if (found != NULL)
			return false;
		found = list[i].value;
	}
	if (found != NULL && found[0] != '\0')
		*value_r = found;
	return true;
}

/* One half of the header, which is encoded as in a form. */
static const char *
decoded(struct arena *a, const char *half)
{
	struct field_param *list;
	struct err e;
	size_t count;

	if (strpbrk(half, "&=") != NULL ||
	    url_query_parse(a, arena_printf(a, "x=%s", half), &list, &count,
	        &e) != 0 ||
	    count != 1)
		return NULL;
	return list[0].value;
}

/* RFC 6749 section 2.3.1.  False when there is a header of another sort. */
static bool
read_basic(struct request *rq, struct grant *g)
{
	const char *text = request_param(rq, "HTTP_AUTHORIZATION");
	char *pair, *colon;
	size_t n;

	if (text == NULL)
		return true;
	g->basic = true;
	if (strncasecmp(text, "Basic ", 6) != 0 || g->secret != NULL)
		return false;
	text += 6;
	pair = arena_zalloc(rq->a, strlen(text) + 1, 1);
	if (sodium_base642bin((unsigned char *)pair, strlen(text), text,
	        strlen(text), NULL, &n, NULL,
	        sodium_base64_VARIANT_ORIGINAL) != 0 ||
	    strlen(pair) != n)
		return false;
	colon = strchr(pair, ':');
	if (colon == NULL)
		return false;
	*colon = '\0';
	g->client = decoded(rq->a, pair);
	g->secret = decoded(rq->a, colon + 1);
	return g->client != NULL && g->secret != NULL;
}

static bool
read_grant(struct request *rq, struct grant *g)
{
	const char *type = request_param(rq, "CONTENT_TYPE");
	struct field_param *list;
	struct err e;
	size_t count;

	*g = (struct grant){ .type = NULL };
	return type != NULL && strncasecmp(type, FORM_TYPE, strlen(FORM_TYPE)) == 0 &&
	    strlen(rq->body_text) == rq->body_bytes &&
	    url_query_parse(rq->a, rq->body_text, &list, &count, &e) == 0 &&
	    member(list, count, "grant_type", &g->type) &&
	    member(list, count, "client_id", &g->client) &&
	    member(list, count, "client_secret", &g->secret) &&
	    member(list, count, "scope", &g->scope) && read_basic(rq, g);
}

/* ---- Deciding ------------------------------------------------------------------- */

/* The whole key of id and secret.  Who has it in one piece may give it as the secret;
 * that of a test key must be. */
static const char *
whole_key(struct arena *a, const struct grant *g)
{
	const char *key = strncmp(g->secret, "blf_", 4) == 0 ?
	    g->secret :
	    arena_printf(a, "blf_%s_%s", g->client, g->secret);
	const char *id = key + (strncmp(key, "blf_test_", 9) == 0 ? 9 : 4);

	return strlen(g->client) == APIKEY_ID_CHARS &&
	        strncmp(id, g->client, APIKEY_ID_CHARS) == 0 ?
	    key :
	    NULL;
}

/* The account behind id and secret.  1, 0 when they are wrong, -1. */
static int
authenticate(struct request *rq, const struct grant *g, struct principal **p_r,
    struct err *e)
{
	const char *key = whole_key(rq->a, g);
	int rc;

	if (key == NULL)
		key = "blf_";
	db_rollback(app_of(rq)->db);
	if (limits_before_proof(rq, key, e) != 0)
		return -1;
	rc = authenticate_key(rq, key, p_r, e);
	limits_after_proof(rq, key, rc == 0 ? NULL : e);
	if (rc == 0)
		return 1;
	return e->kind == ERR_UNAUTHENTICATED ? 0 : -1;
}

/* The scopes of the token, of those that the account has; NULL when one is asked for that
 * it has not. */
static const char *
scopes_of(struct arena *a, const struct grant *g, const struct principal *p)
{
	struct buf *out = buf_new(a, SCOPES_BYTES_MAX);
	const char *at = g->scope, *word;
	size_t n;
	int i;

	for (i = 0; at == NULL && scope_names[i] != NULL; i++)
		if (p->scopes & scope_bit(scope_names[i]))
			buf_printf(out, "%s%s", out->len > 0 ? " " : "",
			    scope_names[i]);
	for (; at != NULL && *(at += strspn(at, " ")) != '\0'; at += n) {
		n = strcspn(at, " ");
		word = arena_strndup(a, at, n);
		if ((p->scopes & scope_bit(word)) == 0)
			return NULL;
		buf_printf(out, "%s%s", out->len > 0 ? " " : "", word);
	}
	return buf_overflowed(out) ? NULL : out->data;
}

/* ---- The token ---------------------------------------------------------------------- */

static int
answer(struct request *rq, struct response *rs, const struct principal *p,
    const char *scopes, struct err *e)
{
	const struct config *config = rq->config;
	int64_t now_s = clock_wall_ms() / 1000;
	int64_t end_s = now_s + config->oauth_token_ttl / 1000;
	char account[UUID_TEXT_BYTES], id[UUID_TEXT_BYTES];
	struct uuid unique = uuid_make();
	const char *kid, *token;
	struct jwt_claimed what;
	EVP_PKEY *key;
	json_t *claims;
	int rc = signing_current(app_of(rq)->signing, &kid, &key, e);

	if (rc == 0)
		return err_set(e, ERR_TEMPORARY,
		    "there is no key to sign with: \"belfryctl keys rotate "
		    "--signing\" makes one");
	if (rc == -1)
		return -1;
	if (p->expires_ms != 0 && p->expires_ms / 1000 < end_s)
		end_s = p->expires_ms / 1000;
	uuid_format(&p->account.u, account);
	uuid_format(&unique, id);
	claims = js_keep(rq->a,
	    json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:s}", "iss",
	        oauth_issuer(config), "aud", config->oauth_audience, "sub",
	        account, "client_id", p->key_id, "iat", (json_int_t)now_s, "exp",
	        (json_int_t)end_s, "jti", id, "scope", scopes, "tenant",
	        p->tenant_slug));
	if (p->test)
		json_object_set_new(claims, "test", json_true());
	what = (struct jwt_claimed){ .type = "at+jwt", .kid = kid,
		.claims = claims };
	if (jwt_sign(rq->a, key, &what, &token, e) == -1)
		return -1;
	return response_json(rs, 200,
	    js_keep(rq->a,
	        json_pack("{s:s, s:s, s:I, s:s}", "access_token", token,
	            "token_type", "Bearer", "expires_in",
	            (json_int_t)(end_s - now_s), "scope",
	            scopes)));
}

int
oauth_token(struct request *rq, struct response *rs, struct err *e)
{
	struct principal *p;
	const char *scopes;
	struct grant g;
	int rc;

	if (check_enabled(rq, e) != 0)
		return -1;
	if (!read_grant(rq, &g) || g.type == NULL)
		return refuse(rs, &g, "invalid_request",
		    "the body is a form with grant_type, client_id and "
		    "client_secret, each once; the last two may be in "
		    "Authorization: Basic instead");
	if (strcmp(g.type, "client_credentials") != 0)
		return refuse(rs, &g, "unsupported_grant_type",
		    "only client_credentials");
	if (g.client == NULL || g.secret == NULL)
		return refuse(rs, &g, "invalid_client",
		    "client_id is the id of an API key, client_secret its "
		    "secret");
	rc = authenticate(rq, &g, &p, e);
	if (rc == 0)
		return refuse(rs, &g, "invalid_client", "the API key is not "
		    "valid");
	if (rc == -1)
		return -1;
	rq->principal = p;
	rq->tenant = p->tenant;
	if (limits_admit(rq, e) != 0)
		return -1;
	scopes = scopes_of(rq->a, &g, p);
	if (scopes == NULL)
		return refuse(rs, &g, "invalid_scope",
		    "the account has not all of these scopes");
	return answer(rq, rs, p, scopes, e);
}

/* ---- What others must know ------------------------------------------------------------ */

int
oauth_keys(struct request *rq, struct response *rs, struct err *e)
{
	const char *jwks;

	db_rollback(app_of(rq)->db);
	if (check_enabled(rq, e) != 0 ||
	    signing_publish(app_of(rq)->signing, &jwks, e) != 0)
		return -1;
	buf_puts(response_body(rs, 200, "application/json"), jwks);
	rs->cache = "public, max-age=300";
	return 0;
}

/* Where the routes are, seen from outside: what the operator says, prefix and all, or
 * the prefix below the issuer's name. */
static const char *
public_base(struct arena *a, const struct config *config)
{
	if (config->api_public_url[0] != '\0')
		return hook_base(a, config->api_public_url);
	return arena_printf(a, "%s%s", hook_base(a, oauth_issuer(config)),
	    config->api_url_prefix);
}

int
oauth_metadata(struct request *rq, struct response *rs, struct err *e)
{
	const char *issuer = oauth_issuer(rq->config);
	const char *base = public_base(rq->a, rq->config);
	json_t *scopes = json_array();
	int i;

	if (check_enabled(rq, e) != 0) {
		json_decref(scopes);
		return -1;
	}
	for (i = 0; scope_names[i] != NULL; i++)
		json_array_append_new(scopes, json_string(scope_names[i]));
	rs->cache = "public, max-age=300";
	return response_json(rs, 200,
	    js_keep(rq->a,
	        json_pack("{s:s, s:s, s:s, s:[s], s:[s,s], s:[], s:o, "
	                  "s:[s], s:[s,s]}",
	            "issuer", issuer, "token_endpoint",
	            arena_printf(rq->a, "%s/oauth/token", base), "jwks_uri",
	            arena_printf(rq->a, "%s/.well-known/jwks.json", base),
	            "grant_types_supported", "client_credentials",
	            "token_endpoint_auth_methods_supported",
	            "client_secret_basic", "client_secret_post",
	            "response_types_supported", "scopes_supported", scopes,
	            "subject_types_supported", "public",
	            "id_token_signing_alg_values_supported", "EdDSA",
	            "RS256")));
}
