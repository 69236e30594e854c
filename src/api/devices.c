/*
 * devices.c - /services/recipients/{user_id}/devices: where push messages go
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "api/devices.h"

#include "api/app.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "model/device.h"
#include "web/field.h"
#include "web/field_form.h"
#include "web/js.h"
#include "web/request.h"
#include "web/response.h"

enum { USER_ID_MAX = 255, TOKEN_MAX = 2048 };

struct device_body {
	struct field_mask mask;
	struct uuid id;
	const char *token;
	json_t *subscription;
	int platform;
	const char *app;
	int64_t created_at;
	int64_t updated_at;
};

static const struct field fields[] = {
	FIELD(struct device_body, id, UUID, .flags = FIELD_READ_ONLY,
	    .help = "Belfry's name for the device."),
	FIELD(struct device_body, token, TEXT, .flags = FIELD_ONE_LINE, .min = 1,
	    .max = TOKEN_MAX, .example = "\"d7Xr0aJ5Tk2:APA91bE_example_token\"",
	    .help = "What the push service gave to the app. Either this or "
	            "subscription."),
	FIELD(struct device_body, subscription, JSON, .flags = FIELD_WRITE_ONLY,
	    .example = "{\"endpoint\": \"https://push.example/1\", \"keys\": "
	               "{\"p256dh\": \"BN...\", \"auth\": \"Ab...\"}}",
	    .help = "A browser's PushSubscription, which becomes the token."),
	FIELD(struct device_body, platform, ENUM, .words = device_platform_names,
	    .flags = FIELD_REQUIRED, .help = "What kind of device it is."),
	FIELD(struct device_body, app, TEXT, .flags = FIELD_ONE_LINE, .max = 100,
	    .help = "The service's own name for the app.",
	    .example = "\"shop-android\""),
	FIELD(struct device_body, created_at, TIME, .flags = FIELD_READ_ONLY,
	    .help = "When it was registered first."),
	FIELD(struct device_body, updated_at, TIME, .flags = FIELD_READ_ONLY,
	    .help = "When it was registered last."),
};

const struct field_table device_body_table = FIELD_TABLE("Device",
    struct device_body, fields, "A device that push messages of a user go to.");

static json_t *
device_json(struct request *rq, const struct device *d)
{
	struct device_body body = {
		.id = d->id,
		.token = d->token,
		.platform = (int)d->platform - 1,
		.app = d->app,
		.created_at = d->created_ms,
		.updated_at = d->updated_ms,
	};

	return fields_write(rq->a, &device_body_table, &body);
}

int
devices_list(struct request *rq, struct response *rs, struct err *e)
{
	json_t *answer = js_keep(rq->a, json_object()), *data = json_array();
	struct device *list;
	size_t i, count;

	json_object_set_new(answer, "data", data);
	if (device_list(rq->a, app_of(rq)->db, rq->tenant, rq->args[0], &list,
	        &count, e) != 0)
		return -1;
	for (i = 0; i < count; i++)
		json_array_append(data, device_json(rq, &list[i]));
	return response_json(rs, 200, answer);
}

/* The token that a subscription becomes: always the same text for the same one. */
static int
subscription_token(struct request *rq, const json_t *subscription,
    const char **token_r, struct err *e)
{
	struct buf *out = buf_new(rq->a, TOKEN_MAX);
	const char *endpoint, *p256dh, *auth;

	if (json_unpack((json_t *)(uintptr_t)subscription, "{s:s, s:{s:s, s:s}}",
	        "endpoint", &endpoint, "keys", "p256dh", &p256dh, "auth",
	        &auth) != 0)
		return request_refuse(rq, e, "/subscription", FIELD_ERR_MALFORMED,
		    "it has no texts endpoint, keys.p256dh and keys.auth");
	js_write(out,
	    js_keep(rq->a,
	        json_pack("{s:s, s:{s:s, s:s}}", "endpoint", endpoint, "keys",
	            "p256dh", p256dh, "auth", auth)));
	if (buf_overflowed(out))
		return request_refuse(rq, e, "/subscription", FIELD_ERR_TOO_LONG,
		    "it is longer than %d bytes", TOKEN_MAX);
	*token_r = out->data;
	return 0;
}

static int
read_token(struct request *rq, const struct device_body *body,
    const char **token_r, struct err *e)
{
	if ((body->token == NULL) == (body->subscription == NULL))
		return request_refuse(rq, e, "/token", FIELD_ERR_CONFLICTING,
		    "either token or subscription must be given");
	if (body->subscription != NULL)
		return subscription_token(rq, body->subscription, token_r, e);
	*token_r = body->token;
	return 0;
}

int
devices_put(struct request *rq, struct response *rs, struct err *e)
{
	const struct device_body *body = rq->body;
	struct device d = { .platform = (enum device_platform)(body->platform + 1),
		.app = body->app }, *list;
	struct editor ed = app_editor(rq);
	size_t i, count;

	if (form_length(rq->args[0]) > USER_ID_MAX)
		return err_set(e, ERR_INVALID,
		    "the user_id has more than %d characters", USER_ID_MAX);
	if (read_token(rq, body, &d.token, e) != 0 ||
	    device_put(&ed, rq->args[0], &d, e) != 0 ||
	    device_list(rq->a, app_of(rq)->db, rq->tenant, rq->args[0], &list,
	        &count, e) != 0)
		return -1;
	for (i = 0; i < count; i++)
		if (uuid_cmp(&list[i].id, &d.id) == 0)
			d = list[i];
	return response_json(rs, 200, device_json(rq, &d));
}

int
devices_clear(struct request *rq, struct response *rs, struct err *e)
{
	struct editor ed = app_editor(rq);

	if (device_delete(&ed, rq->args[0], NULL, e) == -1)
		return -1;
	response_empty(rs, 204);
	return 0;
}

int
devices_delete(struct request *rq, struct response *rs, struct err *e)
{
	struct editor ed = app_editor(rq);
	struct uuid id;
	int rc;

	if (request_arg_uuid(rq, 1, &id, e) != 0)
		return -1;
	rc = device_delete(&ed, rq->args[0], &id, e);
	if (rc < 1)
		return rc == 0 ? err_set(e, ERR_NOT_FOUND,
		                     "there is no such device")
		               : -1;
	response_empty(rs, 204);
	return 0;
}
