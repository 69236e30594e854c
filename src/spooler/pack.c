/*
 * pack.c - the attachments of a notification, fetched once for all its deliveries
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * LOADING (from the database) -> FETCHING (one URL after the other) -> READY or FAILED.
 * Who asks meanwhile waits.  A pack that failed is forgotten: the next attempt tries again.
 */
#include "spooler/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/ensure.h"
#include "base/err.h"
#include "db/db.h"
#include "db/pool.h"
#include "net/transfer.h"
#include "notify/attachment.h"
#include "provider/mime_check.h"
#include "provider/provider.h"
#include "provider/verdict.h"
#include "spooler/spooler.h"
#include "web/field.h"
#include "web/js.h"

enum { CHUNK_BYTES = 4096, KEEP_MS = 15000, JSON_DEPTH = 4 };

struct pack {
	struct pool_job job; /* first; its arena is the pack's while it loads */
	struct pack *next;
	struct packs *all;
	struct arena *a;
	struct tenant_id tenant;
	struct notification_id id;
	enum { LOADING, FETCHING, READY, FAILED } state;
	int fd;
	int64_t bytes; /* in the file */
	struct attachment *list;
	const char **urls; /* NULL where the content was given */
	size_t count, at; /* the one that is fetched */
	bool too_large;
	int write_error; /* errno */
	struct pack_waiter *waiters;
	struct upload *uploads;
	int held;
	int64_t used_ms;
};

struct packs {
	struct spooler *sp;
	struct pack *list;
};

static void
drop(struct pack *p)
{
	struct pack **at = &p->all->list;
	struct arena *a = p->a;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	if (p->fd >= 0)
		close(p->fd);
	arena_free(&a);
}

static void
defer_packs(void *arg)
{
	struct packs *ps = arg;

	while (ps->list != NULL)
		drop(ps->list);
}

struct packs *
packs_new(struct spooler *sp)
{
	struct packs *ps = arena_object(sp->a, struct packs);

	ps->sp = sp;
	arena_defer(sp->a, defer_packs, ps);
	return ps;
}

void
packs_service(struct packs *ps)
{
	int64_t now_ms = clock_mono_ms();
	struct pack *p, *next;

	for (p = ps->list; p != NULL; p = next) {
		next = p->next;
		if (p->held == 0 && p->state == READY &&
		    p->used_ms + KEEP_MS < now_ms)
			drop(p);
	}
}

/* Tells everybody who waits.  "v" NULL and not ready: transfers were aborted. */
static void
tell(struct pack *p, const struct verdict *v)
{
	struct pack_waiter *w = p->waiters, *next;
	bool ready = p->state == READY;

	p->waiters = NULL;
	p->held++; /* by us, as long as we are here */
	for (; w != NULL; w = next) {
		next = w->next;
		if (ready)
			p->held++;
		w->ready(w, ready ? p : NULL, v);
	}
	p->held--;
	if (!ready)
		drop(p);
}

static void
fail(struct pack *p, enum verdict_class class, const char *code,
    const char *text)
{
	struct verdict v;

	verdict_set(&v, class, code, text);
	p->state = FAILED;
	tell(p, &v);
}

/* ---- The file ---------------------------------------------------------------------- */

static bool
add(struct pack *p, const void *bytes, size_t n)
{
	const char *from = bytes;
	ssize_t done;

	if ((size_t)p->bytes + n >
	    (size_t)p->all->sp->config->attachment_size_max) {
		p->too_large = true;
		return false;
	}
	while (n > 0) {
		done = pwrite(p->fd, from, n, p->bytes);
		if (done < 0 && errno != EINTR) {
			p->write_error = errno;
			return false;
		}
		if (done > 0) {
			p->bytes += done;
			from += done;
			n -= (size_t)done;
		}
	}
	return true;
}

/* Fails as the file does. */
static void
fail_to_write(struct pack *p)
{
	if (p->too_large)
		fail(p, VERDICT_BAD_MESSAGE, "attachment_too_large",
		    arena_printf(p->a, "/attachments/%zu: with it they have more "
		        "than %lld bytes (attachment.size_max)", p->at,
		        (long long)p->all->sp->config->attachment_size_max));
	else
		fail(p, VERDICT_RETRY, "attachment_not_written",
		    arena_printf(p->a, "could not write to \"%s\": %s",
		        p->all->sp->config->attachment_directory,
		        strerror(p->write_error)));
}

/* ---- Fetching ------------------------------------------------------------------------ */

static void fetch_next(struct pack *p);

static bool
sink(void *arg, const char *bytes, size_t n)
{
	return add(arg, bytes, n);
}

/* What a server calls its file, as far as that can stand in a mail. */
static const char *
type_of(struct pack *p, const struct transfer_result *res)
{
	const char *type = transfer_header(p->a, res, "Content-Type");

	if (type == NULL)
		return "application/octet-stream";
	type = arena_strndup(p->a, type, strcspn(type, "; \t"));
	return mime_type_fault(type) == NULL ? type : "application/octet-stream";
}

/* What is not there is not there for the next attempt either; a server in trouble, or none
 * at all, may be mended. */
static void
judge(struct pack *p, const struct transfer_result *res)
{
	bool answered = res->outcome == TRANSFER_ANSWERED;
	const char *text;

	if (p->too_large || p->write_error != 0) {
		fail_to_write(p);
		return;
	}
	text = answered
	    ? arena_printf(p->a, "/attachments/%zu: \"%.100s\" answered %d",
	          p->at, p->urls[p->at], res->status)
	    : arena_printf(p->a, "/attachments/%zu: could not fetch \"%.100s\": "
	          "%.80s", p->at, p->urls[p->at], res->error);
	if (answered && res->status / 100 != 5 && res->status != 429 &&
	    res->status != 408)
		fail(p, VERDICT_BAD_MESSAGE, "attachment_refused", text);
	else
		fail(p, VERDICT_RETRY, "attachment_not_fetched", text);
}

static void
fetched(void *arg, const struct transfer_result *res)
{
	struct pack *p = arg;
	struct attachment *at = &p->list[p->at];

	if (res->outcome == TRANSFER_ABORTED) {
		p->state = FAILED;
		tell(p, NULL);
		return;
	}
	if (res->outcome != TRANSFER_ANSWERED || res->status != 200) {
		judge(p, res);
		return;
	}
	at->bytes = (size_t)(p->bytes - at->from);
	if (at->type == NULL)
		at->type = type_of(p, res);
	p->at++;
	fetch_next(p);
}

static void
fetch_next(struct pack *p)
{
	struct transfer_request rq = { .kind = TRANSFER_HTTP, .sink = sink,
		.done = fetched, .arg = p };
	struct transfer *unused;
	struct err e;

	while (p->at < p->count && p->urls[p->at] == NULL)
		p->at++;
	if (p->at == p->count) {
		p->state = READY;
		p->used_ms = clock_mono_ms();
		tell(p, NULL);
		return;
	}
	p->list[p->at].from = p->bytes;
	rq.url = p->urls[p->at];
	rq.tls = transfer_tls_of(rq.url);
	rq.timeout_ms = (int)p->all->sp->config->attachment_timeout;
	if (transfers_start(p->all->sp->transfers, &rq, &unused, &e) == -1)
		fail(p, err_may_retry(e.kind) ? VERDICT_RETRY : VERDICT_BAD_MESSAGE,
		    "attachment_not_fetched",
		    arena_printf(p->a, "/attachments/%zu: %s", p->at, e.text));
}

/* ---- Loading ------------------------------------------------------------------------- */

/* Puts down what stands in the request, and notes what is to be fetched. */
static bool
unpack(struct pack *p, const struct send_attachment *list, struct arena *a)
{
	struct attachment *at;
	void *bytes;

	for (p->at = 0; p->at < p->count; p->at++) {
		const struct send_attachment *from = &list[p->at];

		at = &p->list[p->at];
		if (from->type != NULL)
			at->type = arena_strdup(p->a, from->type);
		else if (from->content != NULL)
			at->type = "application/octet-stream";
		at->name = from->name != NULL ? arena_strdup(p->a, from->name)
		                              : attachment_name(p->a, from->url);
		if (from->content_id != NULL)
			at->content_id = arena_strdup(p->a, from->content_id);
		at->fd = p->fd;
		at->from = p->bytes;
		if (from->url != NULL)
			p->urls[p->at] = arena_strdup(p->a, from->url);
		else if (attachment_decode(a, from->content, &bytes,
		             &at->bytes) == -1 || !add(p, bytes, at->bytes))
			return false;
	}
	p->at = 0;
	return true;
}

struct record {
	struct field_mask mask;
	struct send_attachment *attachments;
	size_t attachments_count;
};

static const struct field record_fields[] = {
	FIELD_SUBS(struct record, attachments, &send_attachment_table,
	    .max = ATTACHMENTS_MAX),
};
static const struct field_table record_table = FIELD_TABLE("Attachments",
    struct record, record_fields, "What is stored.");

static void
open_pack(struct pack *p, const char *text, struct arena *a)
{
	const char *directory = p->all->sp->config->attachment_directory;
	struct record r;
	struct field_errors fe;
	json_t *json;
	struct err e;

	field_errors_init(&fe, a);
	if (text == NULL ||
	    js_parse(a, arena_printf(a, "{\"attachments\":%s}", text),
	        strlen(text) + 16, JSON_DEPTH, &json, &e) == -1 ||
	    fields_read(a, json, &record_table, &r, &fe) == -1) {
		fail(p, VERDICT_BAD_MESSAGE, "attachments_broken",
		    "the stored attachments cannot be read");
		return;
	}
	p->count = r.attachments_count;
	p->list = arena_zalloc(p->a, p->count, sizeof(*p->list));
	p->urls = arena_zalloc(p->a, p->count, sizeof(*p->urls));
	p->fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (p->fd < 0)
		p->write_error = errno;
	if (p->fd < 0 || !unpack(p, r.attachments, a)) {
		fail_to_write(p);
		return;
	}
	p->state = FETCHING;
	fetch_next(p);
}

static void
loaded(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	struct pack *p = (struct pack *)job;
	struct arena *a = job->a;

	if (e != NULL)
		fail(p, VERDICT_RETRY, "attachments_not_read", e->text);
	else
		open_pack(p, db_count(rows[0]) > 0 ? db_text(rows[0], 0, 0)
		                                   : NULL, a);
	arena_free(&a);
}

static struct pack *
pack_new(struct packs *ps, struct tenant_id tenant,
    const struct notification_id *id)
{
	struct arena *a = arena_new(CHUNK_BYTES);
	struct pack *p = arena_object(a, struct pack);
	struct db_batch *b;

	p->a = a;
	p->all = ps;
	p->tenant = tenant;
	p->id = *id;
	p->fd = -1;
	p->next = ps->list;
	ps->list = p;
	p->job.a = arena_new(CHUNK_BYTES);
	p->job.step = loaded;
	b = db_batch_new(p->job.a, tenant, DB_ONE);
	db_add(b, Q_NOTIFICATION_ATTACHMENTS);
	db_arg_int(b, tenant.n);
	db_arg_uuid(b, &p->id.u);
	pool_submit(ps->sp->pool, &p->job, b);
	return p;
}

struct pack *
pack_ask(struct packs *ps, struct tenant_id tenant,
    const struct notification_id *id, struct pack_waiter *w)
{
	struct pack *p;

	for (p = ps->list; p != NULL; p = p->next)
		if (p->tenant.n == tenant.n &&
		    uuid_cmp(&p->id.u, &id->u) == 0 && p->state != FAILED)
			break;
	if (p != NULL && p->state == READY) {
		p->held++;
		return p;
	}
	if (p == NULL)
		p = pack_new(ps, tenant, id);
	w->next = p->waiters;
	p->waiters = w;
	return NULL;
}

const struct attachment *
pack_list(const struct pack *p, size_t *count_r)
{
	*count_r = p->count;
	return p->list;
}

void
pack_hold(struct pack *p)
{
	p->held++;
}

struct arena *
pack_arena(struct pack *p)
{
	return p->a;
}

struct upload **
pack_uploads(struct pack *p)
{
	return &p->uploads;
}

void
pack_release(struct pack *p)
{
	ensure(p->held > 0);
	p->held--;
	p->used_ms = clock_mono_ms();
}
