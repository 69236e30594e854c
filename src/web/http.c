/*
 * http.c - the words of HTTP
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "web/http.h"

#include <string.h>

#include "base/ensure.h"

static const char *const methods[] = {
#define M(name) [HTTP_##name] = #name,
#include "web/http.def"
	[HTTP_OTHER] = "OTHER",
};

enum http_method
http_method_parse(const char *s)
{
	int i;

	for (i = 0; i < HTTP_METHOD_COUNT; i++)
		if (strcmp(s, methods[i]) == 0)
			return (enum http_method)i;
	return HTTP_OTHER;
}

const char *
http_method_name(enum http_method method)
{
	ensure(method < NELEMS(methods));
	return methods[method];
}

const char *
http_phrase(int status)
{
	switch (status) {
#define S(code, phrase)                                                        \
	case code:                                                             \
		return phrase;
#include "web/http.def"
	default:
		return "";
	}
}
