/*
 * quiet.c - is it quiet where a recipient is?
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "notify/quiet.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "notify/book.h"
#include "notify/work.h"
#include "web/js.h"

enum { RECIPIENT_DEPTH = 512 };

struct tenant_quiet
tenant_quiet_read(const json_t *json)
{
	struct tenant_quiet quiet = { .given = false };
	const char *fault;
	json_t *hours;

	if (!json_is_object(json))
		return quiet;
	hours = json_copy((json_t *)(uintptr_t)json);
	json_object_del(hours, "exempt");
	quiet.given = quiet_hours_read(hours, &quiet.hours, &fault) == 0;
	quiet.exempt = json_object_get(json, "exempt");
	json_decref(hours);
	return quiet;
}

static bool
is_exempt(const struct page *page, const struct notification *n,
    enum channel channel)
{
	const char *name;
	json_t *category;
	size_t i;

	if (channel == CHANNEL_INAPP || channel == CHANNEL_WEBHOOK ||
	    n->priority == PRIORITY_URGENT || n->quiet_exempt)
		return true;
	json_array_foreach(page->quiet.exempt, i, category)
	{
		name = json_string_value(category);
		if (name != NULL && n->category != NULL &&
		    strcmp(name, n->category) == 0)
			return true;
	}
	return false;
}

static const char *
zone_of(const struct page *page, const json_t *to)
{
	const char *zone = json_string_value(json_object_get(to, "time_zone"));

	if (zone == NULL)
		zone = page->time_zone;
	return zone != NULL ? zone : "UTC";
}

struct quiet
quiet_now(const struct page *page, const struct notification *n,
    enum channel channel, const json_t *to, int64_t now_ms)
{
	const json_t *own = json_object_get(to, "quiet_hours");
	struct quiet_hours hours = page->quiet.hours;
	struct quiet quiet = { .applies = page->quiet.given };
	const char *fault;

	if (json_is_object(own))
		quiet.applies = quiet_hours_read(own, &hours, &fault) == 0;
	if (!quiet.applies || is_exempt(page, n, channel))
		return (struct quiet){ .applies = false };
	quiet.zone = zone_of(page, to);
	quiet.until_ms = quiet_hours_end(&hours, quiet.zone, now_ms);
	return quiet;
}

int64_t
quiet_until(struct arena *a, const struct page *page,
    const struct notification *n, enum channel channel, const char *recipient,
    int64_t now_ms)
{
	json_t *to;
	struct err e;

	if (recipient == NULL ||
	    (!page->quiet.given && strstr(recipient, "\"quiet_hours\"") == NULL) ||
	    js_parse(a, recipient, strlen(recipient), RECIPIENT_DEPTH, &to, &e) ==
	        -1)
		return 0;
	return quiet_now(page, n, channel, to, now_ms).until_ms;
}
