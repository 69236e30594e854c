/*
 * webhook_endpoint.h - URLs that a tenant subscribed to what happens
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Secrets and further headers are sealed in one blob; nothing of it is ever shown again.
 */
#ifndef BELFRY_MODEL_WEBHOOK_ENDPOINT_H
#define BELFRY_MODEL_WEBHOOK_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/compiler.h"
#include "base/id.h"

struct arena;
struct db;
struct editor;
struct err;
struct keyring;

enum webhook_signature { WEBHOOK_NO_SIGNATURE, WEBHOOK_V1, WEBHOOK_V1A };
extern const char *const webhook_signatures[]; /* "v1", "v1a", NULL */
enum webhook_state { WEBHOOK_ACTIVE = 1, WEBHOOK_DISABLED = 2 };

struct webhook_endpoint {
	struct uuid id;
	const char *url;
	const char *description;
	const char *events; /* types separated by commas; "" is all */
	enum webhook_signature signature;
	int64_t rate; /* messages a second; 0: as many as it takes */
	const char *ordered; /* "notification", "metadata.KEY": what goes one after the
	                      * other; NULL: nothing */
	const char *public_key; /* of v1a, or NULL */
	int64_t previous_until_ms; /* 0: there is no secret before this one */
	enum webhook_state state;
	const char *reason; /* why it is disabled, or NULL */
	int version; /* for ETag */
	int64_t created_ms, updated_ms;
	int64_t failing_since_ms; /* 0: it is not */
	int64_t paused_until_ms; /* 0: it is not, or no longer */
	const void *sealed;
	size_t sealed_bytes;
};

/* What is sealed; all of it lives as long as the arena that it was opened into. */
struct webhook_secrets {
	const char *secret;
	const char *previous; /* or NULL */
	json_t *headers; /* texts by their names, or NULL */
};

/* Up to "limit" whose id comes after "after", in their order. */
int webhook_endpoint_list(struct arena *a, struct db *db, struct tenant_id tenant,
    struct uuid after, int limit, struct webhook_endpoint **list_r,
    size_t *count_r, struct err *e) MUST_CHECK;

/* 1, 0 when there is none, -1. */
int webhook_endpoint_get(struct arena *a, struct db *db, struct tenant_id tenant,
    struct uuid id, struct webhook_endpoint **endpoint_r, struct err *e)
    MUST_CHECK;

/* WEBHOOK_NO_SIGNATURE when the word names none. */
enum webhook_signature webhook_signature_find(const char *word) MUST_CHECK;

/* Whether a text says what goes one after the other. */
bool webhook_ordered_is_known(const char *ordered) MUST_CHECK;

/* Opens a blob of the endpoint with that id. */
int webhook_secrets_open(struct arena *a, const struct keyring *ring,
    struct tenant_id tenant, struct uuid id, const void *sealed,
    size_t sealed_bytes, struct webhook_secrets *secrets_r, struct err *e)
    MUST_CHECK;

/* Who changes endpoints: an editor, the ring that seals, and how many there may be. */
struct webhook_editor {
	const struct editor *ed;
	const struct keyring *ring;
	int64_t endpoints_max;
};

/* Makes one, whose id is set, with these secrets.  ERR_CONFLICT when there are as many as
 * there may be. */
int webhook_endpoint_create(const struct webhook_editor *we,
    struct webhook_endpoint *ep, const struct webhook_secrets *secrets,
    struct err *e) MUST_CHECK;

/* Replaces URL, description, events, rate, order, and headers unless they are NULL (an empty
 * object takes them away).  ep->version is the one that is expected (0: any). */
int webhook_endpoint_update(const struct webhook_editor *we,
    struct webhook_endpoint *ep, json_t *headers, struct err *e) MUST_CHECK;

/* A new secret; the one before goes on being used beside it for overlap_ms.
 * ep->id, version and public_key count. */
int webhook_endpoint_rotate(const struct webhook_editor *we,
    struct webhook_endpoint *ep, const char *secret, int64_t overlap_ms,
    struct err *e) MUST_CHECK;

/* Enables it, or disables it for a reason: then what waits for it no longer does. */
int webhook_endpoint_set_state(const struct webhook_editor *we, struct uuid id,
    int expected_version, enum webhook_state state, const char *reason,
    struct err *e) MUST_CHECK;

int webhook_endpoint_remove(const struct webhook_editor *we, struct uuid id,
    int expected_version, struct err *e) MUST_CHECK;

/* Writes a message webhook.ping that is for it alone.  ERR_CONFLICT when it is
 * disabled. */
int webhook_endpoint_ping(const struct webhook_editor *we, struct uuid id,
    struct uuid *message_r, struct err *e) MUST_CHECK;

#endif
