/*
 * edit.h - the transaction in which an admin changes something of a tenant
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Two round trips.  The first one raises the tenant's generation
 * (generation.h), which makes changes of one tenant wait for each other, and
 * looks at what is there; the second one writes, leaves the row in the audit
 * and commits.
 *
 *	b = edit_begin(ed);
 *	db_add(b, Q_PROVIDER_LOCK); ...
 *	if (db_run(ed->db, ed->a, b, &rows, e) == -1 ||
 *	    edit_expect(ed, rows[1], version, "provider", e) == -1)
 *		return -1;
 *	b = edit_commit(ed, "provider.remove", name, NULL);
 *	db_add(b, Q_PROVIDER_DELETE); ...
 *	return db_run(ed->db, ed->a, b, &rows, e);
 *
 * rows[0] belongs to edit_begin() and to edit_commit(), one's own begin with
 * rows[1].
 */
#ifndef BELFRY_MODEL_EDIT_H
#define BELFRY_MODEL_EDIT_H

#include <jansson.h>

#include "base/compiler.h"
#include "base/id.h"

struct arena;
struct db;
struct db_batch;
struct db_rows;
struct err;
struct keyring;

/* Who changes something, where, and through what. */
struct editor {
	struct arena *a; /* results live here */
	struct db *db;
	struct tenant_id tenant;
	const char *principal; /* "key:ab12...", "belfryctl:root" */
	const char *source; /* from where: an address, "unix root@host" */
	const char *request_id; /* or NULL */
	const struct keyring *ring; /* for what is named by edit_person() */
};

/* A batch that opens the transaction. */
struct db_batch *edit_begin(const struct editor *ed) MUST_CHECK;

/* A batch that ends it.  "detail" is an object or NULL; its reference is
 * taken. */
struct db_batch *edit_commit(const struct editor *ed, const char *action,
    const char *object, json_t *detail) MUST_CHECK;

/* Compares a row whose first column is a version with the one that the
 * client has seen (0: whichever).  Returns 0, or -1 with ERR_NOT_FOUND or
 * ERR_PRECONDITION after taking the transaction back.  "what" is the noun
 * for messages. */
int edit_expect(const struct editor *ed, const struct db_rows *r, int expected,
    const char *what, struct err *e) MUST_CHECK;

/* Takes the transaction back and returns -1, so that it can end a function
 * whose *e is set. */
int edit_abort(const struct editor *ed);

/* Adds a row to the audit of a batch that edit_commit() did not make. */
void edit_record(const struct editor *ed, struct db_batch *b,
    const char *action, const char *object, json_t *detail);

/* The same after the queries that change a watched table (audit_watch() in sql/):
 * the row is added when they did change something. */
void edit_record_change(const struct editor *ed, struct db_batch *b,
    const char *action, const char *object);

/* What names a person or an address in the audit, where nothing can be erased: a
 * keyed hash, "person:..." (person.h). */
const char *edit_person(const struct editor *ed, const char *who) MUST_CHECK;

/* The text of a JSON value, compact, in "a"; NULL for NULL. */
const char *edit_json(struct arena *a, const json_t *json);

#endif
