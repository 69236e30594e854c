/*
 * twilio.c - SMS and MMS through Twilio
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The Messages resource of API 2010-04-01: a form is posted, the answer names the
 * message by its SID.  What is wrong stands in the answer's own code.  Status callbacks
 * come to a URL that names the delivery, so nothing has to be looked up by the SID.
 */
#include "provider/twilio.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/uuid.h"
#include "net/transfer.h"
#include "provider/http_json.h"
#include "provider/http_judge.h"
#include "provider/verdict.h"
#include "web/js.h"
#include "web/url.h"

#define HEX "0123456789abcdefABCDEF"

enum { FORM_MAX = 64 << 10, JSON_DEPTH = 16, SID_BYTES = 34 };

static const struct field fields[] = {
	FIELD(struct twilio_settings, account_sid, TEXT,
	    .flags = FIELD_REQUIRED | FIELD_ONE_LINE, .max = SID_BYTES,
	    .help = "The account's SID.",
	    .example = "\"AC00000000000000000000000000000000\""),
	FIELD(struct twilio_settings, auth_token, TEXT,
	    .flags = FIELD_REQUIRED | FIELD_SECRET | FIELD_ONE_LINE, .min = 1,
	    .max = 200, .help = "Its token.", .example = "\"secret\""),
	FIELD(struct twilio_settings, from, TEXT,
	    .flags = FIELD_ONE_LINE | FIELD_SENDER, .min = 1, .max = 64,
	    .help = "The sender: a number of the account or an alphanumeric "
	            "name. Either this or messaging_service_sid.",
	    .example = "\"+15005550006\""),
	FIELD(struct twilio_settings, messaging_service_sid, TEXT,
	    .flags = FIELD_ONE_LINE | FIELD_SENDER, .max = SID_BYTES,
	    .help = "The messaging service that chooses the sender.",
	    .example = "\"MG00000000000000000000000000000000\""),
	FIELD(struct twilio_settings, base_url, URL,
	    .flags = FIELD_DEFAULT | FIELD_ONE_LINE, .max = 500,
	    .def_text = "https://api.twilio.com",
	    .help = "Where the API is: another region, or a stand-in.",
	    .example = "\"https://api.dublin.ie1.twilio.com\""),
	FIELD(struct twilio_settings, public_url, URL, .flags = FIELD_ONE_LINE,
	    .max = 500,
	    .help = "Where Twilio reaches Belfry, when not at api.public_url.",
	    .example = "\"https://notify.example.org\""),
};

static const struct field_table table = FIELD_TABLE("TwilioSettings",
    struct twilio_settings, fields, "An account at Twilio.");

static bool
is_sid(const char *s, const char *kind)
{
	return strlen(s) == SID_BYTES && strncmp(s, kind, 2) == 0 &&
	    strspn(s + 2, HEX) == SID_BYTES - 2;
}

static int
check(const void *settings, struct err *e)
{
	const struct twilio_settings *s = settings;

	if (!is_sid(s->account_sid, "AC"))
		return err_set(e, ERR_UNPROCESSABLE,
		    "setting \"account_sid\": not \"AC\" and 32 hexadecimal "
		    "digits");
	if (s->messaging_service_sid != NULL &&
	    !is_sid(s->messaging_service_sid, "MG"))
		return err_set(e, ERR_UNPROCESSABLE,
		    "setting \"messaging_service_sid\": not \"MG\" and 32 "
		    "hexadecimal digits");
	if ((s->from != NULL) == (s->messaging_service_sid != NULL))
		return err_set(e, ERR_UNPROCESSABLE,
		    "setting \"from\": either this or messaging_service_sid "
		    "must be given");
	return 0;
}

static void
add_field(struct buf *form, const char *name, const char *value)
{
	if (value == NULL)
		return;
	buf_printf(form, "%s%s=", form->len > 0 ? "&" : "", name);
	url_arg(form, value);
}

/* Where its fate is reported; NULL when nobody can reach us. */
static const char *
callback_url(struct arena *a, const struct twilio_settings *s,
    const struct message *m)
{
	char notification[UUID_TEXT_BYTES], delivery[UUID_TEXT_BYTES];
	const char *base = s->public_url != NULL ? s->public_url
	                                         : m->public_url;

	if (base == NULL || m->hook_path == NULL)
		return NULL;
	uuid_format(&m->notification.u, notification);
	uuid_format(&m->delivery.u, delivery);
	return arena_printf(a, "%s%s?n=%s&d=%s", hook_base(a, base),
	    m->hook_path, notification, delivery);
}

static void
add_media(struct buf *form, const struct message *m)
{
	size_t i;

	for (i = 0; i < m->media_count; i++)
		add_field(form, "MediaUrl", m->media[i]);
}

static int
build(struct arena *a, const struct provider *p, const struct message *m,
    struct transfer_request *request_r, struct err *e)
{
	static const struct transfer_header headers[] = {
		{ "Content-Type", "application/x-www-form-urlencoded" },
		{ "Accept", "application/json" },
		{ "User-Agent", "Belfry" },
	};
	const struct twilio_settings *s = p->settings;
	struct buf *form = buf_new(a, FORM_MAX);
	size_t n = strlen(s->base_url);

	if ((m->text == NULL || m->text[0] == '\0') && m->media_count == 0)
		return err_set(e, ERR_UNPROCESSABLE, "the text is empty");
	add_field(form, "To", m->address);
	add_field(form, "From", s->from);
	add_field(form, "MessagingServiceSid", s->messaging_service_sid);
	add_field(form, "Body", m->text);
	add_media(form, m);
	add_field(form, "StatusCallback", callback_url(a, s, m));
	if (buf_overflowed(form))
		return err_set(e, ERR_UNPROCESSABLE, "the text is too long");
	while (n > 0 && s->base_url[n - 1] == '/')
		n--;
	*request_r = (struct transfer_request){
		.kind = TRANSFER_HTTP,
		.url = arena_printf(a,
		    "%.*s/2010-04-01/Accounts/%s/Messages.json", (int)n,
		    s->base_url, s->account_sid),
		.username = s->account_sid,
		.password = s->auth_token,
		.headers = headers,
		.headers_count = NELEMS(headers),
		.body = form->data,
		.body_len = form->len,
	};
	return 0;
}

static const struct code_rule {
	int code;
	struct twilio_meaning meaning;
} codes[] = {
#define CODE(code, class, suppress, why, source, date)                         \
	{ code, { VERDICT_##class, SUPPRESSION_##suppress } },
#include "provider/twilio.def"
};

static const struct status_rule {
	int status;
	enum verdict_class class;
} statuses[] = {
#define STATUS(status, class, why, source, date) { status, VERDICT_##class },
#include "provider/twilio.def"
};

const struct twilio_meaning *
twilio_meaning_of(int code)
{
	size_t i;

	for (i = 0; i < NELEMS(codes); i++)
		if (codes[i].code == code)
			return &codes[i].meaning;
	return NULL;
}

/* By the code, else by the status; what neither knows is tried again. */
static void
judge_answer(int status, int code, const char *text, struct verdict *v_r)
{
	const struct twilio_meaning *known =
	    status >= 400 ? twilio_meaning_of(code) : NULL;
	enum verdict_class class = VERDICT_NONE;
	char number[32];
	size_t i;

	for (i = 0; i < NELEMS(statuses) && class == VERDICT_NONE; i++)
		if (statuses[i].status == status ||
		    statuses[i].status == status / 100)
			class = statuses[i].class;
	snprintf(number, sizeof(number), "%d", code != 0 ? code : status);
	if (known != NULL) {
		verdict_set(v_r, known->class, number, text);
		v_r->suppress = known->suppress;
		v_r->for_sender = known->suppress == SUPPRESSION_OPT_OUT;
		return;
	}
	verdict_set(v_r, class != VERDICT_NONE ? class : VERDICT_RETRY, number,
	    text);
	v_r->unrecognised = class == VERDICT_NONE;
}

static bool
is_of_sender(int code)
{
	static const int of_sender[] = {
#define SENDER(code) code,
#include "provider/twilio.def"
	};
	size_t i = 0;

	while (i < NELEMS(of_sender) && of_sender[i] != code)
		i++;
	return i < NELEMS(of_sender);
}

static const char *
text_of(const json_t *answer, const char *name, const char *otherwise)
{
	const char *s = json_string_value(json_object_get(answer, name));

	return s != NULL ? s : otherwise;
}

static void
judge(const struct provider *p, const struct transfer_result *res,
    struct verdict *v_r)
{
	struct arena *a;
	json_t *answer = NULL;
	struct err e;
	int code;

	if (http_judge_silence(res, v_r))
		return;
	a = arena_new(4096);
	if (js_parse(a, res->body, res->body_len, JSON_DEPTH, &answer, &e) < 0)
		answer = NULL; /* a proxy's page, say */
	code = (int)json_integer_value(json_object_get(answer, "code"));
	judge_answer(res->status, code,
	    text_of(answer, "message", answer != NULL ? "" : res->body), v_r);
	if (is_of_sender(code))
		provider_blames_sender(p, v_r);
	http_judge_retry_after(res, v_r);
	snprintf(v_r->provider_ref, sizeof(v_r->provider_ref), "%s",
	    text_of(answer, "sid", ""));
	arena_free(&a);
}

/* The account as the API knows it. */
static int
probe(struct arena *a, const struct provider *p, const struct message *m,
    struct transfer_request *request_r, struct err *e)
{
	const struct twilio_settings *s = p->settings;

	if (http_json_request(a,
	        arena_printf(a, "%s/2010-04-01/Accounts/%s.json",
	            http_json_base(a, s->base_url), s->account_sid),
	        NULL, NULL, request_r, e) < 0)
		return -1;
	request_r->username = s->account_sid;
	request_r->password = s->auth_token;
	return 0;
}

const struct provider_ops twilio_ops = {
	.kind = "twilio",
	.channel = CHANNEL_SMS,
	.summary = "SMS and MMS through Twilio.",
	.reports = true,
	.settings = &table,
	.check = check,
	.build = build,
	.judge = judge,
	.probe = probe,
	.receive = twilio_receive,
};
