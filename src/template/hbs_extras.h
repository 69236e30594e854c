/*
 * hbs_extras.h - helpers that notifications need
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * doc/templates.md tells what each one does.  They need ICU (languages, dates,
 * numbers) and cmark (Markdown); an engine without them just leaves the files
 * out that begin with "extra".
 */
#ifndef BELFRY_TEMPLATE_HBS_EXTRAS_H
#define BELFRY_TEMPLATE_HBS_EXTRAS_H

#include "template/hbs_helper.h"

/* All of them, for hbs_compile_params.helpers. */
extern const struct hbs_helpers hbs_extras;

#endif
