/*
 * users.h - people whom a tenant's own service knows
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a service answered is kept for five minutes, here and in memcached, and that it
 * knows nobody of an id for one; while it fails, what it said before goes on for an hour.
 * Then it is forgotten.  In memcached it is sealed.  When somebody of a tenant was erased,
 * all of the tenant are asked for anew.
 * Nothing waits: who is not known yet is being asked for, once, however many want to
 * know, and whoever asked comes again.
 */
#ifndef BELFRY_SPOOLER_USERS_H
#define BELFRY_SPOOLER_USERS_H

#include <stdint.h>

#include <jansson.h>

#include "base/compiler.h"
#include "base/id.h"

struct arena;
struct cache;
struct keyring;
struct page;
struct tokens;
struct transfers;
struct users;

struct users_params {
	struct transfers *transfers;
	struct cache *cache;
	const struct keyring *ring;
	struct tokens *tokens;
	const char *secrets; /* the directory (secret_file.h) */
	int64_t try_every_ms; /* a service that does not work */
};

struct users *users_new(struct arena *a, const struct users_params *p) MUST_CHECK;

/* A person by the service of the page's tenant: 1 with *user_r, which lives until the loop
 * goes on, and is NULL when the service knows nobody; 0 when it is not known yet, with
 * the milliseconds after which to ask again. */
int users_ask(struct users *us, const struct page *page, const char *user_id,
    json_t **user_r, int64_t *wait_ms_r) MUST_CHECK;

/* Sends for those that were asked for since the loop came round. */
void users_service(struct users *us);

#endif
