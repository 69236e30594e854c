/*
 * tenant_settings.h - what a tenant has for itself
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * They are stored as they were given (tenant.settings), and read where they count: by
 * belfry-api with the facts of a tenant (tenant_facts.h), by the spooler with its
 * page (book.h).  What is absent is as the configuration or the product has it.
 */
#ifndef BELFRY_NOTIFY_TENANT_SETTINGS_H
#define BELFRY_NOTIFY_TENANT_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/compiler.h"
#include "base/id.h"
#include "model/webhook_endpoint.h"
#include "web/field.h"

struct arena;
struct err;
struct keyring;
struct tenant;
struct user_service;

struct tenant_branding {
	struct field_mask mask;
	const char *name;
	const char *url;
	const char *logo_url;
	const char *color; /* "#rrggbb" */
	const char *support_email;
	const char *footer;
};

struct tenant_rate {
	struct field_mask mask;
	int64_t rate; /* a second */
	int64_t burst;
};

struct tenant_prefix {
	struct field_mask mask;
	int64_t most;
	int64_t per;
	int64_t digits;
};

struct tenant_limits {
	struct field_mask mask;
	const struct tenant_rate *send, *read, *write, *person;
	const struct tenant_prefix *prefix;
	int64_t account_share; /* percent */
};

struct tenant_tracking {
	struct field_mask mask;
	bool opens, clicks;
};

struct retention_rule {
	struct field_mask mask;
	const char *category; /* NULL: any */
	int *channel; /* one or none */
	size_t channel_count;
	int64_t days;
};

struct tenant_retention {
	struct field_mask mask;
	int64_t days;
	struct retention_rule *rules;
	size_t rules_count;
};

struct tenant_settings {
	struct field_mask mask;
	const struct tenant_branding *branding;
	json_t *quiet_hours;
	const char **cors_origins;
	size_t cors_origins_count;
	int *channels; /* of channel_names */
	size_t channels_count;
	const struct tenant_limits *limits;
	const struct tenant_retention *retention;
	int64_t queue_max;
	int64_t delivery_rate;
	const struct tenant_tracking *tracking;
	int webhook_signature; /* of webhook_signatures */
	const struct user_service *user_service;
};

extern const struct field_table tenant_settings_table;

/* Checks whole settings; faults are added to "fe" with pointers from the settings on.
 * 0, or -1. */
int tenant_settings_check(struct arena *a, json_t *json,
    struct field_errors *fe) MUST_CHECK;

/* What is stored may come from another version, or from a hand in the database.  A member that
 * is not what it must be counts as absent, and the others count: an object without such
 * members, which lives in "a"; "stored" itself when it has none.  They are named in "fe". */
json_t *tenant_settings_heal(struct arena *a, json_t *stored,
    struct field_errors *fe) MUST_CHECK;
json_t *tenant_settings_stored(struct arena *a, const char *text,
    struct field_errors *fe);

/* Writes them into the log; for programs that read the settings to go by them. */
void tenant_settings_complain(struct tenant_id tenant,
    const struct field_errors *fe);

/* What may be shown of what is stored of a tenant, healed. */
json_t *tenant_settings_read(struct arena *a, const struct tenant *t) MUST_CHECK;

/* The same with its secrets, for changes; and puts settings that were checked back into
 * t, the secrets sealed. */
int tenant_settings_whole(struct arena *a, const struct keyring *ring,
    const struct tenant *t, json_t **settings_r, struct err *e) MUST_CHECK;
int tenant_settings_seal(struct arena *a, const struct keyring *ring,
    json_t *settings, struct tenant *t, struct err *e) MUST_CHECK;

/* How a tenant's new webhook endpoints are signed for when nothing else is asked for. */
enum webhook_signature tenant_webhook_signature(struct arena *a,
    const struct tenant *t) MUST_CHECK;

/* Limits of a tenant, which its own administrators may look at and not set: the first
 * one in which two settings differ, or NULL. */
const char *tenant_settings_limit(const json_t *before, const json_t *after);

/* How many recipients whose numbers begin alike (prefix_limit.h). */
struct prefix_rule {
	bool is_set; /* else all is as the configuration has it */
	int64_t most; /* 0: any number */
	int64_t per_ms; /* 0: as the configuration has it */
	int digits; /* the same */
};

/* What a spooler and the express way go by; nothing stands for what is absent. */
struct tenant_rules {
	unsigned forbidden; /* channels, as bits: 1 << CHANNEL_... */
	int delivery_rate; /* deliveries a second; 0: any number */
	bool test; /* simulators alone send for it; no setting */
	bool opens, clicks; /* of mails, that are to be known (track.h) */
	struct prefix_rule prefix;
};
struct tenant_rules tenant_rules_of(const json_t *settings);

/* What templates know of a tenant: "tenant" (name, slug, branding), and "brand", which is
 * tenant.branding and has a name for sure.  "branding" may be NULL.  Lives in "a". */
json_t *tenant_variables(struct arena *a, const char *name, const char *slug,
    const json_t *branding) MUST_CHECK;

#endif
