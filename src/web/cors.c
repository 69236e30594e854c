/*
 * cors.c - pages of other origins that may call
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "web/cors.h"

#include <stddef.h>
#include <string.h>

#include "web/request.h"
#include "web/response.h"

/* All that some route of ours looks at. */
#define REQUEST_HEADERS                                                        \
	"Authorization, Belfry-Tenant, Content-Type, Idempotency-Key, "        \
	"If-Match, If-None-Match, Traceparent, X-Request-Id"

/* All of ours that a page could not read otherwise. */
#define ANSWER_HEADERS                                                         \
	"ETag, Idempotent-Replayed, Link, Location, RateLimit, "               \
	"RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-Id"

/* How long a browser may go by a preflight, in seconds. */
#define MAX_AGE "600"

void
cors_headers(struct response *rs, const struct request *rq, const char *origin,
    const char *allow)
{
	response_header(rs, "Access-Control-Allow-Origin", "%s", origin);
	if (rq->method != HTTP_OPTIONS ||
	    request_param(rq, "HTTP_ACCESS_CONTROL_REQUEST_METHOD") == NULL) {
		response_header(rs, "Access-Control-Expose-Headers",
		    ANSWER_HEADERS);
		return;
	}
	response_header(rs, "Access-Control-Allow-Methods", "%s", allow);
	response_header(rs, "Access-Control-Allow-Headers", REQUEST_HEADERS);
	response_header(rs, "Access-Control-Max-Age", MAX_AGE);
}

bool
cors_is_origin(const char *text)
{
	size_t host;

	if (strncmp(text, "https://", 8) == 0)
		text += 8;
	else if (strncmp(text, "http://", 7) == 0)
		text += 7;
	else
		return false;
	host = text[0] == '['
	    ? 1 + strspn(text + 1, "0123456789abcdef:.")
	    : strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-");
	if (host == 0 || (text[0] == '[' && text[host++] != ']'))
		return false;
	text += host;
	if (text[0] == '\0')
		return true;
	return text[0] == ':' && text[1] != '\0' && strlen(text) <= 6 &&
	    text[1 + strspn(text + 1, "0123456789")] == '\0';
}
