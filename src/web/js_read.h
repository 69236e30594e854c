/*
 * js_read.h - the JSON that is common, fast
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_WEB_JS_READ_H
#define BELFRY_WEB_JS_READ_H

#include <stddef.h>

#include <jansson.h>

#include "base/compiler.h"

struct arena;

/* Reads "len" bytes of JSON.  Returns what jansson makes of it with
 * JSON_REJECT_DUPLICATES and JSON_DECODE_ANY, as a new reference; or NULL when
 * it is faulty, nested deeper than depth_max or holds something rare (a number
 * of many digits): jansson knows then, and says what is wrong.  "a" is for what
 * is needed meanwhile. */
json_t *js_read(struct arena *a, const char *text, size_t len, int depth_max)
    MUST_CHECK;

#endif
