/*
 * preview.h - what a template would look like, and what is wrong with it
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_NOTIFY_PREVIEW_H
#define BELFRY_NOTIFY_PREVIEW_H

#include <jansson.h>

#include "base/compiler.h"
#include "model/locale.h"

struct arena;
struct config;
struct err;
struct template;
struct template_draft;
struct tenant;

struct preview_params {
	const struct config *config;
	const struct template *tpl;
	struct locale_wish wish;
	const char *time_zone; /* NULL: UTC */
	const json_t *data; /* as preview_data() made it */
	const char *only; /* the name of a part; NULL: all of them */
};

/* What a template is shown with: "data", or the sample for the locale when it is NULL, and
 * in it "recipient" and what preview_tenant() says (either may be NULL), and
 * "unsubscribe_url" where the template says so, unless they are there.  Lives in "a". */
json_t *preview_data(struct arena *a, const struct template_draft *draft,
    const struct locale_wish *wish, json_t *data, json_t *recipient,
    json_t *tenant) MUST_CHECK;

/* What templates know of a tenant (tenant_settings.h).  Lives in "a". */
json_t *preview_tenant(struct arena *a, const struct tenant *t) MUST_CHECK;

/* Renders every part.  An object that lives in "a":
 *	parts      by name: locale, output, bytes; for sms how long it is; or error
 *	variables  used, missing, undeclared, unused: lists of names
 *	warnings   [{"part", "text"}]
 *	errors     how many parts cannot be rendered
 * doc/api.md tells it in full. */
json_t *preview_render(struct arena *a, const struct preview_params *p)
    MUST_CHECK;

#endif
