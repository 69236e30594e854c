/*
 * instant.c - dates and times as data have them
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "template/instant.h"

#include <stdint.h>

#include "template/number.h"

enum { DIGITS_OF_NUMBER = 9, MS_PER_MINUTE = 60000, MINUTES_PER_DAY = 1440 };

static const double SECONDS_MAX = 1e11;
static const double YEAR_1_MS = -62135596800e3;
static const double YEAR_10000_MS = 253402300800e3;

/* What is still to be read. */
struct reader {
	const char *p;
	const char *end;
};

static bool
read_char(struct reader *r, char c)
{
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

static bool
read_digits(struct reader *r, int count, int low, int high, int *n_r)
{
	int n = 0;

	for (; count > 0; count--, r->p++) {
		if (r->p == r->end || *r->p < '0' || *r->p > '9')
			return false;
		n = n * 10 + (*r->p - '0');
	}
	*n_r = n;
	return n >= low && n <= high;
}

static int
days_in_month(int year, int month)
{
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	if (month == 2)
		return leap ? 29 : 28;
	return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* Days since 1970-01-01 of the Gregorian calendar. */
static int64_t
days_of(int year, int month, int day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t shifted = month > 2 ? month - 3 : month + 9; /* from March */

	return y * 365 + y / 4 - y / 100 + y / 400 +
	    (shifted * 153 + 2) / 5 + day - 1 - 719468;
}

static bool
read_date(struct reader *r, double *ms_r)
{
	int year, month, day;

	if (!read_digits(r, 4, 1, 9999, &year) || !read_char(r, '-') ||
	    !read_digits(r, 2, 1, 12, &month) || !read_char(r, '-') ||
	    !read_digits(r, 2, 1, days_in_month(year, month), &day))
		return false;
	*ms_r = (double)days_of(year, month, day) * MINUTES_PER_DAY *
	    MS_PER_MINUTE;
	return true;
}

/* .123456789: what is smaller than a millisecond does not count. */
static bool
read_fraction(struct reader *r, double *ms)
{
	double weight = 100;
	bool some = false;

	for (; r->p < r->end && *r->p >= '0' && *r->p <= '9'; r->p++) {
		if (weight >= 1)
			*ms += (*r->p - '0') * weight;
		weight /= 10;
		some = true;
	}
	return some;
}

static bool
read_time(struct reader *r, double *ms)
{
	int hour, minute, second = 0;

	if (!read_digits(r, 2, 0, 23, &hour) || !read_char(r, ':') ||
	    !read_digits(r, 2, 0, 59, &minute))
		return false;
	if (read_char(r, ':') && !read_digits(r, 2, 0, 60, &second))
		return false;
	*ms += (hour * 60.0 + minute) * MS_PER_MINUTE + second * 1000.0;
	if (read_char(r, '.') || read_char(r, ','))
		return read_fraction(r, ms);
	return true;
}

/* Z, +01:00, +0100, +01, or nothing. */
static bool
read_offset(struct reader *r, struct instant *instant)
{
	int hours, minutes = 0, sign;

	if (r->p == r->end) {
		instant->kind = INSTANT_LOCAL;
		return true;
	}
	if (read_char(r, 'Z') || read_char(r, 'z'))
		return true;
	sign = *r->p == '-' ? 1 : -1;
	if (!read_char(r, '+') && !read_char(r, '-'))
		return false;
	if (!read_digits(r, 2, 0, 23, &hours))
		return false;
	if (r->p < r->end) {
		read_char(r, ':');
		if (!read_digits(r, 2, 0, 59, &minutes))
			return false;
	}
	instant->ms += sign * (hours * 60.0 + minutes) * MS_PER_MINUTE;
	return true;
}

bool
instant_of_number(double number, struct instant *instant_r)
{
	double ms = number < SECONDS_MAX && number > -SECONDS_MAX ?
	    number * 1000 : number;

	if (!(ms >= YEAR_1_MS && ms < YEAR_10000_MS))
		return false;
	*instant_r = (struct instant){ INSTANT_EXACT, ms };
	return true;
}

static bool
is_long_number(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	return len >= DIGITS_OF_NUMBER;
}

bool
instant_of_text(const char *text, size_t len, struct instant *instant_r)
{
	struct reader r = { text, text + len };
	struct instant it = { INSTANT_EXACT, 0 };
	double number;

	if (is_long_number(text, len))
		return number_parse(text, len, &number) &&
		    instant_of_number(number, instant_r);
	if (!read_date(&r, &it.ms))
		return false;
	if (r.p == r.end) {
		it.kind = INSTANT_DATE;
		*instant_r = it;
		return true;
	}
	if (!read_char(&r, 'T') && !read_char(&r, 't') && !read_char(&r, ' '))
		return false;
	if (!read_time(&r, &it.ms) || !read_offset(&r, &it) || r.p != r.end)
		return false;
	*instant_r = it;
	return true;
}
