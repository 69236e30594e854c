/*
 * template.h - templates as they are used
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Two forms.  The head is what must be known to take a notification in: is
 * there such a template, which version is in use, what data does it need, which
 * channels does it have.  The whole is one version compiled, ready to
 * render.  Both are read from one column of JSON, whose text is also what may
 * be kept in memcached.
 *
 * A version never changes, so a whole may be kept forever under (tenant, id,
 * version, release) as long as its category and its default locale may be old; a head is
 * as good as the tenant's generation (generation.h).
 */
#ifndef BELFRY_MODEL_TEMPLATE_H
#define BELFRY_MODEL_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/compiler.h"
#include "base/id.h"
#include "model/template_part.h"

struct arena;
struct db;
struct db_batch;
struct db_rows;
struct err;
struct locale_wish;
struct template_release;

/* What JSON type the value of a variable has. */
enum template_type {
	TEMPLATE_ANY,
	TEMPLATE_STRING,
	TEMPLATE_NUMBER,
	TEMPLATE_INTEGER,
	TEMPLATE_BOOLEAN,
	TEMPLATE_ARRAY,
	TEMPLATE_OBJECT,
	TEMPLATE_TYPE_COUNT
};

/* "string" ...; NULL for TEMPLATE_ANY. */
const char *template_type_name(enum template_type type);

/* TEMPLATE_TYPE_COUNT for a text that names none. */
enum template_type template_type_parse(const char *name);
bool template_type_fits(enum template_type type, const json_t *value);

/* A declared variable that has to be looked at when data come in. */
struct template_variable {
	const char *path; /* data_path.h */
	bool required;
	enum template_type type;
};

struct template_head {
	struct template_id id;
	const char *key;
	const char *category;
	const char *default_locale;
	int version; /* the published one; 0: there is none */
	unsigned channels; /* 1 << enum channel for each it has parts for */
	int release; /* of layouts and partials that is in use; 0: there is none */
	const char *fallback; /* JSON: the order of its channels; NULL: none */
	bool quiet_exempt; /* goes out in quiet hours too */
	const struct template_variable *variables;
	size_t variable_count;
};

struct template_message {
	const char *key;
	struct hbs_template *text;
};

struct template_locale {
	const char *name;
	struct hbs_template *parts[TEMPLATE_PART_COUNT]; /* NULL: has none */
	struct template_message *messages; /* what {{t "key"}} says */
	size_t message_count;
};

struct template {
	struct arena *a; /* holds everything, this struct too */
	struct template_id id;
	const char *key;
	const char *category;
	const char *default_locale;
	int version;
	unsigned channels; /* as in the head */
	const char *layout; /* the name of what it stands in; NULL: nothing */
	const char *from; /* the sender of its mails; NULL: the account's */
	bool unsubscribe; /* its messages carry a link that ends those of their category */
	json_t *tracking; /* what is to be known of its mails, or NULL */
	struct template_release *release; /* held; NULL: none is in use */
	json_t *variables;
	struct template_locale *locales;
	size_t locale_count;
	size_t size_bytes; /* roughly what it takes, for caches */
};

/* ---- Heads ------------------------------------------------------------- */

/* Adds the query for the head of the template "key"; its rows have one text
 * column. */
void template_head_add(struct db_batch *b, struct tenant_id tenant,
    const char *key);

/* The text of those rows, which lives as long as they do; NULL when there is
 * no such template. */
const char *template_text(const struct db_rows *rows);

/* Reads that text.  -1 (ERR_INTERNAL) when it is not what
 * template_head_add() reads. */
int template_head_from_text(struct arena *a, const char *text, size_t len,
    struct template_head **head_r, struct err *e) MUST_CHECK;

/* Both on a blocking connection: 1, 0 when the tenant has no such template,
 * -1. */
int template_head_find(struct arena *a, struct db *db, struct tenant_id tenant,
    const char *key, struct template_head **head_r, struct err *e) MUST_CHECK;

/* ---- Wholes ------------------------------------------------------------- */

/* Adds the query for one version under a release of layouts and partials. */
enum { TEMPLATE_RELEASE_NONE = 0, TEMPLATE_RELEASE_NOW = -1 };
void template_load_add(struct db_batch *b, struct tenant_id tenant,
    struct template_id id, int version, int release);

/* Compiles it.  The result has an arena of its own: give it back with
 * template_free().  -1 with ERR_INTERNAL when the text or a part of it is
 * broken (what was saved is not). */
int template_from_text(const char *text, size_t len, struct template **tpl_r,
    struct err *e) MUST_CHECK;
int template_from_json(const json_t *json, struct template **tpl_r,
    struct err *e) MUST_CHECK;

/* The same from the rows of that query, with its release: the one that is at hand, if it
 * has that number (NULL: none is), else the one that the rows hold.  1, 0 when there is no
 * such version, -1. */
int template_from_rows(const struct db_rows *rows,
    struct template_release *at_hand, struct template **tpl_r, struct err *e)
    MUST_CHECK;

/* All of it on a blocking connection: 1, 0, -1.  "a" is for the query alone. */
int template_load(struct arena *a, struct db *db, struct tenant_id tenant,
    struct template_id id, int version, int release, struct template **tpl_r,
    struct err *e) MUST_CHECK;

/* Frees the template and clears *tplp.  NULL is fine. */
void template_free(struct template **tplp);

/* The part for who reads it: looks in the wished locale and its parents, in the
 * tenant's default locale and its parents, in the template's default locale and its
 * parents, and last in the locale that the version has first.  NULL when none of them
 * has it.  locale_r (may be NULL) gets the name of the one that it was found in. */
const struct hbs_template *template_part(const struct template *tpl,
    const struct locale_wish *wish, enum template_part part,
    const char **locale_r);

/* A message by its key, in the same order of locales; NULL when there is none. */
const struct hbs_template *template_message(const struct template *tpl,
    const struct locale_wish *wish, const char *key, size_t len);

#endif
