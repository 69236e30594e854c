/*
 * device.h - where push messages of users go
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A device is known by its token: what the push service gave to the app, or the
 * subscription of a browser as JSON.  A token belongs to the user who registered it last.
 */
#ifndef BELFRY_MODEL_DEVICE_H
#define BELFRY_MODEL_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/id.h"

struct arena;
struct db;
struct editor;
struct err;

/* The numbers stand in the database. */
enum device_platform {
	DEVICE_ANDROID = 1,
	DEVICE_IOS,
	DEVICE_WEB,
	DEVICE_OTHER,
	DEVICE_PLATFORM_COUNT
};

/* The names from DEVICE_ANDROID on, ended by NULL, for field tables. */
extern const char *const device_platform_names[];

struct device {
	struct uuid id;
	const char *token;
	enum device_platform platform;
	const char *app; /* the service's name for it, or NULL */
	int64_t created_ms;
	int64_t updated_ms; /* when it was registered last */
};

/* Registers a device for a user, or again; sets d->id. */
int device_put(const struct editor *ed, const char *user_id, struct device *d,
    struct err *e) MUST_CHECK;

/* All of a user, the latest registered first. */
int device_list(struct arena *a, struct db *db, struct tenant_id tenant,
    const char *user_id, struct device **list_r, size_t *count_r,
    struct err *e) MUST_CHECK;

/* Forgets the device of that id, or with NULL all of the user: how many there were, or
 * -1. */
int device_delete(const struct editor *ed, const char *user_id,
    const struct uuid *id, struct err *e) MUST_CHECK;

#endif
