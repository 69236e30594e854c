/*
 * user_service.h - a tenant's own directory of people
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Of a recipient who is named by user_id and is not stored here, an HTTP service of the
 * tenant may be asked.  This says how, makes the requests and reads the answers;
 * doc/recipients.md tells it in full.
 */
#ifndef BELFRY_NOTIFY_USER_SERVICE_H
#define BELFRY_NOTIFY_USER_SERVICE_H

#include <jansson.h>

#include "base/compiler.h"
#include "base/id.h"
#include "web/field.h"

struct arena;
struct err;
struct keyring;
struct transfer_request;

/* Many at once. */
struct user_batch {
	struct field_mask mask;
	const char *url; /* with {user_ids}, or with a body */
	json_t *body; /* or NULL: GET */
	int64_t size;
	const char *people; /* the path to the list; NULL: the answer is it */
	const char *id; /* the path in each of them */
};

enum user_oauth_auth { USER_OAUTH_BASIC, USER_OAUTH_POST };

/* A service account of ours at an issuer of theirs. */
struct user_oauth {
	struct field_mask mask;
	const char *token_url;
	const char *client_id;
	const char *client_secret; /* one of these two */
	const char *client_secret_file;
	enum user_oauth_auth auth;
	const char *scope, *audience, *resource;
};

/* The paths lead into the answer: "contact.email". */
struct user_service {
	struct field_mask mask;
	const char *url; /* with {user_id}; NULL: only many at once */
	const struct user_batch *batch; /* or NULL */
	const char *token; /* or NULL */
	const struct user_oauth *oauth; /* or NULL */
	const char *email, *phone, *name, *locale, *time_zone, *push_tokens;
	int64_t timeout; /* milliseconds */
	const char *ca_file;

	/* No settings: a hash of all of it, and what it was read from. */
	uint64_t hash;
	json_t *json;

	/* Of one that is kept: its secrets, which "json" and the fields above lack. */
	const void *sealed;
	size_t sealed_bytes;
};

extern const struct field_table user_service_table;

/* Checks what the table cannot; faults are added with pointers below "pointer". */
void user_service_check(struct arena *a, const struct user_service *us,
    const char *pointer, struct field_errors *fe);

/* The service of settings that were opened, in "a"; NULL when there is none, or none that
 * passes the check. */
const struct user_service *user_service_of(struct arena *a,
    const json_t *settings) MUST_CHECK;

/* The same as it is kept while nobody is asked for: its secrets are sealed. */
const struct user_service *user_service_keep(struct arena *a,
    const struct keyring *ring, struct tenant_id tenant, const json_t *settings)
    MUST_CHECK;

/* One that is kept once more, with all that is its own in "a"; and such a one with its
 * secrets, for a request. */
const struct user_service *user_service_copy(struct arena *a,
    const struct user_service *kept) MUST_CHECK;
int user_service_open(struct arena *a, const struct keyring *ring,
    struct tenant_id tenant, const struct user_service *kept,
    const struct user_service **us_r, struct err *e) MUST_CHECK;

/* How many of the people one request asks for: 1 without "batch", else as many as are
 * allowed and fit into a URL. */
size_t user_service_take(const struct user_service *us, const char *const *ids,
    size_t count) MUST_CHECK;

/* A request for that many, with "token" or none: url, method, headers, body, limits; all in
 * "a". */
void user_service_request(struct arena *a, const struct user_service *us,
    const char *const *ids, size_t count, const char *token,
    struct transfer_request *request_r);

/* What an answer tells: people[i], the members of a recipient (and "push_tokens", a list of
 * texts), is about ids[i], in "a"; NULL: there is nobody of that id.  -1 when the answer
 * does not have the form. */
int user_service_read(struct arena *a, const struct user_service *us,
    const char *body, size_t len, const char *const *ids, size_t count,
    json_t **people, struct err *e) MUST_CHECK;

#endif
