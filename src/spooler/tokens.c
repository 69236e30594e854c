/*
 * tokens.c - access tokens for other services: fetched once, used by all
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "spooler/tokens.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/seal.h"
#include "net/cache.h"
#include "net/transfer.h"
#include "provider/provider.h"
#include "provider/verdict.h"

enum {
	CHUNK_BYTES = 4096,
	LIFETIME_MS = 300000, /* of a token that does not say */
	LIFETIME_MAX_MS = 86400000,
	AGAIN_MS = 30000 /* after a renewal that failed */
};

struct token {
	struct token *next;
	struct tenant_id tenant;
	struct uuid id;
	int64_t version;
	struct arena *a; /* of the token; NULL: there is none */
	const void *sealed; /* so that it is readable only while it is used */
	size_t sealed_bytes;
	uint8_t hash[crypto_generichash_BYTES]; /* of its text */
	int64_t good_until_ms, renew_from_ms; /* monotonic */
	uint8_t refused[crypto_generichash_BYTES]; /* a hash of the last one that was */
	bool fetching;
	struct token_waiter *first, **last;
};

struct tokens {
	struct arena *arena;
	struct tokens_params p;
	struct token *list; /* only grows: accounts with tokens are few */
};

struct fetch {
	struct arena *a; /* the request, and this */
	struct tokens *tokens;
	struct token *token;
	struct token_source source; /* without "of" */
};

struct tokens *
tokens_new(struct arena *a, const struct tokens_params *p)
{
	struct tokens *tk = arena_object(a, struct tokens);

	tk->arena = a;
	tk->p = *p;
	return tk;
}

/* ---- Accounts at providers -------------------------------------------------------- */

static int
provider_request(struct arena *a, const void *of,
    struct transfer_request *request_r, struct err *e)
{
	const struct provider *p = of;

	if (p->ops->token_request(a, p, request_r, e) == -1)
		return -1;
	request_r->of_platform = provider_leads_for_platform(p);
	return 0;
}

struct token_source
token_source_of(const struct provider *p)
{
	return (struct token_source){
		.tenant = p->owner,
		.id = p->account.u,
		.version = p->version,
		.complaint = "no access token for a provider",
		.request = provider_request,
		.read = p->ops->token_read,
		.of = p,
	};
}

/* ---- Tokens ------------------------------------------------------------------------ */

static void
forget(struct token *t)
{
	arena_free(&t->a);
	t->sealed = NULL;
}

static void
defer_forget(void *p)
{
	forget(p);
}

static struct token *
find(struct tokens *tk, const struct token_source *source)
{
	struct token *t = tk->list;

	while (t != NULL && (uuid_cmp(&t->id, &source->id) != 0 ||
	                        t->tenant.n != source->tenant.n))
		t = t->next;
	if (t == NULL) {
		t = arena_object(tk->arena, struct token);
		t->tenant = source->tenant;
		t->id = source->id;
		t->last = &t->first;
		t->next = tk->list;
		tk->list = t;
		arena_defer(tk->arena, defer_forget, t);
	}
	if (t->version != source->version)
		forget(t);
	t->version = source->version;
	return t;
}

static int64_t
limited(int64_t lifetime_ms)
{
	if (lifetime_ms <= 0)
		return LIFETIME_MS;
	return lifetime_ms < LIFETIME_MAX_MS ? lifetime_ms : LIFETIME_MAX_MS;
}

static void
hash(const char *text, uint8_t hash_r[static crypto_generichash_BYTES])
{
	crypto_generichash(hash_r, crypto_generichash_BYTES,
	    (const unsigned char *)text, strlen(text), NULL, 0);
}

static struct seal_place
place_of(const struct token *t)
{
	return (struct seal_place){ .tenant = t->tenant, .table = "token",
		.column = "text", .row = t->id };
}

static void
keep(struct tokens *tk, struct token *t, const char *text, int64_t lifetime_ms)
{
	int64_t now_ms = clock_mono_ms();
	struct seal_place place = place_of(t);
	struct err ignored;
	void *blob;

	forget(t);
	t->a = arena_new(CHUNK_BYTES);
	if (seal(t->a, tk->p.ring, &place, text, strlen(text), &blob,
	        &t->sealed_bytes, &ignored) == -1)
		return;
	t->sealed = blob;
	hash(text, t->hash);
	t->renew_from_ms = now_ms + lifetime_ms * 8 / 10;
	t->good_until_ms = now_ms + lifetime_ms * 19 / 20;
}

static bool
was_refused(const struct token *t, const char *text)
{
	uint8_t h[crypto_generichash_BYTES];

	hash(text, h);
	return sodium_memcmp(h, t->refused, sizeof(h)) == 0;
}

/* ---- Shared ones -------------------------------------------------------------------- */

static const char *
cache_key(struct arena *a, const struct token *t)
{
	char id[UUID_TEXT_BYTES];

	uuid_format(&t->id, id);
	return arena_printf(a, "token/%" PRId64 "/%s/%" PRId64, t->tenant.n, id,
	    t->version);
}

/* "version got until token": until when it is good by the wall clock, which hosts have in
 * common, and when it was got.  Sealed at this place it is ours. */
static void
share(struct tokens *tk, const struct token *t, const char *text,
    int64_t lifetime_ms)
{
	struct arena *a = arena_new(CHUNK_BYTES);
	struct seal_place place = place_of(t);
	int64_t now_ms = clock_wall_ms();
	char *plain = arena_printf(a, "%" PRId64 " %" PRId64 " %" PRId64 " %s",
	    t->version, now_ms, now_ms + lifetime_ms, text);
	struct err ignored;
	void *blob;
	size_t n;

	if (seal(a, tk->p.ring, &place, plain, strlen(plain), &blob, &n,
	        &ignored) == 0)
		cache_set(tk->p.cache, cache_key(a, t), blob, n, lifetime_ms);
	arena_free(&a);
}

static bool
adopt(struct tokens *tk, struct token *t, const char *plain)
{
	int64_t version, got_ms, until_ms, now_ms = clock_wall_ms();
	int at = 0;

	if (sscanf(plain, "%" SCNd64 " %" SCNd64 " %" SCNd64 " %n", &version,
	        &got_ms, &until_ms, &at) != 3 ||
	    version != t->version || until_ms <= got_ms || plain[at] == '\0' ||
	    now_ms - got_ms >= (until_ms - got_ms) * 8 / 10 ||
	    was_refused(t, plain + at))
		return false;
	keep(tk, t, plain + at, until_ms - got_ms);
	t->renew_from_ms -= now_ms - got_ms;
	t->good_until_ms -= now_ms - got_ms;
	return true;
}

/* One that another spooler left there and that is not to be renewed yet. */
static bool
take_shared(struct tokens *tk, struct token *t)
{
	struct arena *a = arena_new(CHUNK_BYTES);
	struct seal_place place = place_of(t);
	struct err ignored;
	const void *blob;
	void *plain;
	size_t n;
	bool taken = cache_get(tk->p.cache, a, cache_key(a, t), &blob, &n) &&
	    unseal(a, tk->p.ring, &place, blob, n, &plain, &n, &ignored) == 0 &&
	    adopt(tk, t, plain);

	arena_free(&a);
	return taken;
}

/* ---- Fetching ------------------------------------------------------------------------ */

/* Those that wait by now; who asks again meanwhile waits anew. */
static void
tell(struct token *t, const char *text, const struct verdict *v)
{
	struct token_waiter *w = t->first, *next;

	t->first = NULL;
	t->last = &t->first;
	for (; w != NULL; w = next) {
		next = w->next;
		w->ready(w, text, v);
	}
}

static void
log_failure(const struct fetch *f, const struct verdict *v)
{
	char id[UUID_TEXT_BYTES];

	uuid_format(&f->token->id, id);
	log_warn(NULL, f->source.complaint, LF_STR("provider", id),
	    LF_INT("tenant_id", f->token->tenant.n),
	    LF_STR("class", verdict_name(v->class)), LF_STR("code", v->code),
	    LF_STR("text", v->text));
}

static void
fetched(void *arg, const struct transfer_result *res)
{
	struct fetch *f = arg;
	struct token *t = f->token;
	struct arena *a = f->a;
	struct verdict v = { .class = VERDICT_NONE };
	int64_t lifetime_ms = 0;
	const char *text = NULL;

	t->fetching = false;
	if (res->outcome == TRANSFER_ABORTED) {
		tell(t, NULL, NULL);
		arena_free(&a);
		return;
	}
	text = f->source.read(a, res, &lifetime_ms, &v);
	if (text == NULL) {
		log_failure(f, &v);
		t->renew_from_ms = clock_mono_ms() + AGAIN_MS;
	} else if (f->source.version == t->version) {
		keep(f->tokens, t, text, limited(lifetime_ms));
		share(f->tokens, t, text, limited(lifetime_ms));
	}
	tell(t, text, &v);
	arena_free(&a);
}

static int
fetch(struct tokens *tk, struct token *t, const struct token_source *source,
    struct err *e)
{
	struct arena *a = arena_new(CHUNK_BYTES);
	struct fetch *f = arena_object(a, struct fetch);
	struct transfer_request rq;
	struct transfer *transfer;

	*f = (struct fetch){ a, tk, t, *source };
	f->source.of = NULL;
	if (source->request(a, source->of, &rq, e) == -1) {
		arena_free(&a);
		return -1;
	}
	rq.done = fetched;
	rq.arg = f;
	if (transfers_start(tk->p.transfers, &rq, &transfer, e) == -1) {
		arena_free(&a);
		return -1;
	}
	t->fetching = true;
	return 0;
}

static bool
is_good(const struct token *t, int64_t now_ms)
{
	return t->sealed != NULL && now_ms < t->good_until_ms;
}

/* Ahead of time: what fails is tried again while the old one is used. */
static void
renew(struct tokens *tk, struct token *t, const struct token_source *source,
    int64_t now_ms)
{
	struct err ignored;

	if (now_ms < t->renew_from_ms || t->fetching || take_shared(tk, t))
		return;
	if (fetch(tk, t, source, &ignored) == -1)
		t->renew_from_ms = now_ms + AGAIN_MS;
}

static int
open_token(struct arena *a, const struct tokens *tk, const struct token *t,
    const char **token_r, struct err *e)
{
	struct seal_place place = place_of(t);
	void *text;
	size_t n;

	if (unseal(a, tk->p.ring, &place, t->sealed, t->sealed_bytes, &text, &n,
	        e) == -1)
		return -1;
	*token_r = text;
	return 1;
}

int
tokens_ask(struct tokens *tk, struct arena *a, const struct token_source *source,
    struct token_waiter *w, const char **token_r, struct err *e)
{
	struct token *t = find(tk, source);
	int64_t now_ms = clock_mono_ms();

	if (is_good(t, now_ms))
		renew(tk, t, source, now_ms);
	else if (!t->fetching)
		(void)take_shared(tk, t);
	if (is_good(t, now_ms))
		return open_token(a, tk, t, token_r, e);
	if (!t->fetching && fetch(tk, t, source, e) == -1)
		return -1;
	w->next = NULL;
	*t->last = w;
	t->last = &w->next;
	return 0;
}

void
tokens_refused(struct tokens *tk, const struct token_source *source,
    const char *token)
{
	struct token *t = find(tk, source);

	hash(token, t->refused);
	if (t->sealed != NULL &&
	    sodium_memcmp(t->refused, t->hash, sizeof(t->hash)) == 0)
		forget(t);
}
