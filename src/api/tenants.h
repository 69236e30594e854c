/*
 * tenants.h - /admin/tenants: tenants and their settings
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Platform administrators work on all of them.  To everybody else there is but the own
 * one, which administrators may look at and change as far as it touches nobody else.
 */
#ifndef BELFRY_API_TENANTS_H
#define BELFRY_API_TENANTS_H

struct err;
struct request;
struct response;
struct tenant;

extern const struct field_table tenant_table;
extern const struct field_table deletion_table;

/* The tenant that {slug} names: 0, or -1 with ERR_NOT_FOUND when there is none or it is
 * not the caller's. */
int tenants_find(struct request *rq, struct tenant **t_r, struct err *e);

/* Whatever is stored now. */
int tenants_show(struct request *rq, struct response *rs, int status,
    const char *slug, struct err *e);

int tenants_list(struct request *rq, struct response *rs, struct err *e);
int tenants_create(struct request *rq, struct response *rs, struct err *e);
int tenants_get(struct request *rq, struct response *rs, struct err *e);
int tenants_put(struct request *rq, struct response *rs, struct err *e);
int tenants_patch(struct request *rq, struct response *rs, struct err *e);
int tenants_delete(struct request *rq, struct response *rs, struct err *e);
int tenants_deletion(struct request *rq, struct response *rs, struct err *e);
int tenants_suspend(struct request *rq, struct response *rs, struct err *e);
int tenants_resume(struct request *rq, struct response *rs, struct err *e);
int tenants_settings_get(struct request *rq, struct response *rs,
    struct err *e);
int tenants_settings_put(struct request *rq, struct response *rs,
    struct err *e);
int tenants_settings_patch(struct request *rq, struct response *rs,
    struct err *e);

#endif
