/*
 * extra.h - the functions of the extra helpers
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_TEMPLATE_EXTRA_H
#define BELFRY_TEMPLATE_EXTRA_H

#include "base/compiler.h"

struct hbs_call;

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

#endif
