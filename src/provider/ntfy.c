/*
 * ntfy.c - push messages through ntfy
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A server that anybody can run, and an app that listens to topics.  The address is
 * "ntfy:" and the topic.
 */
#include "provider/ntfy.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "net/transfer.h"
#include "provider/http_json.h"
#include "provider/http_judge.h"
#include "provider/push_message.h"
#include "provider/verdict.h"
#include "web/js.h"

#define SCHEME "ntfy:"

enum { TOPIC_MAX = 64, HIGH = 5 };

static const struct field fields[] = {
	FIELD(struct ntfy_settings, base_url, URL,
	    .flags = FIELD_DEFAULT | FIELD_ONE_LINE, .max = 500,
	    .def_text = "https://ntfy.sh", .help = "The server.",
	    .example = "\"https://ntfy.example.org\""),
	FIELD(struct ntfy_settings, token, TEXT,
	    .flags = FIELD_SECRET | FIELD_ONE_LINE, .min = 1, .max = 200,
	    .help = "An access token, for a server that wants one.",
	    .example = "\"tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2\""),
};

static const struct field_table table = FIELD_TABLE("NtfySettings",
    struct ntfy_settings, fields, "A server of ntfy.");

static bool
takes(const char *address)
{
	return strncmp(address, SCHEME, strlen(SCHEME)) == 0;
}

static const char *
topic_of(const char *address)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	const char *topic = takes(address) ? address + strlen(SCHEME) : "";

	return topic[0] != '\0' && strlen(topic) <= TOPIC_MAX &&
	        topic[strspn(topic, letters)] == '\0'
	    ? topic
	    : NULL;
}

static const char *
authorization(struct arena *a, const struct ntfy_settings *s)
{
	return s->token != NULL ? arena_printf(a, "Bearer %s", s->token) : NULL;
}

static int
build(struct arena *a, const struct provider *p, const struct message *m,
    struct transfer_request *request_r, struct err *e)
{
	const struct ntfy_settings *s = p->settings;
	const char *topic = topic_of(m->address);
	struct push_message push;
	json_t *body;

	if (push_message_read(a, m, &push, e) < 0)
		return -1;
	if (topic == NULL)
		return err_set(e, ERR_UNPROCESSABLE, "it is no topic of ntfy");
	body = js_keep(a,
	    json_pack("{s:s, s:s*, s:s*, s:s*, s:s*}", "topic", topic, "title",
	        push.title, "message", push.body != NULL ? push.body : push.title,
	        "click", push.url, "attach", push.image));
	if (push.high)
		json_object_set_new(body, "priority", json_integer(HIGH));
	return http_json_request(a, http_json_base(a, s->base_url), body,
	    authorization(a, s), request_r, e);
}

/* May the token write to the topic, or is the server well? */
static int
probe(struct arena *a, const struct provider *p, const struct message *m,
    struct transfer_request *request_r, struct err *e)
{
	const struct ntfy_settings *s = p->settings;
	const char *topic = m->address != NULL ? topic_of(m->address) : NULL;

	if (m->address != NULL && topic == NULL)
		return err_set(e, ERR_UNPROCESSABLE, "it is no topic of ntfy");
	return http_json_request(a,
	    topic != NULL ? arena_printf(a, "%s/%s/auth",
	                        http_json_base(a, s->base_url), topic)
	                  : arena_printf(a, "%s/v1/health",
	                        http_json_base(a, s->base_url)),
	    NULL, authorization(a, s), request_r, e);
}

static const struct http_rule answers[] = {
#define ANSWER(...) HTTP_RULE(__VA_ARGS__)
#include "provider/ntfy.def"
#undef ANSWER
};

static void
judge(const struct provider *p, const struct transfer_result *res,
    struct verdict *v_r)
{
	struct arena *a;
	const json_t *answer;

	(void)p;
	if (http_judge_silence(res, v_r))
		return;
	a = arena_new(2048);
	answer = http_json_answer(a, res);
	http_json_judge(answers, NELEMS(answers), res, "",
	    answer != NULL ? http_json_text(answer, "error") : res->body, v_r);
	snprintf(v_r->provider_ref, sizeof(v_r->provider_ref), "%s",
	    http_json_text(answer, "id"));
	arena_free(&a);
}

const struct provider_ops ntfy_ops = {
	.kind = "ntfy",
	.channel = CHANNEL_PUSH,
	.summary = "Push messages through a server of ntfy.",
	.settings = &table,
	.takes = takes,
	.build = build,
	.judge = judge,
	.probe = probe,
};
