/*
 * err.h - what went wrong, for the client and for the log
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A function that can fail returns -1 and fills a struct err that its caller
 * owns.  "text" may be shown to a client; "detail" is for the log only (it may
 * hold what a database or a library said).  Two kinds decide what a caller does
 * next: ERR_TEMPORARY (try again later) and ERR_UNCERTAIN (it may have happened:
 * look before repeating).
 *
 * Messages: lower case, no full stop, names quoted, the reason always.  "could
 * not" may work later, "cannot" never will.
 */
#ifndef BELFRY_BASE_ERR_H
#define BELFRY_BASE_ERR_H

#include <stdbool.h>

#include "base/compiler.h"

enum err_kind {
	ERR_NONE,
#define X(name, status, code, retry, title) ERR_##name,
#include "base/err.def"
#undef X
};

struct err {
	enum err_kind kind;
	char text[256];
	char detail[512];
};

/* Sets kind and text, clears detail.  Always returns -1, so that a function can
 * end in "return err_set(e, ...)".  A text that is too long is cut. */
int err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* Adds what only the log may know.  Always returns -1. */
int err_detail(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

void err_clear(struct err *e);

/* The row of the table for a kind. */
int err_http_status(enum err_kind kind);
const char *err_code(enum err_kind kind);
const char *err_title(enum err_kind kind);
bool err_may_retry(enum err_kind kind);

#endif
