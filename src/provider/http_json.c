/*
 * http_json.c - providers that take JSON over HTTP and answer in it
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "provider/http_json.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "net/transfer.h"
#include "provider/http_judge.h"
#include "web/js.h"

enum { BODY_MAX = 1 << 20, JSON_DEPTH = 32, HEADERS_MAX = 4 };

const char *
http_json_base(struct arena *a, const char *url)
{
	size_t n = strlen(url);

	while (n > 0 && url[n - 1] == '/')
		n--;
	return arena_strndup(a, url, n);
}

int
http_json_request(struct arena *a, const char *url, const json_t *body,
    const char *authorization, struct transfer_request *request_r,
    struct err *e)
{
	struct transfer_header *headers =
	    arena_zalloc(a, HEADERS_MAX, sizeof(*headers));
	struct transfer_request rq = { .kind = TRANSFER_HTTP, .url = url,
		.headers = headers };
	struct buf *text = buf_new(a, BODY_MAX);

	headers[rq.headers_count++] =
	    (struct transfer_header){ "User-Agent", "Belfry" };
	headers[rq.headers_count++] =
	    (struct transfer_header){ "Accept", "application/json" };
	if (authorization != NULL)
		headers[rq.headers_count++] = (struct transfer_header){
			"Authorization", authorization
		};
	if (body != NULL) {
		headers[rq.headers_count++] = (struct transfer_header){
			"Content-Type", "application/json"
		};
		js_write(text, body);
		rq.body = text->data;
		rq.body_len = text->len;
	}
	if (buf_overflowed(text))
		return err_set(e, ERR_UNPROCESSABLE,
		    "the request is larger than %d bytes", BODY_MAX);
	*request_r = rq;
	return 0;
}

json_t *
http_json_answer(struct arena *a, const struct transfer_result *res)
{
	json_t *answer;
	struct err e;

	if (js_parse(a, res->body, res->body_len, JSON_DEPTH, &answer, &e) < 0)
		return NULL;
	return answer;
}

const char *
http_json_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "";
}

const struct http_rule *
http_rule_find(const struct http_rule *rules, size_t count, int status,
    const char *code)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (rules[i].status != 0 && rules[i].status != status &&
		    rules[i].status != status / 100)
			continue;
		if (rules[i].code == NULL || strcmp(rules[i].code, code) == 0)
			return &rules[i];
	}
	return NULL;
}

void
http_json_judge(const struct http_rule *rules, size_t count,
    const struct transfer_result *res, const char *code, const char *text,
    struct verdict *v_r)
{
	const struct http_rule *rule =
	    http_rule_find(rules, count, res->status, code);
	char number[16];

	snprintf(number, sizeof(number), "%d", res->status);
	verdict_set(v_r, rule != NULL ? rule->class : VERDICT_RETRY,
	    code[0] != '\0' ? code : number, text);
	http_judge_retry_after(res, v_r);
	if (rule == NULL) {
		v_r->unrecognised = true;
		return;
	}
	v_r->gone = rule->effect == HTTP_GONE;
	v_r->stale_token = rule->effect == HTTP_STALE;
	v_r->for_sender = rule->effect == HTTP_OPT_OUT;
	if (rule->effect == HTTP_HARD_BOUNCE)
		v_r->suppress = SUPPRESSION_HARD_BOUNCE;
	if (rule->effect == HTTP_OPT_OUT)
		v_r->suppress = SUPPRESSION_OPT_OUT;
}
