/*
 * parcel.c - accepted work on its way from belfry-api to the spooler it was leased to
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One list of fields serves both ways: a wire either writes what it is shown or fills
 * it.  What was read is checked where a wrong value could do harm later.
 */
#include "notify/parcel.h"

#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"

struct wire {
	struct buf *out; /* NULL: reads */
	struct arena *a;
	const char *at, *end;
	bool bad;
};

static void
wire_bytes(struct wire *w, void *p, size_t n)
{
	if (w->out != NULL) {
		buf_add(w->out, p, n);
		return;
	}
	if (w->bad || (size_t)(w->end - w->at) < n) {
		w->bad = true;
		memset(p, 0, n);
		return;
	}
	memcpy(p, w->at, n);
	w->at += n;
}

static void
wire_number(struct wire *w, int64_t *n)
{
	wire_bytes(w, n, sizeof(*n));
}

/* A number; what is read must lie between least and most. */
static void
wire_int(struct wire *w, int *n, int least, int most)
{
	int32_t value = *n;

	wire_bytes(w, &value, sizeof(value));
	if (w->out == NULL && (value < least || value > most)) {
		w->bad = true;
		value = least;
	}
	*n = value;
}

static void
wire_uuid(struct wire *w, struct uuid *u)
{
	wire_bytes(w, u->b, sizeof(u->b));
}

/* Length and text with its NUL; length 0: NULL. */
static void
wire_text(struct wire *w, const char **s)
{
	uint32_t n = w->out != NULL && *s != NULL ? (uint32_t)strlen(*s) + 1 : 0;

	wire_bytes(w, &n, sizeof(n));
	if (w->out != NULL) {
		if (n > 0)
			buf_add(w->out, *s, n);
		return;
	}
	*s = NULL;
	if (n == 0)
		return;
	if (w->bad || (size_t)(w->end - w->at) < n ||
	    memchr(w->at, '\0', n) != w->at + n - 1) {
		w->bad = true;
		return;
	}
	*s = w->at;
	w->at += n;
}

static void
wire_notification(struct wire *w, struct notification *n)
{
	wire_uuid(w, &n->id.u);
	wire_int(w, &n->priority, 0, PRIORITY_COUNT - 1);
	wire_uuid(w, &n->template_id.u);
	wire_int(w, &n->template_version, 0, INT32_MAX);
	wire_int(w, &n->template_release, 0, INT32_MAX);
	wire_text(w, &n->category);
	wire_text(w, &n->locale);
	wire_text(w, &n->content);
	wire_text(w, &n->tracking);
	wire_text(w, &n->data);
	wire_text(w, &n->traceparent);
	wire_number(w, &n->expires_ms);
	wire_number(w, &n->created_ms);
}

static void
wire_delivery(struct wire *w, struct delivery *d, struct provider_id *provider)
{
	int channel = (int)d->channel, others = d->others;

	wire_uuid(w, &d->id.u);
	wire_int(w, &d->recipient_no, 0, INT16_MAX);
	wire_int(w, &channel, CHANNEL_NONE + 1, CHANNEL_COUNT - 1);
	wire_text(w, &d->user_id);
	wire_text(w, &d->address);
	wire_text(w, &d->recipient);
	wire_text(w, &d->locale);
	wire_number(w, &d->created_ms);
	wire_uuid(w, &provider->u);
	wire_int(w, &others, 0, 1);
	d->channel = (enum channel)channel;
	d->others = others != 0;
	d->aged_from_ms = d->created_ms;
}

static void
wire_parcel(struct wire *w, struct parcel *p)
{
	int count = (int)p->count;
	size_t i;

	wire_number(w, &p->tenant.n);
	wire_uuid(w, &p->spooler);
	wire_number(w, &p->good_until_ms);
	wire_number(w, &p->generation);
	wire_notification(w, &p->n);
	wire_int(w, &count, 1, PARCEL_DELIVERIES_MAX);
	if (w->bad)
		return;
	p->count = (size_t)count;
	if (w->out == NULL) {
		p->deliveries = arena_zalloc(w->a, p->count,
		    sizeof(*p->deliveries));
		p->providers = arena_zalloc(w->a, p->count,
		    sizeof(*p->providers));
	}
	for (i = 0; i < p->count; i++)
		wire_delivery(w, &p->deliveries[i], &p->providers[i]);
}

void
parcel_write(struct parcel *p, struct buf *out)
{
	struct wire w = { .out = out };

	wire_parcel(&w, p);
}

int
parcel_read(struct arena *a, const void *bytes, size_t n, struct parcel *p_r)
{
	char *copy = arena_memdup(a, bytes, n);
	struct wire w = { .a = a, .at = copy, .end = copy + n };
	struct parcel p = { .count = 0 };
	struct delivery *d;
	size_t i;

	wire_parcel(&w, &p);
	if (w.bad || w.at != w.end || p.tenant.n <= 0)
		return -1;
	p.n.a = a;
	p.n.state = NOTIFICATION_ROUTED;
	for (i = 0; i < p.count; i++) {
		d = &p.deliveries[i];
		d->state = DELIVERY_SENDING;
		d->prio = p.n.priority;
		d->lease_no = d->attempt = 1;
	}
	*p_r = p;
	return 0;
}
