/*
 * transfer.c - many exchanges with other hosts at once
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A transfer that has ended is only put into a list; its "done" is called when
 * nothing else is in progress, so "done" may start and abort what it likes.
 */
#include "net/transfer.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/ensure.h"
#include "base/err.h"
#include "net/ca_file.h"
#include "net/guard.h"
#include "net/smtp_session.h"
#include "net/transfer_private.h"

enum {
	IN_FLIGHT_DEFAULT = 1000,
	PER_HOST_DEFAULT = 10,
	IDLE_MS_DEFAULT = 20000,
	PER_CONNECTION_DEFAULT = 100,
	TIMEOUT_MS_DEFAULT = 30000,
	CONNECT_TIMEOUT_MS_DEFAULT = 10000,
	RESPONSE_MAX_DEFAULT = 64 << 10,
	ANSWER_HEADERS_MAX = 16 << 10,
	KEEP_BUFFER_BYTES = 8 << 10,
	EXTRA_MAX = 63,
	EVENTS_MAX = 64
};

void
transfer_list_init(struct transfer_list *l)
{
	l->first = NULL;
	l->end = &l->first;
}

void
transfer_list_add(struct transfer_list *l, struct transfer *t)
{
	t->next = NULL;
	*l->end = t;
	l->end = &t->next;
}

void
transfer_list_remove(struct transfer_list *l, struct transfer *t)
{
	struct transfer **p = &l->first;

	while (*p != t) {
		ensure(*p != NULL);
		p = &(*p)->next;
	}
	*p = t->next;
	if (t->next == NULL)
		l->end = p;
}

void
transfer_finish(struct transfer *t, enum transfer_outcome outcome)
{
	ensure(t->state == TRANSFER_RUNNING || t->state == TRANSFER_WAITING);
	if (t->forbidden && outcome == TRANSFER_NOT_CONNECTED)
		snprintf(t->error, sizeof(t->error), "its address %s",
		    guard_refusal(t->req.of_platform));
	if (t->state == TRANSFER_WAITING)
		transfer_list_remove(&t->ts->waiting, t);
	t->res.outcome = outcome;
	t->state = TRANSFER_FINISHED;
	transfer_list_add(&t->ts->finished, t);
}

enum transfer_outcome
transfer_outcome_of(CURLcode code)
{
	static const struct {
		CURLcode code;
		enum transfer_outcome outcome;
	} outcomes[] = {
		{ CURLE_OK, TRANSFER_ANSWERED },
		{ CURLE_URL_MALFORMAT, TRANSFER_NOT_CONNECTED },
		{ CURLE_COULDNT_RESOLVE_PROXY, TRANSFER_NOT_CONNECTED },
		{ CURLE_COULDNT_RESOLVE_HOST, TRANSFER_NOT_CONNECTED },
		{ CURLE_COULDNT_CONNECT, TRANSFER_NOT_CONNECTED },
		{ CURLE_INTERFACE_FAILED, TRANSFER_NOT_CONNECTED },
		{ CURLE_SSL_CONNECT_ERROR, TRANSFER_TLS_FAILED },
		{ CURLE_SSL_ENGINE_NOTFOUND, TRANSFER_TLS_FAILED },
		{ CURLE_SSL_ENGINE_SETFAILED, TRANSFER_TLS_FAILED },
		{ CURLE_SSL_CERTPROBLEM, TRANSFER_TLS_FAILED },
		{ CURLE_SSL_CIPHER, TRANSFER_TLS_FAILED },
		{ CURLE_PEER_FAILED_VERIFICATION, TRANSFER_TLS_FAILED },
		{ CURLE_USE_SSL_FAILED, TRANSFER_TLS_FAILED },
		{ CURLE_SSL_CACERT_BADFILE, TRANSFER_TLS_FAILED },
		{ CURLE_SSL_CRL_BADFILE, TRANSFER_TLS_FAILED },
		{ CURLE_SSL_ISSUER_ERROR, TRANSFER_TLS_FAILED },
		{ CURLE_SSL_PINNEDPUBKEYNOTMATCH, TRANSFER_TLS_FAILED },
		{ CURLE_SSL_INVALIDCERTSTATUS, TRANSFER_TLS_FAILED },
		{ CURLE_OPERATION_TIMEDOUT, TRANSFER_TIMED_OUT },
	};
	size_t i;

	for (i = 0; i < NELEMS(outcomes); i++) {
		if (outcomes[i].code == code)
			return outcomes[i].outcome;
	}
	return TRANSFER_BROKEN;
}

static curl_socket_t
open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct transfer *t = arg;

	if (!guard_allows(t->ts->params.allowed, &address->addr) &&
	    !(t->req.of_platform && t->ts->params.allowed_platform != NULL &&
	        guard_allows(t->ts->params.allowed_platform, &address->addr))) {
		t->forbidden = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC,
	    address->protocol);
}

void
transfer_setopt_common(struct transfer *t, CURL *easy)
{
	const struct transfer_request *req = &t->req;

	t->error[0] = '\0';
	curl_easy_setopt(easy, CURLOPT_URL, req->url);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->error);
	curl_easy_setopt(easy, CURLOPT_SHARE, t->ts->share);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* A proxy of the environment would see everything. */
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)req->timeout_ms);
	curl_easy_setopt(
	    easy, CURLOPT_CONNECTTIMEOUT_MS, (long)req->connect_timeout_ms);
	if (t->ts->params.allowed != NULL) {
		curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
		curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, t);
	}
#if LIBCURL_VERSION_NUM >= 0x075700
	/* Never wait for the thread that looks a name up. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
	if (req->ca_file != NULL)
		curl_easy_setopt(easy, CURLOPT_CAINFO, req->ca_file);
}

/* Cleans up what the arena of a struct transfers cannot know. */
static void
defer_transfers(void *p)
{
	struct transfers *ts = p;
	size_t i;

	transfer_smtp_close_all(ts);
	for (i = 0; i < ts->pool_count; i++) {
		struct transfer *t = ts->pool[i];

		if (t->state == TRANSFER_RUNNING && t->req.kind == TRANSFER_HTTP)
			transfer_http_abort(t);
		if (t->easy != NULL)
			curl_easy_cleanup(t->easy);
		buf_done(&t->answer);
		buf_done(&t->answer_headers);
	}
	transfer_http_close_all(ts);
	if (ts->share != NULL)
		curl_share_cleanup(ts->share);
	if (ts->epoll_fd >= 0)
		close(ts->epoll_fd);
}

static void
set_params(struct transfers *ts, const struct transfers_params *params)
{
	struct transfers_params *p = &ts->params;

	*p = *params;
	p->max_in_flight = p->max_in_flight ? p->max_in_flight
	                                    : IN_FLIGHT_DEFAULT;
	p->connections_per_host = p->connections_per_host
	    ? p->connections_per_host
	    : PER_HOST_DEFAULT;
	p->idle_ms = p->idle_ms ? p->idle_ms : IDLE_MS_DEFAULT;
	p->per_connection = p->per_connection ? p->per_connection
	                                      : PER_CONNECTION_DEFAULT;
}

static int
make_handles(struct transfers *ts, struct err *e)
{
	ts->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	ts->share = curl_share_init();
	if (ts->epoll_fd < 0 || ts->share == NULL ||
	    transfer_http_lines(ts) < 0)
		return err_set(e, ERR_TEMPORARY,
		    "could not prepare for transfers: no more descriptors");
	curl_share_setopt(ts->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
	curl_share_setopt(
	    ts->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	return 0;
}

int
transfers_new(struct arena *a, const struct transfers_params *params,
    struct transfers **ts_r, struct err *e)
{
	struct transfers *ts = arena_object(a, struct transfers);

	ts->arena = a;
	ts->epoll_fd = -1;
	ts->next_deadline_ms = ts->next_pretence_ms = INT64_MAX;
	transfer_list_init(&ts->waiting);
	transfer_list_init(&ts->finished);
	transfer_list_init(&ts->pretending);
	set_params(ts, params);
	arena_defer(a, defer_transfers, ts);
	/* A write to a closed connection is an error, not the end. */
	signal(SIGPIPE, SIG_IGN);
	if (make_handles(ts, e) < 0)
		return -1;
	ts->pool = arena_zalloc(
	    a, ts->params.max_in_flight, sizeof(struct transfer *));
	ts->sessions = arena_zalloc(
	    a, ts->params.max_in_flight, sizeof(struct smtp_session *));
	*ts_r = ts;
	return 0;
}

static struct transfer *
take_free(struct transfers *ts)
{
	struct transfer *t = ts->free;

	if (t != NULL) {
		ts->free = t->next;
		return t;
	}
	t = arena_object(ts->arena, struct transfer);
	t->ts = ts;
	ts->pool[ts->pool_count++] = t;
	buf_init(&t->answer, RESPONSE_MAX_DEFAULT);
	buf_init(&t->answer_headers, ANSWER_HEADERS_MAX);
	return t;
}

static void
prepare(struct transfer *t, const struct transfer_request *req)
{
	t->req = *req;
	if (t->req.timeout_ms <= 0)
		t->req.timeout_ms = TIMEOUT_MS_DEFAULT;
	if (t->req.connect_timeout_ms <= 0)
		t->req.connect_timeout_ms = CONNECT_TIMEOUT_MS_DEFAULT;
	if (t->req.response_max == 0)
		t->req.response_max = RESPONSE_MAX_DEFAULT;
	t->deadline_ms = clock_mono_ms() + t->req.timeout_ms;
	t->res = (struct transfer_result){ .error = "",
		.reply = "",
		.body = "",
		.headers = "" };
	t->error[0] = '\0';
	t->forbidden = false;
	t->refused = false;
	t->headers_whole = false;
	t->headers_read = 0;
	t->body_done = 0;
	t->session = NULL;
	t->again = false;
	t->urls_tried = 0;
}

static int
pretend_check(const struct transfer_request *req, struct err *e)
{
	(void)e;
	ensure(req->pretence != NULL);
	return 0;
}

/* What each kind does; the order is that of enum transfer_kind. */
static const struct {
	int (*check)(const struct transfer_request *req, struct err *e);
	void (*start)(struct transfer *t);
	void (*abort)(struct transfer *t);
} kinds[] = {
	{ transfer_http_check, transfer_http_start, transfer_http_abort },
	{ transfer_smtp_check, transfer_smtp_start, transfer_smtp_abort },
	{ pretend_check, transfer_pretend_start, transfer_pretend_abort },
};

/* Why certificates that are wanted cannot be had, as curl would find out itself. */
static bool
lacks_ca_file(struct transfer *t)
{
	const struct transfer_request *req = &t->req;
	struct err e;

	if (req->ca_file == NULL || req->kind == TRANSFER_PRETEND ||
	    (req->kind == TRANSFER_HTTP ? transfer_tls_of(req->url) : req->tls) ==
	        TRANSFER_TLS_NONE ||
	    ca_file_check(req->ca_file, &e) == 0)
		return false;
	snprintf(t->error, sizeof(t->error), "%s", e.text);
	return true;
}

int
transfers_start(struct transfers *ts, const struct transfer_request *req,
    struct transfer **t_r, struct err *e)
{
	struct transfer *t;

	if (kinds[req->kind].check(req, e) < 0)
		return -1;
	if (ts->in_flight >= ts->params.max_in_flight)
		return err_set(e, ERR_TEMPORARY,
		    "%zu transfers are on their way already", ts->in_flight);
	t = take_free(ts);
	prepare(t, req);
	ts->in_flight++;
	t->state = TRANSFER_RUNNING;
	if (lacks_ca_file(t))
		transfer_finish(t, TRANSFER_TLS_FAILED);
	else
		kinds[req->kind].start(t);
	*t_r = t;
	return 0;
}

/* Big buffers go back; small ones stay for the next transfer. */
static void
release_buf(struct buf *b)
{
	if (b->cap > KEEP_BUFFER_BYTES)
		buf_done(b);
	else
		buf_reset(b);
}

/* Calls "done" for a transfer that is in no list any more. */
static void
deliver(struct transfer *t)
{
	struct transfers *ts = t->ts;

	t->res.error = t->error;
	if (t->res.outcome == TRANSFER_ANSWERED)
		t->res.error = "";
	t->req.done(t->req.arg, &t->res);
	release_buf(&t->answer);
	release_buf(&t->answer_headers);
	t->state = TRANSFER_FREE;
	t->next = ts->free;
	ts->free = t;
	ts->in_flight--;
}

/* Delivers those that have ended by now, not what their "done" ends. */
static int
deliver_finished(struct transfers *ts)
{
	struct transfer *last, *t;
	int count = 0;

	if (ts->finished.first == NULL)
		return 0;
	for (last = ts->finished.first; last->next != NULL;)
		last = last->next;
	do {
		t = ts->finished.first;
		if (t == NULL)
			break;
		transfer_list_remove(&ts->finished, t);
		deliver(t);
		count++;
	} while (t != last);
	return count;
}

/* Until the first of all times, but not longer than timeout_ms. */
static int
wait_ms(const struct transfers *ts, int timeout_ms)
{
	int64_t next = transfer_http_next_ms(ts), left;

	if (ts->finished.first != NULL)
		return 0;
	if (ts->next_deadline_ms < next)
		next = ts->next_deadline_ms;
	if (ts->next_pretence_ms < next)
		next = ts->next_pretence_ms;
	if (next == INT64_MAX)
		return timeout_ms;
	left = next - clock_mono_ms();
	if (left < 0)
		left = 0;
	return left < timeout_ms ? (int)left : timeout_ms;
}

/* Sleeps until one of the descriptors has something; sets the revents of "extra".
 * Returns whether a socket of ours has. */
static bool
sleep_on(const struct transfers *ts, struct curl_waitfd *extra,
    unsigned int n_extra, int ms)
{
	struct pollfd fds[EXTRA_MAX + 1];
	unsigned int i;

	for (i = 0; i < n_extra; i++)
		fds[i] = (struct pollfd){ .fd = extra[i].fd,
			.events = (short)(
			    ((extra[i].events & CURL_WAIT_POLLIN) ? POLLIN : 0) |
			    ((extra[i].events & CURL_WAIT_POLLOUT) ? POLLOUT : 0)) };
	fds[n_extra] = (struct pollfd){ .fd = ts->epoll_fd, .events = POLLIN };
	/* Interrupted: nothing happened yet. */
	if (poll(fds, n_extra + 1, ms) < 0)
		for (i = 0; i <= n_extra; i++)
			fds[i].revents = 0;
	for (i = 0; i < n_extra; i++)
		extra[i].revents = (short)(
		    ((fds[i].revents & (POLLIN | POLLERR | POLLHUP))
		            ? CURL_WAIT_POLLIN
		            : 0) |
		    ((fds[i].revents & POLLOUT) ? CURL_WAIT_POLLOUT : 0));
	return fds[n_extra].revents != 0;
}

/* Does what the sockets are ready for. */
static void
perform(struct transfers *ts)
{
	struct epoll_event events[EVENTS_MAX];
	int i, n = epoll_wait(ts->epoll_fd, events, EVENTS_MAX, 0);

	for (i = 0; i < n; i++) {
		uint32_t who = (uint32_t)(events[i].data.u64 >> 32);
		int fd = (int)(events[i].data.u64 & 0xffffffff);

		if (who >= TRANSFER_HTTP_MARK)
			transfer_http_event(&ts->lines[who - TRANSFER_HTTP_MARK],
			    fd, events[i].events);
		else
			smtp_session_event(ts->sessions[who], fd,
			    events[i].events);
	}
}

int
transfers_poll(struct transfers *ts, struct curl_waitfd *extra,
    unsigned int n_extra, int timeout_ms)
{
	bool ready;

	ensure(n_extra <= EXTRA_MAX);
	if (ts->http_started)
		transfer_http_expire(ts, clock_mono_ms());
	ready = sleep_on(ts, extra, n_extra, wait_ms(ts, timeout_ms));
	if (ts->params.woken != NULL)
		ts->params.woken(ts->params.arg);
	if (ready)
		perform(ts);
	transfer_http_expire(ts, clock_mono_ms());
	transfer_smtp_expire(ts, clock_mono_ms());
	transfer_pretend_expire(ts, clock_mono_ms());
	return deliver_finished(ts);
}

void
transfer_abort(struct transfer *t)
{
	ensure(t->state != TRANSFER_FREE);
	if (t->state != TRANSFER_FINISHED) {
		kinds[t->req.kind].abort(t);
		snprintf(t->error, sizeof(t->error), "the transfer was aborted");
		transfer_finish(t, TRANSFER_ABORTED);
	}
	transfer_list_remove(&t->ts->finished, t);
	deliver(t);
}

void
transfers_abort_all(struct transfers *ts)
{
	size_t i;

	for (i = 0; i < ts->pool_count; i++) {
		if (ts->pool[i]->state != TRANSFER_FREE)
			transfer_abort(ts->pool[i]);
	}
}

/* Nothing of it can have reached the other side. */
static bool
is_unsent(const struct transfer *t)
{
	return t->state == TRANSFER_WAITING ||
	    (t->state == TRANSFER_RUNNING && t->req.kind == TRANSFER_HTTP &&
	        !transfer_http_has_begun(t));
}

void
transfers_abort_unsent(struct transfers *ts)
{
	size_t i;

	for (i = 0; i < ts->pool_count; i++)
		if (is_unsent(ts->pool[i]))
			transfer_abort(ts->pool[i]);
}

size_t
transfers_in_flight(const struct transfers *ts)
{
	return ts->in_flight;
}

const char *
transfer_header(struct arena *a, const struct transfer_result *res,
    const char *name)
{
	const char *line = res->headers, *end;
	size_t n = strlen(name);

	for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		if (strncasecmp(line, name, n) != 0 || line[n] != ':')
			continue;
		line += n + 1;
		line += strspn(line, " \t");
		return arena_strndup(
		    a, line, line < end ? (size_t)(end - line) : 0);
	}
	return NULL;
}
