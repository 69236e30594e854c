/*
 * book.c - what a spooler knows of its tenants
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Entries live in the arena of what they hold, so that dropping one is freeing one
 * arena.  Templates are found by a small hash table; the one that was not used for
 * longest goes first.  A template that is made from inline content is never in the
 * table: it goes with the last hold.
 */
#include "notify/book.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/log.h"
#include "db/db.h"
#include "model/provider_account.h"
#include "model/template.h"
#include "model/tenant.h"
#include "notify/user_service.h"
#include "notify/work.h"
#include "provider/provider.h"
#include "provider/settings.h"
#include "web/js.h"

enum { BUCKETS = 256, TEMPLATES_LEAST = 64, PAGE_CHUNK = 4096, CONTENT_MAX = 64 << 20 };

struct entry {
	struct entry *next;
	struct tenant_id tenant;
	struct template *template;
	int release; /* of layouts and partials */
	int held;
	uint64_t used; /* counts up with each use */
};

struct book {
	const struct keyring *ring;
	struct page *pages;
	struct entry *buckets[BUCKETS];
	size_t templates, templates_max;
	uint64_t clock;
};

static void
defer_book(void *p)
{
	struct book *bk = p;
	struct page *page, *next_page;
	struct entry *en, *next;
	struct template *template;
	int i;

	for (page = bk->pages; page != NULL; page = next_page) {
		next_page = page->next;
		arena_free(&page->a);
	}
	for (i = 0; i < BUCKETS; i++) {
		for (en = bk->buckets[i]; en != NULL; en = next) {
			next = en->next;
			template = en->template; /* holds the entry too */
			template_free(&template);
		}
	}
}

struct book *
book_new(struct arena *a, const struct keyring *ring, size_t templates_max)
{
	struct book *bk = arena_object(a, struct book);

	bk->ring = ring;
	bk->templates_max =
	    templates_max < TEMPLATES_LEAST ? TEMPLATES_LEAST : templates_max;
	arena_defer(a, defer_book, bk);
	return bk;
}

/* ---- Pages ------------------------------------------------------------------ */

static void
page_drop(struct page *page)
{
	if (page->stale && page->held == 0)
		arena_free(&page->a);
}

void
book_page_release(struct page *page)
{
	if (page == NULL)
		return;
	ensure(page->held > 0);
	page->held--;
	page_drop(page);
}

struct page *
book_page(struct book *bk, struct tenant_id tenant, int64_t generation)
{
	struct page **p, *page;

	for (p = &bk->pages; (page = *p) != NULL; p = &page->next) {
		if (page->tenant.n != tenant.n)
			continue;
		if (page->generation == generation) {
			page->held++;
			return page;
		}
		*p = page->next;
		page->stale = true;
		page_drop(page);
		return NULL;
	}
	return NULL;
}

void
book_page_add(struct db_batch *b, struct tenant_id tenant)
{
	db_add(b, Q_TENANT_PAGE);
	db_arg_int(b, tenant.n);
	provider_account_all_add(b, tenant);
	_Static_assert(BOOK_PAGE_QUERIES == 1 + PROVIDER_ACCOUNT_QUERIES,
	    "a page is its tenant and its accounts");
}

void
page_add_provider(struct page *page, const struct provider *pr)
{
	size_t i = page->provider_count++;

	while (i > 0 && page->providers[i - 1]->priority > pr->priority) {
		page->providers[i] = page->providers[i - 1];
		i--;
	}
	page->providers[i] = pr;
}

static void
read_providers(struct book *bk, struct page *page, struct db_rows **rows)
{
	struct arena *step = arena_new(PAGE_CHUNK);
	struct provider_account *list;
	struct provider *pr;
	struct err e;
	size_t i, count;

	provider_account_all_read(step, rows, &list, &count);
	page->providers = arena_zalloc(page->a, count, sizeof(*page->providers));
	for (i = 0; i < count; i++) {
		if (settings_keep(page->a, bk->ring, &list[i], &pr, &e) == 0) {
			pr->tenant_rate = page->rules.delivery_rate;
			page_add_provider(page, pr);
		} else
			log_error(NULL, "provider left out",
			    LF_INT("tenant_id", page->tenant.n),
			    LF_STR("provider", list[i].name), LF_ERR(&e));
	}
	arena_free(&step);
}

void
page_set(struct page *page, const json_t *settings)
{
	page->quiet =
	    tenant_quiet_read(json_object_get(settings, "quiet_hours"));
	page->rules = tenant_rules_of(settings);
}

static void
read_users(const struct book *bk, struct page *page, const struct db_rows *rows)
{
	struct arena *step = arena_new(PAGE_CHUNK);
	struct tenant t = { .id = page->tenant, .settings = db_text(rows, 0, 3) };
	json_t *whole;
	struct err e;

	page->erasures = db_int(rows, 0, 8);
	if (!db_is_null(rows, 0, 7))
		t.sealed = db_bytes(step, rows, 0, 7, &t.sealed_bytes);
	if (tenant_settings_whole(step, bk->ring, &t, &whole, &e) == 0)
		page->users = user_service_keep(page->a, bk->ring, page->tenant,
		    whole);
	else
		log_error(NULL, "settings of a tenant cannot be opened",
		    LF_INT("tenant_id", page->tenant.n), LF_ERR(&e));
	arena_free(&step);
}

static void
read_tenant(const struct book *bk, struct page *page,
    const struct db_rows *rows)
{
	struct arena *a = page->a;
	struct field_errors fe;
	json_t *json;

	if (db_count(rows) == 0) {
		page->variables = tenant_variables(a, "", "", NULL);
		return;
	}
	page->default_locale = arena_strdup(a, db_text(rows, 0, 1));
	page->time_zone = arena_strdup(a, db_text(rows, 0, 2));
	page->slug = arena_strdup(a, db_text(rows, 0, 4));
	page->webhooks = db_bool(rows, 0, 5);
	field_errors_init(&fe, a);
	json = tenant_settings_stored(a, db_text(rows, 0, 3), &fe);
	tenant_settings_complain(page->tenant, &fe);
	page_set(page, json);
	page->rules.test = db_bool(rows, 0, 6);
	if (json_object_get(json, "user_service") != NULL)
		read_users(bk, page, rows);
	page->variables = tenant_variables(a, db_text(rows, 0, 0), page->slug,
	    json_object_get(json, "branding"));
}

struct page *
book_page_since(struct book *bk, struct tenant_id tenant, int64_t generation)
{
	struct page *page = bk->pages;

	while (page != NULL && page->tenant.n != tenant.n)
		page = page->next;
	if (page == NULL || page->generation < generation)
		return NULL;
	page->held++;
	return page;
}

bool
book_has_webhooks(const struct book *bk, struct tenant_id tenant)
{
	const struct page *page = bk->pages;

	while (page != NULL && page->tenant.n != tenant.n)
		page = page->next;
	return page == NULL || page->webhooks;
}

struct page *
book_page_read(struct book *bk, struct tenant_id tenant, int64_t generation,
    struct db_rows **rows)
{
	struct page *page = book_page(bk, tenant, generation);
	struct arena *a;

	if (page != NULL)
		return page;
	a = arena_new(PAGE_CHUNK);
	page = arena_object(a, struct page);
	page->a = a;
	page->tenant = tenant;
	page->generation = generation;
	page->held = 1;
	page->ring = bk->ring;
	read_tenant(bk, page, rows[0]);
	read_providers(bk, page, rows + 1);
	page->next = bk->pages;
	bk->pages = page;
	return page;
}

const struct provider *
page_provider_by_id(const struct page *page, struct provider_id id)
{
	size_t i;

	for (i = 0; i < page->provider_count; i++)
		if (page->providers[i]->enabled &&
		    uuid_cmp(&page->providers[i]->id.u, &id.u) == 0)
			return page->providers[i];
	return NULL;
}

/* ---- Templates ---------------------------------------------------------------- */

static struct entry **
bucket(struct book *bk, const struct template_id *id, int version)
{
	return &bk->buckets[(id->u.b[15] ^ id->u.b[14] ^ version) % BUCKETS];
}

static struct entry *
find(struct book *bk, struct tenant_id tenant, const struct notification *n)
{
	struct entry *en = *bucket(bk, &n->template_id, n->template_version);

	while (en != NULL &&
	    (en->tenant.n != tenant.n ||
	        en->template->version != n->template_version ||
	        en->release != n->template_release ||
	        uuid_cmp(&en->template->id.u, &n->template_id.u) != 0))
		en = en->next;
	return en;
}

/* A release that one of the tenant's templates holds already. */
static struct template_release *
find_release(struct book *bk, struct tenant_id tenant, int number)
{
	struct entry *en;
	int i;

	for (i = 0; i < BUCKETS && number != 0; i++)
		for (en = bk->buckets[i]; en != NULL; en = en->next)
			if (en->tenant.n == tenant.n && en->release == number)
				return en->template->release;
	return NULL;
}

/* Takes out the template that was not used for longest, if any is not held. */
static void
evict(struct book *bk)
{
	struct entry **p, **oldest = NULL, *en;
	struct template *template;
	int i;

	for (i = 0; i < BUCKETS; i++)
		for (p = &bk->buckets[i]; *p != NULL; p = &(*p)->next)
			if ((*p)->held == 0 &&
			    (oldest == NULL || (*p)->used < (*oldest)->used))
				oldest = p;
	if (oldest == NULL)
		return;
	en = *oldest;
	*oldest = en->next;
	bk->templates--;
	template = en->template; /* its arena holds the entry too */
	template_free(&template);
}

static void
set_part(json_t *parts, const char *name, const json_t *text)
{
	if (json_is_string(text))
		json_object_set_new(parts, name,
		    json_string(json_string_value(text)));
}

/* Inline content as the parts of a template: texts as they are, push, in-app and
 * WhatsApp as JSON whose texts are rendered. */
static json_t *
content_parts(struct arena *a, const json_t *content)
{
	static const char *const objects[][2] = { { "push", "push.json" },
		{ "inapp", "inapp.json" }, { "whatsapp", "whatsapp.json" },
		{ "webhook", "webhook.json" } };
	json_t *parts = json_object(), *object;
	json_t *email = json_object_get(content, "email");
	struct buf *text;
	size_t i;

	set_part(parts, "email.subject", json_object_get(email, "subject"));
	set_part(parts, "email.html", json_object_get(email, "html"));
	set_part(parts, "email.text", json_object_get(email, "text"));
	set_part(parts, "sms",
	    json_object_get(json_object_get(content, "sms"), "text"));
	set_part(parts, "chat",
	    json_object_get(json_object_get(content, "chat"), "text"));
	for (i = 0; i < NELEMS(objects); i++) {
		object = json_object_get(content, objects[i][0]);
		if (object == NULL)
			continue;
		text = buf_new(a, CONTENT_MAX);
		js_write(text, object);
		json_object_set_new(parts, objects[i][1],
		    json_string(text->data));
	}
	return parts;
}

/* A template of inline content, in the form that stored ones are read from. */
static int
compile_content(struct notification *n)
{
	static const char nil[] = "00000000-0000-0000-0000-000000000000";
	struct arena *a = arena_new(PAGE_CHUNK);
	struct buf *text = buf_new(a, CONTENT_MAX);
	struct template *tpl = NULL;
	json_t *content;
	struct err e;
	int rc = js_parse(a, n->content, strlen(n->content), 512, &content, &e);

	if (rc == 0) {
		js_write(text,
		    js_keep(a,
		        json_pack("{s:s, s:s, s:s, s:s, s:i, s:{}, s:O*, s:O*, "
		                  "s:{s:o}}",
		            "id", nil, "key", "", "category", "",
		            "default_locale", "en", "version", 0, "variables",
		            "unsubscribe", json_object_get(content,
		                "unsubscribe"),
		            "from", json_object_get(json_object_get(content,
		                "email"), "from"),
		            "parts", "en", content_parts(a, content))));
		rc = template_from_text(text->data, text->len, &tpl, &e);
	}
	n->template = tpl;
	if (rc == -1)
		n->corrupt = arena_printf(n->a, "the content cannot be "
		    "compiled: %s", e.text);
	arena_free(&a);
	return rc == 0 ? 1 : -1;
}

int
book_template(struct book *bk, struct tenant_id tenant, struct notification *n)
{
	struct entry *en;

	if (n->content != NULL)
		return compile_content(n);
	en = find(bk, tenant, n);
	if (en == NULL)
		return 0;
	en->held++;
	en->used = ++bk->clock;
	n->template = en->template;
	return 1;
}

void
book_template_add(struct db_batch *b, struct tenant_id tenant,
    const struct notification *n)
{
	template_load_add(b, tenant, n->template_id, n->template_version,
	    n->template_release);
}

int
book_template_read(struct book *bk, struct tenant_id tenant,
    struct notification *n, const struct db_rows *rows)
{
	struct template *tpl;
	struct entry *en, **at;
	struct err e;
	int rc;

	if (find(bk, tenant, n) != NULL)
		return 0;
	rc = template_from_rows(rows,
	    find_release(bk, tenant, n->template_release), &tpl, &e);
	if (rc != 1) {
		n->corrupt = arena_printf(n->a, "its template is gone%s%s",
		    rc == -1 ? ": " : "", rc == -1 ? e.text : "");
		return -1;
	}
	if (bk->templates >= bk->templates_max)
		evict(bk);
	at = bucket(bk, &n->template_id, n->template_version);
	en = arena_object(tpl->a, struct entry);
	en->tenant = tenant;
	en->template = tpl;
	en->release = n->template_release;
	en->used = ++bk->clock;
	en->next = *at;
	*at = en;
	bk->templates++;
	return 0;
}

void
book_template_release(struct book *bk, struct tenant_id tenant,
    struct notification *n)
{
	struct template *own;
	struct entry *en;

	if (n->template == NULL)
		return;
	if (n->content != NULL) {
		own = (struct template *)(uintptr_t)n->template;
		template_free(&own);
	} else {
		en = find(bk, tenant, n);
		ensure(en != NULL && en->held > 0);
		en->held--;
	}
	n->template = NULL;
}
