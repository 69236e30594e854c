/*
 * hooks.c - /hooks/{tenant}/{provider_id}: what providers report
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * No key opens this door but the provider's signature.  Whatever is wrong, the answer is the
 * same, so nobody learns which tenants and accounts there are: but where the keys that
 * prove it cannot be fetched now, then the caller is to come again.  What is good is written in
 * one insert and answered; a spooler applies it (spooler/hooks.c).
 */
#include "api/hooks.h"

#include <ctype.h>
#include <string.h>

#include <sodium.h>

#include "api/app.h"
#include "api/hook_shares.h"
#include "api/inbox.h"
#include "auth/keyset.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/log.h"
#include "base/metrics.h"
#include "db/db.h"
#include "model/known.h"
#include "model/provider_account.h"
#include "notify/tenant_facts.h"
#include "provider/hook.h"
#include "provider/provider.h"
#include "provider/settings.h"
#include "web/js.h"
#include "web/request.h"
#include "web/response.h"

enum {
	HEADER_NAME_MAX = 80,
	ACCOUNT_DEPTH = 20,
	SEALED_MAX = 256 << 10,
	ALARM_MS = 1000
};

/* The labels of METRIC_HOOKS_TOTAL. */
enum { TAKEN, REFUSED, CHALLENGED };

/* ---- The account ----------------------------------------------------------------- */

static void
account_add(struct db_batch *b, struct tenant_id tenant, const char *id)
{
	db_add(b, Q_HOOK_ACCOUNT);
	db_arg_int(b, tenant.n);
	db_arg_text(b, id);
}

static const char *
account_text(const struct db_rows *rows)
{
	return db_count(rows) > 0 ? db_text(rows, 0, 0) : NULL;
}

static int
read_sealed(struct arena *a, const char *text, struct provider_account *p)
{
	uint8_t *blob;

	if (text == NULL)
		return 0;
	blob = arena_alloc(a, strlen(text) + 1);
	if (sodium_base642bin(blob, strlen(text) + 1, text, strlen(text), "\n",
	        &p->sealed_bytes, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
		return -1;
	p->sealed = blob;
	return 0;
}

/* Leave to use an account of the platform: which one, and as whom. */
static void
set_shared(struct arena *a, const json_t *json, struct provider_account *p)
{
	const char *id = json_string_value(json_object_get(json, "shared"));
	struct buf *out = buf_new(a, SEALED_MAX);

	if (id == NULL || uuid_parse(id, &p->shared_id.u) == -1)
		return;
	js_write(out, json_object_get(json, "allowed"));
	p->allowed = out->data;
}

static int
account_parse(struct arena *a, const char *text, size_t len,
    const void **record_r, struct err *e)
{
	struct provider_account *p = arena_object(a, struct provider_account);
	json_t *json, *settings;
	struct buf *out;

	if (js_parse(a, text, len, ACCOUNT_DEPTH, &json, e) == -1)
		return -1;
	if (json_unpack(json, "{s:s, s:s, s:o}", "kind", &p->kind, "name",
	        &p->name, "settings", &settings) == -1 ||
	    read_sealed(a, json_string_value(json_object_get(json, "sealed")),
	        p) == -1)
		return err_set(e, ERR_INTERNAL, "a stored account is broken");
	out = buf_new(a, SEALED_MAX);
	js_write(out, settings);
	p->settings = out->data;
	set_shared(a, json, p);
	p->state = PROVIDER_ENABLED;
	*record_r = p;
	return 0;
}

static const struct known_kind account_kind = {
	.name = "hook",
	.add = account_add,
	.text = account_text,
	.parse = account_parse,
};

static int
refuse(struct err *e)
{
	metrics_add(METRIC_HOOKS_TOTAL, REFUSED, 1);
	return err_set(e, ERR_FORBIDDEN,
	    "this is not proven to come from the provider");
}

/* An account as it is remembered: 1, 0, -1. */
static int
get_account(struct request *rq, struct tenant_id tenant, const struct uuid *id,
    struct provider_account *account_r, struct err *e)
{
	struct app *app = app_of(rq);
	char text[UUID_TEXT_BYTES];
	const void *record;
	int rc;

	uuid_format(id, text);
	rc = known_get(app->known, rq->a, &account_kind, tenant, text, &record,
	    e);
	if (rc != 1)
		return rc;
	*account_r = *(const struct provider_account *)record;
	account_r->tenant = tenant;
	account_r->id.u = *id;
	return 1;
}

/* What is remembered is good until something else is: all of it must be kept. */
static void
keep_account(struct arena *a, struct provider_account *p)
{
	p->kind = arena_strdup(a, p->kind);
	p->name = arena_strdup(a, p->name);
	p->settings = arena_strdup(a, p->settings);
	if (p->allowed != NULL)
		p->allowed = arena_strdup(a, p->allowed);
}

/* The account of the path, opened: 0, or -1. */
static int
open_account(struct request *rq, struct tenant_id *tenant_r,
    struct provider **p_r, struct err *e)
{
	struct app *app = app_of(rq);
	const struct tenant_facts *facts;
	struct provider_account account, shared;
	struct uuid id;
	int rc;

	db_rollback(app->db);
	if (uuid_parse(rq->args[1], &id) == -1)
		return refuse(e);
	rc = tenant_facts_find(app->tenants, rq->a, rq->args[0], &facts, e);
	if (rc != 1)
		return rc == 0 ? refuse(e) : -1;
	*tenant_r = facts->id;
	rc = get_account(rq, *tenant_r, &id, &account, e);
	if (rc == 1 && provider_account_is_shared(&account)) {
		keep_account(rq->a, &account);
		account.shared = &shared;
		rc = get_account(rq, TENANT_PLATFORM, &account.shared_id.u,
		    &shared, e);
	}
	if (rc != 1)
		return rc == 0 ? refuse(e) : -1;
	if (settings_open(rq->a, app->ring, &account, p_r, e) == -1) {
		log_error(&rq->scope, "an account cannot be opened", LF_ERR(e));
		return refuse(e);
	}
	return (*p_r)->ops->receive != NULL ? 0 : refuse(e);
}

/* ---- The request ----------------------------------------------------------------- */

/* Who calls, and why it could not be seen whether it is the provider. */
struct caller {
	struct request *rq;
	bool is_doubted;
	struct err fault;
};

/* "X-Twilio-Signature" is HTTP_X_TWILIO_SIGNATURE to FastCGI. */
static const char *
header(const struct hook_request *hook, const char *name)
{
	char parameter[HEADER_NAME_MAX] = "HTTP_";
	size_t i, n = strlen(parameter);

	for (i = 0; name[i] != '\0' && n + 1 < sizeof(parameter); i++)
		parameter[n++] = name[i] == '-'
		    ? '_'
		    : (char)toupper((unsigned char)name[i]);
	parameter[n] = '\0';
	return request_param(((struct caller *)hook->arg)->rq, parameter);
}

/* Without its issuer's keys nothing can be proven, nor refused. */
static const struct jwk *
key(const struct hook_request *hook, const struct key_source *source,
    const char *kid)
{
	struct caller *c = hook->arg;
	const struct jwk *jwk;
	int rc = keysets_find(app_of(c->rq)->keysets, c->rq->a, source, kid,
	    &jwk, &c->fault);

	c->is_doubted = rc == -1;
	return rc == 1 ? jwk : NULL;
}

static struct hook_request
hook_of(struct caller *c)
{
	struct request *rq = c->rq;
	const char *target = request_param(rq, "REQUEST_URI");
	const char *type = request_param(rq, "CONTENT_TYPE");
	const char *query = target != NULL ? strchr(target, '?') : NULL;

	return (struct hook_request){
		.is_get = rq->method != HTTP_POST,
		.public_url = rq->config->api_public_url,
		.path = arena_printf(rq->a, "/hooks/%s/%s", rq->args[0],
		    rq->args[1]),
		.query = query != NULL ? query + 1 : "",
		.params = rq->params,
		.params_count = rq->params_count,
		.content_type = type != NULL ? type : "",
		.body = rq->body_text != NULL ? rq->body_text : "",
		.body_bytes = rq->body_bytes,
		.now_ms = clock_wall_ms(),
		.header = header,
		.key = key,
		.arg = c,
	};
}

/* ---- Events of other accounts ------------------------------------------------------- */

/* The account that an event is about, by what its provider calls it: 1, 0, -1. */
static int
find_sender(struct request *rq, const struct provider *p, const char *sender,
    struct provider_id *id_r, struct err *e)
{
	struct db_batch *b = db_batch_new(rq->a, p->tenant, DB_ONE);
	struct db_rows **rows;

	ensure(p->ops->sender != NULL);
	db_add(b, Q_HOOK_SENDER);
	db_arg_int(b, p->tenant.n);
	db_arg_text(b, p->ops->kind);
	db_arg_text(b, p->ops->sender);
	db_arg_text(b, sender);
	if (db_run(app_of(rq)->db, rq->a, b, &rows, e) == -1)
		return -1;
	if (db_count(rows[0]) == 0)
		return 0;
	id_r->u = db_uuid(rows[0], 0, 0);
	return 1;
}

/* Says of which account each event is; those that are of none of ours go. */
static int
set_accounts(struct request *rq, const struct provider *p,
    struct hook_events *events, struct err *e)
{
	const char *sender = NULL;
	struct provider_id account = p->id;
	struct hook_event *ev;
	size_t i, kept = 0;
	int rc = 1;

	for (i = 0; i < events->count; i++) {
		ev = &events->list[i];
		if (ev->sender != NULL &&
		    (sender == NULL || strcmp(ev->sender, sender) != 0)) {
			sender = ev->sender;
			rc = find_sender(rq, p, sender, &account, e);
			if (rc == -1)
				return -1;
		}
		if (ev->sender != NULL && rc == 0)
			continue;
		ev->account = ev->sender != NULL ? account : p->id;
		events->list[kept++] = *ev;
	}
	events->count = kept;
	return 0;
}

/* Somebody should look at what no table knows. */
static void
alarm_of(const struct request *rq, const struct provider *p,
    const struct hook_events *events)
{
	static int64_t told_ms;
	const struct hook_event *ev, *end = events->list + events->count;
	int64_t now_ms = clock_mono_ms();

	for (ev = events->list; ev < end; ev++) {
		if (!ev->unrecognised)
			continue;
		metrics_add(METRIC_UNRECOGNISED_ANSWERS_TOTAL, 0, 1);
		if (told_ms != 0 && now_ms - told_ms < ALARM_MS)
			continue;
		told_ms = now_ms;
		log_warn(&rq->scope, "a report of a provider is not known",
		    LF_STR("kind", p->ops->kind),
		    LF_STR("code", ev->code != NULL ? ev->code : ""));
	}
}

int
hooks_receive(struct request *rq, struct response *rs, struct err *e)
{
	struct hook_events events = { .count = 0 };
	struct caller caller = { .rq = rq };
	struct hook_request hook = hook_of(&caller);
	struct tenant_id tenant = { 0 };
	struct provider *p;

	if (open_account(rq, &tenant, &p, e) == -1)
		return -1;
	log_scope_add(&rq->scope, (struct log_field)LF_STR("tenant",
	                              rq->args[0]));
	log_scope_add(&rq->scope,
	    (struct log_field)LF_STR("provider", p->name));
	switch (p->ops->receive(rq->a, p, &hook, &events)) {
	case HOOK_TAKEN:
		break;
	case HOOK_CHALLENGED:
		metrics_add(METRIC_HOOKS_TOTAL, CHALLENGED, 1);
		buf_puts(response_body(rs, 200, "text/plain"), events.reply);
		return 0;
	case HOOK_REFUSED:
	default:
		if (!caller.is_doubted)
			return refuse(e);
		*e = caller.fault;
		return -1;
	}
	if (set_accounts(rq, p, &events, e) == -1 ||
	    (tenant_is_platform(tenant)
	            ? hook_shares_put(rq, &events, e)
	            : inbox_put(rq, tenant, &events, e)) == -1)
		return -1;
	alarm_of(rq, p, &events);
	metrics_add(METRIC_HOOKS_TOTAL, TAKEN, 1);
	response_empty(rs, 204);
	return 0;
}
