/*
 * edit.c - the transaction in which an admin changes something of a tenant
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "model/edit.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/uuid.h"
#include "db/db.h"
#include "model/generation.h"
#include "model/person.h"

struct db_batch *
edit_begin(const struct editor *ed)
{
	struct db_batch *b = db_batch_new(ed->a, ed->tenant, DB_BEGIN);

	generation_bump(b, ed->tenant);
	return b;
}

const char *
edit_json(struct arena *a, const json_t *json)
{
	char *text, *copy;

	if (json == NULL)
		return NULL;
	text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
	ensure(text != NULL);
	copy = arena_strdup(a, text);
	free(text);
	return copy;
}

static void
add_row(const struct editor *ed, struct db_batch *b, enum query query,
    const char *action, const char *object)
{
	struct uuid id = uuid_make();

	db_add(b, query);
	db_arg_int(b, ed->tenant.n);
	db_arg_uuid(b, &id);
	db_arg_text(b, ed->principal);
	db_arg_text(b, ed->source);
	db_arg_text(b, action);
	db_arg_text(b, object);
	db_arg_text(b, ed->request_id);
}

void
edit_record(const struct editor *ed, struct db_batch *b, const char *action,
    const char *object, json_t *detail)
{
	add_row(ed, b, Q_AUDIT_INSERT, action, object);
	db_arg_text(b, edit_json(ed->a, detail));
	json_decref(detail);
}

void
edit_record_change(const struct editor *ed, struct db_batch *b,
    const char *action, const char *object)
{
	add_row(ed, b, Q_AUDIT_INSERT_CHANGE, action, object);
}

const char *
edit_person(const struct editor *ed, const char *who)
{
	ensure(ed->ring != NULL);
	return person_label(ed->a, ed->ring, ed->tenant, who);
}

struct db_batch *
edit_commit(const struct editor *ed, const char *action, const char *object,
    json_t *detail)
{
	struct db_batch *b = db_batch_new(ed->a, ed->tenant, DB_COMMIT);

	edit_record(ed, b, action, object, detail);
	return b;
}

int
edit_abort(const struct editor *ed)
{
	db_rollback(ed->db);
	return -1;
}

int
edit_expect(const struct editor *ed, const struct db_rows *r, int expected,
    const char *what, struct err *e)
{
	if (db_count(r) == 0) {
		err_set(e, ERR_NOT_FOUND, "there is no such %s", what);
		return edit_abort(ed);
	}
	if (expected != 0 && db_int(r, 0, 0) != expected) {
		err_set(e, ERR_PRECONDITION,
		    "the %s was changed meanwhile: it has version %d, not %d",
		    what, (int)db_int(r, 0, 0), expected);
		return edit_abort(ed);
	}
	return 0;
}
