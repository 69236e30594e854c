/*
 * privacy.c - belfryctl privacy export, erase, hold, release, holds
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/uuid.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/out.h"
#include "model/suppression.h"
#include "model/tenant.h"
#include "notify/privacy.h"

enum { EXPORT_MAX = 1024 * 1024 * 1024 };

static const struct out_column receipt_columns[] = {
	{ "person", NULL },
	{ "erased_at", "erased at" },
	{ "cancelled", NULL },
	{ "rows", NULL },
	{ "hash", NULL },
	{ NULL, NULL },
};

static const struct out_column hold_columns[] = {
	{ "id", "ID" },
	{ "person", "PERSON" },
	{ "reason", "REASON" },
	{ "set_by", "BY" },
	{ "set_at", "SINCE" },
	{ NULL, NULL },
};

/* Who is meant, and an editor that can name people. */
static int
prepare(struct ctl *c, struct person *who_r, struct editor *ed_r, struct err *e)
{
	struct keyring *ring;

	*who_r = (struct person){ .user_id = ctl_argument(c, 0),
		.address = ctl_value(c, "address") };
	if (who_r->user_id == NULL && who_r->address == NULL)
		return err_set(e, ERR_INVALID, "who? give a user's id or --address");
	if (ctl_keyring(c, &ring, e) == -1)
		return -1;
	suppression_configure(ring);
	*ed_r = ctl_editor(c);
	ed_r->ring = ring;
	return 0;
}

int
command_privacy_export(struct ctl *c, struct err *e)
{
	struct buf *out = buf_new(c->a, EXPORT_MAX);
	struct person who;
	struct editor ed;

	if (prepare(c, &who, &ed, e) == -1 ||
	    privacy_export(&ed, &who, out, e) == -1)
		return -1;
	out_raw(out->data, out->len);
	return 0;
}

int
command_privacy_erase(struct ctl *c, struct err *e)
{
	struct person who;
	struct editor ed;
	json_t *receipt;

	if (!ctl_has(c, "yes"))
		return err_set(e, ERR_INVALID,
		    "what is stored of this person will be gone for good: say "
		    "--yes");
	if (prepare(c, &who, &ed, e) == -1 ||
	    privacy_erase(&ed, &who, &receipt, e) == -1)
		return -1;
	out_object(c, receipt, receipt_columns);
	return 0;
}

/* ---- Legal holds -------------------------------------------------------------------- */

static json_t *
hold_json(const struct legal_hold *h)
{
	char id[UUID_TEXT_BYTES];

	uuid_format(&h->id, id);
	return json_pack("{s:s, s:o, s:s, s:s, s:o}", "id", id, "person",
	    h->person[0] != '\0' ? json_string(h->person) : json_null(), "reason",
	    h->reason, "set_by", h->set_by, "set_at", out_time(h->set_ms));
}

int
command_privacy_holds(struct ctl *c, struct err *e)
{
	struct editor ed = ctl_editor(c);
	json_t *rows = json_array();
	struct legal_hold *list;
	size_t i, count;

	if (hold_list(&ed, &list, &count, e) == -1) {
		json_decref(rows);
		return -1;
	}
	for (i = 0; i < count; i++)
		json_array_append_new(rows, hold_json(&list[i]));
	out_table(c, rows, hold_columns, "nobody is on hold");
	return 0;
}

int
command_privacy_hold(struct ctl *c, struct err *e)
{
	const char *person = ctl_argument(c, 0), *reason = ctl_value(c, "reason");
	struct legal_hold h = { .person = person != NULL ? person : "",
		.reason = reason };
	struct editor ed = ctl_editor(c);
	struct keyring *ring;

	if ((person == NULL) != ctl_has(c, "all"))
		return err_set(e, ERR_INVALID,
		    "name a user's id or an address, or say --all");
	if (reason == NULL || reason[0] == '\0')
		return err_set(e, ERR_INVALID,
		    "why? say it with --reason: it is shown to who asks for the "
		    "hold's end");
	if (ctl_keyring(c, &ring, e) == -1)
		return -1;
	ed.ring = ring;
	if (hold_set(&ed, &h, e) == -1)
		return -1;
	out_said(c, hold_json(&h), "%s is on hold",
	    person != NULL ? person : c->tenant->slug);
	return 0;
}

int
command_privacy_release(struct ctl *c, struct err *e)
{
	struct editor ed = ctl_editor(c);
	const char *text = ctl_argument(c, 0);
	struct uuid id;

	if (uuid_parse(text, &id) == -1)
		return err_set(e, ERR_INVALID, "\"%.60s\" is not the id of a hold",
		    text);
	if (hold_release(&ed, &id, e) == -1)
		return -1;
	out_said(c, json_pack("{s:s, s:b}", "id", text, "released", 1),
	    "the hold has ended");
	return 0;
}
