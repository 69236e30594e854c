/*
 * template_dir.h - templates as directories of files
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * doc/templates.md tells the form: KEY/template.json, the parts of the default
 * locale, sample.json, messages.json, and the same in a directory for each other
 * locale.
 */
#ifndef BELFRY_MODEL_TEMPLATE_DIR_H
#define BELFRY_MODEL_TEMPLATE_DIR_H

#include <stdbool.h>

#include "base/compiler.h"

struct arena;
struct err;
struct template_draft;
struct template_fault;

/* The key that a directory stands for: "order-shipped"; "layout:default" for
 * "_layouts/default". */
const char *template_dir_key(struct arena *a, const char *path);

/* Reads a directory; its last name is the template's key.  The draft is not
 * checked yet (template_check), but what is no part of a template is
 * refused.  -1 with ERR_NOT_FOUND, ERR_UNPROCESSABLE (naming the file) or
 * ERR_INTERNAL. */
int template_dir_read(struct arena *a, const char *path,
    struct template_draft **draft_r, struct err *e) MUST_CHECK;

/* Writes a draft, into a directory that is made when it is missing.  What it does
 * not have and a push would bring back is removed: files of parts, messages and
 * samples, and those of other locales. */
int template_dir_write(struct arena *a, const char *path,
    const struct template_draft *draft, struct err *e) MUST_CHECK;

/* True when both paths lead to the same directory. */
bool template_dir_is_same(const char *a, const char *b);

/* Where a fault stands: "PATH/de/email.html.hbs:3:7", or
 * "PATH/template.json". */
const char *template_dir_place(struct arena *a, const char *path,
    const struct template_draft *draft, const struct template_fault *fault);

#endif
