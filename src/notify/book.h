/*
 * book.h - what a spooler knows of its tenants
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Providers, their credentials sealed (provider/settings.h), branding and locale by tenant,
 * and compiled templates by version.  A claim reads the tenant's generation in its own transaction, so what is
 * used was right at that moment; what is missing or out of date is loaded in that same
 * transaction.  What is in use is held by counting; the book drops only what nobody
 * holds.
 */
#ifndef BELFRY_NOTIFY_BOOK_H
#define BELFRY_NOTIFY_BOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/compiler.h"
#include "base/id.h"
#include "model/channel.h"
#include "notify/quiet.h"
#include "notify/tenant_settings.h"

struct arena;
struct book;
struct db_batch;
struct db_rows;
struct keyring;
struct log_scope;
struct notification;
struct provider;
struct template;
struct user_service;

/* One tenant's page as of one generation. */
struct page {
	struct tenant_id tenant;
	int64_t generation;
	struct arena *a; /* holds the page */
	int held;
	bool stale; /* no longer in the book; freed when nobody holds it */
	const struct provider **providers; /* in the order in which they are tried */
	size_t provider_count;
	json_t *variables; /* tenant_variables() */
	const char *default_locale, *time_zone, *slug; /* the tenant's */
	const struct keyring *ring; /* the book's */
	struct tenant_quiet quiet; /* the same */
	struct tenant_rules rules; /* the same */
	const struct user_service *users; /* kept; NULL: it has none */
	int64_t erasures; /* of people of the tenant */
	bool webhooks; /* the tenant has endpoints */
	struct page *next;
};

struct book *book_new(struct arena *a, const struct keyring *ring,
    size_t templates_max) MUST_CHECK;

/* Sets what a page takes from its tenant's settings, which must live as long as it. */
void page_set(struct page *page, const json_t *settings);

/* The page of a tenant when the book has that generation, held; else NULL. */
struct page *book_page(struct book *bk, struct tenant_id tenant,
    int64_t generation);

/* The same, of that generation or a later one. */
struct page *book_page_since(struct book *bk, struct tenant_id tenant,
    int64_t generation);

/* False when the tenant surely has no webhook endpoints. */
bool book_has_webhooks(const struct book *bk, struct tenant_id tenant);

/* Adds the queries that make a page; then makes it from their rows (rows[0] is the first
 * of them) and holds it.  A provider whose settings do not open is left out and
 * logged. */
enum { BOOK_PAGE_QUERIES = 5 };
void book_page_add(struct db_batch *b, struct tenant_id tenant);
struct page *book_page_read(struct book *bk, struct tenant_id tenant,
    int64_t generation, struct db_rows **rows);

void book_page_release(struct page *page);

/* The provider of that id when it is enabled, or NULL. */
const struct provider *page_provider_by_id(const struct page *page,
    struct provider_id id);

/* Puts one into the list of a page, which has room for it: the lowest priority goes
 * first, then who came first. */
void page_add_provider(struct page *page, const struct provider *pr);

/* The template of a notification, held: from the book, or compiled from inline content.
 * Returns 1, 0 when it must be loaded first, -1 with n->corrupt set. */
int book_template(struct book *bk, struct tenant_id tenant,
    struct notification *n) MUST_CHECK;

/* Adds the query for the version that a notification names. */
void book_template_add(struct db_batch *b, struct tenant_id tenant,
    const struct notification *n);

/* Puts a loaded version into the book; then book_template() finds it.  -1 with
 * n->corrupt set when there is no such version or it does not compile. */
int book_template_read(struct book *bk, struct tenant_id tenant,
    struct notification *n, const struct db_rows *rows) MUST_CHECK;

/* Gives back n->template. */
void book_template_release(struct book *bk, struct tenant_id tenant,
    struct notification *n);

#endif
