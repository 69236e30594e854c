/*
 * slack.c - messages into a channel of Slack
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Through an incoming webhook: its URL is the secret and says which channel.
 */
#include "provider/slack.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "net/transfer.h"
#include "provider/http_json.h"
#include "provider/http_judge.h"
#include "provider/verdict.h"
#include "web/js.h"

enum { TEXT_MAX = 40000, CODE_MAX = 40 };

static const struct field fields[] = {
	FIELD(struct slack_settings, url, URL,
	    .flags = FIELD_REQUIRED | FIELD_SECRET | FIELD_ONE_LINE, .max = 500,
	    .help = "The URL of the incoming webhook.",
	    .example = "\"https://hooks.slack.com/services/T000/B000/XXXX\""),
};

static const struct field_table table = FIELD_TABLE("SlackSettings",
    struct slack_settings, fields, "A channel of Slack.");

/* As Slack has it: no mention and no link comes out of data. */
static void
slack_text(struct buf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '&')
			buf_puts(out, "&amp;");
		else if (*s == '<')
			buf_puts(out, "&lt;");
		else if (*s == '>')
			buf_puts(out, "&gt;");
		else
			buf_putc(out, *s);
	}
}

static int
build(struct arena *a, const struct provider *p, const struct message *m,
    struct transfer_request *request_r, struct err *e)
{
	const struct slack_settings *s = p->settings;
	struct buf *text = buf_new(a, TEXT_MAX);

	slack_text(text, m->text != NULL ? m->text : "");
	if (text->len == 0 || buf_overflowed(text))
		return err_set(e, ERR_UNPROCESSABLE, "the text is %s",
		    text->len == 0 ? "empty" : "longer than 40000 characters");
	return http_json_request(a, s->url,
	    js_keep(a, json_pack("{s:s}", "text", text->data)), NULL, request_r,
	    e);
}

/* A message without a text is refused by a good webhook and unknown to a bad one. */
static int
probe(struct arena *a, const struct provider *p, const struct message *m,
    struct transfer_request *request_r, struct err *e)
{
	const struct slack_settings *s = p->settings;

	(void)m;
	return http_json_request(a, s->url, js_keep(a, json_object()), NULL,
	    request_r, e);
}

static const struct http_rule answers[] = {
#define ANSWER(...) HTTP_RULE(__VA_ARGS__)
#include "provider/slack.def"
#undef ANSWER
};

/* The answer is a word, or a page of something in between. */
static void
judge(const struct provider *p, const struct transfer_result *res,
    struct verdict *v_r)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz_";
	bool word = res->body_len > 0 && res->body_len <= CODE_MAX &&
	    res->body[strspn(res->body, letters)] == '\0';

	(void)p;
	if (!http_judge_silence(res, v_r))
		http_json_judge(answers, NELEMS(answers), res,
		    word && res->status >= 300 ? res->body : "", res->body, v_r);
}

const struct provider_ops slack_ops = {
	.kind = "slack",
	.channel = CHANNEL_CHAT,
	.summary = "Messages into a channel of Slack.",
	.settings = &table,
	.build = build,
	.judge = judge,
	.probe = probe,
};
