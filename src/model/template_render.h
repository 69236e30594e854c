/*
 * template_render.h - a part of a template with its layout, partials and messages
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The one place where stored templates are rendered: for deliveries, previews and the
 * tools of authors.
 */
#ifndef BELFRY_MODEL_TEMPLATE_RENDER_H
#define BELFRY_MODEL_TEMPLATE_RENDER_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/compiler.h"
#include "model/locale.h"
#include "model/template_part.h"
#include "template/hbs.h"

struct arena;
struct buf;
struct config;
struct template;

struct template_rendering {
	const struct template *tpl;
	struct locale_wish wish;
	const char *time_zone; /* NULL: UTC */
	int64_t now_ms;
	const json_t *data;
	unsigned depth; /* limits of hbs_render(); 0: its own */
	size_t nodes;
	/* What was to be written and led to nothing; may be NULL. */
	void (*missing)(void *arg, const char *path, size_t len);
	void *arg;
};

/* What went wrong, and in which source. */
struct template_trouble {
	struct hbs_error e;
	const struct template *tpl; /* the template, its layout or a partial; NULL:
				     * none of them */
	enum template_part part;
	const char *locale; /* NULL: it is in no source */
	const char *source; /* the same */
	size_t len;
};

/* Sets the limits from the configuration. */
void template_rendering_limit(struct template_rendering *rn,
    const struct config *config);

/* Adds the part to "out".  locale_r (may be NULL) gets the name of the locale that it was
 * found in, also when it cannot be rendered.  1, 0 when the template has no such part, -1
 * with *t, which is good as long as the template. */
int template_render(const struct template_rendering *rn,
    enum template_part part, struct buf *out, const char **locale_r,
    struct template_trouble *t) MUST_CHECK;

/* hbs_list_paths() for the part and its layout's. */
void template_list_paths(const struct template_rendering *rn,
    enum template_part part,
    void (*fn)(void *arg, const char *path, size_t len), void *arg);

/* "layout:default/de/email.html". */
const char *template_trouble_place(struct arena *a,
    const struct template_trouble *t) MUST_CHECK;

#endif
