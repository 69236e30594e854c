/*
 * express.c - routing a notification while it is accepted
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "notify/express.h"

#include <string.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/err.h"
#include "base/log.h"
#include "base/metrics.h"
#include "db/db.h"
#include "model/known.h"
#include "model/suppression.h"
#include "model/provider_account.h"
#include "model/template.h"
#include "net/doorbell.h"
#include "net/tickets.h"
#include "notify/book.h"
#include "notify/parcel.h"
#include "notify/route.h"
#include "provider/provider.h"
#include "web/js.h"

/* The labels of METRIC_EXPRESS_TOTAL. */
enum { TAKEN, NO_TICKET, NEEDS_SPOOLER, TOO_LARGE };

struct express {
	const char *doorbell;
	bool guarded; /* the tenant has suppressions */
	struct ticket ticket;
	struct parcel parcel;
	struct buf *text;
	struct delivery_list deliveries;
};

/* ---- What a worker knows of a tenant's ways ---------------------------------------- */

/* A page of the book without branding and credentials: enough to choose. */
struct ways {
	bool active; /* the tenant is not suspended */
	bool suppresses; /* it has suppressions */
	struct page page;
};

static void
ways_add(struct db_batch *b, struct tenant_id tenant, const char *name)
{
	db_add(b, Q_TENANT_WAYS);
	db_arg_int(b, tenant.n);
	db_arg_int(b, PROVIDER_ENABLED);
}

static const char *
ways_text(const struct db_rows *rows)
{
	return db_count(rows) > 0 ? db_text(rows, 0, 0) : NULL;
}

static int
read_provider(struct arena *a, struct page *page, json_t *json)
{
	struct provider *pr = arena_object(a, struct provider);
	const char *id, *kind, *account;
	int has_budget;

	if (json_unpack(json, "[s, s, i, i, s, b, s]", &id, &kind, &pr->priority,
	        &pr->weight, &pr->name, &has_budget, &account) == -1 ||
	    uuid_parse(id, &pr->id.u) == -1 ||
	    uuid_parse(account, &pr->account.u) == -1)
		return -1;
	pr->ops = provider_ops_find(kind);
	pr->enabled = true;
	pr->has_budget = has_budget != 0;
	pr->tenant_rate = page->rules.delivery_rate;
	if (pr->ops != NULL)
		page_add_provider(page, pr);
	return 0;
}

static int
ways_parse(struct arena *a, const char *text, size_t len, const void **record_r,
    struct err *e)
{
	struct ways *ways = arena_object(a, struct ways);
	json_t *json, *list, *one;
	struct field_errors fe;
	json_int_t generation;
	int active, suppresses, test;
	size_t i;

	if (js_parse_stored(a, arena_strndup(a, text, len), &json, e) == -1)
		return -1;
	if (json_unpack(json, "{s:I, s:b, s:b, s:b, s:o}", "generation",
	        &generation, "active", &active, "suppresses", &suppresses,
	        "test", &test, "providers", &list) == -1)
		return err_set(e, ERR_INTERNAL, "a tenant's ways are broken");
	ways->active = active != 0;
	ways->suppresses = suppresses != 0;
	ways->page.generation = generation;
	ways->page.time_zone =
	    json_string_value(json_object_get(json, "zone"));
	field_errors_init(&fe, a); /* tenant_facts.c complains */
	page_set(&ways->page,
	    tenant_settings_heal(a, json_object_get(json, "settings"), &fe));
	ways->page.rules.test = test != 0;
	ways->page.providers = arena_zalloc(a, json_array_size(list),
	    sizeof(*ways->page.providers));
	json_array_foreach(list, i, one)
		if (read_provider(a, &ways->page, one) == -1)
			return err_set(e, ERR_INTERNAL,
			    "a provider of a tenant's ways is broken");
	*record_r = ways;
	return 0;
}

static const struct known_kind ways_kind = {
	.name = "ways5", /* the form of its text; others may lie in caches */
	.add = ways_add,
	.text = ways_text,
	.parse = ways_parse,
};

int
express_page(struct arena *a, struct known *known, struct tenant_id tenant,
    const struct page **page_r, struct err *e)
{
	const void *ways;
	int rc = known_get(known, a, &ways_kind, tenant, "", &ways, e);

	if (rc == 0)
		return err_set(e, ERR_NOT_FOUND, "there is no such tenant");
	if (rc == -1)
		return -1;
	*page_r = &((const struct ways *)ways)->page;
	return 0;
}

/* ---- The way of one notification ----------------------------------------------------- */

/* Every delivery may start at once; 0 when one may not, or has to be granted first. */
static int
plan(struct arena *a, const struct express_params *p, const struct ways *ways,
    struct notification *n, struct express *x)
{
	struct template *tpl = arena_object(a, struct template);
	struct route_params params = {
		.tenant = p->tenant,
		.page = &ways->page,
		.room = PARCEL_DELIVERIES_MAX,
		.now_ms = n->created_ms,
	};
	size_t i;

	tpl->channels = p->channels;
	n->template = tpl;
	route_plan(a, &params, n, &x->deliveries);
	if (n->corrupt != NULL ||
	    x->deliveries.count > (size_t)p->config->spooler_express)
		return 0;
	for (i = 0; i < x->deliveries.count; i++)
		if (x->deliveries.list[i].state != DELIVERY_SENDING ||
		    x->deliveries.list[i].provider->has_budget)
			return 0;
	return (int)x->deliveries.count;
}

static void
fill_parcel(struct arena *a, struct express *x, const struct ways *ways,
    struct tenant_id tenant, const struct notification *n)
{
	struct parcel *p = &x->parcel;
	size_t i;

	p->tenant = tenant;
	p->generation = ways->page.generation;
	p->n = *n;
	p->count = x->deliveries.count;
	p->deliveries = x->deliveries.list;
	p->providers = arena_zalloc(a, p->count, sizeof(*p->providers));
	for (i = 0; i < p->count; i++)
		p->providers[i] = p->deliveries[i].provider->id;
}

/* Written once without its ticket to see whether it is too large. */
static bool
fits(struct arena *a, struct express *x)
{
	x->text = buf_new(a, doorbell_parcel_max());
	parcel_write(&x->parcel, x->text);
	return !buf_overflowed(x->text);
}

/* Whatever becomes of the notification, at the end of its request nothing comes any
 * more. */
static void
defer_handed(void *p)
{
	struct express *x = p;

	tickets_handed(&x->ticket);
}

static int
take(struct arena *a, const struct express_params *p, struct notification *n,
    struct express *x)
{
	const void *ways;
	struct err e;
	int count;

	if (n->user_ids != NULL ||
	    known_get(p->known, a, &ways_kind, p->tenant, "", &ways, &e) != 1 ||
	    !((const struct ways *)ways)->active)
		return NEEDS_SPOOLER;
	count = plan(a, p, ways, n, x);
	if (count == 0)
		return NEEDS_SPOOLER;
	fill_parcel(a, x, ways, p->tenant, n);
	x->guarded = ((const struct ways *)ways)->suppresses;
	if (!fits(a, x))
		return TOO_LARGE;
	if (!tickets_take(x->doorbell, count, &x->ticket))
		return NO_TICKET;
	arena_defer(a, defer_handed, x);
	return TAKEN;
}

struct express *
express_take(struct arena *a, const struct express_params *p,
    struct notification *n)
{
	struct express *x = arena_object(a, struct express);
	int how;

	if (p->config->spooler_express == 0)
		return NULL;
	x->doorbell = p->config->spooler_doorbell;
	how = tickets_are_offered(x->doorbell) ? take(a, p, n, x) : NO_TICKET;
	metrics_add(METRIC_EXPRESS_TOTAL, how, 1);
	return how == TAKEN ? x : NULL;
}

int
express_count(const struct express *x)
{
	return (int)x->deliveries.count;
}

static void
guard(struct arena *a, struct db_batch *b, const struct express *x)
{
	struct db_array *addresses = db_array_new(a),
	                *channels = db_array_new(a),
	                *providers = db_array_new(a);
	const char *category = x->parcel.n.category;
	size_t i;

	for (i = 0; i < x->deliveries.count; i++) {
		db_array_text(addresses, x->deliveries.list[i].address);
		db_array_int(channels, x->deliveries.list[i].channel);
		db_array_uuid(providers,
		    &x->deliveries.list[i].provider->id.u);
	}
	db_add(b, Q_SUPPRESSION_GUARD);
	db_arg_int(b, x->parcel.tenant.n);
	db_arg_array(b, addresses);
	db_arg_array(b, channels);
	db_arg_array(b, providers);
	db_arg_text(b, category != NULL ? category : "");
	db_arg_text(b, suppression_mark_key(a, x->parcel.tenant));
}

bool
express_is_refused(const struct express *x, const struct err *e)
{
	return x != NULL && db_violates(e, "suppressed");
}

void
express_write_add(struct arena *a, struct db_batch *b, const struct express *x)
{
	if (x->guarded)
		guard(a, b, x);
	route_write_add(a, b, x->parcel.tenant, &x->ticket.spooler,
	    &x->deliveries);
}

void
express_hand(struct express *x)
{
	x->parcel.spooler = x->ticket.spooler;
	x->parcel.good_until_ms = x->ticket.good_until_ms;
	buf_reset(x->text);
	parcel_write(&x->parcel, x->text);
	if (doorbell_hand(x->doorbell, x->ticket.slot, x->text->data,
	        x->text->len) == -1)
		log_warn(NULL, "a parcel did not reach the spooler",
		    LF_INT("tenant_id", x->parcel.tenant.n),
		    LF_INT("deliveries", express_count(x)));
	tickets_handed(&x->ticket);
}

void
express_drop(struct express **x)
{
	if (*x != NULL)
		tickets_handed(&(*x)->ticket);
	*x = NULL;
}
