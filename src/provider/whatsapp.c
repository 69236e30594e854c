/*
 * whatsapp.c - messages through WhatsApp's Cloud API
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Who has not written within 24 hours gets nothing but approved templates; everything else
 * is refused then, at once or later, and that is the message's fault.
 */
#include "provider/whatsapp.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "net/transfer.h"
#include "provider/http_json.h"
#include "provider/http_judge.h"
#include "provider/multipart.h"
#include "provider/verdict.h"
#include "provider/whatsapp_media.h"
#include "provider/whatsapp_message.h"
#include "web/js.h"

static const struct field fields[] = {
	FIELD(struct whatsapp_settings, access_token, TEXT,
	    .flags = FIELD_REQUIRED | FIELD_SECRET | FIELD_ONE_LINE, .min = 1,
	    .max = 1000, .help = "The token of a system user.",
	    .example = "\"EAAJB...\""),
	FIELD(struct whatsapp_settings, phone_number_id, TEXT,
	    .flags = FIELD_REQUIRED | FIELD_ONE_LINE, .min = 1, .max = 40,
	    .help = "The id of the business's phone number, not the number.",
	    .example = "\"106540352242922\""),
	FIELD(struct whatsapp_settings, api_version, TEXT,
	    .flags = FIELD_DEFAULT | FIELD_ONE_LINE, .max = 10,
	    .def_text = "v23.0", .help = "The version of the Graph API."),
	FIELD(struct whatsapp_settings, base_url, URL,
	    .flags = FIELD_DEFAULT | FIELD_ONE_LINE, .max = 500,
	    .def_text = "https://graph.facebook.com",
	    .help = "Where the API is: a stand-in."),
	FIELD(struct whatsapp_settings, app_secret, TEXT,
	    .flags = FIELD_SECRET | FIELD_ONE_LINE, .min = 1, .max = 200,
	    .help = "The secret of the app, which signs what its webhook posts. "
	            "Without it nothing that WhatsApp reports is taken.",
	    .example = "\"8d7e...\""),
	FIELD(struct whatsapp_settings, verify_token, TEXT,
	    .flags = FIELD_SECRET | FIELD_ONE_LINE, .min = 1, .max = 200,
	    .help = "The verify token that is typed in where the webhook is set "
	            "up: any text that nobody can guess."),
};

static const struct field_table table = FIELD_TABLE("WhatsappSettings",
    struct whatsapp_settings, fields, "A phone number at WhatsApp.");

static int
check(const void *settings, struct err *e)
{
	const struct whatsapp_settings *s = settings;

	if (s->phone_number_id[strspn(s->phone_number_id, "0123456789")] != '\0')
		return err_set(e, ERR_UNPROCESSABLE,
		    "setting \"phone_number_id\": not the id of a number");
	if (s->api_version[0] != 'v' ||
	    s->api_version[1 + strspn(s->api_version + 1, "0123456789.")] != '\0')
		return err_set(e, ERR_UNPROCESSABLE,
		    "setting \"api_version\": not as \"v23.0\"");
	return 0;
}

static const char *
url_of(struct arena *a, const struct whatsapp_settings *s, const char *what)
{
	return arena_printf(a, "%s/%s/%s%s", http_json_base(a, s->base_url),
	    s->api_version, s->phone_number_id, what);
}

static const char *
authorization(struct arena *a, const struct whatsapp_settings *s)
{
	return arena_printf(a, "Bearer %s", s->access_token);
}

static int
build(struct arena *a, const struct provider *p, const struct message *m,
    struct transfer_request *request_r, struct err *e)
{
	const struct whatsapp_settings *s = p->settings;
	json_t *body;

	if (whatsapp_message(a, m, &body, e) < 0)
		return -1;
	return http_json_request(a, url_of(a, s, "/messages"), body,
	    authorization(a, s), request_r, e);
}

/* The number as the API knows it. */
static int
probe(struct arena *a, const struct provider *p, const struct message *m,
    struct transfer_request *request_r, struct err *e)
{
	const struct whatsapp_settings *s = p->settings;

	(void)m;
	return http_json_request(a,
	    url_of(a, s, "?fields=display_phone_number,verified_name"), NULL,
	    authorization(a, s), request_r, e);
}

static const struct http_rule answers[] = {
#define ANSWER(...) HTTP_RULE(__VA_ARGS__)
#include "provider/whatsapp.def"
#undef ANSWER
};

const struct http_rule *
whatsapp_rule_of(const char *code)
{
	return http_rule_find(answers, NELEMS(answers), 0, code);
}

static void
judge(const struct provider *p, const struct transfer_result *res,
    struct verdict *v_r)
{
	struct arena *a;
	const json_t *answer, *error, *code, *details;
	const char *text;

	(void)p;
	if (http_judge_silence(res, v_r))
		return;
	a = arena_new(4096);
	answer = http_json_answer(a, res);
	error = json_object_get(answer, "error");
	code = json_object_get(error, "code");
	details = json_object_get(error, "error_data");
	text = http_json_text(details, "details");
	if (text[0] == '\0')
		text = http_json_text(error, "message");
	http_json_judge(answers, NELEMS(answers), res,
	    json_is_integer(code)
	        ? arena_printf(a, "%" JSON_INTEGER_FORMAT,
	              json_integer_value(code))
	        : "",
	    answer != NULL ? text : res->body, v_r);
	snprintf(v_r->provider_ref, sizeof(v_r->provider_ref), "%s",
	    http_json_text(json_array_get(json_object_get(answer, "messages"), 0),
	        "id"));
	arena_free(&a);
}

/* ---- Files ------------------------------------------------------------------------- */

static int
names(struct arena *a, const struct message *m)
{
	json_t *part;
	struct err e;

	if (m->json == NULL || strstr(m->json, "\"attachment\"") == NULL ||
	    whatsapp_part(a, m, &part, &e) < 0)
		return -1;
	return whatsapp_media_next(part, m);
}

static int
upload(struct arena *a, const struct provider *p, const struct message *m,
    size_t n, struct transfer_request *request_r, struct err *e)
{
	const struct whatsapp_settings *s = p->settings;
	const struct attachment *at = &m->attachments[n];
	struct multipart *form = multipart_new(a);
	json_t *part;

	if (whatsapp_part(a, m, &part, e) < 0 ||
	    whatsapp_media_check(part, m, n, e) < 0 ||
	    http_json_request(a, url_of(a, s, "/media"), NULL,
	        authorization(a, s), request_r, e) < 0)
		return -1;
	multipart_text(form, "messaging_product", "whatsapp");
	multipart_text(form, "type", at->type);
	multipart_file(form, "file", at);
	multipart_send(form, request_r);
	return 0;
}

static const char *
upload_read(struct arena *a, const struct provider *p,
    const struct transfer_result *res, struct verdict *v_r)
{
	const char *id;

	judge(p, res, v_r);
	if (v_r->class != VERDICT_ACCEPTED)
		return NULL;
	id = http_json_text(http_json_answer(a, res), "id");
	if (id[0] != '\0')
		return id;
	verdict_set(v_r, VERDICT_RETRY, "no_media_id",
	    "the answer to an upload has no id");
	return NULL;
}

const struct provider_ops whatsapp_ops = {
	.kind = "whatsapp",
	.channel = CHANNEL_WHATSAPP,
	.carries = CARRIES_NAMED,
	.summary = "Messages through WhatsApp's Cloud API.",
	.settings = &table,
	.check = check,
	.names = names,
	.upload = upload,
	.upload_read = upload_read,
	.build = build,
	.judge = judge,
	.probe = probe,
	.sender = "phone_number_id",
	.receive = whatsapp_receive,
	.reports = true,
	.has_session = whatsapp_has_session,
};
