/*
 * field_form.c - the forms that texts in fields can have
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "web/field_form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/ensure.h"
#include "base/text.h"

static bool
is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_alnum(char c)
{
	return is_alpha(c) || is_digit(c);
}

/* Blanks, controls, quotes and brackets end an address wherever it is quoted. */
static bool
is_separator(char c)
{
	return (unsigned char)c <= ' ' || c == 0x7f ||
	    strchr("\"'<>()[]{}\\^`|,;", c) != NULL;
}

/* The end of a domain: labels of at most 63 bytes, a dot between them. */
static const char *
domain_end(const char *s)
{
	const char *label = s;

	for (; is_alnum(*s) || *s == '-' || *s == '.' || (*s & 0x80) != 0; s++) {
		if (*s != '.')
			continue;
		if (s == label || s - label > 63 || s[-1] == '-')
			return NULL;
		label = s + 1;
		if (*label == '-')
			return NULL;
	}
	return s == label || s - label > 63 || s[-1] == '-' || *label == '-'
	    ? NULL
	    : s;
}

/* What nobody sees, or what turns the reading order: U+200B to U+200F, U+202A to U+202E,
 * U+2060 to U+206F, U+FEFF.  With it an address looks like another one. */
static bool
has_invisible(const char *s)
{
	unsigned char c;

	for (; *s != '\0'; s++) {
		if (strncmp(s, "\xef\xbb\xbf", 3) == 0)
			return true;
		if (s[0] != '\xe2' || s[1] == '\0')
			continue;
		c = (unsigned char)s[2];
		if (s[1] == '\x80' &&
		    ((c >= 0x8b && c <= 0x8f) || (c >= 0xaa && c <= 0xae)))
			return true;
		if (s[1] == '\x81' && c >= 0xa0 && c <= 0xaf)
			return true;
	}
	return false;
}

bool
form_is_email(const char *s)
{
	const char *at = strrchr(s, '@'), *p, *end;

	if (at == NULL || at == s || at - s > 64 || strlen(s) > 254)
		return false;
	if (*s == '.' || at[-1] == '.' || text_has_control(s) ||
	    has_invisible(s))
		return false;
	for (p = s; p < at; p++)
		if ((is_separator(*p) && strchr("'{}^`|", *p) == NULL) ||
		    *p == '@' || (*p == '.' && p[1] == '.'))
			return false;
	end = domain_end(at + 1);
	return end != NULL && *end == '\0';
}

bool
form_is_phone(const char *s)
{
	size_t n;

	if (s[0] != '+' || s[1] < '1' || s[1] > '9')
		return false;
	n = strspn(s + 1, "0123456789");
	return n >= 2 && n <= 15 && s[1 + n] == '\0';
}

/* The end of an IPv6 address in brackets, or NULL. */
static const char *
bracket_end(const char *s)
{
	size_t n = strspn(s + 1, "0123456789abcdefABCDEF:.");

	return n >= 2 && s[1 + n] == ']' ? s + 2 + n : NULL;
}

/* The end of ":8080", or NULL. */
static const char *
port_end(const char *s)
{
	size_t digits = strspn(s + 1, "0123456789");
	long port = digits >= 1 && digits <= 5 ? strtol(s + 1, NULL, 10) : 0;

	return port >= 1 && port <= 65535 ? s + 1 + digits : NULL;
}

bool
form_is_url(const char *s)
{
	if (strncmp(s, "https://", 8) == 0)
		s += 8;
	else if (strncmp(s, "http://", 7) == 0)
		s += 7;
	else
		return false;
	s = *s == '[' ? bracket_end(s) : domain_end(s);
	if (s != NULL && *s == ':')
		s = port_end(s);
	if (s == NULL || (*s != '\0' && strchr("/?#", *s) == NULL))
		return false;
	for (; *s != '\0'; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7f ||
		    strchr("\"<>\\^`{|}", *s) != NULL)
			return false;
	return true;
}

bool
form_is_locale(const char *s)
{
	const char *start = s;
	size_t n;

	for (n = 0; is_alpha(s[n]); n++)
		;
	if (n < 2 || n > 8)
		return false;
	for (s += n; *s == '-'; s += n) {
		s++;
		for (n = 0; is_alnum(s[n]); n++)
			;
		if (n < 1 || n > 8)
			return false;
	}
	return *s == '\0' && s - start <= 35;
}

bool
form_is_zone(const char *s)
{
	char path[96];
	struct stat st;
	size_t n = 0;
	const char *p;

	if (!is_alpha(*s) || strlen(s) > 64)
		return false;
	for (p = s; *p != '\0'; p++) {
		n = *p == '/' ? 0 : n + 1;
		if ((*p == '/' && !is_alpha(p[1])) || n > 32)
			return false;
		if (!is_alnum(*p) && strchr("_+-/", *p) == NULL)
			return false;
	}
	if (stat("/usr/share/zoneinfo/UTC", &st) != 0)
		return true;
	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", s);
	if (strncmp(s, "posix", 5) == 0 || strncmp(s, "right", 5) == 0)
		return false;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static const struct {
	const char *name;
	int64_t ms;
} units[] = {
	{ "w", INT64_C(7) * 24 * 3600 * 1000 },
	{ "d", INT64_C(24) * 3600 * 1000 },
	{ "h", INT64_C(3600) * 1000 },
	{ "m", INT64_C(60) * 1000 },
	{ "s", 1000 },
	{ "ms", 1 },
};

/* The unit that stands at s; its letters must not be followed by another one. */
static size_t
unit_find(const char *s)
{
	size_t i, n;

	for (n = 0; is_alpha(s[n]); n++)
		;
	for (i = 0; i < NELEMS(units); i++)
		if (strlen(units[i].name) == n &&
		    strncmp(units[i].name, s, n) == 0)
			break;
	return i;
}

int
form_duration_parse(const char *s, int64_t *ms_r)
{
	int64_t total = 0, number;
	size_t from = 0, unit;

	if (*s == '\0')
		return -1;
	while (*s != '\0') {
		if (!is_digit(*s))
			return -1;
		for (number = 0; is_digit(*s); s++)
			if (__builtin_mul_overflow(number, 10, &number) ||
			    __builtin_add_overflow(number, *s - '0', &number))
				return -1;
		unit = unit_find(s);
		if (unit < from || unit == NELEMS(units))
			return -1;
		if (__builtin_mul_overflow(number, units[unit].ms, &number) ||
		    __builtin_add_overflow(total, number, &total))
			return -1;
		s += strlen(units[unit].name);
		from = unit + 1;
	}
	*ms_r = total;
	return 0;
}

void
form_duration_format(int64_t ms, char text[static FORM_DURATION_BYTES])
{
	size_t i;
	int n = 0;

	ensure(ms >= 0);
	if (ms == 0)
		n = snprintf(text, FORM_DURATION_BYTES, "0s");
	for (i = 0; i < NELEMS(units); i++) {
		if (ms < units[i].ms)
			continue;
		n += snprintf(text + n, FORM_DURATION_BYTES - (size_t)n,
		    "%lld%s", (long long)(ms / units[i].ms), units[i].name);
		ms %= units[i].ms;
	}
}

size_t
form_length(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

unsigned
form_distance(const char *a, const char *b, unsigned most)
{
	unsigned char row[64];
	size_t i, j, la = strlen(a), lb = strlen(b);
	unsigned char diagonal, above, best;

	if (la >= sizeof(row) || lb >= sizeof(row))
		return 255;
	for (j = 0; j <= lb; j++)
		row[j] = (unsigned char)j;
	for (i = 1; i <= la; i++) {
		diagonal = row[0];
		row[0] = (unsigned char)i;
		for (j = 1; j <= lb; j++) {
			above = row[j];
			best = diagonal + (a[i - 1] != b[j - 1]);
			if (above + 1 < best)
				best = above + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
			diagonal = above;
		}
	}
	return row[lb] <= most ? row[lb] : 255;
}
