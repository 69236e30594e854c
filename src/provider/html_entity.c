/*
 * html_entity.c - character references of HTML
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "provider/html_entity.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"

enum { NAME_MAX_BYTES = 10, REPLACEMENT = 0xfffd };

struct entity {
	char name[NAME_MAX_BYTES];
	uint16_t code;
};

static const struct entity entities[] = {
#define X(name, code) { #name, code },
#include "provider/html_entity.def"
#undef X
};

static int
compare_names(const void *name, const void *entity)
{
	return strcmp(name, ((const struct entity *)entity)->name);
}

static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9');
}

static size_t
read_name(const char *s, size_t len, uint32_t *code_r)
{
	char name[NAME_MAX_BYTES] = "";
	const struct entity *e;
	size_t n = 0;

	while (n + 1 < len && n + 1 < NAME_MAX_BYTES && is_alnum(s[n + 1])) {
		name[n] = s[n + 1];
		n++;
	}
	e = bsearch(
	    name, entities, NELEMS(entities), sizeof(entities[0]), compare_names);
	if (e == NULL)
		return 0;
	/* Without its semicolon it may be a parameter of an address. */
	if (n + 1 >= len || s[n + 1] != ';')
		return 0;
	*code_r = e->code;
	return n + 2;
}

static int
digit_value(char c, bool hex)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (hex && (c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		return (c | 0x20) - 'a' + 10;
	return -1;
}

static size_t
read_number(const char *s, size_t len, uint32_t *code_r)
{
	bool hex = len > 2 && (s[2] == 'x' || s[2] == 'X');
	size_t start = hex ? 3 : 2, n = start;
	uint32_t code = 0;
	int value;

	for (; n < len && (value = digit_value(s[n], hex)) >= 0; n++) {
		if (code <= 0x10ffff)
			code = code * (hex ? 16 : 10) + (uint32_t)value;
	}
	if (n == start)
		return 0;
	if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		code = REPLACEMENT;
	*code_r = code;
	return n < len && s[n] == ';' ? n + 1 : n;
}

size_t
html_entity_read(const char *s, size_t len, uint32_t *code_r)
{
	if (len < 2)
		return 0;
	return s[1] == '#' ? read_number(s, len, code_r)
	                   : read_name(s, len, code_r);
}

size_t
html_entity_utf8(uint32_t code, char bytes[static 4])
{
	if (code < 0x80) {
		bytes[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		bytes[0] = (char)(0xc0 | code >> 6);
		bytes[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		bytes[0] = (char)(0xe0 | code >> 12);
		bytes[1] = (char)(0x80 | (code >> 6 & 0x3f));
		bytes[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	bytes[0] = (char)(0xf0 | code >> 18);
	bytes[1] = (char)(0x80 | (code >> 12 & 0x3f));
	bytes[2] = (char)(0x80 | (code >> 6 & 0x3f));
	bytes[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}
