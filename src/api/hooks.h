/*
 * hooks.h - /hooks/{tenant}/{provider_id}: what providers report
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_API_HOOKS_H
#define BELFRY_API_HOOKS_H

struct err;
struct request;
struct response;

/* POST, and GET where a provider asks first whether we are who we say. */
int hooks_receive(struct request *rq, struct response *rs, struct err *e);

#endif
