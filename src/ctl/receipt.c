/*
 * receipt.c - belfryctl receipt
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What an operator has seen at the provider's: above all for deliveries that are held.
 */
#include "base/arena.h"
#include "base/err.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/out.h"
#include "notify/receipt.h"

static const struct out_column columns[] = {
	{ "delivery", NULL },
	{ "state", NULL },
	{ "effect", NULL },
	{ NULL, NULL },
};

static const char *const effects[] = {
	[RECEIPT_FOREIGN] = "foreign",
	[RECEIPT_REPEATED] = "repeated",
	[RECEIPT_NOTED] = "noted",
	[RECEIPT_MOVED] = "moved",
};

static int
read_id(const char *text, const char *what, struct uuid *u_r, struct err *e)
{
	if (uuid_parse(text, u_r) == 0)
		return 0;
	return err_set(e, ERR_INVALID, "\"%.60s\" is not the id of a %s", text,
	    what);
}

static int
read_receipt(struct ctl *c, struct receipt *r, struct err *e)
{
	const char *what = ctl_argument(c, 2), *class = ctl_value(c, "class");

	*r = (struct receipt){
		.what = receipt_parse(what),
		.code = ctl_value(c, "code"),
		.text = ctl_value(c, "text"),
		.by = ctl_editor(c).principal,
	};
	if (r->what == RECEIPT_WHAT_COUNT)
		return err_set(e, ERR_INVALID, "\"%.60s\" is nothing that a "
		    "receipt can tell: delivered, failed, bounced, delayed, read, opened, "
		    "clicked, complained, unsubscribed, resubscribed", what);
	if (class != NULL)
		r->class = verdict_parse(class);
	if (class != NULL && r->class == VERDICT_NONE)
		return err_set(e, ERR_INVALID,
		    "\"%.60s\" is not a class of results", class);
	if (read_id(ctl_argument(c, 0), "notification", &r->notification.u, e) ==
	    -1)
		return -1;
	return read_id(ctl_argument(c, 1), "delivery", &r->delivery.u, e);
}

int
command_receipt(struct ctl *c, struct err *e)
{
	struct editor ed = ctl_editor(c);
	struct receipt_result *result;
	struct receipt receipt;

	if (read_receipt(c, &receipt, e) == -1 ||
	    receipt_apply(&ed, &receipt, 1, &result, e) == -1)
		return -1;
	if (result->effect == RECEIPT_FOREIGN)
		return err_set(e, ERR_NOT_FOUND, "there is no such delivery");
	out_object(c,
	    json_pack("{s:s, s:s, s:s}", "delivery", ctl_argument(c, 1), "state",
	        delivery_state_name((int)result->state), "effect",
	        effects[result->effect]),
	    columns);
	return 0;
}
