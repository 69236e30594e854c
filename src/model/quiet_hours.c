/*
 * quiet_hours.c - hours in which nobody wants to be disturbed
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Both ends of the hours that begin today or began yesterday are made into moments;
 * whether "now" lies between them is all that is asked.  So no rule of a change of
 * clocks has to be known here.
 */
#include "model/quiet_hours.h"

#include <stdbool.h>
#include <string.h>

#include <unicode/ucal.h>
#include <unicode/ustring.h>

#include "base/compiler.h"
#include "template/icu_cache.h"

enum { MINUTES_PER_HOUR = 60, DAYS_PER_WEEK = 7, ZONE_CHARS = 64 };

static const char *const day_names[DAYS_PER_WEEK] = { "mon", "tue", "wed", "thu",
	"fri", "sat", "sun" };

/* ---- Reading ------------------------------------------------------------------ */

static bool
read_two(const char *s, int most, int *n_r)
{
	if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9')
		return false;
	*n_r = (s[0] - '0') * 10 + s[1] - '0';
	return *n_r <= most;
}

static bool
read_minute(const json_t *json, int *minute_r)
{
	const char *s = json_string_value(json);
	int hour, minute;

	if (s == NULL || strlen(s) != 5 || s[2] != ':' ||
	    !read_two(s, 23, &hour) || !read_two(s + 3, 59, &minute))
		return false;
	*minute_r = hour * MINUTES_PER_HOUR + minute;
	return true;
}

static bool
read_days(const json_t *json, unsigned *days_r)
{
	const char *name;
	json_t *day;
	size_t i;
	int k;

	*days_r = 0;
	if (!json_is_array(json))
		return false;
	json_array_foreach(json, i, day)
	{
		name = json_string_value(day);
		for (k = 0; k < DAYS_PER_WEEK; k++)
			if (name != NULL && strcmp(name, day_names[k]) == 0)
				break;
		if (k == DAYS_PER_WEEK)
			return false;
		*days_r |= 1u << k;
	}
	return true;
}

int
quiet_hours_read(const json_t *json, struct quiet_hours *q_r,
    const char **fault_r)
{
	const json_t *days = json_object_get(json, "days");
	struct quiet_hours q = { .days = (1u << DAYS_PER_WEEK) - 1 };

	if (!json_is_object(json) ||
	    json_object_size(json) != (days != NULL ? 3u : 2u))
		*fault_r = "quiet hours have \"from\", \"to\" and, if need be, \"days\"";
	else if (!read_minute(json_object_get(json, "from"), &q.from_min) ||
	    !read_minute(json_object_get(json, "to"), &q.to_min))
		*fault_r = "\"from\" and \"to\" are times as 22:00";
	else if (q.from_min == q.to_min)
		*fault_r = "\"from\" and \"to\" are the same";
	else if (days != NULL && !read_days(days, &q.days))
		*fault_r = "\"days\" is a list of mon, tue, wed, thu, fri, sat, sun";
	else
		return *q_r = q, 0;
	return -1;
}

/* ---- Time ---------------------------------------------------------------------- */

static void *
open_calendar(const struct icu_key *key, const char *locale)
{
	UErrorCode status = U_ZERO_ERROR;
	UChar zone[ZONE_CHARS];
	int32_t n;
	UCalendar *calendar;

	u_strFromUTF8(zone, ZONE_CHARS, &n, key->zone, -1, &status);
	calendar = ucal_open(zone, n, locale, UCAL_GREGORIAN, &status);
	if (U_FAILURE(status))
		return NULL;
	ucal_setAttribute(calendar, UCAL_SKIPPED_WALL_TIME,
	    UCAL_WALLTIME_NEXT_VALID);
	return calendar;
}

/* The moment of a minute of a day, which may lie beyond its month. */
static int64_t
moment(UCalendar *calendar, const int32_t date[3], int days, int minute, bool last)
{
	UErrorCode status = U_ZERO_ERROR;

	ucal_setAttribute(calendar, UCAL_REPEATED_WALL_TIME,
	    last ? UCAL_WALLTIME_LAST : UCAL_WALLTIME_FIRST);
	ucal_clear(calendar);
	ucal_setDateTime(calendar, date[0], date[1], date[2] + days,
	    minute / MINUTES_PER_HOUR, minute % MINUTES_PER_HOUR, 0, &status);
	return (int64_t)ucal_getMillis(calendar, &status);
}

/* The end of the hours that begin "days" from the date, if "now" is within them. */
static int64_t
end_of(const struct quiet_hours *q, UCalendar *calendar, const int32_t date[3],
    int days, int64_t now_ms)
{
	int over = q->to_min < q->from_min; /* midnight */
	int64_t end;

	if (moment(calendar, date, days, q->from_min, false) > now_ms)
		return 0;
	end = moment(calendar, date, days + over, q->to_min, true);
	return end > now_ms ? end : 0;
}

int64_t
quiet_hours_end(const struct quiet_hours *q, const char *zone, int64_t now_ms)
{
	const struct icu_key key = { .kind = ICU_CALENDAR, .digits = -1,
		.locale = "en", .zone = zone, .text = "quiet hours" };
	static const UCalendarDateFields names[3] = { UCAL_YEAR, UCAL_MONTH,
		UCAL_DATE };
	UCalendar *calendar = icu_cache_get(&key, open_calendar);
	UErrorCode status = U_ZERO_ERROR;
	int32_t date[3];
	int64_t end = 0;
	int i, today;

	if (calendar == NULL || q->days == 0)
		return 0;
	ucal_setMillis(calendar, (UDate)now_ms, &status);
	for (i = 0; i < 3; i++)
		date[i] = ucal_get(calendar, names[i], &status);
	/* ICU counts from Sunday as 1. */
	today = (ucal_get(calendar, UCAL_DAY_OF_WEEK, &status) + 5) %
	    DAYS_PER_WEEK;
	for (i = 0; i >= -1 && end == 0; i--)
		if (q->days & 1u << (today + i + DAYS_PER_WEEK) % DAYS_PER_WEEK)
			end = end_of(q, calendar, date, i, now_ms);
	return end;
}
