/*
 * templates.h - /admin/templates
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A template is shown with the sources of its latest version.  PUT and PATCH make a new
 * version when something in the sources differs, and put it into use unless "publish" is
 * false.
 */
#ifndef BELFRY_API_TEMPLATES_H
#define BELFRY_API_TEMPLATES_H

#include "base/compiler.h"

struct err;
struct request;
struct response;
struct template_row;

extern const struct field_table template_body_table;

int templates_list(struct request *rq, struct response *rs, struct err *e);
int templates_create(struct request *rq, struct response *rs, struct err *e);
int templates_get(struct request *rq, struct response *rs, struct err *e);
int templates_put(struct request *rq, struct response *rs, struct err *e);
int templates_patch(struct request *rq, struct response *rs, struct err *e);
int templates_delete(struct request *rq, struct response *rs, struct err *e);

/* For what stands below a template: finds it, or -1 with ERR_NOT_FOUND; shows it. */
int templates_find(struct request *rq, const char *key,
    struct template_row **row_r, struct err *e) MUST_CHECK;
int templates_show(struct request *rq, struct response *rs, int status,
    const char *key, struct err *e) MUST_CHECK;

#endif
