/*
 * unsubscribe_page.c - what somebody sees who follows the link
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The page is a template (pages/unsubscribe.html.hbs), compiled in and rendered as any
 * other.  It loads nothing and runs no script.
 */
#include "api/unsubscribe_page.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "api/app.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/err.h"
#include "base/log.h"
#include "base/text.h"
#include "model/locale.h"
#include "model/template.h"
#include "model/template_render.h"
#include "model/tenant.h"
#include "model/unsubscribe.h"
#include "notify/preview.h"
#include "web/js.h"
#include "web/request.h"
#include "web/response.h"

enum { NONCE_BYTES = 16, PAGE_MAX = 256 << 10, ACCEPT_MAX = 1000 };

#define PAGE(NAME, text) static const char NAME[] = text;
#include "api/pages.inc"
#undef PAGE

/* ---- The language ----------------------------------------------------------------- */

static bool
has_locale(const struct template *tpl, const char *locale)
{
	size_t len = strlen(locale), i;

	for (; len > 0; len = locale_parent(locale, len))
		for (i = 0; i < tpl->locale_count; i++)
			if (locale_is(locale, len, tpl->locales[i].name))
				return true;
	return false;
}

/* The range of Accept-Language with the highest weight that the page has, or NULL. */
static const char *
accepted(struct arena *a, const struct template *tpl, const char *header)
{
	char *rest = arena_strndup(a, header, strnlen(header, ACCEPT_MAX));
	char *item, *q;
	const char *best = NULL;
	double weight, highest = 0;

	while ((item = strsep(&rest, ",")) != NULL) {
		item += strspn(item, " \t");
		q = strstr(item, "q=");
		weight = q != NULL ? strtod(q + 2, NULL) : 1;
		item[strcspn(item, "; \t")] = '\0';
		if (weight > highest && locale_is_valid(item) &&
		    has_locale(tpl, item)) {
			highest = weight;
			best = item;
		}
	}
	return best;
}

static struct locale_wish
wish_of(struct request *rq, const struct template *tpl,
    const struct unsubscribe_page *page)
{
	const char *header = request_param(rq, "HTTP_ACCEPT_LANGUAGE");
	struct locale_wish wish = {
		.fallback = page->tenant != NULL ? page->tenant->default_locale
		                                 : "en",
	};

	if (page->link != NULL && page->link->locale[0] != '\0' &&
	    has_locale(tpl, page->link->locale))
		wish.locale = page->link->locale;
	else if (header != NULL)
		wish.locale = accepted(rq->a, tpl, header);
	return wish;
}

/* ---- The page ------------------------------------------------------------------------ */

static void
defer_template(void *p)
{
	struct template *tpl = p;

	template_free(&tpl);
}

static int
page_template(struct app *app, const struct template **tpl_r, struct err *e)
{
	struct template *tpl;

	if (app->unsubscribe_page == NULL) {
		if (template_from_text(UNSUBSCRIBE, strlen(UNSUBSCRIBE), &tpl,
		        e) == -1)
			return -1;
		arena_defer(app->a, defer_template, tpl);
		app->unsubscribe_page = tpl;
	}
	*tpl_r = app->unsubscribe_page;
	return 0;
}

/* "#1d4ed8"; what else a brand may call a color has no place in a style. */
static bool
is_color(const char *s)
{
	return s != NULL && s[0] == '#' && strlen(s) <= 9 &&
	    s[1 + strspn(s + 1, "0123456789abcdefABCDEF")] == '\0';
}

static json_t *
brand_of(struct request *rq, const struct unsubscribe_page *page)
{
	json_t *brand;

	if (page->tenant == NULL)
		return json_object();
	brand = js_keep(rq->a,
	    json_deep_copy(json_object_get(preview_tenant(rq->a, page->tenant),
	        "brand")));
	if (!is_color(json_string_value(json_object_get(brand, "color"))))
		json_object_del(brand, "color");
	return json_incref(brand);
}

static json_t *
data_of(struct request *rq, const struct unsubscribe_page *page,
    const char *nonce)
{
	const struct unsubscribe *u = page->link;
	char address[300] = "";

	if (u != NULL)
		log_mask_address(u->address, address, sizeof(address));
	return js_keep(rq->a,
	    json_pack("{s:b, s:b, s:b, s:s, s:s, s:s, s:o}", "invalid",
	        u == NULL, "unsubscribed", page->unsubscribed, "resubscribed",
	        page->resubscribed, "address", address, "category",
	        u != NULL ? u->category : "", "nonce", nonce, "brand",
	        brand_of(rq, page)));
}

int
unsubscribe_page_write(struct request *rq, struct response *rs,
    const struct unsubscribe_page *page, struct err *e)
{
	struct template_rendering rn = { .now_ms = clock_wall_ms() };
	struct template_trouble trouble;
	uint8_t random[NONCE_BYTES];
	const char *nonce;
	struct buf *out = buf_new(rq->a, PAGE_MAX);

	if (page_template(app_of(rq), &rn.tpl, e) == -1)
		return -1;
	randombytes_buf(random, sizeof(random));
	nonce = text_base64url(rq->a, random, sizeof(random));
	rn.wish = wish_of(rq, rn.tpl, page);
	rn.data = data_of(rq, page, nonce);
	if (template_render(&rn, TEMPLATE_EMAIL_HTML, out, NULL, &trouble) != 1)
		return err_set(e, ERR_INTERNAL, "the page cannot be rendered: "
		    "%.200s", trouble.e.text);
	buf_add(response_body(rs, page->link != NULL ? 200 : 404,
	            "text/html; charset=utf-8"),
	    out->data, out->len);
	response_policy(rs, arena_printf(rq->a, "default-src 'none'; "
	    "style-src 'nonce-%s'; form-action 'self'; base-uri 'none'; "
	    "frame-ancestors 'none'", nonce));
	return 0;
}
