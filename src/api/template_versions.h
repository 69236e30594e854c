/*
 * template_versions.h - /admin/templates/{key}: versions, publish, rollback, diff
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A version is a draft until it is published, in use while it is the published one, and
 * retired when another took its place.
 */
#ifndef BELFRY_API_TEMPLATE_VERSIONS_H
#define BELFRY_API_TEMPLATE_VERSIONS_H

struct err;
struct request;
struct response;

extern const struct field_table publish_body_table;
extern const struct field_table rollback_body_table;
extern const struct field_table diff_query_table;

int template_versions_list(struct request *rq, struct response *rs,
    struct err *e);
int template_versions_get(struct request *rq, struct response *rs,
    struct err *e);

/* Puts a version into use: the latest, or the one that the body names. */
int templates_publish(struct request *rq, struct response *rs, struct err *e);

/* Puts a version into use that was before: the newest of those before the one in use, or
 * the one that the body names. */
int templates_rollback(struct request *rq, struct response *rs, struct err *e);

/* What differs between two versions; by default from the one in use to the latest. */
int templates_diff(struct request *rq, struct response *rs, struct err *e);

#endif
