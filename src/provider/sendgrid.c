/*
 * sendgrid.c - e-mail through SendGrid
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Mail Send of API v3: one message a request, which carries our ids as custom_args; every
 * event repeats them.  The answer names the message in X-Message-Id.
 */
#include "provider/sendgrid.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/uuid.h"
#include "net/transfer.h"
#include "provider/http_judge.h"
#include "provider/mail_address.h"
#include "provider/mail_message.h"
#include "provider/mime.h"
#include "provider/verdict.h"
#include "web/js.h"

enum {
	BODY_MAX = 30 << 20,
	JSON_DEPTH = 16,
	CATEGORY_MAX = 255,
	RESET_MAX_MS = 24 * 3600 * 1000
};

#define MARK "@@"

static const struct field fields[] = {
	FIELD(struct sendgrid_settings, api_key, TEXT,
	    .flags = FIELD_REQUIRED | FIELD_SECRET | FIELD_ONE_LINE, .min = 1,
	    .max = 200, .help = "A key with the scope mail.send.",
	    .example = "\"SG.xxxx\""),
	FIELD(struct sendgrid_settings, from, EMAIL,
	    .flags = FIELD_REQUIRED | FIELD_SENDER,
	    .help = "The sender's address, which SendGrid has verified.",
	    .example = "\"shop@example.org\""),
	FIELD_LIST(struct sendgrid_settings, senders, EMAIL, .max = 100,
	    .flags = FIELD_SENDER,
	    .help = "Other addresses that a message may name as its sender.",
	    .example = "[\"news@example.org\"]"),
	FIELD(struct sendgrid_settings, from_name, TEXT,
	    .flags = FIELD_ONE_LINE | FIELD_IDENTITY, .max = 200,
	    .help = "The sender's name as people see it.",
	    .example = "\"The Shop\""),
	FIELD(struct sendgrid_settings, reply_to, EMAIL, .flags = FIELD_IDENTITY,
	    .help = "Where answers go, when not to the sender.",
	    .example = "\"help@example.org\""),
	FIELD(struct sendgrid_settings, base_url, URL,
	    .flags = FIELD_DEFAULT | FIELD_ONE_LINE, .max = 500,
	    .def_text = "https://api.sendgrid.com",
	    .help = "Where the API is: another region, or a stand-in.",
	    .example = "\"https://api.eu.sendgrid.com\""),
	FIELD(struct sendgrid_settings, webhook_key, TEXT,
	    .flags = FIELD_ONE_LINE, .max = 400,
	    .help = "The public key of the Signed Event Webhook. Without it no "
	            "events are taken.",
	    .example = "\"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE...\""),
	FIELD(struct sendgrid_settings, replay_window, DURATION,
	    .flags = FIELD_DEFAULT, .def = 72 * 3600 * 1000, .min = 60 * 1000,
	    .max = (int64_t)30 * 24 * 3600 * 1000,
	    .help = "How old a signed request may be. SendGrid repeats for 24 h "
	            "what it could not deliver.",
	    .example = "\"72h\""),
	FIELD(struct sendgrid_settings, sandbox, BOOL,
	    .help = "SendGrid checks everything and sends nothing."),
};

static const struct field_table table = FIELD_TABLE("SendgridSettings",
    struct sendgrid_settings, fields, "An account at SendGrid.");

static int
check(const void *settings, struct err *e)
{
	const struct sendgrid_settings *s = settings;

	if (mail_setting_check("from", s->from, e) < 0 ||
	    mail_setting_check("reply_to", s->reply_to, e) < 0)
		return -1;
	return s->webhook_key != NULL ? sendgrid_key_check(s->webhook_key, e)
	                              : 0;
}

/* ---- The request --------------------------------------------------------------- */

static json_t *
person(const char *address, const char *name)
{
	return json_pack("{s:s, s:s*}", "email", address, "name", name);
}

static void
add_part(json_t *content, const char *type, const char *text)
{
	if (text != NULL && text[0] != '\0')
		json_array_append_new(content,
		    json_pack("{s:s, s:s}", "type", type, "value", text));
}

/* A category is ASCII and at most 255 long; another one is no reason not to send. */
static json_t *
categories(const char *category)
{
	const char *c = category;

	if (category == NULL || category[0] == '\0')
		return NULL;
	while (*c >= ' ' && *c < 0x7f)
		c++;
	return *c != '\0' || c - category > CATEGORY_MAX
	    ? NULL
	    : json_pack("[s]", category);
}

/* The fields of a list as an object, or NULL. */
static json_t *
list_headers(struct arena *a, const struct message *m, const char *from)
{
	struct mail_header headers[MAIL_LIST_HEADERS];
	size_t n = mail_list_headers(a, m, from, headers), i;
	json_t *json = n > 0 ? json_object() : NULL;

	for (i = 0; i < n; i++)
		json_object_set_new(json, headers[i].name,
		    json_string(headers[i].value));
	return json;
}

/* The names of files, with marks where their contents are to stand. */
static json_t *
attachments(const struct message *m)
{
	json_t *list = m->attachment_count > 0 ? json_array() : NULL;
	const struct attachment *at = m->attachments;
	size_t i;

	for (i = 0; i < m->attachment_count; i++)
		json_array_append_new(list,
		    json_pack("{s:s, s:s, s:s, s:s*, s:s*}", "filename",
		        at[i].name, "type", at[i].type, "content", MARK,
		        "content_id", at[i].content_id, "disposition",
		        at[i].content_id != NULL ? "inline" : NULL));
	return list;
}

/* Cuts the JSON at its marks.  No text can hold one: there, quotes are escaped. */
static void
set_pieces(struct arena *a, const struct message *m, const struct buf *body,
    struct transfer_request *rq)
{
	const char *at = body->data, *mark;
	struct transfer_piece *p;
	size_t i;

	p = arena_zalloc(a, 2 * m->attachment_count + 1, sizeof(*p));
	rq->pieces = p;
	for (i = 0; i < m->attachment_count; i++) {
		mark = strstr(at, "\"content\":\"" MARK "\"") + 11;
		*p++ = (struct transfer_piece){ .form = PIECE_MEMORY, .p = at,
			.n = (size_t)(mark - at) };
		*p++ = (struct transfer_piece){ .form = PIECE_BASE64,
			.fd = m->attachments[i].fd,
			.from = m->attachments[i].from,
			.n = m->attachments[i].bytes };
		at = mark + strlen(MARK);
	}
	*p++ = (struct transfer_piece){ .form = PIECE_MEMORY, .p = at,
		.n = (size_t)(body->data + body->len - at) };
	rq->pieces_count = (size_t)(p - rq->pieces);
	rq->body_len = 0;
	for (i = 0; i < rq->pieces_count; i++)
		rq->body_len += transfer_piece_bytes(&rq->pieces[i]);
}

/* Addresses as they go over the wire. */
struct addresses {
	const char *from, *to;
	const char *reply_to; /* or NULL */
};

static json_t *
message_json(struct arena *a, const struct sendgrid_settings *s,
    const struct message *m, const struct addresses *ad)
{
	char notification[UUID_TEXT_BYTES], delivery[UUID_TEXT_BYTES];
	json_t *content = json_array(), *json;

	uuid_format(&m->notification.u, notification);
	uuid_format(&m->delivery.u, delivery);
	add_part(content, "text/plain", m->text);
	add_part(content, "text/html", m->html);
	json = json_pack("{s:[{s:[o], s:{s:s, s:s}}], s:o, s:s, s:o}",
	    "personalizations", "to", person(ad->to, m->name), "custom_args",
	    "belfry_notification", notification, "belfry_delivery", delivery,
	    "from", person(ad->from, s->from_name), "subject", m->subject,
	    "content", content);
	if (m->shared)
		json_object_set_new(json_object_get(json_array_get(
		    json_object_get(json, "personalizations"), 0),
		    "custom_args"), "belfry_tenant",
		    json_string(m->tenant_slug));
	if (ad->reply_to != NULL)
		json_object_set_new(json, "reply_to", person(ad->reply_to, NULL));
	json_object_set_new(json, "categories", categories(m->category));
	json_object_set_new(json, "headers", list_headers(a, m, ad->from));
	json_object_set_new(json, "attachments", attachments(m));
	if (s->sandbox)
		json_object_set_new(json, "mail_settings",
		    json_pack("{s:{s:b}}", "sandbox_mode", "enable", 1));
	return json;
}

static struct transfer_request
request(struct arena *a, const struct sendgrid_settings *s, const char *path)
{
	struct transfer_header *headers = arena_zalloc(a, 3, sizeof(*headers));
	size_t n = strlen(s->base_url);

	while (n > 0 && s->base_url[n - 1] == '/')
		n--;
	headers[0] = (struct transfer_header){ "Authorization",
		arena_printf(a, "Bearer %s", s->api_key) };
	headers[1] = (struct transfer_header){ "Content-Type",
		"application/json" };
	headers[2] = (struct transfer_header){ "User-Agent", "Belfry" };
	return (struct transfer_request){
		.kind = TRANSFER_HTTP,
		.url = arena_printf(a, "%.*s%s", (int)n, s->base_url, path),
		.headers = headers,
		.headers_count = 3,
	};
}

static int
build(struct arena *a, const struct provider *p, const struct message *m,
    struct transfer_request *request_r, struct err *e)
{
	const struct sendgrid_settings *s = p->settings;
	struct buf *body = buf_new(a, BODY_MAX);
	const struct mail_sender sender = { .from = s->from,
		.others = s->senders, .others_count = s->senders_count };
	struct addresses ad = { .reply_to = NULL };

	if (mail_sender_of(&sender, m, &ad.from, e) < 0 ||
	    mail_address_ascii(a, ad.from, &ad.from, e) < 0 ||
	    mail_address_ascii(a, m->address, &ad.to, e) < 0 ||
	    (s->reply_to != NULL &&
	        mail_address_ascii(a, s->reply_to, &ad.reply_to, e) < 0))
		return -1;
	if (m->subject == NULL || m->subject[0] == '\0')
		return err_set(e, ERR_UNPROCESSABLE, "the subject is empty");
	js_write(body, js_keep(a, message_json(a, s, m, &ad)));
	if (buf_overflowed(body))
		return err_set(e, ERR_UNPROCESSABLE,
		    "the message is larger than %d bytes", BODY_MAX);
	*request_r = request(a, s, "/v3/mail/send");
	request_r->body = body->data;
	request_r->body_len = body->len;
	if (m->attachment_count > 0)
		set_pieces(a, m, body, request_r);
	if (request_r->body_len > BODY_MAX)
		return err_set(e, ERR_UNPROCESSABLE,
		    "the message is larger than %d bytes", BODY_MAX);
	return 0;
}

/* What the key may do: nothing is sent. */
static int
probe(struct arena *a, const struct provider *p, const struct message *m,
    struct transfer_request *request_r, struct err *e)
{
	(void)m;
	(void)e;
	*request_r = request(a, p->settings, "/v3/scopes");
	return 0;
}

/* ---- The answer ------------------------------------------------------------------ */

static const struct answer {
	int status;
	const char *where, *words;
	enum verdict_class class;
	enum suppression_reason suppress;
} answers[] = {
#define ANSWER(status, where, words, class, suppress, why, source, date)       \
	{ status, where, words, VERDICT_##class, SUPPRESSION_##suppress },
#include "provider/sendgrid.def"
};

static bool
fits(const struct answer *an, int status, const char *where, const char *words)
{
	return an->status == status &&
	    (an->where == NULL ||
	        strncmp(where, an->where, strlen(an->where)) == 0) &&
	    (an->words == NULL || strstr(words, an->words) != NULL);
}

static bool
is_of_sender(const char *where)
{
	return strncmp(where, "from", 4) == 0 ||
	    strncmp(where, "reply_to", 8) == 0;
}

/* 429: when the next request may go. */
static void
read_reset(struct arena *a, const struct transfer_result *res,
    struct verdict *v)
{
	const char *reset = transfer_header(a, res, "X-RateLimit-Reset");
	int64_t ms;

	if (v->class != VERDICT_THROTTLED || v->retry_after_ms != 0 ||
	    reset == NULL)
		return;
	ms = clock_ms_of_s(strtoll(reset, NULL, 10)) - clock_wall_ms();
	if (ms > 0 && ms <= RESET_MAX_MS)
		v->retry_after_ms = ms;
}

static const char *
text_of(const json_t *error, const char *name, const char *otherwise)
{
	const char *s = json_string_value(json_object_get(error, name));

	return s != NULL ? s : otherwise;
}

static void
judge(const struct provider *p, const struct transfer_result *res,
    struct verdict *v_r)
{
	struct arena *a;
	const char *where, *words, *ref;
	json_t *answer = NULL, *error;
	char code[16];
	struct err e;
	size_t i = 0;

	if (http_judge_silence(res, v_r))
		return;
	a = arena_new(4096);
	if (js_parse(a, res->body, res->body_len, JSON_DEPTH, &answer, &e) < 0)
		answer = NULL; /* a proxy's page, say */
	error = json_array_get(json_object_get(answer, "errors"), 0);
	where = text_of(error, "field", "");
	words = text_of(error, "message", answer != NULL ? "" : res->body);
	snprintf(code, sizeof(code), "%d", res->status);
	while (i < NELEMS(answers) &&
	    !fits(&answers[i], res->status, where, words))
		i++;
	if (i < NELEMS(answers)) {
		verdict_set(v_r, answers[i].class, code, words);
		v_r->suppress = answers[i].suppress;
		if (is_of_sender(where))
			provider_blames_sender(p, v_r);
	} else {
		verdict_set(v_r, VERDICT_RETRY, code, words);
		v_r->unrecognised = true;
	}
	http_judge_retry_after(res, v_r);
	read_reset(a, res, v_r);
	ref = transfer_header(a, res, "X-Message-Id");
	snprintf(v_r->provider_ref, sizeof(v_r->provider_ref), "%s",
	    ref != NULL ? ref : "");
	arena_free(&a);
}

const struct provider_ops sendgrid_ops = {
	.kind = "sendgrid",
	.channel = CHANNEL_EMAIL,
	.carries = CARRIES_FILES,
	.summary = "E-mail through SendGrid.",
	.reports = true,
	.settings = &table,
	.check = check,
	.build = build,
	.probe = probe,
	.judge = judge,
	.receive = sendgrid_receive,
};
