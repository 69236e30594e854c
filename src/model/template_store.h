/*
 * template_store.h - templates as they are kept
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A template has a row of its own (name, category, which version is in use) and
 * versions, which never change.  Saving makes a new version only when something
 * in it differs from the latest one.
 */
#ifndef BELFRY_MODEL_TEMPLATE_STORE_H
#define BELFRY_MODEL_TEMPLATE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/id.h"
#include "model/template_draft.h"

struct arena;
struct db;
struct editor;
struct err;

/* Without sources, for lists. */
struct template_row {
	struct template_id id;
	const char *key;
	const char *name;
	const char *description;
	const char *category;
	const char *default_locale;
	const char *fallback; /* JSON: the order of its channels; NULL: none */
	bool quiet_exempt; /* its messages go out in quiet hours too */
	int published; /* number of the version in use, 0: none */
	int latest; /* number of the newest version */
	int version; /* of this row, for ETag */
	int64_t created_ms;
	int64_t updated_ms;
};

/* How a version came into use. */
enum template_way {
	TEMPLATE_NEVER,
	TEMPLATE_BY_PUBLISH,
	TEMPLATE_BY_ROLLBACK
};

/* "publish", "rollback"; NULL for TEMPLATE_NEVER. */
const char *template_way_name(enum template_way way);

struct template_version {
	int number;
	const char *created_by;
	int64_t created_ms;
	enum template_way published_as; /* the last time */
	const char *published_by;
	int64_t published_ms;
};

/* By key: 1, 0 when there is none, -1. */
int template_find(struct arena *a, struct db *db, struct tenant_id tenant,
    const char *key, struct template_row **row_r, struct err *e) MUST_CHECK;

/* At most "limit" whose key comes after "after" ("": from the first on). */
int template_list(struct arena *a, struct db *db, struct tenant_id tenant,
    const char *after, int limit, struct template_row **list_r, size_t *count_r,
    struct err *e) MUST_CHECK;

/* Versions of a template, the newest first, with numbers below "before" (0:
 * all). */
int template_versions(struct arena *a, struct db *db, struct tenant_id tenant,
    struct template_id id, int before, int limit,
    struct template_version **list_r, size_t *count_r, struct err *e)
    MUST_CHECK;

/* A version as a draft; number 0 is the published one, or the latest when
 * none is. version_r (may be NULL) gets its number and so on.  1, 0, -1. */
int template_draft_load(struct arena *a, struct db *db, struct tenant_id tenant,
    const char *key, int number, struct template_draft **draft_r,
    struct template_version *version_r, struct err *e) MUST_CHECK;

enum template_save_mode {
	TEMPLATE_SAVE, /* make it or change it */
	TEMPLATE_SAVE_NEW, /* ERR_CONFLICT when it exists */
	TEMPLATE_SAVE_OLD, /* ERR_NOT_FOUND when it does not exist */
	TEMPLATE_SAVE_SEED /* leave it when its latest is not a seed's */
};

struct template_save {
	enum template_save_mode mode;
	int expected_version; /* of the row; 0: any */
	bool publish; /* the version that results is the one in use */
	const char *created_by; /* TEMPLATE_SEEDER for seeds */
};

#define TEMPLATE_SEEDER "seed"

enum template_outcome {
	TEMPLATE_CREATED,
	TEMPLATE_NEW_VERSION,
	TEMPLATE_CHANGED, /* its row alone */
	TEMPLATE_SAME,
	TEMPLATE_KEPT /* TEMPLATE_SAVE_SEED did not touch it */
};

struct template_saved {
	enum template_outcome outcome;
	struct template_id id;
	int number; /* of the latest version */
	int version; /* of the row */
};

/* "created", "new version", "changed", "unchanged", "kept". */
const char *template_outcome_name(enum template_outcome outcome);

/* Checks the draft and stores it.  0, or -1; a broken draft is
 * ERR_UNPROCESSABLE (call template_check() before for all its faults). */
int template_save(const struct editor *ed, const struct template_draft *draft,
    const struct template_save *how, struct template_saved *saved_r,
    struct err *e) MUST_CHECK;

/* Puts a version into use.  TEMPLATE_BY_PUBLISH: any version, 0 for the latest.
 * TEMPLATE_BY_ROLLBACK: one that was in use before, 0 for the newest of those before
 * the one in use; ERR_CONFLICT when there is none or it is in use now.  number_r gets
 * the version's number. */
int template_publish(const struct editor *ed, const char *key, int number,
    enum template_way way, int expected_version, int *number_r, struct err *e)
    MUST_CHECK;

/* Removes a template with all its versions.  Notifications that are under
 * way with it die; their timeline says why.  So do those whose template calls a
 * partial that is removed.  ERR_CONFLICT for a layout that a template in use names. */
int template_remove(const struct editor *ed, const char *key,
    int expected_version, struct err *e) MUST_CHECK;

/* What a template's notifications do that do not say otherwise. */
struct template_defaults {
	bool set_fallback, set_quiet_exempt; /* the others stay as they are */
	const char *fallback; /* JSON that was checked; NULL: none */
	bool quiet_exempt; /* they go out in quiet hours too */
};

/* ERR_NOT_FOUND when there is no such template.  Afterwards *d is what is stored. */
int template_set_defaults(const struct editor *ed, const char *key,
    struct template_defaults *d, struct err *e) MUST_CHECK;

#endif
