/*
 * template_compile.c - sources as Belfry's templates understand them
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "model/template_compile.h"

#include "template/hbs_extras.h"

int
template_compile(const char *source, size_t len, struct hbs_template **tpl_r,
    struct hbs_error *e)
{
	const struct hbs_compile_params params = { .helpers = &hbs_extras };

	return hbs_compile(source, len, &params, tpl_r, e);
}
