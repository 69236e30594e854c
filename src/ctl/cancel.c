/*
 * cancel.c - belfryctl cancel
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "base/err.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/out.h"
#include "notify/cancel.h"

static const struct out_column columns[] = {
	{ "id", "notification" },
	{ "state", NULL },
	{ "cancelled", NULL },
	{ "on_the_wire", "on the wire" },
	{ "over", NULL },
	{ NULL, NULL },
};

int
command_cancel(struct ctl *c, struct err *e)
{
	const char *text = ctl_argument(c, 0);
	struct editor ed = ctl_editor(c);
	struct notification_id id;
	json_t *answer;

	if (uuid_parse(text, &id.u) == -1)
		return err_set(e, ERR_INVALID,
		    "\"%.60s\" is not the id of a notification", text);
	if (cancel_notification(&ed, &id, &answer, e) == -1)
		return -1;
	out_object(c, answer, columns);
	return 0;
}
