/*
 * extra.h - the functions of the extra helpers
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_TEMPLATE_EXTRA_H
#define BELFRY_TEMPLATE_EXTRA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct hbs_call;
struct hbs_value;

/* extra_logic.c */
int extra_and(struct hbs_call *call) MUST_CHECK;
int extra_default(struct hbs_call *call) MUST_CHECK;
int extra_eq(struct hbs_call *call) MUST_CHECK;
int extra_ge(struct hbs_call *call) MUST_CHECK;
int extra_gt(struct hbs_call *call) MUST_CHECK;
int extra_le(struct hbs_call *call) MUST_CHECK;
int extra_lt(struct hbs_call *call) MUST_CHECK;
int extra_ne(struct hbs_call *call) MUST_CHECK;
int extra_not(struct hbs_call *call) MUST_CHECK;
int extra_or(struct hbs_call *call) MUST_CHECK;

/* extra_text.c */
int extra_capitalize(struct hbs_call *call) MUST_CHECK;
int extra_lowercase(struct hbs_call *call) MUST_CHECK;
int extra_truncate(struct hbs_call *call) MUST_CHECK;
int extra_uppercase(struct hbs_call *call) MUST_CHECK;
int extra_url_encode(struct hbs_call *call) MUST_CHECK;

/* extra_number.c, extra_date.c */
int extra_currency(struct hbs_call *call) MUST_CHECK;
int extra_date(struct hbs_call *call) MUST_CHECK;
int extra_decimal(struct hbs_call *call) MUST_CHECK;
int extra_plural(struct hbs_call *call) MUST_CHECK;

/* extra_list.c, extra_markdown.c */
int extra_join(struct hbs_call *call) MUST_CHECK;
int extra_json(struct hbs_call *call) MUST_CHECK;
int extra_markdown(struct hbs_call *call) MUST_CHECK;
int extra_t(struct hbs_call *call) MUST_CHECK;

/* extra.c: what several of them need. */

/* Calls fn and counts what it opened of ICU. */
int extra_guarded(struct hbs_call *call, int (*fn)(struct hbs_call *call))
    MUST_CHECK;

/* A number, or a text that is one. */
bool extra_number(const struct hbs_value *v, double *number_r);

/* locale=, else that of the rendering, else "en". */
const char *extra_locale(struct hbs_call *call);

bool extra_is_text(const struct hbs_value *v, const char *text);
bool extra_is_ascii(const char *text, size_t len);

/* The text with a NUL, in memory of the rendering. */
const char *extra_text0(struct hbs_call *call, const struct hbs_value *v);

/* What to call a value that cannot be taken: "a list". */
const char *extra_kind_name(const struct hbs_value *v);

#endif
