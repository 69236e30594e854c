/*
 * suppression.c - belfryctl suppression list, add, remove
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"
#include "ctl/choice.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/number.h"
#include "ctl/out.h"
#include "model/provider_account.h"
#include "model/suppression.h"
#include "model/tenant.h"
#include "web/field_form.h"

enum { SHOWN = 50, SHOWN_MAX = 100000 };

static const struct out_column columns[] = {
	{ "address", "ADDRESS" },
	{ "channel", "CHANNEL" },
	{ "reason", "REASON" },
	{ "provider", "PROVIDER" },
	{ "category", "CATEGORY" },
	{ "code", "CODE" },
	{ "created_at", "SINCE" },
	{ NULL, NULL },
};

static json_t *
suppression_json(const struct suppression *s)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:s, s:s, s:o, s:o}", "address",
	    s->address, "channel", channel_name((int)s->channel), "reason",
	    suppression_reason_name((int)s->reason), "provider",
	    out_text(s->provider_name), "category", s->category, "source",
	    s->source, "code", out_text(s->code), "created_at",
	    out_time(s->created_ms));
}

static int
read_channel(struct arena *a, const char *name, enum channel *channel_r, struct err *e)
{
	*channel_r = channel_parse(name);
	if (*channel_r == CHANNEL_NONE)
		return choice_refuse(a, "channel", name, channel_names, e);
	return 0;
}

static int
read_reason(const struct ctl *c, enum suppression_reason *reason_r,
    struct err *e)
{
	const char *name = ctl_value(c, "reason");

	if (name == NULL)
		return 0;
	*reason_r = suppression_reason_parse(name);
	if (*reason_r == SUPPRESSION_NONE)
		return choice_refuse(c->a, "reason", name,
		    suppression_reason_names, e);
	return 0;
}

int
command_suppression_list(struct ctl *c, struct err *e)
{
	struct suppression_filter filter = { .channel = CHANNEL_NONE };
	struct editor ed = ctl_editor(c);
	const char *channel = ctl_value(c, "channel");
	int64_t limit = SHOWN;
	struct suppression *list;
	size_t i, count;
	json_t *rows;

	if (ctl_number(c, "limit", 1, SHOWN_MAX, &limit, e) == -1 ||
	    read_reason(c, &filter.reason, e) == -1 ||
	    (channel != NULL &&
	        read_channel(c->a, channel, &filter.channel, e) == -1) ||
	    suppression_list(&ed, &filter, "", (int)limit, &list, &count, e) ==
	        -1)
		return -1;
	rows = json_array();
	for (i = 0; i < count; i++)
		json_array_append_new(rows, suppression_json(&list[i]));
	out_table(c, rows, columns, "no address is suppressed");
	return 0;
}

static int
find_provider(struct ctl *c, struct suppression *s, struct err *e)
{
	struct provider_account *p;
	int rc;

	if (s->provider_name == NULL)
		return 0;
	rc = provider_account_find(c->a, c->db, c->tenant->id, s->provider_name,
	    &p, e);
	if (rc == 0)
		return err_set(e, ERR_NOT_FOUND,
		    "there is no provider \"%.63s\": "
		    "\"belfryctl provider list\" lists them", s->provider_name);
	if (rc == 1)
		s->provider = p->id;
	return rc == 1 ? 0 : -1;
}

/* One that no message could go to would suppress nothing. */
static int
check_address(const struct suppression *s, struct err *e)
{
	if (s->channel == CHANNEL_EMAIL && !form_is_email(s->address))
		return err_set(e, ERR_INVALID,
		    "\"%.80s\" is no e-mail address", s->address);
	if ((s->channel == CHANNEL_SMS || s->channel == CHANNEL_WHATSAPP) &&
	    !form_is_phone(s->address))
		return err_set(e, ERR_INVALID,
		    "\"%.40s\" is no phone number with country code, such as "
		    "+43660123456", s->address);
	return 0;
}

int
command_suppression_add(struct ctl *c, struct err *e)
{
	struct editor ed = ctl_editor(c);
	struct suppression s = {
		.address = suppression_address(c->a, ctl_argument(c, 1)),
		.reason = SUPPRESSION_MANUAL,
		.category = ctl_has(c, "category") ? ctl_value(c, "category")
		                                   : "",
		.provider_name = ctl_value(c, "provider"),
		.source = ed.principal,
	};
	struct keyring *ring;
	bool is_new;

	if (ctl_keyring(c, &ring, e) == -1)
		return -1;
	ed.ring = ring;
	suppression_configure(ring);
	if (s.address[0] == '\0')
		return err_set(e, ERR_INVALID, "the address is blank");
	if (read_channel(c->a, ctl_argument(c, 0), &s.channel, e) == -1 ||
	    check_address(&s, e) == -1 || read_reason(c, &s.reason, e) == -1 ||
	    find_provider(c, &s, e) == -1 ||
	    suppression_add(&ed, &s, &is_new, e) == -1)
		return -1;
	out_said(c, suppression_json(&s), is_new ? "%s is suppressed"
	                                         : "%s was suppressed already",
	    s.address);
	return 0;
}

int
command_suppression_remove(struct ctl *c, struct err *e)
{
	struct editor ed = ctl_editor(c);
	struct keyring *ring;
	enum channel channel;

	if (ctl_keyring(c, &ring, e) == -1)
		return -1;
	ed.ring = ring;
	suppression_configure(ring);
	if (read_channel(c->a, ctl_argument(c, 0), &channel, e) == -1 ||
	    suppression_remove(&ed, channel, ctl_argument(c, 1), e) == -1)
		return -1;
	out_said(c, json_pack("{s:s, s:b}", "address", ctl_argument(c, 1),
	    "removed", 1), "%s is not suppressed any more", ctl_argument(c, 1));
	return 0;
}
