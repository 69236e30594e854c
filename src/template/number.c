/*
 * number.c - numbers as JavaScript writes and reads them
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The digits come from printf("%.*e") with the fewest digits that read back as
 * the same number; where the point goes is ECMAScript's Number::toString.
 */
#include "template/number.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "template/space.h"

/* The digits of a number d1 d2 ... dn times 10^(point - n). */
struct decimal {
	char digits[20];
	int count;
	int point;
};

static void
decimal_of(double number, struct decimal *d)
{
	char text[40];
	int precision = fabs(number) < DBL_MIN ? 0 : 14;
	char *exponent;

	for (; precision <= 16; precision++) {
		snprintf(text, sizeof(text), "%.*e", precision, number);
		if (strtod(text, NULL) == number)
			break;
	}
	exponent = strchr(text, 'e');
	d->point = (int)strtol(exponent + 1, NULL, 10) + 1;
	d->digits[0] = text[0];
	d->count = 1;
	/* text[1] is the decimal point of whatever locale this is. */
	for (char *p = text + 1; p < exponent; p++) {
		if (*p >= '0' && *p <= '9' && d->count < 18)
			d->digits[d->count++] = *p;
	}
	while (d->count > 1 && d->digits[d->count - 1] == '0')
		d->count--;
}

static size_t
write_exponent(const struct decimal *d, char *room)
{
	char exponent[NUMBER_TEXT_BYTES];
	size_t n = 0, len;

	room[n++] = d->digits[0];
	if (d->count > 1) {
		room[n++] = '.';
		memcpy(room + n, d->digits + 1, (size_t)d->count - 1);
		n += (size_t)d->count - 1;
	}
	room[n++] = 'e';
	room[n++] = d->point < 1 ? '-' : '+';
	len = number_write_integer(abs(d->point - 1), exponent);
	memcpy(room + n, exponent, len);
	return n + len;
}

static size_t
write_plain(const struct decimal *d, char *room)
{
	size_t n = 0;
	int i;

	if (d->point <= 0) {
		room[n++] = '0';
		room[n++] = '.';
		for (i = d->point; i < 0; i++)
			room[n++] = '0';
	}
	for (i = 0; i < d->count; i++) {
		if (i == d->point && i > 0)
			room[n++] = '.';
		room[n++] = d->digits[i];
	}
	for (; i < d->point; i++)
		room[n++] = '0';
	return n;
}

size_t
number_write(double number, char room[NUMBER_TEXT_BYTES])
{
	struct decimal d;
	size_t n = 0;

	if (isnan(number)) {
		memcpy(room, "NaN", 3);
		return 3;
	}
	if (number < 0) {
		room[n++] = '-';
		number = -number;
	}
	if (isinf(number)) {
		memcpy(room + n, "Infinity", 8);
		return n + 8;
	}
	if (number == 0) {
		room[n++] = '0';
		return n;
	}
	decimal_of(number, &d);
	if (d.point > 21 || d.point < -5)
		return n + write_exponent(&d, room + n);
	return n + write_plain(&d, room + n);
}

size_t
number_write_integer(long long number, char room[NUMBER_TEXT_BYTES])
{
	unsigned long long rest = (unsigned long long)number;
	char digits[20];
	size_t n = 0, count = 0;

	if (number < 0) {
		room[n++] = '-';
		rest = 0 - rest;
	}
	do {
		digits[count++] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	while (count > 0)
		room[n++] = digits[--count];
	return n;
}

double
number_read(const char *text, size_t len)
{
	char room[400];
	const char *point = memchr(text, '.', len);
	size_t whole = point == NULL ? len : (size_t)(point - text);
	size_t rest = point == NULL ? 0 : len - whole - 1;

	/* The fraction goes into the exponent: strtod() would want the decimal
	 * point of the locale.  More digits than fit change nothing. */
	if (whole > 330)
		return *text == '-' ? -INFINITY : INFINITY;
	if (rest > 40)
		rest = 40;
	snprintf(room, sizeof(room), "%.*s%.*se-%zu", (int)whole, text,
	    (int)rest, point == NULL ? "" : point + 1, rest);
	return strtod(room, NULL);
}

static const char *
skip_digits(const char *p, const char *end, bool *some)
{
	for (; p < end && *p >= '0' && *p <= '9'; p++)
		*some = true;
	return p;
}

/* The value of digits beyond the point, "e" and what follows it. */
static bool
skip_exponent(const char *p, const char *end, int *exponent_r)
{
	bool negative, some = false;
	long n = 0;

	*exponent_r = 0;
	if (p == end)
		return true;
	if (*p != 'e' && *p != 'E')
		return false;
	p++;
	negative = p < end && *p == '-';
	if (p < end && (*p == '-' || *p == '+'))
		p++;
	for (; p < end && *p >= '0' && *p <= '9'; p++, some = true)
		if (n < 1000)
			n = n * 10 + (*p - '0');
	*exponent_r = (int)(negative ? -n : n);
	return some && p == end;
}

bool
number_parse(const char *text, size_t len, double *number_r)
{
	const char *end = space_skip_back(text, text + len);
	const char *start = space_skip(text, end), *p = start;
	bool some = false;
	int exponent;

	if (p < end && (*p == '-' || *p == '+'))
		p++;
	p = skip_digits(p, end, &some);
	if (p < end && *p == '.')
		p = skip_digits(p + 1, end, &some);
	if (!some || !skip_exponent(p, end, &exponent))
		return false;
	*number_r = number_read(start, (size_t)(p - start));
	if (exponent != 0)
		*number_r *= pow(10, exponent);
	return true;
}
