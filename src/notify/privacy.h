/*
 * privacy.h - what is stored of a person: told, taken away, and held
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A person is known by a user's id, by an address, or by both.  Nothing is indexed by
 * them, so each call reads the history of the tenant; of one tenant only one call at a time
 * does (ERR_TEMPORARY for the others).  What belongs to a person in which table is in
 * sql/migrations/ (privacy_erase), and doc/privacy.md tells it.
 */
#ifndef BELFRY_NOTIFY_PRIVACY_H
#define BELFRY_NOTIFY_PRIVACY_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/compiler.h"
#include "base/id.h"

struct buf;
struct editor;
struct err;

struct person {
	const char *user_id; /* or NULL */
	const char *address; /* the same */
	int64_t patience_ms; /* a statement may take so long; 0: any time */
};

/* Writes all that is stored as one JSON object with a list for each kind of thing.  -1
 * with ERR_TOO_LARGE when "out" cannot take it. */
int privacy_export(const struct editor *ed, const struct person *who,
    struct buf *out, struct err *e) MUST_CHECK;

/* Cancels what is queued for the person, and erases the rest.  *receipt_r is a new
 * reference: what was done; it stands in the audit too, and names nobody.
 * ERR_CONFLICT when the person is on hold, or when something is on the wire: then what
 * waited is cancelled, and one asks again. */
int privacy_erase(const struct editor *ed, const struct person *who,
    json_t **receipt_r, struct err *e) MUST_CHECK;

/* ---- Legal holds ----------------------------------------------------------------- */

struct legal_hold {
	struct uuid id;
	const char *person; /* an id or an address; "": the whole tenant */
	const char *reason;
	const char *set_by;
	int64_t set_ms;
};

/* All of a tenant, the latest first. */
int hold_list(const struct editor *ed, struct legal_hold **list_r,
    size_t *count_r, struct err *e) MUST_CHECK;

/* Sets h->id.  ERR_CONFLICT when there is one already. */
int hold_set(const struct editor *ed, struct legal_hold *h, struct err *e)
    MUST_CHECK;

/* ERR_NOT_FOUND. */
int hold_release(const struct editor *ed, const struct uuid *id,
    struct err *e) MUST_CHECK;

#endif
