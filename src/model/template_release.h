/*
 * template_release.h - layouts and partials as they are in use together
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Each time a tenant publishes a layout or a partial, the versions of all that are in use
 * become a new release (table template_release).  A notification names the release it
 * was accepted under, so whoever renders it later sees the same.  Compiled templates hold
 * the release that they were loaded with; many hold the same one.
 */
#ifndef BELFRY_MODEL_TEMPLATE_RELEASE_H
#define BELFRY_MODEL_TEMPLATE_RELEASE_H

#include <stddef.h>

#include "base/compiler.h"

struct arena;
struct err;
struct template;

struct template_release {
	struct arena *a; /* holds everything but the members */
	int number;
	int held;
	struct template **members;
	size_t count;
};

/* Reads the column of template_load: a list of templates.  The caller holds the result.
 * -1 with ERR_INTERNAL when something in it is broken. */
int template_release_from_text(const char *text, size_t len, int number,
    struct template_release **release_r, struct err *e) MUST_CHECK;

/* An empty one, to be filled by template_release_add(), which takes the template over. */
struct template_release *template_release_new(int number) MUST_CHECK;
void template_release_add(struct template_release *release,
    struct template *member);

/* One more holder; one less, the last of whom frees it.  Clears *rp; NULL is fine. */
struct template_release *template_release_hold(struct template_release *r);
void template_release_drop(struct template_release **rp);

/* The member with the key prefix + name, or NULL.  "r" may be NULL. */
const struct template *template_release_find(const struct template_release *r,
    const char *prefix, const char *name, size_t len);

#endif
