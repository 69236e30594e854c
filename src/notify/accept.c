/*
 * accept.c - the first station: a notification becomes durable
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "notify/accept.h"

#include <string.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/metrics.h"
#include "db/db.h"
#include "model/channel.h"
#include "model/known.h"
#include "model/overload.h"
#include "model/quiet_hours.h"
#include "model/template.h"
#include "model/template_compile.h"
#include "net/doorbell.h"
#include "notify/express.h"
#include "notify/fallback.h"
#include "notify/prefix_limit.h"
#include "notify/send_request.h"
#include "notify/variables.h"
#include "notify/work.h"
#include "template/hbs.h"
#include "web/field.h"
#include "web/js.h"

enum { HASH_BYTES = 32, KEY_BYTES = 16, KEY_ARGS = 5 };

static const int64_t YEAR_MS = 366LL * 24 * 3600 * 1000;

/* ---- Checks ----------------------------------------------------------------- */

/* Where the recipient stands: a single one needs no list. */
static const char *
to_pointer(struct arena *a, const struct accept_params *p, size_t i)
{
	return json_is_array(json_object_get(p->body, "to"))
	    ? arena_printf(a, "/to/%zu", i)
	    : "/to";
}

static void
check_quiet(struct arena *a, const struct accept_params *p, size_t i,
    struct field_errors *fe)
{
	const json_t *json = p->request->to[i].quiet_hours;
	struct quiet_hours hours;
	const char *fault;

	if (json != NULL && quiet_hours_read(json, &hours, &fault) == -1)
		field_errors_add(fe,
		    arena_printf(a, "%s/quiet_hours", to_pointer(a, p, i)),
		    FIELD_ERR_MALFORMED, "%s", fault);
}

static void
check_recipients(struct arena *a, const struct accept_params *p,
    struct field_errors *fe)
{
	const struct send_request *rq = p->request;
	const struct send_recipient *to;
	size_t i;

	if (rq->to_count > (size_t)p->config->api_recipients_max)
		field_errors_add(fe, "/to", FIELD_ERR_TOO_LONG,
		    "at most %d recipients go into one request; use a batch",
		    (int)p->config->api_recipients_max);
	for (i = 0; i < rq->to_count; i++) {
		to = &rq->to[i];
		check_quiet(a, p, i, fe);
		if (to->user_id == NULL && to->email == NULL &&
		    to->phone == NULL && to->push_token == NULL)
			field_errors_add(fe, to_pointer(a, p, i),
			    FIELD_ERR_MISSING,
			    "one of user_id, email, phone and push_token must be "
			    "given");
	}
}

static void
check_text(const char *pointer, const char *text, struct field_errors *fe)
{
	struct hbs_template *tpl;
	struct hbs_error fault;

	if (text == NULL)
		return;
	if (template_compile(text, strlen(text), &tpl, &fault) == -1) {
		field_errors_add(fe, pointer, FIELD_ERR_MALFORMED,
		    "line %d, column %d: %s", fault.line, fault.column,
		    fault.text);
		return;
	}
	hbs_free(&tpl);
}

static const char *
json_text(struct arena *a, const json_t *json)
{
	struct buf *out;

	if (json == NULL || json_is_null(json))
		return NULL;
	out = buf_new(a, 64 << 20);
	js_write(out, json);
	return out->data;
}

/* What is sent as JSON is one template, whose texts stand in it as JSON has them. */
static void
check_object(struct arena *a, const struct accept_params *p,
    const char *channel, struct field_errors *fe)
{
	const json_t *content = json_object_get(p->body, "content");

	check_text(arena_printf(a, "/content/%s", channel),
	    json_text(a, json_object_get(content, channel)), fe);
}

/* A message of texts: each compiles by itself, and all of it as the part it becomes. */
static void
check_texts(struct arena *a, const struct accept_params *p, const char *channel,
    const char *const *names, struct field_errors *fe)
{
	const json_t *content = json_object_get(p->body, "content"), *part;
	size_t before = fe->count;

	part = json_object_get(content, channel);
	for (; part != NULL && *names != NULL; names++)
		check_text(arena_printf(a, "/content/%s/%s", channel, *names),
		    json_string_value(json_object_get(part, *names)), fe);
	if (part != NULL && fe->count == before)
		check_object(a, p, channel, fe);
}

static void
check_push(const struct send_push *push, struct field_errors *fe)
{
	if (push != NULL && push->title == NULL && push->body == NULL &&
	    push->data == NULL)
		field_errors_add(fe, "/content/push", FIELD_ERR_MISSING,
		    "one of title, body and data must be given");
}

/* Inline content is a template of its own: what does not compile is not accepted. */
static void
check_content(struct arena *a, const struct accept_params *p,
    struct field_errors *fe)
{
	static const char *const texts[] = { "title", "body", "url", "image",
		"collapse_key", NULL };
	const struct send_content *c = p->request->content;

	if (c == NULL)
		return;
	if (c->email != NULL) {
		check_text("/content/email/subject", c->email->subject, fe);
		check_text("/content/email/html", c->email->html, fe);
		check_text("/content/email/text", c->email->text, fe);
	}
	if (c->sms != NULL)
		check_text("/content/sms/text", c->sms->text, fe);
	if (c->chat != NULL)
		check_text("/content/chat/text", c->chat->text, fe);
	if (c->unsubscribe && p->request->category == NULL)
		field_errors_add(fe, "/category", FIELD_ERR_MISSING,
		    "with /content/unsubscribe it must be given: it is what "
		    "ends");
	check_push(c->push, fe);
	check_texts(a, p, "push", texts, fe);
	check_texts(a, p, "inapp", texts, fe);
	check_object(a, p, "whatsapp", fe);
	check_object(a, p, "webhook", fe);
}

static unsigned
content_channels(const struct send_content *c)
{
	unsigned channels = 0;

	if (c->email != NULL)
		channels |= 1u << CHANNEL_EMAIL;
	if (c->sms != NULL)
		channels |= 1u << CHANNEL_SMS;
	if (c->push != NULL)
		channels |= 1u << CHANNEL_PUSH;
	if (c->inapp != NULL)
		channels |= 1u << CHANNEL_INAPP;
	if (c->whatsapp != NULL)
		channels |= 1u << CHANNEL_WHATSAPP;
	if (c->webhook != NULL)
		channels |= 1u << CHANNEL_WEBHOOK;
	if (c->chat != NULL)
		channels |= 1u << CHANNEL_CHAT;
	return channels;
}

unsigned
accept_parts(const struct accept_params *p)
{
	return p->template != NULL ? p->template->channels
	                           : content_channels(p->request->content);
}

static void
check_channels(struct arena *a, const struct accept_params *p,
    struct field_errors *fe)
{
	const struct send_request *rq = p->request;
	unsigned has = accept_parts(p);
	size_t i;

	if (has == 0)
		field_errors_add(fe, "/content", FIELD_ERR_MISSING,
		    "the content of at least one channel must be given");
	if (has != 0 && (has & ~p->forbidden) == 0)
		field_errors_add(fe,
		    p->template != NULL ? "/template" : "/content",
		    FIELD_ERR_NOT_ALLOWED,
		    "it has parts for channels alone that the tenant may not "
		    "send by");
	for (i = 0; i < rq->channels_count; i++)
		if ((p->forbidden & 1u << (rq->channels[i] + 1)) != 0)
			field_errors_add(fe, arena_printf(a, "/channels/%zu", i),
			    FIELD_ERR_NOT_ALLOWED,
			    "the tenant may not send by %s",
			    channel_names[rq->channels[i]]);
		else if ((has & 1u << (rq->channels[i] + 1)) == 0)
			field_errors_add(fe, arena_printf(a, "/channels/%zu", i),
			    FIELD_ERR_NOT_ALLOWED,
			    "there is no part for %s in the %s",
			    channel_names[rq->channels[i]],
			    p->template != NULL ? "template" : "content");
	if (rq->content != NULL && rq->content->email != NULL &&
	    rq->content->email->html == NULL && rq->content->email->text == NULL)
		field_errors_add(fe, "/content/email", FIELD_ERR_MISSING,
		    "one of html and text must be given");
}

static void
check_times(const struct accept_params *p, struct field_errors *fe)
{
	const struct send_request *rq = p->request;
	int64_t now = clock_wall_ms();

	if (rq->send_at > now + YEAR_MS)
		field_errors_add(fe, "/send_at", FIELD_ERR_TOO_LARGE,
		    "it is more than a year ahead");
	if (json_object_get(p->body, "expires_at") == NULL)
		return;
	if (rq->expires_at <= now)
		field_errors_add(fe, "/expires_at", FIELD_ERR_TOO_SMALL,
		    "it is over already");
	else if (rq->expires_at <= rq->send_at)
		field_errors_add(fe, "/expires_at", FIELD_ERR_TOO_SMALL,
		    "it is not after send_at");
}

int
accept_check(struct arena *a, const struct accept_params *p,
    struct field_errors *fe)
{
	size_t before = fe->count;

	check_recipients(a, p, fe);
	if (p->template != NULL || p->request->content != NULL) {
		variables_check(a, p, fe);
		check_channels(a, p, fe);
		fallback_check(a, p->request, accept_parts(p) & ~p->forbidden,
		    fe);
		check_content(a, p, fe);
	}
	check_times(p, fe);
	attachments_check(a, p, fe);
	return fe->count == before ? 0 : -1;
}

/* ---- The transaction -------------------------------------------------------- */

/* "to" as a list, also when a single recipient stood there. */
static const char *
recipients_text(struct arena *a, const json_t *to)
{
	const char *text = json_text(a, to);

	return json_is_array(to) ? text : arena_printf(a, "[%s]", text);
}

static const char *
channels_text(struct arena *a, const struct send_request *rq)
{
	struct buf *out;
	size_t i;

	if (rq->channels_count == 0)
		return NULL;
	out = buf_new(a, 256);
	for (i = 0; i < rq->channels_count; i++)
		buf_printf(out, "%s%s", i > 0 ? "," : "",
		    channel_names[rq->channels[i]]);
	return out->data;
}

/* The request's order, or the template's when nothing else was asked for. */
static const char *
fallback_text(struct arena *a, const struct accept_params *p)
{
	const json_t *asked = json_object_get(p->body, "fallback");

	if (asked != NULL)
		return json_text(a, asked);
	return p->template != NULL && p->request->channels_count == 0
	    ? p->template->fallback
	    : NULL;
}

/* What the database and the stations after this one get to see of it. */
void
accept_describe(struct arena *a, const struct accept_params *p,
    struct notification *n_r)
{
	const struct send_request *rq = p->request;
	const struct template_head *tpl = p->template;
	size_t i;

	*n_r = (struct notification){
		.a = a,
		.id = { uuid_make() },
		.priority = rq->priority,
		.category = rq->category != NULL ? rq->category
		                                 : tpl != NULL ? tpl->category
		                                               : "",
		.locale = rq->locale,
		.channels = channels_text(a, rq),
		.fallback = fallback_text(a, p),
		.content = json_text(a, json_object_get(p->body, "content")),
		.recipients =
		    recipients_text(a, json_object_get(p->body, "to")),
		.data = json_text(a, rq->data),
		.expires_ms = rq->expires_at,
		.traceparent = p->traceparent,
		.test = p->test,
		.attaches = rq->attachments_count > 0,
	};
	if (rq->tracking != NULL)
		n_r->tracking =
		    json_text(a, json_object_get(p->body, "tracking"));
	n_r->created_ms = uuid_time_ms(&n_r->id.u);
	if (tpl != NULL) {
		n_r->template_id = tpl->id;
		n_r->template_version = tpl->version;
		n_r->template_release = tpl->release;
		n_r->quiet_exempt = tpl->quiet_exempt;
	}
	for (i = 0; i < rq->to_count; i++)
		if (rq->to[i].user_id != NULL)
			n_r->user_ids = rq->to[i].user_id;
}

static void
arg_user_ids(struct arena *a, struct db_batch *b, const struct send_request *rq)
{
	struct db_array *ids = NULL;
	size_t i;

	for (i = 0; i < rq->to_count; i++) {
		if (rq->to[i].user_id == NULL)
			continue;
		if (ids == NULL)
			ids = db_array_new(a);
		db_array_text(ids, rq->to[i].user_id);
	}
	if (ids == NULL)
		db_arg_null(b);
	else
		db_arg_array(b, ids);
}

static void
add_notification(struct arena *a, struct db_batch *b,
    const struct accept_params *p, const struct notification *n, bool express)
{
	const struct send_request *rq = p->request;
	bool later = rq->send_at > n->created_ms;

	db_add(b, express ? Q_ACCEPT_EXPRESS
	              : later ? Q_ACCEPT_LATER
	                      : Q_ACCEPT_NOW);
	db_arg_int(b, p->tenant.n);
	db_arg_uuid(b, &n->id.u);
	db_arg_int(b, n->priority);
	db_arg_uuid(b, &p->account.u);
	db_arg_uuid(b, p->template != NULL ? &n->template_id.u : NULL);
	if (p->template != NULL)
		db_arg_int(b, n->template_version);
	else
		db_arg_null(b);
	db_arg_text(b, n->category);
	db_arg_text(b, n->locale);
	db_arg_text(b, n->channels);
	db_arg_text(b, n->fallback);
	db_arg_text(b, n->content);
	db_arg_text(b, n->recipients);
	arg_user_ids(a, b, rq);
	db_arg_text(b, n->data);
	db_arg_text(b, json_text(a, rq->metadata));
	db_arg_text(b, json_text(a, json_object_get(p->body, "attachments")));
	db_arg_time_ms(b, later ? rq->send_at : 0);
	db_arg_time_ms(b, n->expires_ms);
	db_arg_text(b, p->request_id);
	db_arg_text(b, n->traceparent);
	db_arg_time_ms(b, n->created_ms);
	if (n->template_release != 0)
		db_arg_int(b, n->template_release);
	else
		db_arg_null(b);
	db_arg_bool(b, n->quiet_exempt);
}

static void
hash(uint8_t *out, size_t out_bytes, const void *p, size_t n)
{
	ensure(crypto_generichash(out, out_bytes, p, n, NULL, 0) == 0);
}

/* The key is the account's: two services may use the same text. */
static const uint8_t *
key_hash(struct arena *a, const struct accept_params *p)
{
	uint8_t *out = arena_alloc(a, KEY_BYTES);
	struct buf *text = buf_new(a, 4096);

	buf_add(text, p->account.u.b, sizeof(p->account.u.b));
	buf_printf(text, "send %s", p->idempotency_key);
	hash(out, KEY_BYTES, text->data, text->len);
	return out;
}

/* The arguments after those: the key and the answer that belongs to it. */
static void
add_key(struct arena *a, struct db_batch *b, const struct accept_params *p,
    const struct accept_result *result)
{
	uint8_t *body_hash;
	int i;

	if (p->idempotency_key == NULL) {
		for (i = 0; i < KEY_ARGS; i++)
			db_arg_null(b);
		return;
	}
	body_hash = arena_alloc(a, HASH_BYTES);
	hash(body_hash, HASH_BYTES, p->raw, p->raw_bytes);
	db_arg_bytes(b, key_hash(a, p), KEY_BYTES);
	db_arg_bytes(b, body_hash, HASH_BYTES);
	db_arg_int(b, result->status);
	db_arg_text(b, result->location);
	db_arg_text(b, result->body);
}

/* What is read here may be committed and not yet confirmed by a standby, when the wait for
 * that was cut short.  This transaction's COMMIT waits for both. */
static void
add_confirmation(struct db_batch *b)
{
	db_add(b, Q_ACCEPT_CONFIRM);
}

/* The key was used before: gives the same answer again, to the same request.  1; 0 when the
 * key has expired and may be used again; -1. */
static int
replay(struct arena *a, const struct accept_params *p,
    struct accept_result *result_r, struct err *e)
{
	struct db_batch *b = db_batch_new(a, p->tenant, DB_ONE);
	struct db_rows **rows;
	uint8_t body_hash[HASH_BYTES];
	const void *stored;
	size_t n;

	db_add(b, Q_IDEMPOTENCY_GET);
	db_arg_int(b, p->tenant.n);
	db_arg_bytes(b, key_hash(a, p), KEY_BYTES);
	db_arg_int(b, p->config->api_idempotency_ttl);
	add_confirmation(b);
	if (db_run(p->db, a, b, &rows, e) == -1)
		return -1;
	if (db_count(rows[0]) == 0)
		return 0;
	hash(body_hash, sizeof(body_hash), p->raw, p->raw_bytes);
	stored = db_bytes(a, rows[0], 0, 0, &n);
	if (n != sizeof(body_hash) || memcmp(stored, body_hash, n) != 0)
		return err_set(e, ERR_KEY_REUSED, "the idempotency key was used "
		    "for a request with another body");
	result_r->replayed = true;
	result_r->status = (int)db_int(rows[0], 0, 1);
	result_r->location = db_text(rows[0], 0, 2);
	result_r->body = db_text(rows[0], 0, 3);
	metrics_add(METRIC_IDEMPOTENT_REPLAYS_TOTAL, 0, 1);
	return 1;
}

/* COMMIT was sent and its answer lost: what does the database have?  0 when the
 * notification is there, -1 when it is not or nobody answers. */
static int
look(struct arena *a, const struct accept_params *p,
    const struct notification_id *id, struct err *e)
{
	struct db_batch *b = db_batch_new(a, p->tenant, DB_ONE);
	struct db_rows **rows;
	struct err db_e;

	db_add(b, Q_NOTIFICATION_EXISTS);
	db_arg_int(b, p->tenant.n);
	db_arg_uuid(b, &id->u);
	add_confirmation(b);
	if (db_run(p->db, a, b, &rows, &db_e) == -1)
		return -1;
	if (db_count(rows[0]) > 0)
		return 0;
	return err_set(e, ERR_TEMPORARY,
	    "the connection to the database was lost: nothing was accepted");
}

static void
answer(struct arena *a, const struct accept_params *p,
    const struct notification_id *id, struct accept_result *result_r)
{
	char id_text[UUID_TEXT_BYTES], at[CLOCK_TEXT_BYTES];

	uuid_format(&id->u, id_text);
	clock_format(uuid_time_ms(&id->u), at);
	result_r->replayed = false;
	result_r->status = 202;
	result_r->location = arena_printf(a,
	    "%s/api/v1/services/notifications/%s", p->config->api_url_prefix,
	    id_text);
	result_r->body = arena_printf(a,
	    "{\"id\":\"%s\",\"state\":\"accepted\",\"recipients\":%zu,"
	    "\"created_at\":\"%s\"}",
	    id_text, p->request->to_count, at);
}

/* Its way past the queue, or NULL. */
static struct express *
take_express(struct arena *a, const struct accept_params *p,
    struct notification *n)
{
	struct express_params params = {
		.config = p->config,
		.known = p->known,
		.tenant = p->tenant,
		.channels = accept_parts(p),
	};

	if (p->known == NULL || p->test || p->request->attachments_count > 0 ||
	    p->request->send_at > n->created_ms)
		return NULL;
	return express_take(a, &params, n);
}

/* The spooler is told before the answer goes out: it has more to do. */
static void
tell(const struct accept_params *p, struct express *x)
{
	if (x != NULL)
		express_hand(x);
	else
		doorbell_ring(p->config->spooler_doorbell, p->tenant,
		    QUEUE(LANE_ROUTE, p->request->priority));
}

static int
store(struct arena *a, const struct accept_params *p,
    const struct accept_result *result, const struct notification *n,
    const struct express *x, struct err *e)
{
	struct db_batch *b = db_batch_new(a, p->tenant, DB_ONE);

	if (p->known != NULL && !known_webhooks(p->known, p->tenant))
		db_batch_untold(b);
	add_notification(a, b, p, n, x != NULL);
	add_key(a, b, p, result);
	if (x != NULL)
		db_arg_int(b, express_count(x));
	else
		db_arg_bool(b, p->test);
	db_arg_text(b, n->tracking);
	if (x != NULL)
		express_write_add(a, b, x);
	return db_run(p->db, a, b, NULL, e);
}

/* ---- Numbers that begin alike -------------------------------------------------- */

static bool
may_text(const struct accept_params *p)
{
	const struct send_request *rq = p->request;
	unsigned may = accept_parts(p) & ~p->forbidden, asked = 0;
	size_t i;

	for (i = 0; i < rq->channels_count; i++)
		asked |= 1u << (rq->channels[i] + 1);
	if (rq->channels_count > 0)
		may &= asked;
	return (may & (1u << CHANNEL_SMS | 1u << CHANNEL_WHATSAPP)) != 0;
}

/* The numbers that came with the request and may get a message, or NULL for none; the
 * spooler counts those that are looked up. */
static const char **
numbers_of(struct arena *a, const struct accept_params *p)
{
	const struct send_request *rq = p->request;
	const char **numbers;
	size_t i;

	if (p->prefixes == NULL || !may_text(p))
		return NULL;
	numbers = arena_zalloc(a, rq->to_count, sizeof(*numbers));
	for (i = 0; i < rq->to_count; i++)
		numbers[i] = rq->to[i].phone;
	return numbers;
}

static int
take_prefixes(struct arena *a, const struct accept_params *p,
    const char *const *numbers, struct accept_result *result_r, struct err *e)
{
	size_t which;

	if (numbers == NULL ||
	    prefix_limit_take(a, p->prefixes, numbers, p->request->to_count,
	        &result_r->limit, &which))
		return 0;
	result_r->pointer = to_pointer(a, p, which);
	return err_set(e, ERR_LIMITED,
	    "more recipients whose numbers begin with the same %d digits than "
	    "the limit \"prefix\" allows: again in %lld s",
	    p->prefixes->digits, (long long)result_r->limit.wait_s);
}

/* ---- All of it ----------------------------------------------------------------- */

/* Too much waits.  What was accepted before gets its answer all the same. */
static int
refuse(struct arena *a, const struct accept_params *p,
    struct accept_result *result_r, struct err *e)
{
	struct err other;

	if (p->idempotency_key == NULL)
		return -1;
	switch (replay(a, p, result_r, &other)) {
	case 1:
		return 0;
	case 0:
		return -1;
	default:
		if (other.kind == ERR_KEY_REUSED)
			*e = other;
		return -1;
	}
}

/* Stores it: 0, 1 when what was accepted before by the same key is in *result_r, -1. */
static int
store_once(struct arena *a, const struct accept_params *p,
    const struct accept_result *result, const struct notification *n,
    struct express **x, struct accept_result *result_r, struct err *e)
{
	int rc = store(a, p, result, n, *x, e), tries = 2;

	if (rc == -1 && express_is_refused(*x, e)) {
		express_drop(x);
		rc = store(a, p, result, n, NULL, e);
	}
	while (rc == -1 && db_violates(e, "idempotency_pkey")) {
		rc = replay(a, p, result_r, e);
		if (rc != 0)
			return rc;
		if (tries-- == 0)
			return err_set(e, ERR_TEMPORARY, "the idempotency key "
			    "expired just now: send it again");
		express_drop(x);
		rc = store(a, p, result, n, NULL, e);
	}
	return rc;
}

static int
make_durable(struct arena *a, const struct accept_params *p,
    struct accept_result *result_r, struct err *e)
{
	struct notification n;
	struct accept_result result;
	struct express *x;
	int rc;

	accept_describe(a, p, &n);
	answer(a, p, &n.id, &result);
	x = take_express(a, p, &n);
	rc = store_once(a, p, &result, &n, &x, result_r, e);
	if (rc == 1)
		return 0;
	if (rc == -1 &&
	    (e->kind != ERR_UNCERTAIN || look(a, p, &n.id, e) == -1))
		return -1;
	metrics_add(METRIC_NOTIFICATIONS_ACCEPTED_TOTAL, 0, 1);
	tell(p, x);
	*result_r = result;
	return 0;
}

int
accept_notification(struct arena *a, const struct accept_params *p,
    struct accept_result *result_r, struct err *e)
{
	const char **numbers = numbers_of(a, p);
	int rc;

	if (tenant_is_platform(p->tenant))
		return err_set(e, ERR_FORBIDDEN,
		    "nothing is sent for the platform itself");
	if ((p->known != NULL &&
	        overload_check(known_overload(p->known, p->tenant),
	            p->request->priority, e) == -1) ||
	    take_prefixes(a, p, numbers, result_r, e) == -1)
		return refuse(a, p, result_r, e);
	rc = make_durable(a, p, result_r, e);
	if (numbers != NULL &&
	    (rc == 0 ? result_r->replayed : e->kind != ERR_UNCERTAIN))
		prefix_limit_put_back(a, p->prefixes, numbers,
		    p->request->to_count);
	return rc;
}
