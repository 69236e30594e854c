/*
 * clock.c - the time, from one place
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "base/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/ensure.h"

static int64_t wall_shift_ms;
static int64_t mono_shift_ms;

/* What is to be added to the monotonic clock. */
static bool agreed;
static int64_t agreed_offset_ms;

int64_t
clock_wall_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + wall_shift_ms;
}

int64_t
clock_mono_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000 +
	    mono_shift_ms * 1000;
}

int64_t
clock_mono_ms(void)
{
	return clock_mono_us() / 1000;
}

int64_t
clock_agreed_ms(void)
{
	return agreed ? clock_mono_ms() + agreed_offset_ms : clock_wall_ms();
}

void
clock_agree(int64_t wall_ms)
{
	agreed = true;
	agreed_offset_ms = wall_ms - clock_mono_ms();
}

int64_t
clock_ms_of_s(int64_t s)
{
	if (s < CLOCK_FIRST_MS / 1000)
		return CLOCK_FIRST_MS;
	return s > CLOCK_LAST_MS / 1000 ? CLOCK_LAST_MS : s * 1000;
}

void
clock_shift_for_test(int64_t wall_offset_ms, int64_t mono_offset_ms)
{
	wall_shift_ms += wall_offset_ms;
	mono_shift_ms += mono_offset_ms;
}

/* Writes "value" as exactly "digits" digits and returns what follows them. */
static char *
put_digits(char *p, int value, int digits)
{
	int i;

	for (i = digits - 1; i >= 0; i--) {
		p[i] = (char)('0' + value % 10);
		value /= 10;
	}
	return p + digits;
}

void
clock_format(int64_t wall_ms, char text[static CLOCK_TEXT_BYTES])
{
	struct tm tm;
	time_t s;
	char *p = text;
	int ms;

	if (wall_ms < CLOCK_FIRST_MS)
		wall_ms = CLOCK_FIRST_MS;
	if (wall_ms > CLOCK_LAST_MS)
		wall_ms = CLOCK_LAST_MS;
	ms = (int)(wall_ms % 1000);
	if (ms < 0)
		ms += 1000;
	s = (time_t)((wall_ms - ms) / 1000);
	ensure(gmtime_r(&s, &tm) != NULL);
	p = put_digits(p, tm.tm_year + 1900, 4);
	*p++ = '-';
	p = put_digits(p, tm.tm_mon + 1, 2);
	*p++ = '-';
	p = put_digits(p, tm.tm_mday, 2);
	*p++ = 'T';
	p = put_digits(p, tm.tm_hour, 2);
	*p++ = ':';
	p = put_digits(p, tm.tm_min, 2);
	*p++ = ':';
	p = put_digits(p, tm.tm_sec, 2);
	*p++ = '.';
	p = put_digits(p, ms, 3);
	*p++ = 'Z';
	*p = '\0';
}

/* Reads exactly "digits" digits that make a number from min to max. */
static bool
take_number(const char **sp, int digits, int min, int max, int *value_r)
{
	int value = 0, i;

	for (i = 0; i < digits; i++) {
		if ((*sp)[i] < '0' || (*sp)[i] > '9')
			return false;
		value = value * 10 + ((*sp)[i] - '0');
	}
	if (value < min || value > max)
		return false;
	*sp += digits;
	*value_r = value;
	return true;
}

/* Reads one of the characters in "any". */
static bool
take_char(const char **sp, const char *any)
{
	if (**sp == '\0' || strchr(any, **sp) == NULL)
		return false;
	(*sp)++;
	return true;
}

static int
days_of_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* Reads ".123" or nothing; what is finer than a millisecond is cut. */
static bool
take_fraction(const char **sp, int *ms_r)
{
	int digits, unit = 100, ms = 0;

	*ms_r = 0;
	if (!take_char(sp, "."))
		return true;
	for (digits = 0; **sp >= '0' && **sp <= '9'; digits++) {
		ms += (**sp - '0') * unit;
		unit /= 10;
		(*sp)++;
	}
	*ms_r = ms;
	return digits >= 1 && digits <= 9;
}

/* Reads "Z" or "+hh:mm"; *offset_s_r is local time minus UTC. */
static bool
take_offset(const char **sp, int *offset_s_r)
{
	int hours, minutes, sign = **sp == '-' ? -1 : 1;

	*offset_s_r = 0;
	if (take_char(sp, "Zz"))
		return true;
	if (!take_char(sp, "+-") || !take_number(sp, 2, 0, 23, &hours) ||
	    !take_char(sp, ":") || !take_number(sp, 2, 0, 59, &minutes))
		return false;
	*offset_s_r = sign * (hours * 3600 + minutes * 60);
	return true;
}

static bool
take_date(const char **sp, struct tm *tm)
{
	if (!take_number(sp, 4, 0, 9999, &tm->tm_year) ||
	    !take_char(sp, "-") || !take_number(sp, 2, 1, 12, &tm->tm_mon) ||
	    !take_char(sp, "-") || !take_number(sp, 2, 1,
	    days_of_month(tm->tm_year, tm->tm_mon), &tm->tm_mday))
		return false;
	tm->tm_year -= 1900;
	tm->tm_mon--;
	return true;
}

int
clock_parse(const char *text, int64_t *wall_ms_r)
{
	struct tm tm = { .tm_isdst = 0 };
	const char *s = text;
	int64_t result;
	int ms, offset_s;

	if (!take_date(&s, &tm) || !take_char(&s, "Tt") ||
	    !take_number(&s, 2, 0, 23, &tm.tm_hour) || !take_char(&s, ":") ||
	    !take_number(&s, 2, 0, 59, &tm.tm_min) || !take_char(&s, ":") ||
	    !take_number(&s, 2, 0, 60, &tm.tm_sec) ||
	    !take_fraction(&s, &ms) || !take_offset(&s, &offset_s) ||
	    *s != '\0')
		return -1;
	/* timegm() counts a leap second as the start of the next minute; there
	 * is none but at the end of a day in UTC. */
	result = (int64_t)timegm(&tm) - offset_s;
	if (strncmp(text + 17, "60", 2) == 0 && result % 86400 != 0)
		return -1;
	result = result * 1000 + ms;
	if (result < CLOCK_FIRST_MS || result > CLOCK_LAST_MS)
		return -1;
	*wall_ms_r = result;
	return 0;
}
