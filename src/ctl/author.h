/*
 * author.h - templates in directories, without a database
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_CTL_AUTHOR_H
#define BELFRY_CTL_AUTHOR_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/compiler.h"

struct ctl;
struct err;
struct preview_params;
struct template;
struct template_draft;
struct template_fault;
struct template_release;

/* A directory as it was read. */
struct author_work {
	const char *path;
	struct template_draft *draft;
	const struct template *tpl; /* NULL: the draft has faults */
};

/* Calls fn for each directory that the arguments stand for, with the layouts and
 * partials that stand beside it in "_layouts" and "_partials".  Faults of a draft go to
 * "fault", one by one; without that function they end the command. */
struct author_job {
	int (*fn)(struct ctl *c, const struct author_work *w, void *arg,
	    struct err *e);
	void (*fault)(struct ctl *c, const struct author_work *w,
	    const struct template_fault *f, void *arg);
	void *arg;
};
int author_each(struct ctl *c, const struct author_job *job, struct err *e)
    MUST_CHECK;

/* The preview of a locale with its sample; "only" is a part or NULL. */
json_t *author_preview(struct ctl *c, const struct author_work *w,
    const char *locale, const char *only) MUST_CHECK;

#endif
