/*
 * webhook.c - belfryctl webhook ...
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <string.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/err.h"
#include "base/uuid.h"
#include "ctl/choice.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/number.h"
#include "ctl/out.h"
#include "model/edit.h"
#include "model/tenant.h"
#include "model/webhook_attempt.h"
#include "model/webhook_endpoint.h"
#include "notify/tenant_settings.h"
#include "notify/webhook_event.h"
#include "notify/webhook_url.h"
#include "provider/webhook.h"
#include "provider/webhook_sign.h"
#include "web/js.h"

enum { SHOWN = 50, SHOWN_MAX = 100000, EVENTS_BYTES = 4096, RATE_MAX = 100000 };

static const int64_t day_ms = INT64_C(24) * 3600 * 1000;

static const char *
id_text(struct ctl *c, const struct uuid *id)
{
	char text[UUID_TEXT_BYTES];

	uuid_format(id, text);
	return arena_strdup(c->a, text);
}

static int
read_id(struct ctl *c, size_t n, struct uuid *id_r, struct err *e)
{
	if (uuid_parse(ctl_argument(c, n), id_r) == 0)
		return 0;
	return err_set(e, ERR_INVALID, "\"%.60s\" is no id: \"belfryctl webhook list\" shows them",
	    ctl_argument(c, n));
}

/* Opens what changing needs. */
static int
editor_of(struct ctl *c, const struct editor *ed, struct webhook_editor *we,
    struct err *e)
{
	struct keyring *ring;

	if (ctl_keyring(c, &ring, e) == -1)
		return -1;
	*we = (struct webhook_editor){ .ed = ed, .ring = ring,
		.endpoints_max = c->config->webhook_endpoints_max };
	return 0;
}

/* ---- Listing --------------------------------------------------------------------- */

static const struct out_column endpoint_columns[] = {
	{ "id", "ID" },
	{ "state", "STATE" },
	{ "events", "EVENTS" },
	{ "failing_since", "FAILING SINCE" },
	{ "url", "URL" },
	{ NULL, NULL },
};

static json_t *
endpoint_json(struct ctl *c, const struct webhook_endpoint *ep)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "id",
	    id_text(c, &ep->id), "url", ep->url, "description",
	    ep->description, "events",
	    ep->events[0] != '\0' ? ep->events : "all", "signature",
	    webhook_signatures[ep->signature - 1], "state",
	    ep->state == WEBHOOK_ACTIVE ? "active" : "disabled", "reason",
	    out_text(ep->reason), "public_key", out_text(ep->public_key),
	    "failing_since", out_time(ep->failing_since_ms), "ordered",
	    out_text(ep->ordered));
}

int
command_webhook_list(struct ctl *c, struct err *e)
{
	struct webhook_endpoint *list;
	struct uuid first = { { 0 } };
	size_t i, count;
	json_t *rows;

	if (webhook_endpoint_list(c->a, c->db, c->tenant->id, first, SHOWN_MAX,
	        &list, &count, e) == -1)
		return -1;
	rows = json_array();
	for (i = 0; i < count; i++)
		json_array_append_new(rows, endpoint_json(c, &list[i]));
	out_table(c, rows, endpoint_columns, "there is no webhook endpoint");
	return 0;
}

static const struct out_column attempt_columns[] = {
	{ "started_at", "AT" },
	{ "type", "TYPE" },
	{ "attempt", "ATTEMPT" },
	{ "result", "RESULT" },
	{ "status", "STATUS" },
	{ "error", "ERROR" },
	{ "id", "ID" },
	{ NULL, NULL },
};

static json_t *
attempt_json(struct ctl *c, const struct webhook_attempt *at)
{
	const char *result = at->finished_ms == 0 ? "pending"
	    : at->ok                              ? "succeeded"
	                                          : "failed";

	return json_pack("{s:s, s:s, s:o, s:i, s:o, s:s, s:i, s:o, s:o}", "id",
	    id_text(c, &at->id), "message", webhook_id(c->a, &at->message),
	    "type", out_text(at->type), "attempt", at->n, "started_at",
	    out_time(at->started_ms), "result", result, "status", at->status,
	    "error", out_text(at->error), "next_attempt_at",
	    out_time(at->next_ms));
}

int
command_webhook_attempts(struct ctl *c, struct err *e)
{
	struct webhook_attempt_filter filter = { .type = NULL };
	struct editor ed = ctl_editor(c);
	struct uuid endpoint, newest = { { 0 } };
	int64_t limit = SHOWN;
	struct webhook_attempt *list;
	size_t i, count;
	json_t *rows;

	if (ctl_has(c, "failed"))
		filter.result = WEBHOOK_FAILED;
	if (ctl_number(c, "limit", 1, SHOWN_MAX, &limit, e) == -1 ||
	    read_id(c, 0, &endpoint, e) == -1 ||
	    webhook_attempt_list(&ed, endpoint, &filter, newest, (int)limit,
	        &list, &count, e) == -1)
		return -1;
	rows = json_array();
	for (i = 0; i < count; i++)
		json_array_append_new(rows, attempt_json(c, &list[i]));
	out_table(c, rows, attempt_columns, "nothing was posted to it");
	return 0;
}

/* ---- Changing -------------------------------------------------------------------- */

static bool
is_event(const char *name)
{
	size_t i;

	for (i = 0; webhook_event_names[i] != NULL; i++)
		if (strcmp(webhook_event_names[i], name) == 0)
			return true;
	return false;
}

static int
read_events(struct ctl *c, const char **events_r, struct err *e)
{
	struct buf *text = buf_new(c->a, EVENTS_BYTES);
	const char *name;
	size_t i = 0;

	while ((name = invocation_next(c->line, "event", &i)) != NULL) {
		if (!is_event(name))
			return choice_refuse(c->a, "event", name,
			    webhook_event_names, e);
		buf_printf(text, "%s%s", text->len > 0 ? "," : "", name);
	}
	*events_r = text->len > 0 ? text->data : "";
	return 0;
}

static int
check_url(struct ctl *c, const char *url, struct err *e)
{
	struct err wrong;

	if (webhook_url_check(c->config, url, &wrong) == 0)
		return 0;
	return err_set(e, ERR_INVALID, "the URL %s", wrong.text);
}

static int
check_ordered(const char *ordered, struct err *e)
{
	if (ordered == NULL || webhook_ordered_is_known(ordered))
		return 0;
	return err_set(e, ERR_INVALID, "\"%.60s\" is no order: write "
	    "\"notification\" or \"metadata.KEY\"", ordered);
}

static int
read_signature(struct ctl *c, enum webhook_signature *signature_r, struct err *e)
{
	const char *word = ctl_value(c, "signature");

	*signature_r = word != NULL ? webhook_signature_find(word)
	                            : tenant_webhook_signature(c->a, c->tenant);
	if (*signature_r == WEBHOOK_NO_SIGNATURE)
		return err_set(e, ERR_INVALID,
		    "\"%.60s\" is no signature: write \"v1\" or \"v1a\"", word);
	return 0;
}

static void
say_made(struct ctl *c, const struct webhook_endpoint *ep, const char *secret)
{
	bool pair = ep->signature == WEBHOOK_V1A;

	out_said(c,
	    json_pack("{s:s, s:s}", "id", id_text(c, &ep->id),
	        pair ? "public_key" : "secret", pair ? ep->public_key : secret),
	    "%s %s", id_text(c, &ep->id), pair ? ep->public_key : secret);
}

int
command_webhook_add(struct ctl *c, struct err *e)
{
	struct editor ed = ctl_editor(c);
	struct webhook_editor we;
	struct webhook_secrets secrets = { .secret = NULL };
	struct webhook_endpoint ep = {
		.url = ctl_argument(c, 0),
		.description = ctl_has(c, "description")
		    ? ctl_value(c, "description")
		    : "",
		.ordered = ctl_value(c, "ordered"),
	};

	if (check_url(c, ep.url, e) == -1 ||
	    check_ordered(ep.ordered, e) == -1 || read_events(c, &ep.events, e) == -1 ||
	    read_signature(c, &ep.signature, e) == -1 ||
	    ctl_number(c, "rate", 1, RATE_MAX, &ep.rate, e) == -1 ||
	    editor_of(c, &ed, &we, e) == -1)
		return -1;
	secrets.secret = webhook_secret_make(c->a, ep.signature == WEBHOOK_V1A,
	    &ep.public_key);
	if (webhook_endpoint_create(&we, &ep, &secrets, e) == -1)
		return -1;
	say_made(c, &ep, secrets.secret);
	return 0;
}

static int
find(struct ctl *c, struct webhook_endpoint **ep_r, struct err *e)
{
	struct uuid id;
	int rc;

	if (read_id(c, 0, &id, e) == -1)
		return -1;
	rc = webhook_endpoint_get(c->a, c->db, c->tenant->id, id, ep_r, e);
	if (rc == 0)
		return err_set(e, ERR_NOT_FOUND,
		    "there is no such webhook endpoint");
	return rc == 1 ? 0 : -1;
}

/* What the options say of the endpoint; the rest stays. */
static int
take_options(struct ctl *c, struct webhook_endpoint *ep, struct err *e)
{
	const char *event = ctl_value(c, "event");
	const char *rate = ctl_value(c, "rate");
	const char *ordered = ctl_value(c, "ordered");

	if (ctl_has(c, "url"))
		ep->url = ctl_value(c, "url");
	if (ctl_has(c, "description"))
		ep->description = ctl_value(c, "description");
	if (ordered != NULL)
		ep->ordered = strcmp(ordered, "none") == 0 ? NULL : ordered;
	if (check_url(c, ep->url, e) == -1 ||
	    check_ordered(ep->ordered, e) == -1)
		return -1;
	if (event != NULL && strcmp(event, "all") == 0)
		ep->events = "";
	else if (event != NULL && read_events(c, &ep->events, e) == -1)
		return -1;
	if (rate != NULL && strcmp(rate, "none") == 0)
		ep->rate = 0;
	else if (ctl_number(c, "rate", 1, RATE_MAX, &ep->rate, e) == -1)
		return -1;
	return 0;
}

/* The headers that are kept with what the options say of them; NULL: as they are. */
static int
take_headers(struct ctl *c, const json_t *kept, json_t **headers_r,
    struct err *e)
{
	json_t *headers, *value;
	const char *text, *end, *name;
	struct err wrong;
	size_t i = 0;

	*headers_r = NULL;
	if (!ctl_has(c, "header"))
		return 0;
	headers = js_keep(c->a, kept != NULL ? json_copy((json_t *)(uintptr_t)kept)
	                                     : json_object());
	while ((text = invocation_next(c->line, "header", &i)) != NULL) {
		end = strchrnul(text, '=');
		name = arena_strndup(c->a, text, (size_t)(end - text));
		value = js_keep(c->a, json_string(*end == '=' ? end + 1 : ""));
		if (*end == '\0' || end[1] == '\0')
			json_object_del(headers, name);
		else if (webhook_header_check(name, value, &wrong) == -1)
			return err_set(e, ERR_INVALID, "%s", wrong.text);
		else
			json_object_set(headers, name, value);
	}
	*headers_r = headers;
	return 0;
}

int
command_webhook_set(struct ctl *c, struct err *e)
{
	struct editor ed = ctl_editor(c);
	struct webhook_secrets secrets;
	struct webhook_endpoint *ep;
	struct webhook_editor we;
	json_t *headers;

	if (ctl_need_option(c, e) == -1 || find(c, &ep, e) == -1 ||
	    editor_of(c, &ed, &we, e) == -1 ||
	    webhook_secrets_open(c->a, we.ring, ed.tenant, ep->id, ep->sealed,
	        ep->sealed_bytes, &secrets, e) == -1 ||
	    take_options(c, ep, e) == -1 ||
	    take_headers(c, secrets.headers, &headers, e) == -1 ||
	    webhook_endpoint_update(&we, ep, headers, e) == -1)
		return -1;
	out_said(c, endpoint_json(c, ep), "the endpoint is changed");
	return 0;
}

int
command_webhook_rotate(struct ctl *c, struct err *e)
{
	struct editor ed = ctl_editor(c);
	struct webhook_editor we;
	struct webhook_endpoint *ep;
	int64_t overlap_ms = day_ms;
	const char *secret;

	if (ctl_duration(c, "overlap", &overlap_ms, e) == -1 ||
	    find(c, &ep, e) == -1 || editor_of(c, &ed, &we, e) == -1)
		return -1;
	secret = webhook_secret_make(c->a, ep->signature == WEBHOOK_V1A,
	    &ep->public_key);
	ep->version = 0;
	if (webhook_endpoint_rotate(&we, ep, secret, overlap_ms, e) == -1)
		return -1;
	say_made(c, ep, secret);
	return 0;
}

static int
set_state(struct ctl *c, enum webhook_state state, const char *word,
    struct err *e)
{
	struct editor ed = ctl_editor(c);
	struct webhook_editor we;
	struct uuid id;

	if (read_id(c, 0, &id, e) == -1 || editor_of(c, &ed, &we, e) == -1 ||
	    webhook_endpoint_set_state(&we, id, 0, state,
	        "an administrator disabled it", e) == -1)
		return -1;
	out_said(c, json_pack("{s:s, s:s}", "id", ctl_argument(c, 0), "state",
	    word), "the endpoint is %s", word);
	return 0;
}

int
command_webhook_enable(struct ctl *c, struct err *e)
{
	return set_state(c, WEBHOOK_ACTIVE, "active", e);
}

int
command_webhook_disable(struct ctl *c, struct err *e)
{
	return set_state(c, WEBHOOK_DISABLED, "disabled", e);
}

int
command_webhook_remove(struct ctl *c, struct err *e)
{
	struct editor ed = ctl_editor(c);
	struct webhook_editor we;
	struct uuid id;

	if (read_id(c, 0, &id, e) == -1 || editor_of(c, &ed, &we, e) == -1 ||
	    webhook_endpoint_remove(&we, id, 0, e) == -1)
		return -1;
	out_said(c, json_pack("{s:s, s:b}", "id", ctl_argument(c, 0), "removed",
	    1), "the endpoint is removed");
	return 0;
}

int
command_webhook_ping(struct ctl *c, struct err *e)
{
	struct editor ed = ctl_editor(c);
	struct webhook_editor we;
	struct uuid id, message;
	const char *text;

	if (read_id(c, 0, &id, e) == -1 || editor_of(c, &ed, &we, e) == -1 ||
	    webhook_endpoint_ping(&we, id, &message, e) == -1)
		return -1;
	text = webhook_id(c->a, &message);
	out_said(c, json_pack("{s:s}", "message", text),
	    "message %s is on its way: see \"webhook attempts\"", text);
	return 0;
}

int
command_webhook_redeliver(struct ctl *c, struct err *e)
{
	struct webhook_redelivery rd = { .failed = !ctl_has(c, "all") };
	struct editor ed = ctl_editor(c);
	int64_t count = 0;
	struct uuid id;

	if (read_id(c, 0, &id, e) == -1 ||
	    ctl_time_argument(c, 1, "SINCE", CTL_AGO, &rd.since_ms, e) == -1)
		return -1;
	do {
		if (webhook_redeliver(&ed, id, &rd, e) == -1)
			return -1;
		count += rd.count;
	} while (rd.more);
	out_said(c, json_pack("{s:I}", "count", (json_int_t)count),
	    "%lld messages are posted again", (long long)count);
	return 0;
}
