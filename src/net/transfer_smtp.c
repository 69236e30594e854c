/*
 * transfer_smtp.c - which mail goes over which SMTP connection
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A connection belongs to an identity: host, port, name for EHLO, account,
 * way of TLS, and whether the platform named the host.  A mail takes an idle connection of its identity, the one used
 * last; or a new one while there are fewer than connections_per_host; else it
 * waits for one, first come first served.
 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "net/smtp_session.h"
#include "net/transfer_private.h"

enum { LINE_MAX_BYTES = 64 << 10 };

/* The last wall against an address that would be a command of its own. */
static int
check_path(const char *what, const char *address, struct err *e)
{
	if (text_has_control(address) || strpbrk(address, "<> ") != NULL ||
	    strlen(address) > 320)
		return err_set(e, ERR_UNPROCESSABLE,
		    "the address of the %s cannot go over SMTP", what);
	return 0;
}

int
transfer_smtp_check(const struct transfer_request *req, struct err *e)
{
	const char *scheme = req->tls == TRANSFER_TLS_IMPLICIT ? "smtps://"
	                                                       : "smtp://";

	if (strncasecmp(req->url, scheme, strlen(scheme)) != 0)
		return err_set(e, ERR_UNPROCESSABLE,
		    "the address of the mail server does not begin with %s",
		    scheme);
	if (req->rcpt == NULL)
		return 0;
	if (req->rcpt[0] == '\0')
		return err_set(e, ERR_UNPROCESSABLE,
		    "the address of the recipient is empty");
	if (check_path("sender", req->from, e) < 0)
		return -1;
	return check_path("recipient", req->rcpt, e);
}

static void
hash_text(crypto_generichash_state *h, const char *s)
{
	if (s == NULL)
		s = "\x01"; /* none is not the same as empty */
	crypto_generichash_update(h, (const unsigned char *)s, strlen(s) + 1);
}

static void
set_identity(struct transfer *t)
{
	const struct transfer_request *req = &t->req;
	crypto_generichash_state h;
	unsigned char how[] = { (unsigned char)req->tls, req->of_platform };

	crypto_generichash_init(&h, NULL, 0, sizeof(t->identity));
	hash_text(&h, req->url);
	hash_text(&h, req->username);
	hash_text(&h, req->password);
	hash_text(&h, req->ca_file);
	crypto_generichash_update(&h, how, sizeof(how));
	crypto_generichash_final(&h, t->identity, sizeof(t->identity));
}

static bool
is_same(const uint8_t a[TRANSFER_IDENTITY_BYTES],
    const uint8_t b[TRANSFER_IDENTITY_BYTES])
{
	return memcmp(a, b, TRANSFER_IDENTITY_BYTES) == 0;
}

static struct smtp_session *
session_new(struct transfers *ts)
{
	struct smtp_session *s = arena_object(ts->arena, struct smtp_session);

	s->ts = ts;
	s->index = (unsigned int)ts->sessions_count;
	s->curl_timer_ms = -1;
	s->fd = CURL_SOCKET_BAD;
	buf_init(&s->in, LINE_MAX_BYTES);
	buf_init(&s->out, 256 << 10);
	ts->sessions[ts->sessions_count++] = s;
	return s;
}

/* A session for the transfer: idle and of its identity, or closed; NULL when it
 * has to wait. */
static struct smtp_session *
find_session(struct transfers *ts, const struct transfer *t)
{
	struct smtp_session *s, *idle = NULL, *closed = NULL, *oldest = NULL;
	size_t i, count = 0;

	for (i = 0; i < ts->sessions_count; i++) {
		s = ts->sessions[i];
		if (s->state == SMTP_CLOSED) {
			closed = s;
			continue;
		}
		if (is_same(s->identity, t->identity)) {
			count++;
			if (s->state == SMTP_IDLE && (idle == NULL ||
			        s->idle_since_ms >= idle->idle_since_ms))
				idle = s;
		} else if (s->state == SMTP_IDLE && (oldest == NULL ||
		               s->idle_since_ms < oldest->idle_since_ms)) {
			oldest = s;
		}
	}
	if (idle != NULL)
		return idle;
	if (count >= ts->params.connections_per_host)
		return NULL;
	if (closed != NULL)
		return closed;
	if (ts->sessions_count < ts->params.max_in_flight)
		return session_new(ts);
	if (oldest != NULL)
		smtp_session_close(oldest);
	return oldest;
}

/* ---- Several servers ---- */

static bool
is_down(const struct transfers *ts, const struct transfer *t)
{
	int64_t now_ms = clock_mono_ms();
	size_t i;

	for (i = 0; i < SMTP_DOWN_MAX; i++)
		if (ts->down[i].until_ms > now_ms &&
		    is_same(ts->down[i].identity, t->identity))
			return true;
	return false;
}

static void
note_down(struct transfers *ts, const struct transfer *t)
{
	struct smtp_down *d = &ts->down[ts->down_next++ % SMTP_DOWN_MAX];

	memcpy(d->identity, t->identity, sizeof(d->identity));
	d->until_ms = clock_mono_ms() + SMTP_DOWN_MS;
}

/* Chooses the first server that was not tried and is not known to be down; else the first
 * that was not tried.  False when all were. */
static bool
choose_url(struct transfer *t)
{
	const char *const *urls = t->req.urls;
	int i, spare = -1;

	for (i = 0; urls[i] != NULL; i++) {
		if ((t->urls_tried & 1u << i) != 0)
			continue;
		t->req.url = urls[i];
		set_identity(t);
		if (!is_down(t->ts, t)) {
			t->urls_tried |= 1u << i;
			return true;
		}
		if (spare < 0)
			spare = i;
	}
	if (spare < 0)
		return false;
	t->req.url = urls[spare];
	set_identity(t);
	t->urls_tried |= 1u << spare;
	return true;
}

bool
transfer_smtp_next_url(struct transfer *t)
{
	if (t->req.urls == NULL || t->req.urls[1] == NULL)
		return false;
	note_down(t->ts, t);
	t->forbidden = false;
	return choose_url(t);
}

static void
note_deadline(struct transfers *ts, int64_t at_ms)
{
	if (at_ms < ts->next_deadline_ms)
		ts->next_deadline_ms = at_ms;
}

static void
run(struct transfer *t, struct smtp_session *s)
{
	/* A mail that met a dead connection gets one that is surely new. */
	if (t->again && s->state == SMTP_IDLE)
		smtp_session_close(s);
	t->state = TRANSFER_RUNNING;
	t->session = s;
	if (s->state == SMTP_IDLE) {
		smtp_session_send(s, t);
		return;
	}
	memcpy(s->identity, t->identity, sizeof(s->identity));
	smtp_session_connect(s, t);
}

void
transfer_smtp_start(struct transfer *t)
{
	struct transfers *ts = t->ts;
	struct smtp_session *s;

	if (t->urls_tried == 0 && !t->again) {
		if (t->req.urls != NULL && t->req.urls[1] != NULL)
			(void)choose_url(t);
		else
			set_identity(t);
	}
	note_deadline(ts, t->deadline_ms);
	s = find_session(ts, t);
	if (s != NULL) {
		run(t, s);
		return;
	}
	t->state = TRANSFER_WAITING;
	transfer_list_add(&ts->waiting, t);
}

void
transfer_smtp_session_free(struct smtp_session *s)
{
	struct transfers *ts = s->ts;
	struct transfer *t = ts->waiting.first;

	if (s->state == SMTP_IDLE) {
		s->idle_since_ms = clock_mono_ms();
		note_deadline(ts, s->idle_since_ms + ts->params.idle_ms);
	}
	while (t != NULL && !is_same(t->identity, s->identity))
		t = t->next;
	if (t == NULL)
		return;
	transfer_list_remove(&ts->waiting, t);
	run(t, s);
}

void
transfer_smtp_abort(struct transfer *t)
{
	struct smtp_session *s = t->session;

	if (s == NULL)
		return;
	t->session = NULL;
	s->transfer = NULL;
	smtp_session_close(s);
	transfer_smtp_session_free(s);
}

/* Ends the transfer of a session, or one that waits, whose time is over. */
static void
time_out(struct transfer *t)
{
	struct smtp_session *s = t->session;

	snprintf(t->error, sizeof(t->error), "timed out after %d ms",
	    t->req.timeout_ms);
	if (s == NULL) {
		transfer_finish(t, TRANSFER_TIMED_OUT);
		return;
	}
	s->transfer = NULL;
	t->session = NULL;
	transfer_finish(t, TRANSFER_TIMED_OUT);
	smtp_session_close(s);
	transfer_smtp_session_free(s);
}

static void
expire_waiting(struct transfers *ts, int64_t now_ms)
{
	struct transfer *t, *next;

	for (t = ts->waiting.first; t != NULL; t = next) {
		next = t->next;
		if (t->deadline_ms <= now_ms)
			time_out(t);
		else
			note_deadline(ts, t->deadline_ms);
	}
}

static void
expire_session(struct smtp_session *s, int64_t now_ms)
{
	struct transfers *ts = s->ts;

	if (s->state == SMTP_CONNECTING && s->curl_timer_ms >= 0 &&
	    s->curl_timer_ms <= now_ms)
		smtp_session_timer(s);
	if (s->transfer != NULL && s->transfer->deadline_ms <= now_ms)
		time_out(s->transfer);
	if (s->state == SMTP_IDLE) {
		if (s->idle_since_ms + ts->params.idle_ms <= now_ms)
			smtp_session_close(s);
		else
			note_deadline(ts, s->idle_since_ms + ts->params.idle_ms);
	}
	if (s->transfer != NULL)
		note_deadline(ts, s->transfer->deadline_ms);
	if (s->state == SMTP_CONNECTING && s->curl_timer_ms >= 0)
		note_deadline(ts, s->curl_timer_ms);
}

void
transfer_smtp_expire(struct transfers *ts, int64_t now_ms)
{
	size_t i;

	if (now_ms < ts->next_deadline_ms)
		return;
	ts->next_deadline_ms = INT64_MAX;
	expire_waiting(ts, now_ms);
	for (i = 0; i < ts->sessions_count; i++)
		expire_session(ts->sessions[i], now_ms);
}

void
transfer_smtp_close_all(struct transfers *ts)
{
	size_t i;

	for (i = 0; i < ts->sessions_count; i++) {
		struct smtp_session *s = ts->sessions[i];

		smtp_session_close(s);
		if (s->easy != NULL)
			curl_easy_cleanup(s->easy);
		if (s->multi != NULL)
			curl_multi_cleanup(s->multi);
		buf_done(&s->in);
		buf_done(&s->out);
	}
}
