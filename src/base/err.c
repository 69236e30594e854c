/*
 * err.c - what went wrong, for the client and for the log
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/ensure.h"

static const struct {
	int http_status;
	const char *code;
	const char *title;
	bool may_retry;
} kinds[] = {
	[ERR_NONE] = { 200, "none", "No error", false },
#define X(name, status, code, retry, title)                                    \
	[ERR_##name] = { status, code, title, retry },
#include "base/err.def"
#undef X
};

int
err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
{
	va_list ap;

	e->kind = kind;
	e->detail[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return -1;
}

int
err_detail(struct err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->detail, sizeof(e->detail), fmt, ap);
	va_end(ap);
	return -1;
}

void
err_clear(struct err *e)
{
	e->kind = ERR_NONE;
	e->text[0] = '\0';
	e->detail[0] = '\0';
}

int
err_http_status(enum err_kind kind)
{
	ensure(kind < NELEMS(kinds));
	return kinds[kind].http_status;
}

const char *
err_code(enum err_kind kind)
{
	ensure(kind < NELEMS(kinds));
	return kinds[kind].code;
}

const char *
err_title(enum err_kind kind)
{
	ensure(kind < NELEMS(kinds));
	return kinds[kind].title;
}

bool
err_may_retry(enum err_kind kind)
{
	ensure(kind < NELEMS(kinds));
	return kinds[kind].may_retry;
}
