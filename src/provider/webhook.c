/*
 * webhook.c - a notification posted to a URL
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The request is that of Standard Webhooks 1.0.0.  Its body is the same at each attempt,
 * and so is its webhook-id, by which a receiver knows what it had already; timestamp
 * and signature are those of the attempt.
 */
#include "provider/webhook.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/text.h"
#include "base/uuid.h"
#include "net/transfer.h"
#include "provider/http_judge.h"
#include "provider/verdict.h"
#include "provider/webhook_sign.h"
#include "web/js.h"

enum { BODY_MAX = 4 << 20, JSON_DEPTH = 64, HEADERS_MAX = 20, HEADERS_OWN = 5 };

static const struct field fields[] = {
	FIELD(struct webhook_settings, url, URL,
	    .flags = FIELD_REQUIRED | FIELD_ONE_LINE, .max = 2000,
	    .help = "Where notifications are posted.",
	    .example = "\"https://example.org/hooks/belfry\""),
	FIELD(struct webhook_settings, secret, TEXT,
	    .flags = FIELD_SECRET | FIELD_ONE_LINE, .max = 200,
	    .help = "Signs each request as Standard Webhooks has it: whsec_ and "
	            "the base64 of 24 to 64 random bytes. Without it requests "
	            "are not signed.",
	    .example = "\"whsec_bm90IGEgc2VjcmV0IGJ1dCBhbiBleGFtcGxl\""),
	FIELD(struct webhook_settings, headers, JSON, .flags = FIELD_SECRET,
	    .max = HEADERS_MAX,
	    .help = "Further headers of the request, texts by their names.",
	    .example = "{\"Authorization\": \"Bearer t0ken\"}"),
	FIELD(struct webhook_settings, timeout, DURATION, .flags = FIELD_DEFAULT,
	    .def = 15000, .min = 100, .max = 30000,
	    .help = "How long an attempt may take, at most "
	            "spooler.attempt_timeout.",
	    .example = "\"15s\""),
	FIELD(struct webhook_settings, ca_file, TEXT, .flags = FIELD_ONE_LINE,
	    .max = 4000,
	    .help = "A file with the certificates to trust instead of the "
	            "system's: a path on the host of the spooler, below the "
	            "directory that the operator allows ([network] ca_base).",
	    .example = "\"/etc/ssl/our-ca.pem\""),
};

static const struct field_table table = FIELD_TABLE("WebhookSettings",
    struct webhook_settings, fields, "A URL that takes notifications.");

/* Headers that are the request's own. */
static bool
is_ours(const char *name)
{
	static const char *const names[] = { "Connection", "Content-Encoding",
		"Content-Length", "Content-Type", "Expect", "Host", "TE",
		"Transfer-Encoding", "Upgrade", "User-Agent" };
	size_t i;

	for (i = 0; i < NELEMS(names); i++)
		if (strcasecmp(name, names[i]) == 0)
			return true;
	return strncasecmp(name, "webhook-", 8) == 0;
}

int
webhook_header_check(const char *name, const json_t *value, struct err *e)
{
	static const char token[] = "!#$%&'*+-.^_`|~0123456789"
	                            "abcdefghijklmnopqrstuvwxyz"
	                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	if (name[0] == '\0' || name[strspn(name, token)] != '\0')
		return err_set(e, ERR_UNPROCESSABLE, "not the name of a header");
	if (is_ours(name))
		return err_set(e, ERR_UNPROCESSABLE,
		    "\"%.64s\" cannot be set", name);
	if (!json_is_string(value) || json_string_length(value) > 4000 ||
	    text_has_control(json_string_value(value)))
		return err_set(e, ERR_UNPROCESSABLE,
		    "the value of \"%.64s\" is not a text in one line", name);
	return 0;
}

static int
check(const void *settings, struct err *e)
{
	const struct webhook_settings *s = settings;
	const char *name;
	json_t *value;
	struct err wrong;

	if (s->secret != NULL && webhook_secret_check(s->secret, e) < 0)
		return -1;
	json_object_foreach(s->headers, name, value)
	{
		if (webhook_header_check(name, value, &wrong) < 0)
			return err_set(e, ERR_UNPROCESSABLE,
			    "setting \"headers\": %s", wrong.text);
	}
	if (provider_ca_file_check(s->ca_file, e) < 0)
		return -1;
	return 0;
}

static void
write_envelope(struct arena *a, const char *type, int64_t at_ms, json_t *data,
    struct buf *out)
{
	char at[CLOCK_TEXT_BYTES];

	clock_format(at_ms, at);
	js_write(out,
	    js_keep(a, json_pack("{s:s, s:s, s:o}", "type", type, "timestamp",
	        at, "data", data)));
}

/* The body: envelope of Standard Webhooks around the rendered part. */
static int
write_body(struct arena *a, const struct message *m, struct buf *out,
    struct err *e)
{
	char notification[UUID_TEXT_BYTES], delivery[UUID_TEXT_BYTES];
	const char *part = m->json != NULL ? m->json : "";
	json_t *content;
	struct err fault;

	if (js_parse(a, part, strlen(part), JSON_DEPTH, &content, &fault) < 0)
		return err_set(e, ERR_UNPROCESSABLE,
		    "the part for webhooks is not JSON: %s", fault.text);
	uuid_format(&m->notification.u, notification);
	uuid_format(&m->delivery.u, delivery);
	write_envelope(a, "notification", m->created_ms,
	    json_pack("{s:s, s:s, s:{s:s*, s:s*, s:s*}, s:O}", "notification",
	        notification, "delivery", delivery, "recipient", "id",
	        m->address, "name", m->name, "locale", m->locale, "content",
	        content),
	    out);
	if (buf_overflowed(out))
		return err_set(e, ERR_UNPROCESSABLE,
		    "the body for the webhook is larger than %d bytes",
		    BODY_MAX);
	return 0;
}

static void
add_header(struct transfer_request *rq, struct transfer_header *list,
    const char *name, const char *value)
{
	list[rq->headers_count++] = (struct transfer_header){ name, value };
}

static void
add_headers(struct arena *a, const struct webhook_settings *s,
    const struct message *m, const struct buf *body, struct transfer_request *rq)
{
	struct transfer_header *list = arena_zalloc(a,
	    HEADERS_OWN + json_object_size(s->headers), sizeof(*list));
	int64_t now_s = clock_wall_ms() / 1000;
	char *id = arena_zalloc(a, 1, UUID_TEXT_BYTES);
	const char *name;
	json_t *value;

	uuid_format(&m->delivery.u, id);
	add_header(rq, list, "Content-Type", "application/json");
	add_header(rq, list, "User-Agent", "Belfry");
	add_header(rq, list, "webhook-id", id);
	add_header(rq, list, "webhook-timestamp",
	    arena_printf(a, "%" PRId64, now_s));
	if (s->secret != NULL)
		add_header(rq, list, "webhook-signature",
		    webhook_sign(a, s->secret, id, now_s, body));
	json_object_foreach(s->headers, name, value)
	{
		add_header(rq, list, name, json_string_value(value));
	}
	rq->headers = list;
}

static struct transfer_request
request(struct arena *a, const struct webhook_settings *s,
    const struct message *m, const struct buf *body)
{
	struct transfer_request rq = {
		.kind = TRANSFER_HTTP,
		.url = s->url,
		.body = body->data,
		.body_len = body->len,
		.timeout_ms = (int)s->timeout,
		.ca_file = s->ca_file,
	};

	add_headers(a, s, m, body, &rq);
	return rq;
}

static int
build(struct arena *a, const struct provider *p, const struct message *m,
    struct transfer_request *request_r, struct err *e)
{
	struct buf *body = buf_new(a, BODY_MAX);

	if (write_body(a, m, body, e) < 0)
		return -1;
	*request_r = request(a, p->settings, m, body);
	return 0;
}

/* An envelope of another type, signed as all are. */
static int
probe(struct arena *a, const struct provider *p, const struct message *m,
    struct transfer_request *request_r, struct err *e)
{
	struct buf *body = buf_new(a, BODY_MAX);
	struct message test = *m;

	(void)e;
	test.delivery.u = uuid_make();
	write_envelope(a, "test", clock_wall_ms(), json_object(), body);
	*request_r = request(a, p->settings, &test, body);
	return 0;
}

/* What an answer means, read from the top. */
static const struct rule {
	int status; /* or its first digit */
	bool asked; /* only with Retry-After */
	enum verdict_class class;
} rules[] = {
#define ANSWER(status, asked, class, why, source, date)                        \
	{ status, asked, VERDICT_##class },
#include "provider/webhook.def"
};

static enum verdict_class
class_of(const struct transfer_result *res)
{
	size_t i;

	for (i = 0; i < NELEMS(rules); i++)
		if ((rules[i].status == res->status ||
		        rules[i].status == res->status / 100) &&
		    (!rules[i].asked || res->retry_after_s > 0))
			return rules[i].class;
	return VERDICT_RETRY;
}

static void
judge(const struct provider *p, const struct transfer_result *res,
    struct verdict *v_r)
{
	char code[16];

	(void)p;
	if (http_judge_silence(res, v_r))
		return;
	snprintf(code, sizeof(code), "%d", res->status);
	verdict_set(v_r, class_of(res), code, res->body);
	http_judge_retry_after(res, v_r);
}

const struct provider_ops webhook_ops = {
	.kind = "webhook",
	.channel = CHANNEL_WEBHOOK,
	.summary = "Notifications posted to a URL, signed.",
	.settings = &table,
	.check = check,
	.build = build,
	.judge = judge,
	.probe = probe,
	.probe_is_whole = true,
};
