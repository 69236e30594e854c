/*
 * fcm.c - push messages through Firebase Cloud Messaging
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The HTTP v1 API.  Requests carry an access token that the service account's key fetches
 * (google_token.h); all go over few connections.  The answer is the last that FCM says of
 * a message; what comes later, the app tells (push_message.h) or Pub/Sub (fcm_hook.c).
 */
#include "provider/fcm.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/text.h"
#include "net/transfer.h"
#include "provider/google_token.h"
#include "provider/http_json.h"
#include "provider/http_judge.h"
#include "provider/push_message.h"
#include "provider/verdict.h"
#include "web/js.h"

#define SCOPE "https://www.googleapis.com/auth/firebase.messaging"

enum {
	PAYLOAD_MAX = 4096,
	AT_ONCE = 200 /* streams of two HTTP/2 connections; all accounts share four */
};

static const struct field fields[] = {
	FIELD(struct fcm_settings, service_account, JSON,
	    .flags = FIELD_REQUIRED | FIELD_SECRET | FIELD_HOST, .min = 1,
	    .max = 50,
	    .help = "The service account's key, as the console gives it: an "
	            "object with client_email, private_key, token_uri and "
	            "project_id.",
	    .example = "{\"type\": \"service_account\", \"project_id\": \"shop\"}"),
	FIELD(struct fcm_settings, project, TEXT, .flags = FIELD_ONE_LINE,
	    .min = 1, .max = 100,
	    .help = "The project, when it is not that of the key.",
	    .example = "\"shop\""),
	FIELD(struct fcm_settings, validate_only, BOOL,
	    .help = "Messages are checked by FCM and not delivered."),
	FIELD(struct fcm_settings, base_url, URL,
	    .flags = FIELD_DEFAULT | FIELD_ONE_LINE, .max = 500,
	    .def_text = "https://fcm.googleapis.com",
	    .help = "Where the API is: a stand-in."),
	FIELD(struct fcm_settings, ca_file, TEXT, .flags = FIELD_ONE_LINE,
	    .max = 4000,
	    .help = "A file with the certificates to trust instead of the "
	            "system's: a path on the host of the spooler, below the "
	            "directory that the operator allows ([network] ca_base)."),
	FIELD(struct fcm_settings, receipts, BOOL,
	    .help = "Each message brings a link, data.belfry_receipt, by which the "
	            "app tells that it was delivered, opened or read."),
	FIELD(struct fcm_settings, pubsub_audience, TEXT,
	    .flags = FIELD_ONE_LINE, .min = 1, .max = 500,
	    .help = "The audience of the push subscription's tokens, when events "
	            "come through Pub/Sub.",
	    .example = "\"https://notify.example.org\""),
	FIELD(struct fcm_settings, pubsub_account, EMAIL,
	    .help = "The service account that the push subscription signs as.",
	    .example = "\"push@shop.iam.gserviceaccount.com\""),
	FIELD(struct fcm_settings, pubsub_keys, URL,
	    .flags = FIELD_DEFAULT | FIELD_ONE_LINE, .max = 500,
	    .def_text = FCM_PUBSUB_KEYS,
	    .help = "Where Google's public keys are: a stand-in."),
};

static const struct field_table table = FIELD_TABLE("FcmSettings",
    struct fcm_settings, fields, "A project of Firebase.");

const char *
fcm_project_of(const struct fcm_settings *s)
{
	return s->project != NULL
	    ? s->project
	    : http_json_text(s->service_account, "project_id");
}

static int
check(const void *settings, struct err *e)
{
	const struct fcm_settings *s = settings;
	const char *project = fcm_project_of(s);

	if (project[0] == '\0' ||
	    project[strspn(project, "abcdefghijklmnopqrstuvwxyz0123456789-:.")])
		return err_set(e, ERR_UNPROCESSABLE,
		    "setting \"project\": neither it nor project_id of the key "
		    "is the name of a project");
	if (provider_ca_file_check(s->ca_file, e) < 0)
		return -1;
	return google_account_check(s->service_account, e);
}

/* A subscription of a browser or a topic of ntfy is none of FCM's. */
static bool
takes(const char *address)
{
	return address[0] != '{' && strncmp(address, "ntfy:", 5) != 0;
}

/* ---- Messages ---------------------------------------------------------------------- */

static int
check_data(const json_t *data, struct err *e)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)data, name, value)
	{
		if (strcmp(name, "from") == 0 ||
		    strcmp(name, "message_type") == 0 ||
		    strncmp(name, "google.", 7) == 0 ||
		    strncmp(name, "gcm.notification.", 17) == 0)
			return err_set(e, ERR_UNPROCESSABLE,
			    "FCM takes no data of the name \"%.64s\"", name);
	}
	return 0;
}

/* FCM counts what the app gets. */
static int
check_size(struct arena *a, const json_t *notification, const json_t *data,
    struct err *e)
{
	struct buf *text = buf_new(a, 2 * PAYLOAD_MAX);

	if (notification != NULL)
		js_write(text, notification);
	js_write(text, data);
	if (text->len > PAYLOAD_MAX || buf_overflowed(text))
		return err_set(e, ERR_UNPROCESSABLE,
		    "the push message is larger than %d bytes", PAYLOAD_MAX);
	return 0;
}

/* "mine" with what the template says above it. */
static void
set_override(struct arena *a, json_t *message, const char *name, json_t *mine,
    json_t *theirs)
{
	if (theirs != NULL)
		mine = js_merge_patch(a, mine, theirs);
	if (json_object_size(mine) > 0)
		json_object_set(message, name, mine);
}

/* APNs wants to know until when, 0: only now. */
static json_t *
apns_expiration(const struct push_message *p, int64_t created_ms)
{
	return json_sprintf("%" PRId64,
	    p->ttl_s > 0 ? created_ms / 1000 + p->ttl_s : 0);
}

static void
set_platforms(struct arena *a, json_t *message, const struct push_message *p,
    int64_t created_ms)
{
	json_t *android = js_keep(a, json_object());
	json_t *apns = js_keep(a, json_object()), *headers = json_object();
	json_t *webpush = js_keep(a, json_object());

	if (p->ttl_s >= 0) {
		json_object_set_new(android, "ttl",
		    json_sprintf("%" PRId64 "s", p->ttl_s));
		json_object_set_new(webpush, "headers",
		    json_pack("{s:o}", "TTL",
		        json_sprintf("%" PRId64, p->ttl_s)));
		json_object_set_new(headers, "apns-expiration",
		    apns_expiration(p, created_ms));
	}
	if (p->collapse_key != NULL) {
		json_object_set_new(android, "collapse_key",
		    json_string(p->collapse_key));
		json_object_set_new(headers, "apns-collapse-id",
		    json_string(p->collapse_key));
	}
	if (p->high) {
		json_object_set_new(android, "priority", json_string("HIGH"));
		json_object_set_new(headers, "apns-priority", json_string("10"));
	}
	if (p->url != NULL && strncmp(p->url, "https://", 8) == 0)
		json_object_set_new(webpush, "fcm_options",
		    json_pack("{s:s}", "link", p->url));
	if (json_object_size(headers) > 0)
		json_object_set(apns, "headers", headers);
	json_decref(headers);
	set_override(a, message, "android", android, p->android);
	set_override(a, message, "apns", apns, p->apns);
	set_override(a, message, "webpush", webpush, p->webpush);
}

static int
write_message(struct arena *a, const struct push_message *p,
    int64_t created_ms, json_t *message, struct err *e)
{
	json_t *note = NULL;

	if (p->title != NULL || p->body != NULL)
		note = js_keep(a,
		    json_pack("{s:s*, s:s*, s:s*}", "title", p->title, "body",
		        p->body, "image", p->image));
	if (p->url != NULL)
		json_object_set_new(p->data, "url", json_string(p->url));
	if (check_data(p->data, e) < 0 || check_size(a, note, p->data, e) < 0)
		return -1;
	if (note != NULL)
		json_object_set(message, "notification", note);
	if (json_object_size(p->data) > 0)
		json_object_set(message, "data", p->data);
	set_platforms(a, message, p, created_ms);
	return 0;
}

static int
request(struct arena *a, const struct fcm_settings *s, const char *token,
    json_t *message, bool validate_only, struct transfer_request *request_r,
    struct err *e)
{
	json_t *body = js_keep(a, json_pack("{s:O}", "message", message));

	if (validate_only)
		json_object_set_new(body, "validate_only", json_true());
	if (http_json_request(a,
	        arena_printf(a, "%s/v1/projects/%s/messages:send",
	            http_json_base(a, s->base_url), fcm_project_of(s)),
	        body, arena_printf(a, "Bearer %s", token), request_r, e) < 0)
		return -1;
	request_r->ca_file = s->ca_file;
	request_r->few_connections = true;
	return 0;
}

static int
build(struct arena *a, const struct provider *p, const struct message *m,
    struct transfer_request *request_r, struct err *e)
{
	const struct fcm_settings *s = p->settings;
	json_t *message =
	    js_keep(a, json_pack("{s:s}", "token", m->address));
	struct push_message push;

	if (push_message_read(a, m, &push, e) < 0)
		return -1;
	if (s->receipts)
		push_message_add_receipt(a, m, &push);
	if (write_message(a, &push, m->created_ms, message, e) < 0)
		return -1;
	return request(a, s, m->token, message, s->validate_only, request_r, e);
}

/* FCM checks everything and delivers nothing: to a topic that nobody has, or to the
 * token that is given. */
static int
probe(struct arena *a, const struct provider *p, const struct message *m,
    struct transfer_request *request_r, struct err *e)
{
	json_t *message = js_keep(a,
	    json_pack("{s:s, s:{s:s}}", m->address != NULL ? "token" : "topic",
	        m->address != NULL ? m->address : "belfry-test", "notification",
	        "title", "Belfry"));

	return request(a, p->settings, m->token, message, true, request_r, e);
}

/* ---- Answers ----------------------------------------------------------------------- */

static const struct http_rule answers[] = {
#define ANSWER(...) HTTP_RULE(__VA_ARGS__)
#include "provider/fcm.def"
};

static const struct http_rule token_answers[] = {
#define TOKEN(...) HTTP_RULE(__VA_ARGS__)
#include "provider/fcm.def"
};

/* Does a violation name the token? */
static bool
blames_token(const json_t *error, const json_t *detail)
{
	const json_t *list = json_object_get(detail, "fieldViolations"), *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		if (strcmp(http_json_text(one, "field"), "message.token") == 0)
			return true;
	}
	return strstr(http_json_text(error, "message"), "registration token") !=
	    NULL;
}

/* The errorCode of FcmError, or "" when the answer is not FCM's own. */
static const char *
code_of(const json_t *error)
{
	const json_t *details = json_object_get(error, "details"), *one;
	const char *code = "";
	bool token = false;
	size_t i;

	json_array_foreach(details, i, one)
	{
		const char *type = http_json_text(one, "@type");

		if (strcmp(type,
		        "type.googleapis.com/google.firebase.fcm.v1.FcmError") ==
		    0)
			code = http_json_text(one, "errorCode");
		token |= blames_token(error, one);
	}
	if (strcmp(code, "INVALID_ARGUMENT") == 0 && token)
		return "INVALID_TOKEN";
	return code;
}

/* Receipts may come where the account is set up for them. */
static bool
is_reported(const struct provider *p)
{
	const struct fcm_settings *s = p != NULL ? p->settings : NULL;

	return s != NULL && (s->receipts || s->pubsub_audience != NULL);
}

static void
judge(const struct provider *p, const struct transfer_result *res,
    struct verdict *v_r)
{
	struct arena *a;
	const json_t *answer, *error;

	if (http_judge_silence(res, v_r))
		return;
	a = arena_new(4096);
	answer = http_json_answer(a, res);
	error = json_object_get(answer, "error");
	http_json_judge(answers, NELEMS(answers), res, code_of(error),
	    answer != NULL ? http_json_text(error, "message") : res->body, v_r);
	v_r->reported = is_reported(p);
	if (v_r->class == VERDICT_ACCEPTED)
		snprintf(v_r->provider_ref, sizeof(v_r->provider_ref), "%s",
		    http_json_text(answer, "name"));
	arena_free(&a);
}

static int
token_request(struct arena *a, const struct provider *p,
    struct transfer_request *request_r, struct err *e)
{
	const struct fcm_settings *s = p->settings;

	if (google_token_request(a, s->service_account, SCOPE, request_r, e) < 0)
		return -1;
	if (s->ca_file != NULL)
		request_r->ca_file = arena_strdup(a, s->ca_file);
	return 0;
}

static const char *
token_read(struct arena *a, const struct transfer_result *res,
    int64_t *lifetime_ms_r, struct verdict *v_r)
{
	return google_token_read(a, res, token_answers, NELEMS(token_answers),
	    lifetime_ms_r, v_r);
}

const struct provider_ops fcm_ops = {
	.kind = "fcm",
	.channel = CHANNEL_PUSH,
	.summary = "Push messages through Firebase Cloud Messaging.",
	.settings = &table,
	.concurrency = AT_ONCE,
	.takes = takes,
	.check = check,
	.token_request = token_request,
	.token_read = token_read,
	.build = build,
	.judge = judge,
	.probe = probe,
	.receive = fcm_receive,
};
