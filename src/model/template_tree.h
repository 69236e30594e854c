/*
 * template_tree.h - directories of templates, one beside the other
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_MODEL_TEMPLATE_TREE_H
#define BELFRY_MODEL_TEMPLATE_TREE_H

#include <stddef.h>

#include "base/compiler.h"

struct arena;
struct err;

enum { TEMPLATE_TREE_MAX = 1000 };

struct template_tree {
	const char **paths;
	size_t count;
};

/* The templates that a path stands for: itself when it has a template.json, else those
 * below it, after the ones in its "_layouts" and "_partials".  Each list is in the order
 * of its names.  -1 with ERR_NOT_FOUND when there is none, ERR_UNPROCESSABLE when there are
 * more than TEMPLATE_TREE_MAX. */
int template_tree_add(struct arena *a, const char *path,
    struct template_tree *tree, struct err *e) MUST_CHECK;

/* Only what lies right below a directory; one that is not there has nothing. */
int template_tree_add_below(struct arena *a, const char *path,
    struct template_tree *tree, struct err *e) MUST_CHECK;

#endif
