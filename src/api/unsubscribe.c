/*
 * unsubscribe.c - /u/{token}: the link that ends the messages of a category
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The token is all the right that is needed (model/unsubscribe.h): a mail provider that
 * posts in the name of its user has neither cookies nor a login.  Suppression and event
 * are written before the answer goes out.  The event is the delivery's; when that is no
 * longer kept, the suppression is all there is.  Whoever goes to and fro too often is left
 * unsubscribed: that is never refused, and done twice it writes nothing.
 */
#include "api/unsubscribe.h"

#include <string.h>

#include "api/app.h"
#include "api/limits.h"
#include "api/unsubscribe_page.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "db/db.h"
#include "model/suppression.h"
#include "model/tenant.h"
#include "model/unsubscribe.h"
#include "notify/receipt.h"
#include "provider/hook.h"
#include "web/field.h"
#include "web/form.h"
#include "web/request.h"

enum { FIELDS_MAX = 16 };

/* 1 with the link and whose it is; 0 when it is not one of ours; -1. */
static int
open_link(struct request *rq, struct unsubscribe *u_r, struct tenant **tenant_r,
    struct err *e)
{
	struct app *app = app_of(rq);
	struct err why;

	db_rollback(app->db);
	if (unsubscribe_read(rq->a, app->ring, rq->args[0], u_r, &why) == -1)
		return 0;
	log_scope_add(&rq->scope,
	    (struct log_field)LF_INT("tenant_id", u_r->tenant.n));
	return tenant_get(rq->a, app->db, u_r->tenant, tenant_r, e);
}

static struct suppression
suppression_by(const struct unsubscribe *u)
{
	return (struct suppression){
		.address = u->address,
		.channel = u->channel,
		.category = u->category,
		.source = "link",
		.notification = u->notification,
		.delivery = u->delivery,
	};
}

/* 1 when messages of the category are suppressed, whatever the account; 0; -1. */
static int
is_unsubscribed(struct request *rq, const struct unsubscribe *u, struct err *e)
{
	const struct editor ed = { .a = rq->a, .db = app_of(rq)->db,
		.tenant = u->tenant };
	struct suppression *list;
	size_t i, count;

	if (suppression_get(&ed, u->channel, u->address, &list, &count, e) == -1)
		return -1;
	for (i = 0; i < count; i++)
		if (uuid_is_nil(&list[i].provider.u) &&
		    strcmp(list[i].category, u->category) == 0)
			return 1;
	return 0;
}

/* ---- What is posted ------------------------------------------------------------ */

static const struct act {
	const char *name, *value;
	enum receipt_what what;
} acts[] = {
	{ "List-Unsubscribe", "One-Click", RECEIPT_UNSUBSCRIBED },
	{ "action", "unsubscribe", RECEIPT_UNSUBSCRIBED },
	{ "action", "resubscribe", RECEIPT_RESUBSCRIBED },
};

static const struct act *
find_act(const struct field_param *params, size_t count)
{
	size_t i, k;

	for (i = 0; i < count; i++)
		for (k = 0; k < NELEMS(acts); k++)
			if (strcmp(params[i].name, acts[k].name) == 0 &&
			    strcmp(params[i].value, acts[k].value) == 0)
				return &acts[k];
	return NULL;
}

/* What the form asks for; NULL with *e when it asks for nothing that we know. */
static const struct act *
read_act(struct request *rq, struct err *e)
{
	const char *type = request_param(rq, "CONTENT_TYPE");
	const struct form form = {
		.content_type = type != NULL ? type : "",
		.body = rq->body_text != NULL ? rq->body_text : "",
		.body_bytes = rq->body_bytes,
	};
	const struct act *act = NULL;
	struct field_param *params;
	size_t count;

	if (form_multipart_parse(rq->a, &form, FIELDS_MAX, &params, &count) ==
	        0 ||
	    hook_form_parse(rq->a, form.body, form.body_bytes, FIELDS_MAX,
	        &params, &count) == 0)
		act = find_act(params, count);
	if (act == NULL)
		err_set(e, ERR_INVALID, "the form does not say "
		    "\"List-Unsubscribe=One-Click\"");
	return act;
}

/* Both in one transaction: the receipt finds the delivery and locks it first. */
static int
apply(struct request *rq, const struct unsubscribe *u, enum receipt_what what,
    struct err *e)
{
	const struct receipt receipt = {
		.notification = u->notification,
		.delivery = u->delivery,
		.what = what,
		.text = u->category,
		.by = "link",
	};
	const struct suppression s = suppression_by(u);
	struct receipts *rs = receipts_new(rq->a, u->tenant, &receipt, 1);
	struct db_batch *b = db_batch_new(rq->a, u->tenant, DB_BEGIN);
	struct db *db = app_of(rq)->db;
	struct db_rows **rows;

	receipts_find_add(rs, b);
	if (db_run(db, rq->a, b, &rows, e) == -1)
		return -1;
	(void)receipts_found(rs, rows[0]);
	b = db_batch_new(rq->a, u->tenant, DB_COMMIT);
	receipts_write_add(rs, b);
	if (what == RECEIPT_UNSUBSCRIBED)
		suppression_unsubscribe_add(b, u->tenant, &s);
	else
		suppression_resubscribe_add(rq->a, b, u->tenant, &s);
	if (db_run(db, rq->a, b, &rows, e) == -1)
		return -1;
	(void)receipts_written(rs, rows[0]);
	return 0;
}

/* The same within the limit of the link. */
static int
act_on(struct request *rq, const struct unsubscribe *u, enum receipt_what what,
    struct err *e)
{
	int is_done = 0;

	if (limits_link(rq, "unsubscribe", u->delivery, e) == -1) {
		if (what != RECEIPT_UNSUBSCRIBED)
			return -1;
		rq->limits_count = 0; /* the answer is a good one */
		is_done = is_unsubscribed(rq, u, e);
	}
	return is_done == 0 ? apply(rq, u, what, e) : is_done == 1 ? 0 : -1;
}

/* ---- The handlers ----------------------------------------------------------------- */

int
unsubscribe_show(struct request *rq, struct response *rs, struct err *e)
{
	struct unsubscribe_page page = { .tenant = NULL };
	struct unsubscribe u;
	int rc = open_link(rq, &u, &page.tenant, e);

	if (rc == 0)
		return unsubscribe_page_write(rq, rs, &page, e);
	if (rc == 1)
		rc = is_unsubscribed(rq, &u, e);
	if (rc == -1)
		return -1;
	page.link = &u;
	page.unsubscribed = rc == 1;
	return unsubscribe_page_write(rq, rs, &page, e);
}

int
unsubscribe_do(struct request *rq, struct response *rs, struct err *e)
{
	struct unsubscribe_page page = { .tenant = NULL };
	const struct act *act;
	struct unsubscribe u;
	int rc = open_link(rq, &u, &page.tenant, e);

	if (rc == 0)
		return unsubscribe_page_write(rq, rs, &page, e);
	act = rc == 1 ? read_act(rq, e) : NULL;
	if (act == NULL || act_on(rq, &u, act->what, e) == -1)
		return -1;
	rc = is_unsubscribed(rq, &u, e);
	if (rc == -1)
		return -1;
	page.link = &u;
	page.unsubscribed = rc == 1;
	page.resubscribed = rc == 0;
	return unsubscribe_page_write(rq, rs, &page, e);
}
