/*
 * teams.c - messages into a channel of Microsoft Teams
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Through a workflow "when a webhook request is received": its URL is the secret and says
 * which channel.  A message is an adaptive card with one text.
 */
#include "provider/teams.h"

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

enum { TEXT_MAX = 20000 };

static const struct field fields[] = {
	FIELD(struct teams_settings, url, URL,
	    .flags = FIELD_REQUIRED | FIELD_SECRET | FIELD_ONE_LINE, .max = 2000,
	    .help = "The URL of the workflow.",
	    .example = "\"https://prod-1.westeurope.logic.azure.com/workflows/x\""),
};

static const struct field_table table = FIELD_TABLE("TeamsSettings",
    struct teams_settings, fields, "A channel of Microsoft Teams.");

static json_t *
card(struct arena *a, const char *text)
{
	return js_keep(a,
	    json_pack("{s:s, s:[{s:s, s:{s:s, s:s, s:s, s:[{s:s, s:s, s:b}]}}]}",
	        "type", "message", "attachments", "contentType",
	        "application/vnd.microsoft.card.adaptive", "content", "$schema",
	        "http://adaptivecards.io/schemas/adaptive-card.json", "type",
	        "AdaptiveCard", "version", "1.4", "body", "type", "TextBlock",
	        "text", text, "wrap", 1));
}

static int
build(struct arena *a, const struct provider *p, const struct message *m,
    struct transfer_request *request_r, struct err *e)
{
	const struct teams_settings *s = p->settings;

	if (m->text == NULL || m->text[0] == '\0' || strlen(m->text) > TEXT_MAX)
		return err_set(e, ERR_UNPROCESSABLE,
		    "the text is empty or longer than %d bytes", TEXT_MAX);
	return http_json_request(a, s->url, card(a, m->text), NULL, request_r, e);
}

/* There is no way to ask but a message. */
static int
probe(struct arena *a, const struct provider *p, const struct message *m,
    struct transfer_request *request_r, struct err *e)
{
	const struct teams_settings *s = p->settings;

	(void)m;
	return http_json_request(a, s->url,
	    card(a, "This is a test: Belfry reaches this channel."), NULL,
	    request_r, e);
}

static const struct http_rule answers[] = {
#define ANSWER(...) HTTP_RULE(__VA_ARGS__)
#include "provider/teams.def"
#undef ANSWER
};

static void
judge(const struct provider *p, const struct transfer_result *res,
    struct verdict *v_r)
{
	(void)p;
	if (!http_judge_silence(res, v_r))
		http_json_judge(answers, NELEMS(answers), res, "", res->body,
		    v_r);
}

const struct provider_ops teams_ops = {
	.kind = "teams",
	.channel = CHANNEL_CHAT,
	.summary = "Messages into a channel of Microsoft Teams.",
	.settings = &table,
	.build = build,
	.judge = judge,
	.probe = probe,
};
