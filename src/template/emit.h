/*
 * emit.h - adding to the output without a call where there is room
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_TEMPLATE_EMIT_H
#define BELFRY_TEMPLATE_EMIT_H

#include <string.h>

#include "base/buf.h"

/* What buf_add() does. */
static inline void
emit(struct buf *out, const char *text, size_t len)
{
	if (len >= out->cap - out->len) {
		buf_add(out, text, len);
		return;
	}
	memcpy(out->data + out->len, text, len);
	out->len += len;
	out->data[out->len] = '\0';
}

#endif
