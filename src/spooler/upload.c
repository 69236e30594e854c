/*
 * upload.c - files given to providers that take them apart from messages
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Nobody sees a file that was uploaded before a message brings it, so an upload that may
 * or may not have gone through is simply done again.
 */
#include "spooler/upload.h"

#include "base/arena.h"
#include "base/config.h"
#include "base/err.h"
#include "net/transfer.h"
#include "provider/provider.h"
#include "provider/verdict.h"
#include "spooler/pack.h"
#include "spooler/spooler.h"

enum { CHUNK_BYTES = 4096 };

/* Lies in the arena of its pack. */
struct upload {
	struct upload *next;
	struct pack *pack;
	size_t n; /* the file */
	struct provider_id account;
	int version; /* of the account */
	const char *reference; /* NULL: it is on its way, or failed */
	const struct provider *provider; /* of who asked first and waits */
	struct arena *a; /* of the request; NULL: there is none */
	struct upload_waiter *waiters;
};

static void
tell(struct upload *u, const struct verdict *v)
{
	struct upload_waiter *w = u->waiters, *next;

	u->waiters = NULL;
	for (; w != NULL; w = next) {
		next = w->next;
		w->ready(w, u->reference != NULL, v);
	}
}

static void
done(void *arg, const struct transfer_result *res)
{
	struct upload *u = arg;
	const struct provider_ops *ops = u->provider->ops;
	struct verdict v = { .class = VERDICT_NONE };
	struct arena *a = u->a;
	const char *reference;

	u->a = NULL;
	if (res->outcome == TRANSFER_ABORTED) {
		tell(u, NULL);
	} else {
		reference = ops->upload_read(a, u->provider, res, &v);
		if (reference != NULL)
			u->reference = arena_strdup(pack_arena(u->pack),
			    reference);
		else if (v.class == VERDICT_UNKNOWN)
			v.class = VERDICT_RETRY;
		tell(u, &v);
	}
	pack_release(u->pack);
	arena_free(&a);
}

static int
start(struct spooler *sp, struct upload *u, const struct message *m,
    struct err *e)
{
	struct transfer_request rq;
	struct transfer *unused;
	struct arena *a = arena_new(CHUNK_BYTES);

	if (u->provider->ops->upload(a, u->provider, m, u->n, &rq, e) == 0) {
		rq.of_platform = provider_leads_for_platform(u->provider);
		rq.done = done;
		rq.arg = u;
		rq.timeout_ms = (int)sp->config->spooler_attempt_timeout;
		if (transfers_start(sp->transfers, &rq, &unused, e) == 0) {
			u->a = a;
			pack_hold(u->pack);
			return 0;
		}
	}
	arena_free(&a);
	return -1;
}

static struct upload *
find(struct pack *pack, const struct provider *p, size_t n)
{
	struct upload **list = pack_uploads(pack), *u;

	for (u = *list; u != NULL; u = u->next)
		if (u->n == n && u->version == p->version &&
		    uuid_cmp(&u->account.u, &p->id.u) == 0)
			return u;
	u = arena_object(pack_arena(pack), struct upload);
	u->pack = pack;
	u->n = n;
	u->account = p->id;
	u->version = p->version;
	u->next = *list;
	*list = u;
	return u;
}

int
upload_ask(struct spooler *sp, struct pack *pack, const struct provider *p,
    const struct message *m, size_t n, struct upload_waiter *w,
    const char **reference_r, struct err *e)
{
	struct upload *u = find(pack, p, n);

	if (u->reference != NULL) {
		*reference_r = u->reference;
		return 1;
	}
	if (u->a == NULL) {
		u->provider = p;
		if (start(sp, u, m, e) == -1)
			return -1;
	}
	w->next = u->waiters;
	u->waiters = w;
	return 0;
}
