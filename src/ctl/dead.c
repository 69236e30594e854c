/*
 * dead.c - belfryctl dead list, replay, discard
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/uuid.h"
#include "ctl/choice.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/number.h"
#include "ctl/out.h"
#include "notify/dead_letter.h"

enum { SHOWN = 50, SHOWN_MAX = 10000, SLICES_MAX = 100000 };

static const struct out_column columns[] = {
	{ "died_at", "SINCE" },
	{ "notification", "NOTIFICATION" },
	{ "delivery", "DELIVERY" },
	{ "channel", "CHANNEL" },
	{ "address", "ADDRESS" },
	{ "attempts", "ATTEMPTS" },
	{ "provider", "PROVIDER" },
	{ "reason", "REASON" },
	{ NULL, NULL },
};

static int
read_filter(const struct ctl *c, struct dead_filter *f_r, struct err *e)
{
	const char *channel = ctl_value(c, "channel");
	const char *class = ctl_value(c, "class");

	*f_r = (struct dead_filter){ .provider = ctl_value(c, "provider"),
		.template = ctl_value(c, "template") };
	if (channel != NULL) {
		f_r->channel = channel_parse(channel);
		if (f_r->channel == CHANNEL_NONE)
			return choice_refuse(c->a, "channel", channel,
			    channel_names, e);
	}
	if (class != NULL) {
		f_r->class = verdict_parse(class);
		if (f_r->class == VERDICT_NONE)
			return choice_refuse(c->a, "class", class, verdict_names,
			    e);
	}
	if (ctl_time(c, "since", CTL_AGO, &f_r->since_ms, e) == -1)
		return -1;
	return ctl_time(c, "until", CTL_AGO, &f_r->until_ms, e);
}

int
command_dead_list(struct ctl *c, struct err *e)
{
	struct editor ed = ctl_editor(c);
	int64_t limit = SHOWN;
	struct dead_filter filter;
	struct dead_letter *list;
	json_t *rows;
	size_t i, count;

	if (ctl_number(c, "limit", 1, SHOWN_MAX, &limit, e) == -1 ||
	    read_filter(c, &filter, e) == -1 ||
	    dead_list(&ed, &filter, "", (int)limit, &list, &count, e) == -1)
		return -1;
	rows = json_array();
	for (i = 0; i < count; i++)
		json_array_append_new(rows, list[i].json);
	out_table(c, rows, columns, "no delivery is dead");
	return 0;
}

static int
read_ids(const struct ctl *c, struct uuid **ids_r, size_t *count_r,
    struct err *e)
{
	size_t n = 0;

	while (ctl_argument(c, n) != NULL)
		n++;
	*ids_r = arena_zalloc(c->a, n, sizeof(**ids_r));
	*count_r = n;
	for (n = 0; n < *count_r; n++)
		if (uuid_parse(ctl_argument(c, n), &(*ids_r)[n]) == -1)
			return err_set(e, ERR_INVALID,
			    "\"%.60s\" is not the id of a delivery",
			    ctl_argument(c, n));
	return 0;
}

/* Slice by slice, each a transaction, until nothing is left. */
static int
act(struct ctl *c, enum dead_act what, const char *said, struct err *e)
{
	static const char *const filters[] = { "channel", "provider", "class",
		"template", "since", "until", "all" };
	struct editor ed = ctl_editor(c);
	struct dead_filter filter;
	size_t i, count;
	bool more = true, given = false;
	struct uuid *ids;
	int n, all = 0, slices;

	if (read_filter(c, &filter, e) == -1 ||
	    read_ids(c, &ids, &count, e) == -1)
		return -1;
	for (i = 0; i < NELEMS(filters); i++)
		given |= ctl_has(c, filters[i]);
	if (count == 0 && !given)
		return err_set(e, ERR_INVALID,
		    "which ones? give ids, a filter, or --all");
	if (dead_filter_end(&ed, &filter, e) == -1)
		return -1;
	for (slices = 0; more && slices < SLICES_MAX; slices++) {
		if (dead_act(&ed, what, &filter, count > 0 ? ids : NULL, count,
		        &n, &more, e) == -1)
			return -1;
		all += n;
	}
	out_said(c, json_pack("{s:i}", "count", all), "%d %s", all, said);
	return 0;
}

int
command_dead_replay(struct ctl *c, struct err *e)
{
	return act(c, DEAD_REPLAY, "replayed", e);
}

int
command_dead_discard(struct ctl *c, struct err *e)
{
	return act(c, DEAD_DISCARD, "discarded", e);
}
