/*
 * user_service.h - a tenant's own directory of people
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Of a recipient who is named by user_id and is not stored here, an HTTP service of the
 * tenant may be asked.  This says how, and reads its answers; doc/recipients.md tells it
 * in full.
 */
#ifndef BELFRY_NOTIFY_USER_SERVICE_H
#define BELFRY_NOTIFY_USER_SERVICE_H

#include <jansson.h>

#include "base/compiler.h"
#include "web/field.h"

struct arena;
struct err;

/* The paths lead into the answer: "contact.email". */
struct user_service {
	struct field_mask mask;
	const char *url; /* with {user_id} */
	const char *token; /* or NULL */
	const char *email, *phone, *name, *locale, *time_zone;
	int64_t timeout; /* milliseconds */
	const char *ca_file;
	uint64_t hash; /* of all of it; no setting */
};

extern const struct field_table user_service_table;

/* Checks what the table cannot; faults are added with pointers below "pointer". */
void user_service_check(struct arena *a, const struct user_service *us,
    const char *pointer, struct field_errors *fe);

/* The service of settings that were opened, in "a"; NULL when there is none. */
const struct user_service *user_service_of(struct arena *a,
    const json_t *settings) MUST_CHECK;

/* The URL of one person, in "a". */
const char *user_service_url(struct arena *a, const struct user_service *us,
    const char *user_id) MUST_CHECK;

/* What an answer tells of the person: the members of a recipient, in "a".  -1 when it is
 * not an object. */
int user_service_read(struct arena *a, const struct user_service *us,
    const char *body, size_t len, json_t **user_r, struct err *e) MUST_CHECK;

#endif
