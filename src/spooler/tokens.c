/*
 * tokens.c - access tokens of accounts: fetched once, used by all deliveries
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "spooler/tokens.h"

#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/log.h"
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
	struct provider_id id;
	int version; /* of the account */
	struct arena *a; /* of the text; NULL: there is none */
	const char *text;
	int64_t good_until_ms, renew_from_ms; /* monotonic */
	bool fetching;
	struct token_waiter *first, **last;
};

struct tokens {
	struct arena *arena;
	struct transfers *transfers;
	struct token *list; /* only grows: accounts with tokens are few */
};

struct fetch {
	struct arena *a; /* the request, and this */
	struct token *token;
	int version;
	const struct provider_ops *ops;
};

struct tokens *
tokens_new(struct arena *a, struct transfers *transfers)
{
	struct tokens *tk = arena_object(a, struct tokens);

	tk->arena = a;
	tk->transfers = transfers;
	return tk;
}

static void
forget(struct token *t)
{
	if (t->a != NULL)
		arena_free(&t->a);
	t->text = NULL;
}

static void
defer_forget(void *p)
{
	forget(p);
}

static struct token *
find(struct tokens *tk, const struct provider *p)
{
	struct token *t = tk->list;

	while (t != NULL && uuid_cmp(&t->id.u, &p->id.u) != 0)
		t = t->next;
	if (t != NULL)
		return t;
	t = arena_object(tk->arena, struct token);
	t->id = p->id;
	t->last = &t->first;
	t->next = tk->list;
	tk->list = t;
	arena_defer(tk->arena, defer_forget, t);
	return t;
}

static void
keep(struct token *t, const char *text, int64_t lifetime_ms)
{
	int64_t now_ms = clock_mono_ms();

	if (lifetime_ms <= 0)
		lifetime_ms = LIFETIME_MS;
	if (lifetime_ms > LIFETIME_MAX_MS)
		lifetime_ms = LIFETIME_MAX_MS;
	forget(t);
	t->a = arena_new(CHUNK_BYTES);
	t->text = arena_strdup(t->a, text);
	t->renew_from_ms = now_ms + lifetime_ms * 8 / 10;
	t->good_until_ms = now_ms + lifetime_ms * 19 / 20;
}

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
log_failure(const struct token *t, const struct verdict *v)
{
	char id[UUID_TEXT_BYTES];

	uuid_format(&t->id.u, id);
	log_warn(NULL, "no access token for a provider", LF_STR("provider", id),
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
	text = f->ops->token_read(a, res, &lifetime_ms, &v);
	if (text == NULL) {
		log_failure(t, &v);
		t->renew_from_ms = clock_mono_ms() + AGAIN_MS;
	} else if (f->version == t->version) {
		keep(t, text, lifetime_ms);
	}
	tell(t, text, &v);
	arena_free(&a);
}

static int
fetch(struct tokens *tk, struct token *t, const struct provider *p, struct err *e)
{
	struct arena *a = arena_new(CHUNK_BYTES);
	struct fetch *f = arena_object(a, struct fetch);
	struct transfer_request rq;
	struct transfer *transfer;

	*f = (struct fetch){ a, t, p->version, p->ops };
	if (p->ops->token_request(a, p, &rq, e) == -1) {
		arena_free(&a);
		return -1;
	}
	rq.done = fetched;
	rq.arg = f;
	if (transfers_start(tk->transfers, &rq, &transfer, e) == -1) {
		arena_free(&a);
		return -1;
	}
	t->fetching = true;
	return 0;
}

int
tokens_ask(struct tokens *tk, const struct provider *p, const char *refused,
    struct token_waiter *w, const char **token_r, struct err *e)
{
	struct token *t = find(tk, p);
	int64_t now_ms = clock_mono_ms();
	struct err ignored;

	if (t->version != p->version || (refused != NULL && t->text != NULL &&
	                                    strcmp(t->text, refused) == 0))
		forget(t);
	t->version = p->version;
	if (t->text != NULL && now_ms < t->good_until_ms) {
		if (now_ms >= t->renew_from_ms && !t->fetching &&
		    fetch(tk, t, p, &ignored) == -1)
			t->renew_from_ms = now_ms + AGAIN_MS;
		*token_r = t->text;
		return 1;
	}
	if (!t->fetching && fetch(tk, t, p, e) == -1)
		return -1;
	w->next = NULL;
	*t->last = w;
	t->last = &w->next;
	return 0;
}
