/*
 * twilio.c - SMS through Twilio
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The Messages resource of API 2010-04-01: a form is posted, the answer names the
 * message by its SID.  What is wrong stands in the answer's own code.
 */
#include "provider/twilio.h"

#include <stdio.h>
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
	FIELD(struct twilio_settings, from, TEXT, .flags = FIELD_ONE_LINE,
	    .min = 1, .max = 64,
	    .help = "The sender: a number of the account or an alphanumeric "
	            "name. Either this or messaging_service_sid.",
	    .example = "\"+15005550006\""),
	FIELD(struct twilio_settings, messaging_service_sid, TEXT,
	    .flags = FIELD_ONE_LINE, .max = SID_BYTES,
	    .help = "The messaging service that chooses the sender.",
	    .example = "\"MG00000000000000000000000000000000\""),
	FIELD(struct twilio_settings, base_url, URL,
	    .flags = FIELD_DEFAULT | FIELD_ONE_LINE, .max = 500,
	    .def_text = "https://api.twilio.com",
	    .help = "Where the API is: another region, or a stand-in.",
	    .example = "\"https://api.dublin.ie1.twilio.com\""),
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

	if (m->text == NULL || m->text[0] == '\0')
		return err_set(e, ERR_UNPROCESSABLE, "the text is empty");
	add_field(form, "To", m->address);
	add_field(form, "From", s->from);
	add_field(form, "MessagingServiceSid", s->messaging_service_sid);
	add_field(form, "Body", m->text);
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

/* Codes of Twilio; what is not here goes by the status. */
static const struct rule {
	int code;
	enum verdict_class class;
} codes[] = {
	{ 20003, VERDICT_BAD_CREDENTIAL }, /* permission denied */
	{ 20005, VERDICT_PROVIDER_BLOCKED }, /* account not active */
	{ 20429, VERDICT_THROTTLED }, /* too many requests */
	{ 21211, VERDICT_BAD_RECIPIENT }, /* not a number */
	{ 21214, VERDICT_BAD_RECIPIENT }, /* cannot be reached */
	{ 21217, VERDICT_BAD_RECIPIENT }, /* does not appear to be valid */
	{ 21408, VERDICT_BAD_MESSAGE }, /* region not enabled */
	{ 21602, VERDICT_BAD_MESSAGE }, /* no text */
	{ 21603, VERDICT_BAD_CREDENTIAL }, /* no sender */
	{ 21606, VERDICT_BAD_CREDENTIAL }, /* the sender is not the account's */
	{ 21610, VERDICT_BAD_RECIPIENT }, /* the recipient said STOP */
	{ 21611, VERDICT_THROTTLED }, /* the sender's queue is full */
	{ 21612, VERDICT_BAD_MESSAGE }, /* no way from this sender */
	{ 21614, VERDICT_BAD_RECIPIENT }, /* not a mobile number */
	{ 21617, VERDICT_BAD_MESSAGE }, /* too long */
	{ 30001, VERDICT_RETRY }, /* queue overflow */
	{ 30002, VERDICT_PROVIDER_BLOCKED }, /* account suspended */
	{ 30003, VERDICT_RETRY }, /* handset unreachable */
	{ 30005, VERDICT_BAD_RECIPIENT }, /* unknown handset */
	{ 30006, VERDICT_BAD_RECIPIENT }, /* landline */
	{ 30007, VERDICT_BAD_MESSAGE }, /* filtered */
	{ 30008, VERDICT_RETRY }, /* unknown error */
};

static const struct rule statuses[] = {
	{ 2, VERDICT_ACCEPTED },
	{ 401, VERDICT_BAD_CREDENTIAL },
	{ 403, VERDICT_BAD_CREDENTIAL },
	{ 404, VERDICT_BAD_CREDENTIAL }, /* there is no such account */
	{ 413, VERDICT_BAD_MESSAGE },
	{ 429, VERDICT_THROTTLED },
};

static enum verdict_class
class_of(int status, int code)
{
	size_t i;

	for (i = 0; i < NELEMS(codes); i++)
		if (status >= 400 && codes[i].code == code)
			return codes[i].class;
	for (i = 0; i < NELEMS(statuses); i++)
		if (statuses[i].code == status || statuses[i].code == status / 100)
			return statuses[i].class;
	return VERDICT_RETRY;
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
	char text[32];
	int code;

	(void)p;
	if (http_judge_silence(res, v_r))
		return;
	a = arena_new(4096);
	if (js_parse(a, res->body, res->body_len, JSON_DEPTH, &answer, &e) < 0)
		answer = NULL; /* a proxy's page, say */
	code = (int)json_integer_value(json_object_get(answer, "code"));
	snprintf(text, sizeof(text), "%d", code != 0 ? code : res->status);
	verdict_set(v_r, class_of(res->status, code), text,
	    text_of(answer, "message", answer != NULL ? "" : res->body));
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
	.summary = "SMS through Twilio.",
	.reports = true,
	.settings = &table,
	.check = check,
	.build = build,
	.judge = judge,
	.probe = probe,
};
