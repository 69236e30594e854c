/*
 * http_json.h - providers that take JSON over HTTP and answer in it
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_PROVIDER_HTTP_JSON_H
#define BELFRY_PROVIDER_HTTP_JSON_H

#include <stddef.h>

#include <jansson.h>

#include "base/compiler.h"
#include "model/suppression.h"
#include "provider/verdict.h"

struct arena;
struct err;
struct transfer_request;
struct transfer_result;

/* A URL of settings without slashes at its end. */
const char *http_json_base(struct arena *a, const char *url) MUST_CHECK;

/* A request that posts "body"; "authorization" may be NULL.  With no body it is a GET.
 * -1 when the body is too large. */
int http_json_request(struct arena *a, const char *url, const json_t *body,
    const char *authorization, struct transfer_request *request_r,
    struct err *e) MUST_CHECK;

/* The answer, or NULL when it is not JSON: a proxy's page, say. */
json_t *http_json_answer(struct arena *a, const struct transfer_result *res)
    MUST_CHECK;

/* The text of a member, or "". */
const char *http_json_text(const json_t *object, const char *name);

/* What an answer means, from a table that is read from the top: the first row that fits
 * decides.  Status 0 and code NULL fit any. */
enum http_effect {
	HTTP_NONE,
	HTTP_GONE, /* the address is no more */
	HTTP_STALE, /* a new access token may help */
	HTTP_HARD_BOUNCE, /* suppress the address */
	HTTP_OPT_OUT /* suppress the address for this account */
};

struct http_rule {
	int status;
	const char *code;
	enum verdict_class class;
	enum http_effect effect;
};

/* ANSWER(status, code, CLASS, EFFECT, why, source, date) of a .def file. */
#define HTTP_RULE(status, code, class, effect, why, source, date)              \
	{ status, code, VERDICT_##class, HTTP_##effect },

/* The row that fits, or NULL. */
const struct http_rule *http_rule_find(const struct http_rule *rules,
    size_t count, int status, const char *code);

/* Fills a verdict by the table; what no row fits is tried again, and told.  "code" is the
 * answer's own, or "" - then the status stands for it. */
void http_json_judge(const struct http_rule *rules, size_t count,
    const struct transfer_result *res, const char *code, const char *text,
    struct verdict *v_r);

#endif
