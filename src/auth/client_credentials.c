/*
 * client_credentials.c - access tokens for Belfry itself, from outside issuers
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "auth/client_credentials.h"

#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "net/transfer.h"
#include "web/js.h"
#include "web/url.h"

enum {
	BODY_MAX = 65536,
	HEADERS = 4,
	TIMEOUT_MS = 10000,
	ANSWER_DEPTH = 8,
	LIFETIME_MAX_S = 86400,
	TOKEN_MAX = 16384
};

static void
add(struct buf *form, const char *name, const char *value)
{
	if (value == NULL)
		return;
	buf_printf(form, "&%s=", name);
	url_arg(form, value);
}

/* Both are encoded as in a form before they are joined (RFC 6749 section 2.3.1). */
static const char *
basic(struct arena *a, const struct client_credentials *cc)
{
	struct buf *both = buf_new(a, BODY_MAX);

	url_arg(both, cc->client_id);
	buf_putc(both, ':');
	url_arg(both, cc->client_secret);
	return arena_printf(a, "Basic %s",
	    text_base64(a, both->data, both->len));
}

void
client_credentials_request(struct arena *a, const struct client_credentials *cc,
    struct transfer_request *request_r)
{
	struct transfer_header *h = arena_zalloc(a, HEADERS, sizeof(*h));
	struct buf *form = buf_new(a, BODY_MAX);
	size_t n = 0;

	h[n++] = (struct transfer_header){ "Content-Type",
		"application/x-www-form-urlencoded" };
	h[n++] = (struct transfer_header){ "Accept", "application/json" };
	h[n++] = (struct transfer_header){ "User-Agent", "Belfry" };
	buf_puts(form, "grant_type=client_credentials");
	add(form, "scope", cc->scope);
	add(form, "audience", cc->audience);
	add(form, "resource", cc->resource);
	if (cc->in_body) {
		add(form, "client_id", cc->client_id);
		add(form, "client_secret", cc->client_secret);
	} else {
		h[n++] = (struct transfer_header){ "Authorization",
			basic(a, cc) };
	}
	*request_r = (struct transfer_request){
		.kind = TRANSFER_HTTP,
		.url = arena_strdup(a, cc->token_url),
		.tls = transfer_tls_of(cc->token_url),
		.headers = h,
		.headers_count = n,
		.body = form->data,
		.body_len = form->len,
		.timeout_ms = TIMEOUT_MS,
		.secret = true,
		.ca_file = cc->ca_file != NULL ? arena_strdup(a, cc->ca_file)
		                               : NULL,
	};
}

static const char *
text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "";
}

/* An error as RFC 6749 section 5.2 has it; the description may say anything, so it is not
 * for the log. */
static const char *
refusal(struct arena *a, int status, const json_t *answer)
{
	const char *error = text_of(answer, "error");

	if (error[0] == '\0' || strlen(error) > 100 || text_has_control(error))
		return arena_printf(a, "status %d", status);
	return arena_printf(a, "status %d, \"%s\"", status, error);
}

const char *
client_credentials_read(struct arena *a, const struct transfer_result *res,
    int64_t *lifetime_ms_r, const char **why_r)
{
	json_t *answer = NULL;
	const char *token;
	json_int_t s;
	struct err e;

	if (res->outcome != TRANSFER_ANSWERED) {
		*why_r = arena_strdup(a, res->error);
		return NULL;
	}
	if (js_parse(a, res->body, res->body_len, ANSWER_DEPTH, &answer, &e) ==
	    -1)
		answer = NULL;
	token = text_of(answer, "access_token");
	if (res->status != 200 || token[0] == '\0') {
		*why_r = refusal(a, res->status, answer);
		return NULL;
	}
	if (strcasecmp(text_of(answer, "token_type"), "Bearer") != 0 ||
	    strlen(token) > TOKEN_MAX || text_has_control(token)) {
		*why_r = "what was answered is no bearer token";
		return NULL;
	}
	s = json_integer_value(json_object_get(answer, "expires_in"));
	*lifetime_ms_r = s <= 0 ? 0
	    : (s < LIFETIME_MAX_S ? s : LIFETIME_MAX_S) * INT64_C(1000);
	return token;
}
