/*
 * users_token.c - access tokens for a tenant's own service
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <string.h>

#include "auth/client_credentials.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/secret_file.h"
#include "net/transfer.h"
#include "notify/user_service.h"
#include "provider/verdict.h"
#include "spooler/users_private.h"

/* A file is read each time, so the operator may change it. */
static int
request(struct arena *a, const void *of, struct transfer_request *request_r,
    struct err *e)
{
	const struct user_source *s = of;
	const struct user_service *how;
	const struct user_oauth *o;
	struct client_credentials cc;

	if (user_service_open(a, s->users->p.ring, s->tenant, s->how, &how, e) ==
	    -1)
		return -1;
	o = how->oauth;
	cc = (struct client_credentials){
		.token_url = o->token_url,
		.client_id = o->client_id,
		.client_secret = o->client_secret,
		.in_body = o->auth == USER_OAUTH_POST,
		.scope = o->scope,
		.audience = o->audience,
		.resource = o->resource,
		.ca_file = how->ca_file,
	};

	if (o->client_secret_file != NULL &&
	    secret_file_read(a, s->users->p.secrets, s->slug,
	        o->client_secret_file, &cc.client_secret, e) == -1)
		return -1;
	client_credentials_request(a, &cc, request_r);
	return 0;
}

static const char *
read(struct arena *a, const struct transfer_result *res, int64_t *lifetime_ms_r,
    struct verdict *v_r)
{
	const char *why, *token = client_credentials_read(a, res, lifetime_ms_r,
	    &why);

	if (token == NULL)
		verdict_set(v_r, VERDICT_RETRY, "", why);
	return token;
}

static struct token_source
source(const struct user_source *s)
{
	static const struct uuid id = { { 'u', 's', 'e', 'r', 's' } };

	return (struct token_source){
		.tenant = s->tenant,
		.id = id,
		.version = (int64_t)s->how->hash,
		.complaint = "no access token for a user service",
		.request = request,
		.read = read,
		.of = s,
	};
}

int
user_token_ask(struct user_source *s, struct arena *a, const char **token_r,
    struct err *e)
{
	struct token_source from = source(s);

	return tokens_ask(s->users->p.tokens, a, &from, &s->waiter, token_r, e);
}

void
user_token_refused(struct user_source *s, const char *token)
{
	struct token_source from = source(s);

	tokens_refused(s->users->p.tokens, &from, token);
}
