/*
 * week.c - which weeks the history has partitions for
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "db/week.h"

#include <string.h>

#include "base/clock.h"
#include "base/uuid.h"
#include "db/db.h"

/* Ten years back, which retention.days may say, and a year ahead. */
enum { WEEKS_MAX = 640 };

#define DAY_MS INT64_C(86400000)
#define MONDAY_MS (4 * DAY_MS) /* 1970-01-05 */
#define WEEK_MS (7 * DAY_MS)

static struct {
	int count;
	int list[WEEKS_MAX]; /* the newest first */
} known;

void
weeks_learn(const struct db_rows *rows)
{
	int i, n = db_count(rows);

	known.count = n < WEEKS_MAX ? n : WEEKS_MAX;
	for (i = 0; i < known.count; i++)
		known.list[i] = (int)db_int(rows, i, 0);
}

void
weeks_forget(void)
{
	known.count = 0;
}

int
week_of(const struct uuid *notification)
{
	int64_t ms = uuid_time_ms(notification);
	int i, week = (int)((ms - MONDAY_MS) / WEEK_MS);

	if (ms < MONDAY_MS)
		return 0;
	for (i = 0; i < known.count && known.list[i] >= week; i++)
		if (known.list[i] == week)
			return week;
	return 0;
}

int
week_same(int first, const struct uuid *next)
{
	return first != 0 && week_of(next) == first ? first : 0;
}

void
week_name(int week, char name[static WEEK_NAME_BYTES])
{
	char text[CLOCK_TEXT_BYTES];

	name[0] = '\0';
	if (week == 0)
		return;
	clock_format(MONDAY_MS + week * WEEK_MS, text);
	name[0] = '_';
	memcpy(name + 1, text, 4);
	memcpy(name + 5, text + 5, 2);
	memcpy(name + 7, text + 8, 2);
	name[9] = '\0';
}
