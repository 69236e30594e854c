/*
 * template_compile.h - sources as Belfry's templates understand them
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_MODEL_TEMPLATE_COMPILE_H
#define BELFRY_MODEL_TEMPLATE_COMPILE_H

#include <stddef.h>

#include "base/compiler.h"
#include "template/hbs.h"

/* hbs_compile() with the helpers that every part, message, layout and inline content may
 * call. */
int template_compile(const char *source, size_t len,
    struct hbs_template **tpl_r, struct hbs_error *e) MUST_CHECK;

#endif
