/*
 * send.c - belfryctl send
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The same way as over REST: the body is read by the same table, checked by the
 * same code and stored in the same transaction.
 */
#include <string.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/err.h"
#include "base/uuid.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/out.h"
#include "model/account.h"
#include "model/template.h"
#include "model/tenant.h"
#include "notify/accept.h"
#include "notify/sender.h"
#include "notify/send_request.h"
#include "notify/tenant_settings.h"
#include "web/field_form.h"
#include "web/js.h"

enum { DATA_BYTES_MAX = 1 << 20 };

/* An address, a number, or else the name that a service has for a user. */
static json_t *
recipient_json(const char *to)
{
	const char *member = "user_id";

	if (strchr(to, '@') != NULL)
		member = "email";
	else if (form_is_phone(to))
		member = "phone";
	return json_pack("{s:s}", member, to);
}

/* --data: JSON, or @FILE, or "-" for standard input. */
static int
read_data(struct ctl *c, json_t *body, struct err *e)
{
	const char *given = ctl_value(c, "data");
	char *text;
	size_t len;
	json_t *data;

	if (given == NULL)
		return 0;
	if (given[0] == '@' || strcmp(given, "-") == 0) {
		if (ctl_read_file(c->a, given[0] == '@' ? given + 1 : given,
		        DATA_BYTES_MAX, &text, &len, e) == -1)
			return -1;
	} else {
		text = arena_strdup(c->a, given);
		len = strlen(given);
	}
	if (js_parse(c->a, text, len, (int)c->config->api_json_depth, &data,
		e) == -1)
		return err_set(e, e->kind, "--data: %s",
		    arena_strdup(c->a, e->text));
	json_object_set(body, "data", data);
	return 0;
}

static int
make_body(struct ctl *c, json_t **body_r, struct err *e)
{
	json_t *body = js_keep(c->a, json_object()), *to = json_array(),
	       *channels = json_array();
	const char *text;
	size_t i = 0;

	while ((text = invocation_next(c->line, "to", &i)) != NULL)
		json_array_append_new(to, recipient_json(text));
	i = 0;
	while ((text = invocation_next(c->line, "channel", &i)) != NULL)
		json_array_append_new(channels, json_string(text));
	json_object_set_new(body, "to", to);
	if (json_array_size(channels) > 0)
		json_object_set(body, "channels", channels);
	json_decref(channels);
	if (ctl_has(c, "template"))
		json_object_set_new(body, "template",
		    json_string(ctl_value(c, "template")));
	if (ctl_has(c, "locale"))
		json_object_set_new(body, "locale",
		    json_string(ctl_value(c, "locale")));
	*body_r = body;
	return read_data(c, body, e);
}

/* Which account the notification belongs to. */
static int
find_account(struct ctl *c, struct account_id *id_r, struct err *e)
{
	const char *name = ctl_value(c, "account");
	struct account *account;
	int found;

	if (name == NULL)
		name = "service";
	found = account_find(c->a, c->db, c->tenant->id, name, &account, e);
	if (found == 0)
		return err_set(e, ERR_NOT_FOUND,
		    "there is no service account \"%.80s\": name one with "
		    "--account",
		    name);
	if (found == 1)
		*id_r = account->id;
	return found == 1 ? 0 : -1;
}

static int
find_template(struct ctl *c, const char *key,
    const struct template_head **head_r, struct err *e)
{
	struct template_head *head;
	int found;

	if (key == NULL)
		return err_set(e, ERR_INVALID, "--template is missing: "
		    "\"belfryctl template list\" lists them");
	found = template_head_find(c->a, c->db, c->tenant->id, key, &head, e);
	if (found == 0)
		return err_set(e, ERR_NOT_FOUND,
		    "there is no template \"%.63s\": \"belfryctl template list\" "
		    "lists them", key);
	if (found == 1 && head->version == 0)
		return err_set(e, ERR_UNPROCESSABLE,
		    "the template \"%.63s\" has no published version", key);
	if (found == 1)
		*head_r = head;
	return found == 1 ? 0 : -1;
}

static int
accept(struct ctl *c, struct accept_params *p, struct accept_result *result,
    struct err *e)
{
	struct send_request *request = arena_object(c->a, struct send_request);
	struct field_errors fe;

	field_errors_init(&fe, c->a);
	p->request = request;
	if (fields_read(c->a, p->body, &send_request_table, request, &fe) == -1)
		return ctl_refuse(c, &fe, "the notification has errors", e);
	if (find_template(c, request->template, &p->template, e) == -1)
		return -1;
	if (accept_check(c->a, p, &fe) == -1)
		return ctl_refuse(c, &fe, "the notification has errors", e);
	if (sender_check(c->a, p, &fe, e) == -1)
		return -1;
	return accept_notification(c->a, p, result, e);
}

int
command_send(struct ctl *c, struct err *e)
{
	struct buf *raw = buf_new(c->a, DATA_BYTES_MAX * 2);
	struct accept_params p = { .config = c->config,
		.db = c->db,
		.tenant = c->tenant->id };
	struct accept_result result;
	char request_id[UUID_TEXT_BYTES];
	struct uuid id = uuid_make();
	json_t *answer;

	if (!ctl_has(c, "to"))
		return err_set(e, ERR_INVALID, "--to is missing: usage: belfryctl "
		    "send --template KEY --to ADDRESS [--data JSON]");
	uuid_format(&id, request_id);
	p.forbidden =
	    tenant_rules_of(tenant_settings_read(c->a, c->tenant)).forbidden;
	if (make_body(c, &p.body, e) == -1 ||
	    find_account(c, &p.account, e) == -1)
		return -1;
	js_write(raw, p.body);
	p.raw = raw->data;
	p.raw_bytes = raw->len;
	p.request_id = request_id;
	p.idempotency_key = ctl_value(c, "idempotency-key");
	if (accept(c, &p, &result, e) == -1 ||
	    js_parse(c->a, result.body, strlen(result.body), 16, &answer, e) ==
		-1)
		return -1;
	out_said(c, json_incref(answer), "%s",
	    json_string_value(json_object_get(answer, "id")));
	return 0;
}
