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

struct err;
struct request;
struct response;

extern const struct field_table template_body_table;
extern const struct field_table publish_body_table;

int templates_list(struct request *rq, struct response *rs, struct err *e);
int templates_create(struct request *rq, struct response *rs, struct err *e);
int templates_get(struct request *rq, struct response *rs, struct err *e);
int templates_put(struct request *rq, struct response *rs, struct err *e);
int templates_patch(struct request *rq, struct response *rs, struct err *e);
int templates_delete(struct request *rq, struct response *rs, struct err *e);
int template_versions_list(struct request *rq, struct response *rs,
    struct err *e);
int template_versions_get(struct request *rq, struct response *rs,
    struct err *e);

/* Puts a version into use: the latest, or the one that the body names. */
int templates_publish(struct request *rq, struct response *rs, struct err *e);

#endif
