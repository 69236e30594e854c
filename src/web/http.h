/*
 * http.h - the words of HTTP
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_WEB_HTTP_H
#define BELFRY_WEB_HTTP_H

enum http_method {
#define M(name) HTTP_##name,
#include "web/http.def"
	HTTP_OTHER, /* any other; no route has it */
	HTTP_METHOD_COUNT = HTTP_OTHER
};

/* Methods are told apart by case. */
enum http_method http_method_parse(const char *s);
const char *http_method_name(enum http_method method);

/* The phrase of a status; "" when it is none of the table's. */
const char *http_phrase(int status);

#endif
