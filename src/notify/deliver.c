/*
 * deliver.c - the third station: a delivery becomes a message
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "notify/deliver.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/err.h"
#include "base/link.h"
#include "base/uuid.h"
#include "db/db.h"
#include "db/week.h"
#include "model/suppression.h"
#include "model/template.h"
#include "model/template_render.h"
#include "model/unsubscribe.h"
#include "notify/book.h"
#include "notify/track.h"
#include "provider/html_text.h"
#include "provider/provider.h"
#include "web/js.h"

enum { JSON_DEPTH = 512 };

/* The columns of claim_lane after those of the notification. */
enum column {
	READY_SINCE = 15,
	ID = 23,
	NOTIFICATION,
	LEASE_NO,
	RECIPIENT_NO,
	CHANNEL,
	STATE,
	ATTEMPTS,
	COUNTED,
	CRASHES,
	USER_ID,
	ADDRESS,
	RECIPIENT,
	LOCALE,
	PROVIDER,
	CREATED,
	FAILOVERS,
	REVIVED,
	SUPPRESSED,
	TOLD
};

void
delivery_from_row(const struct db_rows *rows, int row, struct notification *n,
    struct delivery *d_r)
{
	n->id.u = db_uuid(rows, row, NOTIFICATION);
	*d_r = (struct delivery){
		.notification = n,
		.id = { db_uuid(rows, row, ID) },
		.recipient_no = (int)db_int(rows, row, RECIPIENT_NO),
		.channel = (enum channel)db_int(rows, row, CHANNEL),
		.state = (enum delivery_state)db_int(rows, row, STATE),
		.prio = n->priority,
		.lease_no = (int)db_int(rows, row, LEASE_NO) + 1,
		.attempt = (int)db_int(rows, row, ATTEMPTS) + 1,
		.counted = (int)db_int(rows, row, COUNTED),
		.user_id = db_text(rows, row, USER_ID),
		.address = db_text(rows, row, ADDRESS),
		.recipient = db_text(rows, row, RECIPIENT),
		.locale = db_text(rows, row, LOCALE),
		.created_ms = db_time_ms(rows, row, CREATED),
		.ready_ms = db_time_ms(rows, row, READY_SINCE),
		.failovers = (int)db_int(rows, row, FAILOVERS),
		.crashes = (int)db_int(rows, row, CRASHES),
		.suppressed = db_bool(rows, row, SUPPRESSED),
		.told = (enum told)db_int(rows, row, TOLD),
	};
	d_r->aged_from_ms = db_is_null(rows, row, REVIVED)
	    ? d_r->created_ms
	    : db_time_ms(rows, row, REVIVED);
	if (d_r->state == 0)
		n->corrupt = "the delivery itself is gone";
	else if (d_r->address == NULL)
		n->corrupt = "it has no address";
}

void
deliver_write_add(struct arena *a, struct db_batch *b, struct tenant_id tenant,
    const struct uuid *spooler, const struct delivery *list, size_t count)
{
	struct db_array *notifications = db_array_new(a), *ids = db_array_new(a),
	                *leases = db_array_new(a), *attempts = db_array_new(a),
	                *providers = db_array_new(a);
	int week = week_of(&list[0].notification->id.u);
	size_t i;

	for (i = 0; i < count; i++) {
		week = week_same(week, &list[i].notification->id.u);
		db_array_uuid(notifications, &list[i].notification->id.u);
		db_array_uuid(ids, &list[i].id.u);
		db_array_int(leases, list[i].lease_no);
		db_array_int(attempts, list[i].attempt);
		db_array_uuid(providers, list[i].provider != NULL
		        ? &list[i].provider->id.u
		        : NULL);
	}
	db_add_weekly(b, Q_LANE_WRITE, week);
	db_arg_int(b, tenant.n);
	db_arg_uuid(b, spooler);
	db_arg_int(b, list[0].channel);
	db_arg_int(b, list[0].prio);
	db_arg_array(b, notifications);
	db_arg_array(b, ids);
	db_arg_array(b, leases);
	db_arg_array(b, attempts);
	db_arg_array(b, providers);
}

void
deliver_return_add(struct arena *a, struct db_batch *b, struct tenant_id tenant,
    const struct delivery *list, size_t count)
{
	struct db_array *v[5];
	size_t i;

	for (i = 0; i < NELEMS(v); i++)
		v[i] = db_array_new(a);
	for (i = 0; i < count; i++) {
		db_array_uuid(v[0], &list[i].notification->id.u);
		db_array_uuid(v[1], &list[i].id.u);
		db_array_int(v[2], list[i].lease_no - 1);
		db_array_time_ms(v[3], list[i].ready_ms);
		db_array_int(v[4], list[i].put_off_ms);
	}
	db_add(b, Q_LANE_RETURN);
	db_arg_int(b, tenant.n);
	db_arg_int(b, list[0].channel);
	db_arg_int(b, list[0].prio);
	for (i = 0; i < NELEMS(v); i++)
		db_arg_array(b, v[i]);
}

/* ---- Data ----------------------------------------------------------------------- */

json_t *
deliver_data(struct arena *a, struct notification *n, const char *recipient,
    const struct page *page, struct err *e)
{
	json_t *to, *data, *own;

	if (n->data_json == NULL && n->data != NULL &&
	    js_parse(n->a, n->data, strlen(n->data), JSON_DEPTH, &n->data_json,
	        e) == -1)
		return NULL;
	if (recipient == NULL)
		recipient = "{}";
	if (js_parse(a, recipient, strlen(recipient), JSON_DEPTH, &to, e) == -1)
		return NULL;
	data = n->data_json != NULL ? json_copy(n->data_json) : json_object();
	js_keep(a, data);
	own = json_object_get(to, "data");
	if (own != NULL)
		json_object_update(data, own);
	if (json_object_get(data, "recipient") == NULL)
		json_object_set(data, "recipient", to);
	json_object_update_missing(data, page->variables);
	return data;
}

/* ---- Rendering ------------------------------------------------------------------ */

struct rendering {
	struct arena *a;
	const struct config *config;
	struct template_rendering how;
	enum channel channel;
};

/* One part, or NULL in *text_r when the template has none. */
static int
render_part(const struct rendering *rn, enum template_part part,
    const char **text_r, struct err *e)
{
	struct buf *out = buf_new(rn->a, (size_t)rn->config->template_output_max);
	struct template_trouble t;
	int rc = template_render(&rn->how, part, out, NULL, &t);

	*text_r = rc == 1 ? out->data : NULL;
	if (rc != -1)
		return 0;
	if (t.tpl == rn->how.tpl || t.tpl == NULL)
		return err_set(e, ERR_UNPROCESSABLE,
		    "part \"%s\" of the template, line %d, column %d: %s",
		    template_part_name(part), t.e.line, t.e.column, t.e.text);
	return err_set(e, ERR_UNPROCESSABLE,
	    "part \"%s\" of \"%s\", line %d, column %d: %s",
	    template_part_name(part), t.tpl->key, t.e.line, t.e.column,
	    t.e.text);
}

/* Subjects and text messages: without the line end that files have. */
static const char *
trimmed(struct arena *a, const char *text)
{
	size_t n;

	if (text == NULL)
		return NULL;
	text += strspn(text, " \t\r\n");
	n = strlen(text);
	while (n > 0 && strchr(" \t\r\n", text[n - 1]) != NULL)
		n--;
	return arena_strndup(a, text, n);
}

static int
render_email(const struct rendering *rn, struct message *m, struct err *e)
{
	struct buf *text;

	if (render_part(rn, TEMPLATE_EMAIL_SUBJECT, &m->subject, e) == -1 ||
	    render_part(rn, TEMPLATE_EMAIL_HTML, &m->html, e) == -1 ||
	    render_part(rn, TEMPLATE_EMAIL_TEXT, &m->text, e) == -1)
		return -1;
	m->subject = trimmed(rn->a, m->subject);
	if (m->text == NULL && m->html != NULL) {
		text = buf_new(rn->a, (size_t)rn->config->template_output_max);
		html_text(text, m->html, strlen(m->html));
		m->text = text->data;
	}
	if (m->subject == NULL || m->text == NULL)
		return err_set(e, ERR_UNPROCESSABLE, "the template has no "
		    "subject or no body for e-mail");
	return 0;
}

static int
render_text(const struct rendering *rn, enum template_part part,
    struct message *m, struct err *e)
{
	if (render_part(rn, part, &m->text, e) == -1)
		return -1;
	m->text = trimmed(rn->a, m->text);
	return 0;
}

static int
render_channel(const struct rendering *rn, struct message *m, struct err *e)
{
	switch (rn->channel) {
	case CHANNEL_EMAIL:
		return render_email(rn, m, e);
	case CHANNEL_SMS:
		return render_text(rn, TEMPLATE_SMS, m, e);
	case CHANNEL_CHAT:
		return render_text(rn, TEMPLATE_CHAT, m, e);
	case CHANNEL_PUSH:
		return render_part(rn, TEMPLATE_PUSH_JSON, &m->json, e);
	case CHANNEL_INAPP:
		return render_part(rn, TEMPLATE_INAPP_JSON, &m->json, e);
	case CHANNEL_WHATSAPP:
		return render_part(rn, TEMPLATE_WHATSAPP_JSON, &m->json, e);
	case CHANNEL_WEBHOOK:
		return render_part(rn, TEMPLATE_WEBHOOK_JSON, &m->json, e);
	case CHANNEL_NONE:
	case CHANNEL_COUNT:
	default:
		return err_set(e, ERR_UNPROCESSABLE,
		    "nothing can be rendered for this channel");
	}
}

/* Where the account's provider may report what became of it. */
static void
set_hook(struct arena *a, const struct config *config, const struct page *page,
    const struct delivery *d, struct message *m)
{
	char id[UUID_TEXT_BYTES];

	if (config->api_public_url[0] != '\0')
		m->public_url = config->api_public_url;
	if (d->provider == NULL || d->provider->ops->receive == NULL)
		return;
	m->shared = d->provider->owner.n != page->tenant.n;
	uuid_format(&d->provider->id.u, id);
	m->hook_path = arena_printf(a, "/hooks/%s/%s", page->slug, id);
}

/* Whether it carries a link that ends those of its category. */
static bool
is_list(const struct config *config, const struct notification *n)
{
	return (n->template->unsubscribe || n->priority == PRIORITY_BULK) &&
	    n->category != NULL && n->category[0] != '\0' &&
	    config->api_public_url[0] != '\0';
}

/* The link, for the message and for templates as {{unsubscribe_url}}. */
static int
set_unsubscribe(struct arena *a, const struct page *page,
    const struct delivery *d, json_t *data, struct message *m, struct err *e)
{
	const struct unsubscribe u = {
		.tenant = page->tenant,
		.notification = d->notification->id,
		.delivery = d->id,
		.channel = d->channel,
		.address = suppression_address(a, d->address),
		.category = d->notification->category,
		.locale = d->locale != NULL ? d->locale : "",
	};
	const char *token;

	if (unsubscribe_token(a, page->ring, &u, &token, e) == -1)
		return -1;
	m->unsubscribe_url = arena_printf(a, "%s/u/%s",
	    hook_base(a, m->public_url), token);
	if (json_object_get(data, "unsubscribe_url") == NULL)
		json_object_set_new(data, "unsubscribe_url",
		    json_string(m->unsubscribe_url));
	return 0;
}

/* What goes with a text message; only the content itself can say. */
static void
set_media(struct arena *a, const struct notification *n, struct message *m)
{
	json_t *content, *media;
	const char **list;
	struct err e;
	size_t i;

	if (n->content == NULL || strstr(n->content, "\"media\"") == NULL ||
	    js_parse(a, n->content, strlen(n->content), JSON_DEPTH, &content,
	        &e) == -1)
		return;
	media = json_object_get(json_object_get(content, "sms"), "media");
	list = arena_zalloc(a, json_array_size(media), sizeof(*list));
	for (i = 0; i < json_array_size(media); i++)
		if (json_is_string(json_array_get(media, i)))
			list[m->media_count++] =
			    json_string_value(json_array_get(media, i));
	m->media = list;
}

/* What a notification says goes before its template, and that before the tenant. */
static bool
is_wished(const json_t *asked, const struct notification *n, const char *name,
    bool otherwise)
{
	const json_t *v = json_object_get(asked, name);

	if (v == NULL)
		v = json_object_get(n->template->tracking, name);
	return json_is_boolean(v) ? json_is_true(v) : otherwise;
}

/* What is opened and followed becomes known, where somebody wants that. */
static void
track(const struct rendering *rn, const struct page *page,
    const struct notification *n, struct message *m)
{
	const struct link l = { m->tenant, m->notification, m->delivery, "" };
	json_t *asked = NULL;
	struct err e;
	struct track_params p = {
		.ring = page->ring,
		.link = &l,
		.max_bytes = 2 * (size_t)rn->config->template_output_max,
	};

	if (n->tracking != NULL && js_parse(rn->a, n->tracking,
	                               strlen(n->tracking), JSON_DEPTH, &asked,
	                               &e) == -1)
		asked = NULL;
	p.opens = is_wished(asked, n, "opens", page->rules.opens);
	p.clicks = is_wished(asked, n, "clicks", page->rules.clicks);
	if (m->public_url == NULL || page->ring == NULL ||
	    (!p.opens && !p.clicks))
		return;
	p.public_url = hook_base(rn->a, m->public_url);
	m->html = track_html(rn->a, &p, m->html);
}

int
deliver_render(struct arena *a, const struct config *config,
    const struct page *page, const struct delivery *d, struct message *m_r,
    struct err *e)
{
	struct notification *n = d->notification;
	struct rendering rn = { .a = a, .config = config,
		.channel = d->channel,
		.how = { .tpl = n->template,
		    .wish = { d->locale, page->default_locale },
		    .now_ms = n->created_ms } };
	json_t *data = deliver_data(a, n, d->recipient, page, e);
	const json_t *to;

	if (data == NULL)
		return -1;
	rn.how.data = data;
	to = json_object_get(data, "recipient");
	rn.how.time_zone = json_string_value(json_object_get(to, "time_zone"));
	if (rn.how.time_zone == NULL)
		rn.how.time_zone = page->time_zone;
	template_rendering_limit(&rn.how, config);
	*m_r = (struct message){
		.tenant = page->tenant,
		.notification = n->id,
		.delivery = d->id,
		.attempt = d->attempt,
		.created_ms = uuid_time_ms(&d->id.u),
		.address = d->address,
		.name = json_string_value(json_object_get(to, "name")),
		.locale = d->locale,
		.traceparent = n->traceparent,
		.category = n->category != NULL ? n->category : "",
		.template_key = n->template->key,
		.from = n->template->from,
		.ring = page->ring,
		.tenant_slug = page->slug,
	};
	set_hook(a, config, page, d, m_r);
	if (is_list(config, n) &&
	    set_unsubscribe(a, page, d, data, m_r, e) == -1)
		return -1;
	if (d->channel == CHANNEL_SMS)
		set_media(a, n, m_r);
	if (render_channel(&rn, m_r, e) == -1)
		return -1;
	if (m_r->html != NULL)
		track(&rn, page, n, m_r);
	return 0;
}
