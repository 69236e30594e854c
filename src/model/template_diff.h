/*
 * template_diff.h - what differs between two versions of a template
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_MODEL_TEMPLATE_DIFF_H
#define BELFRY_MODEL_TEMPLATE_DIFF_H

#include <jansson.h>

#include "base/compiler.h"

struct arena;
struct template_draft;

/* A list with an object for each source, sample and so on that differs:
 *	{"path": "de/email.html", "change": "changed" | "added" | "removed",
 *	 "added": 3, "removed": 1, "diff": "@@ -1,3 +1,5 @@\n ..."}
 * In the order of the files in a directory: "template.json" first.  It lives in "a". */
json_t *template_diff(struct arena *a, const struct template_draft *from,
    const struct template_draft *to) MUST_CHECK;

#endif
