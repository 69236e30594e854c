/*
 * show_preview.h - previews, as commands ask for them and print them
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_CTL_SHOW_PREVIEW_H
#define BELFRY_CTL_SHOW_PREVIEW_H

#include <jansson.h>

#include "base/compiler.h"

struct ctl;
struct err;
struct preview_params;

/* Reads --locale, --part and --data into *p; data_r is NULL without the last. */
int preview_options(struct ctl *c, struct preview_params *p, json_t **data_r,
    struct err *e) MUST_CHECK;

/* Prints what preview_render() made: with --part that part as it is, else all of them and
 * what there is to say about them.  -1 when a part could not be rendered. */
int show_preview(struct ctl *c, const struct preview_params *p, json_t *preview,
    struct err *e) MUST_CHECK;

#endif
