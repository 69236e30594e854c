/*
 * hook_shares.c - what is reported of accounts of the platform goes to whom it concerns
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Each tenant's part is a transaction of its own.  Should one fail, the provider reports
 * everything again, and what comes twice has no second effect.
 */
#include "api/hook_shares.h"

#include <string.h>

#include "api/app.h"
#include "api/inbox.h"
#include "base/arena.h"
#include "base/text.h"
#include "db/db.h"
#include "model/provider_account.h"
#include "model/provider_share.h"
#include "notify/tenant_facts.h"
#include "provider/hook.h"
#include "web/request.h"

/* What is for one tenant of one account. */
struct part {
	struct part *next;
	const char *slug;
	struct provider_id account; /* the platform's */
	struct provider_id row; /* the tenant's; nil: it has no leave to use it */
	struct tenant_id tenant;
	struct hook_events events;
};

/* Everybody who has leave to use one account. */
struct holders {
	struct holders *next;
	struct provider_id account;
	struct provider_share *list;
	size_t count;
};

struct sorting {
	struct request *rq;
	struct part *parts;
	struct holders *holders;
};

static struct part *
find_part(struct sorting *s, const char *slug, struct provider_id account)
{
	struct part *p = s->parts;

	while (p != NULL && (strcmp(p->slug, slug) != 0 ||
	                        uuid_cmp(&p->account.u, &account.u) != 0))
		p = p->next;
	return p;
}

static struct part *
add_part(struct sorting *s, const char *slug, struct provider_id account)
{
	struct part *p = arena_object(s->rq->a, struct part);

	p->slug = arena_strdup(s->rq->a, slug);
	p->account = account;
	p->next = s->parts;
	s->parts = p;
	return p;
}

/* Has the tenant that a message named leave to use the account?  0, or -1. */
static int
look_up(struct sorting *s, struct part *p, struct err *e)
{
	struct app *app = app_of(s->rq);
	const struct tenant_facts *facts;
	struct db_batch *b;
	struct db_rows **rows;
	int rc = text_is_slug(p->slug) ? tenant_facts_find(app->tenants, s->rq->a,
	                                     p->slug, &facts, e)
	                               : 0;

	if (rc != 1)
		return rc;
	p->tenant = facts->id;
	b = db_batch_new(s->rq->a, p->tenant, DB_ONE);
	db_add(b, Q_SHARED_FIND);
	db_arg_int(b, p->tenant.n);
	db_arg_uuid(b, &p->account.u);
	if (db_run(app->db, s->rq->a, b, &rows, e) == -1)
		return -1;
	if (db_count(rows[0]) > 0)
		p->row.u = db_uuid(rows[0], 0, 0);
	return 0;
}

static void
put(struct sorting *s, struct part *p, const struct hook_event *ev)
{
	struct hook_event *copy;

	if (uuid_is_nil(&p->row.u))
		return;
	copy = hook_event_new(s->rq->a, &p->events);
	*copy = *ev;
	copy->account = p->row;
}

static int
put_named(struct sorting *s, const struct hook_event *ev, struct err *e)
{
	struct part *p = find_part(s, ev->tenant, ev->account);

	if (p == NULL) {
		p = add_part(s, ev->tenant, ev->account);
		if (look_up(s, p, e) == -1)
			return -1;
	}
	put(s, p, ev);
	return 0;
}

static int
holders_of(struct sorting *s, struct provider_id account, struct holders **r_r,
    struct err *e)
{
	struct holders *r = s->holders;

	while (r != NULL && uuid_cmp(&r->account.u, &account.u) != 0)
		r = r->next;
	if (r == NULL) {
		r = arena_object(s->rq->a, struct holders);
		r->account = account;
		if (provider_share_list(s->rq->a, app_of(s->rq)->db, account,
		        &r->list, &r->count, e) == -1)
			return -1;
		r->next = s->holders;
		s->holders = r;
	}
	*r_r = r;
	return 0;
}

static int
put_all(struct sorting *s, const struct hook_event *ev, struct err *e)
{
	struct hook_event mine = *ev;
	const struct provider_share *one;
	struct holders *r;
	struct part *p;

	if (holders_of(s, ev->account, &r, e) == -1)
		return -1;
	mine.if_known = true;
	for (one = r->list; one < r->list + r->count; one++) {
		p = find_part(s, one->slug, ev->account);
		if (p == NULL) {
			p = add_part(s, one->slug, ev->account);
			p->tenant = one->tenant;
			p->row = one->id;
		}
		put(s, p, &mine);
	}
	return 0;
}

int
hook_shares_put(struct request *rq, const struct hook_events *events,
    struct err *e)
{
	struct sorting s = { .rq = rq };
	const struct hook_event *ev;
	const struct part *p;

	for (ev = events->list; ev < events->list + events->count; ev++)
		if ((ev->tenant != NULL ? put_named(&s, ev, e)
		                        : put_all(&s, ev, e)) == -1)
			return -1;
	for (p = s.parts; p != NULL; p = p->next)
		if (inbox_put(rq, p->tenant, &p->events, e) == -1)
			return -1;
	return 0;
}
