/*
 * extra_date.c - date
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A moment is shown in the time zone of the rendering.  A date alone has no zone
 * and is the same day everywhere, and so is a time without an offset.  What is
 * no date is written as it stands.
 */
#include <stdio.h>
#include <string.h>
#include <unicode/ucal.h>
#include <unicode/udat.h>
#include <unicode/udatpg.h>
#include <unicode/ustring.h>

#include "template/extra.h"
#include "template/hbs_helper.h"
#include "template/icu_cache.h"
#include "template/instant.h"

enum {
	ROOM_CHARS = 256,
	ZONE_BYTES = 64,
	PATTERN_BYTES = 100,
	STYLES = 5,
};

static const struct {
	const char *name;
	UDateFormatStyle style;
} styles[STYLES] = {
	{ "short", UDAT_SHORT },
	{ "medium", UDAT_MEDIUM },
	{ "long", UDAT_LONG },
	{ "full", UDAT_FULL },
	{ "none", UDAT_NONE },
};

/* How a date is to be written. */
struct look {
	int date, time; /* places in "styles" */
	const char *text; /* a skeleton or a pattern, "" for neither */
	bool is_skeleton;
	char zone[ZONE_BYTES];
};

static void *
open_patterns(const struct icu_key *key, const char *locale)
{
	UErrorCode status = U_ZERO_ERROR;
	UDateTimePatternGenerator *g = udatpg_open(locale, &status);

	(void)key;
	return U_SUCCESS(status) ? g : NULL;
}

/* The order of the language for the fields that a skeleton names. */
static int32_t
best_pattern(const struct icu_key *key, UChar room[ROOM_CHARS])
{
	const struct icu_key generator = { .kind = ICU_PATTERNS, .digits = -1,
		.locale = key->locale, .zone = "", .text = "" };
	UDateTimePatternGenerator *g = icu_cache_get(&generator,
	    open_patterns);
	UChar skeleton[PATTERN_BYTES];
	UErrorCode status = U_ZERO_ERROR;
	int32_t n;

	if (g == NULL)
		return -1;
	u_strFromUTF8(skeleton, PATTERN_BYTES, &n, key->text, -1, &status);
	n = udatpg_getBestPattern(g, skeleton, n, room, ROOM_CHARS, &status);
	return U_SUCCESS(status) ? n : -1;
}

enum { SKELETON = STYLES * STYLES, PATTERN };

static void *
open_date(const struct icu_key *key, const char *locale)
{
	UChar pattern[ROOM_CHARS], zone[ZONE_BYTES];
	UErrorCode status = U_ZERO_ERROR;
	UDateFormat *format;
	int32_t n = 0;

	u_uastrncpy(zone, key->zone, ZONE_BYTES);
	if (key->style < SKELETON) {
		format = udat_open(styles[key->style / STYLES].style,
		    styles[key->style % STYLES].style, locale, zone, -1, NULL,
		    0, &status);
		return U_SUCCESS(status) ? format : NULL;
	}
	if (key->style == SKELETON)
		n = best_pattern(key, pattern);
	else
		u_strFromUTF8(pattern, ROOM_CHARS, &n, key->text, -1, &status);
	if (n < 0 || U_FAILURE(status))
		return NULL;
	format = udat_open(UDAT_PATTERN, UDAT_PATTERN, locale, zone, -1,
	    pattern, n, &status);
	return U_SUCCESS(status) ? format : NULL;
}

static void *
open_calendar(const struct icu_key *key, const char *locale)
{
	UErrorCode status = U_ZERO_ERROR;
	UChar zone[ZONE_BYTES];
	UCalendar *calendar;

	u_uastrncpy(zone, key->zone, ZONE_BYTES);
	calendar = ucal_open(zone, -1, locale, UCAL_GREGORIAN, &status);
	return U_SUCCESS(status) ? calendar : NULL;
}

static bool
zone_is_known(const char *zone)
{
	UErrorCode status = U_ZERO_ERROR;
	UChar name[ZONE_BYTES], room[ROOM_CHARS];
	UBool system = 0;

	u_uastrncpy(name, zone, ZONE_BYTES);
	ucal_getCanonicalTimeZoneID(name, -1, room, ROOM_CHARS, &system,
	    &status);
	return U_SUCCESS(status);
}

/* The zone of the call, else of the rendering, else UTC.  A recipient's zone
 * that nobody knows is no reason not to write. */
static int
read_zone(struct hbs_call *call, char zone[ZONE_BYTES])
{
	const struct hbs_value *own = hbs_call_pair(call, "zone");
	const char *given = call->how->time_zone;

	snprintf(zone, ZONE_BYTES, "UTC");
	if (value_is_nil(own)) {
		if (given != NULL && strlen(given) < ZONE_BYTES &&
		    extra_is_ascii(given, strlen(given)))
			snprintf(zone, ZONE_BYTES, "%s", given);
		return 0;
	}
	if (own->kind == VALUE_STRING && own->len < ZONE_BYTES &&
	    extra_is_ascii(own->u.text, own->len)) {
		snprintf(zone, ZONE_BYTES, "%.*s", (int)own->len,
		    own->u.text);
		if (zone_is_known(zone))
			return 0;
	}
	return hbs_call_pair_error(call, "zone",
	    "\"zone\" is no time zone; they are named as "
	    "\"Europe/Vienna\" and \"UTC\"");
}

static bool
find_style(const struct hbs_value *v, int *style_r)
{
	int i;

	for (i = 0; i < STYLES; i++)
		if (extra_is_text(v, styles[i].name)) {
			*style_r = i;
			return true;
		}
	return false;
}

static const char wrong_style[] = "a date has the styles \"short\", "
    "\"medium\", \"long\", \"full\" and \"none\"";

static int
read_styles(struct hbs_call *call, struct look *look)
{
	const struct hbs_value *time = hbs_call_pair(call, "time");

	look->date = 1;
	look->time = STYLES - 1;
	if (call->argc > 1 && !find_style(&call->args[1], &look->date))
		return hbs_call_error(call, 1, "%s", wrong_style);
	if (!value_is_nil(time) && !find_style(time, &look->time))
		return hbs_call_pair_error(call, "time", "%s", wrong_style);
	return 0;
}

/* The skeleton or the pattern, one of them at most. */
static int
read_pattern(struct hbs_call *call, struct look *look)
{
	const struct hbs_value *skeleton = hbs_call_pair(call, "skeleton");
	const struct hbs_value *pattern = hbs_call_pair(call, "pattern");
	const struct hbs_value *v = value_is_nil(skeleton) ? pattern :
	    skeleton;

	look->text = "";
	look->is_skeleton = v == skeleton;
	if (value_is_nil(v))
		return 0;
	if (v->kind != VALUE_STRING || v->len == 0 || v->len >= PATTERN_BYTES)
		return hbs_call_pair_error(call, look->is_skeleton ?
		    "skeleton" : "pattern", "this is a text of 1 to %d bytes",
		    PATTERN_BYTES - 1);
	look->text = extra_text0(call, v);
	return 0;
}

/* 1 and the instant, 0 when the value is to be written as it stands, -1. */
static int
read_instant(struct hbs_call *call, struct instant *instant)
{
	const struct hbs_value *v = &call->args[0];
	double number;

	if (extra_is_text(v, "now")) {
		*instant = (struct instant){ INSTANT_EXACT,
			(double)call->how->now_ms };
		return 1;
	}
	if (v->kind == VALUE_STRING)
		return instant_of_text(v->u.text, v->len, instant);
	if (value_is_nil(v))
		return 0;
	if (extra_number(v, &number))
		return instant_of_number(number, instant);
	return hbs_call_error(call, 0, "\"date\" takes a date, not %s",
	    extra_kind_name(v));
}

/* The moment at which clocks in the zone show what the instant says. */
static double
moment_in_zone(struct hbs_call *call, double ms, const char *zone)
{
	const struct icu_key utc = { .kind = ICU_CALENDAR, .digits = -1,
		.locale = "en", .zone = "UTC", .text = "" };
	struct icu_key there = utc;
	UErrorCode status = U_ZERO_ERROR;
	UCalendar *calendar;
	int32_t field[6];
	double moment = ms;
	int i;
	static const UCalendarDateFields names[6] = { UCAL_YEAR, UCAL_MONTH,
		UCAL_DATE, UCAL_HOUR_OF_DAY, UCAL_MINUTE, UCAL_SECOND };

	(void)call;
	if ((calendar = icu_cache_get(&utc, open_calendar)) == NULL)
		return ms;
	ucal_setMillis(calendar, ms, &status);
	for (i = 0; i < 6; i++)
		field[i] = ucal_get(calendar, names[i], &status);
	there.zone = zone;
	if ((calendar = icu_cache_get(&there, open_calendar)) == NULL)
		return ms;
	ucal_clear(calendar);
	ucal_setDateTime(calendar, field[0], field[1], field[2], field[3],
	    field[4], field[5], &status);
	moment = ucal_getMillis(calendar, &status);
	return U_SUCCESS(status) ? moment : ms;
}

static int
say_date(struct hbs_call *call, const struct look *look,
    const struct instant *instant)
{
	struct icu_key key = { .kind = ICU_DATE, .digits = -1,
		.locale = extra_locale(call), .zone = look->zone,
		.text = look->text };
	UErrorCode status = U_ZERO_ERROR;
	UChar room[ROOM_CHARS];
	char text[ROOM_CHARS * 3];
	double ms = instant->ms;
	UDateFormat *format;
	int32_t n, len = 0;
	int time = instant->kind == INSTANT_DATE ? STYLES - 1 : look->time;

	if (instant->kind == INSTANT_DATE)
		key.zone = "UTC";
	else if (instant->kind == INSTANT_LOCAL)
		ms = moment_in_zone(call, ms, look->zone);
	key.style = look->text[0] == '\0' ? time * STYLES + look->date :
	    look->is_skeleton ? SKELETON : PATTERN;
	if ((format = icu_cache_get(&key, open_date)) == NULL)
		return hbs_call_error(call, 0, "this date cannot be written");
	n = udat_format(format, ms, room, ROOM_CHARS, NULL, &status);
	if (U_SUCCESS(status))
		u_strToUTF8(text, sizeof(text), &len, room, n, &status);
	if (U_FAILURE(status))
		return hbs_call_error(call, 0, "this date cannot be written");
	hbs_say(call, text, (size_t)len);
	return 0;
}

static int
write_date(struct hbs_call *call)
{
	struct instant instant;
	struct look look;
	int found;

	if (read_styles(call, &look) < 0 || read_pattern(call, &look) < 0 ||
	    read_zone(call, look.zone) < 0 ||
	    (found = read_instant(call, &instant)) < 0)
		return -1;
	if (found > 0)
		return say_date(call, &look, &instant);
	hbs_say_value(call, &call->args[0]);
	return 0;
}

int
extra_date(struct hbs_call *call)
{
	return extra_guarded(call, write_date);
}
