/*
 * transfer_http.c - HTTP requests on a few curl multi handles
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * How many connections a host may have is a property of the handle, so requests that
 * are to share few of them have a handle of their own.  So have those of the platform,
 * which reach more: a connection that one of them made serves no other.  They tell which
 * sockets and times they wait for; nothing walks over all requests at each turn.  A request's handle
 * ends with it: a handle that is used again remembers the last URL and what was in its
 * buffers.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/crash_point.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/text.h"
#include "net/retry_after.h"
#include "net/transfer_private.h"

/* With 100 requests at once over each, two connections are enough for any account; but all
 * accounts at a host, whose ever they are, share its connections. */
enum { FEW_CONNECTIONS = 4, HEADERS_READ_MAX = 64 << 10 };

static int
check_header(const struct transfer_header *h, struct err *e)
{
	if (h->name[0] == '\0' || strpbrk(h->name, ": ") != NULL ||
	    text_has_control(h->name) || text_has_control(h->value))
		return err_set(e, ERR_UNPROCESSABLE,
		    "a header of the request holds a character that is not "
		    "allowed");
	return 0;
}

enum transfer_tls
transfer_tls_of(const char *url)
{
	return strncasecmp(url, "https:", 6) == 0 ? TRANSFER_TLS_IMPLICIT
	                                          : TRANSFER_TLS_NONE;
}

int
transfer_http_check(const struct transfer_request *req, struct err *e)
{
	size_t i;

	if (strncasecmp(req->url, "http://", 7) != 0 &&
	    strncasecmp(req->url, "https://", 8) != 0)
		return err_set(e, ERR_UNPROCESSABLE,
		    "the address of the request is not http: or https:");
	if (req->method != NULL &&
	    req->method[strspn(req->method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")])
		return err_set(e, ERR_UNPROCESSABLE,
		    "the method of the request is not a word in capitals");
	for (i = 0; i < req->headers_count; i++) {
		if (check_header(&req->headers[i], e) < 0)
			return -1;
	}
	return 0;
}

static size_t
read_body(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	size_t left = t->req.body_len - t->body_done, len = size * n;
	const char *from;

	if (left == 0)
		len = 0;
	if (len > 0) {
		from = transfer_body_at(&t->req, t->body_done, p, &len);
		if (from == NULL)
			return CURL_READFUNC_ABORT;
		if (t->body_done == 0 &&
		    crash_point_is_set(CRASH_FIRST_BODY_BYTE))
			len = 1;
		if (from != p)
			memcpy(p, from, len);
		t->body_done += len;
		t->res.body_started = true;
	}
	if (t->body_done == t->req.body_len)
		t->res.body_sent = true;
	return len;
}

/* curl sends the request again when a connection that it kept ends without an answer, or
 * the server refused the stream.  In the first case, when all of the body is out, the
 * server may have acted on it: that is for the caller to decide. */
static int
seek_body(void *arg, curl_off_t offset, int origin)
{
	struct transfer *t = arg;

	if (origin != SEEK_SET || offset < 0 ||
	    (size_t)offset > t->req.body_len ||
	    (t->res.body_sent && !t->refused))
		return CURL_SEEKFUNC_FAIL;
	if (t->refused && offset == 0)
		t->res.body_started = t->res.body_sent = false;
	t->refused = false;
	t->body_done = (size_t)offset;
	return CURL_SEEKFUNC_OK;
}

static int
connected(void *arg, char *to_ip, char *from_ip, int to_port, int from_port)
{
	crash_point(CRASH_AFTER_CONNECT);
	return CURL_PREREQFUNC_OK;
}

/* What curl says, and says nowhere else, when the server of HTTP/2 has refused the stream,
 * or has gone away before it came to it: it was not acted on (RFC 9113, 8.7).  On a
 * connection that had carried requests before, curl does not tell this from the end of the
 * connection: there it stays unknown. */
#define REFUSED "REFUSED_STREAM, retrying"

/* curl tells what it does, and what it has written. */
static int
told(CURL *easy, curl_infotype what, char *p, size_t n, void *arg)
{
	struct transfer *t = arg;

	if (what == CURLINFO_TEXT && n >= strlen(REFUSED) &&
	    memcmp(p, REFUSED, strlen(REFUSED)) == 0)
		t->refused = true;
	if (what != CURLINFO_DATA_OUT || n == 0)
		return 0;
	crash_point(CRASH_FIRST_BODY_BYTE);
	if (t->res.body_sent)
		crash_point(CRASH_LAST_BODY_BYTE);
	return 0;
}

/* HTTP/2 needs TLS here. */
static void
listen_to_curl(struct transfer *t)
{
	if (crash_point_is_set(CRASH_AFTER_CONNECT))
		curl_easy_setopt(t->easy, CURLOPT_PREREQFUNCTION, connected);
	if (transfer_tls_of(t->req.url) == TRANSFER_TLS_NONE &&
	    !crash_point_is_set(CRASH_FIRST_BODY_BYTE) &&
	    !crash_point_is_set(CRASH_LAST_BODY_BYTE))
		return;
	curl_easy_setopt(t->easy, CURLOPT_VERBOSE, 1L);
	curl_easy_setopt(t->easy, CURLOPT_DEBUGFUNCTION, told);
	curl_easy_setopt(t->easy, CURLOPT_DEBUGDATA, t);
}

static size_t
take_answer(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	size_t len = size * n;

	if (t->req.sink != NULL)
		return t->req.sink(t->req.arg, p, len) ? len : 0;
	if (t->answer.len + len > t->answer.max) {
		buf_add(&t->answer, p, t->answer.max - t->answer.len);
		t->res.truncated = true;
		return 0;
	}
	buf_add(&t->answer, p, len);
	return len;
}

/* Keeps the headers of the last answer: those of "100 Continue" go.  curl itself holds many
 * times their size, so an answer with too many ends. */
static size_t
take_header(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	size_t len = size * n;

	t->headers_read += len;
	if (t->headers_read > HEADERS_READ_MAX)
		return 0;
	if (len >= 5 && memcmp(p, "HTTP/", 5) == 0) {
		buf_reset(&t->answer_headers);
		t->headers_whole = false;
		return len;
	}
	while (len > 0 && (p[len - 1] == '\n' || p[len - 1] == '\r'))
		len--;
	if (len == 0)
		t->headers_whole = true;
	else if (t->answer_headers.len + len + 1 < t->answer_headers.max) {
		buf_add(&t->answer_headers, p, len);
		buf_putc(&t->answer_headers, '\n');
	}
	return size * n;
}

static void
add_header(struct transfer *t, const char *line)
{
	struct curl_slist *longer = curl_slist_append(t->headers, line);

	if (longer == NULL)
		panic("out of memory");
	t->headers = longer;
}

/* RFC 7617. */
static void
add_basic(struct transfer *t, struct arena *a)
{
	const char *pair = arena_printf(a, "%s:%s", t->req.username,
	    t->req.password != NULL ? t->req.password : "");

	add_header(t, arena_printf(a, "Authorization: Basic %s",
	    text_base64(a, pair, strlen(pair))));
}

static void
add_login(struct transfer *t)
{
	struct arena *a = arena_new(1024);

	add_basic(t, a);
	arena_free(&a);
}

static void
set_headers(struct transfer *t)
{
	struct buf line;
	size_t i;

	buf_init(&line, 64 << 10);
	for (i = 0; i < t->req.headers_count; i++) {
		const struct transfer_header *h = &t->req.headers[i];

		buf_reset(&line);
		/* A name with ";" is how curl writes an empty value. */
		buf_printf(&line, h->value[0] != '\0' ? "%s: %s" : "%s;",
		    h->name, h->value);
		add_header(t, line.data);
	}
	buf_done(&line);
	if (t->req.username != NULL)
		add_login(t);
	/* Waiting for "100 Continue" costs a second where it is not known. */
	add_header(t, "Expect:");
	curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
}

static void
set_method(struct transfer *t)
{
	const char *method = t->req.method;

	if (t->req.body != NULL) {
		curl_easy_setopt(t->easy, CURLOPT_POST, 1L);
		curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)t->req.body_len);
		curl_easy_setopt(t->easy, CURLOPT_READFUNCTION, read_body);
		curl_easy_setopt(t->easy, CURLOPT_READDATA, t);
		curl_easy_setopt(t->easy, CURLOPT_SEEKFUNCTION, seek_body);
		curl_easy_setopt(t->easy, CURLOPT_SEEKDATA, t);
	}
	if (method == NULL)
		return;
	if (strcmp(method, "HEAD") == 0)
		curl_easy_setopt(t->easy, CURLOPT_NOBODY, 1L);
	else
		curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, method);
}

static struct http_line *
line_of(const struct transfer *t)
{
	return &t->ts->lines[(t->req.few_connections ? HTTP_LINE_FEW : 0) |
	    (t->req.of_platform ? HTTP_LINE_PLATFORM : 0)];
}

void
transfer_http_start(struct transfer *t)
{
	t->easy = curl_easy_init();
	if (t->easy == NULL)
		panic("out of memory");
	t->answer.max = t->req.response_max;
	transfer_setopt_common(t, t->easy);
	curl_easy_setopt(t->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(
	    t->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	/* With TLS the handshake tells whether a connection can be shared; without it
	 * only the first answer would, and a server that hangs would hold up all. */
	if (transfer_tls_of(t->req.url) != TRANSFER_TLS_NONE)
		curl_easy_setopt(t->easy, CURLOPT_PIPEWAIT, 1L);
	curl_easy_setopt(t->easy, CURLOPT_MAXAGE_CONN,
	    (long)(t->ts->params.idle_ms + 999) / 1000);
	if (t->req.secret) {
		curl_easy_setopt(t->easy, CURLOPT_FRESH_CONNECT, 1L);
		curl_easy_setopt(t->easy, CURLOPT_FORBID_REUSE, 1L);
	}
	curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, take_answer);
	curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
	set_method(t);
	set_headers(t);
	listen_to_curl(t);
	ensure(curl_multi_add_handle(line_of(t)->multi, t->easy) == CURLM_OK);
	t->ts->http_started = true;
}

/* Takes the request off curl: its connection closes when it is in use. */
static void
detach(struct transfer *t)
{
	curl_multi_remove_handle(line_of(t)->multi, t->easy);
	curl_easy_cleanup(t->easy);
	t->easy = NULL;
	curl_slist_free_all(t->headers);
	t->headers = NULL;
}

void
transfer_http_abort(struct transfer *t)
{
	detach(t);
}

/* A success asks for nothing. */
static int64_t
asked_to_wait_s(const struct transfer_result *res)
{
	struct arena *a;
	int64_t s;

	if (res->status < 300)
		return 0;
	a = arena_new(1024);
	s = retry_after_s(transfer_header(a, res, "Retry-After"),
	    clock_wall_ms());
	arena_free(&a);
	return s;
}

bool
transfer_http_has_begun(const struct transfer *t)
{
	curl_off_t sent_us = 0;

	curl_easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME_T, &sent_us);
	return sent_us > 0;
}

static void
fill_result(struct transfer *t, CURLcode code)
{
	struct transfer_result *res = &t->res;
	bool begun = transfer_http_has_begun(t);
	long status = 0;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &res->num_connects);
	res->curl_code = (int)code;
	res->stage = begun ? TRANSFER_AT_BODY : TRANSFER_AT_CONNECT;
	if (code == CURLE_HTTP2_STREAM &&
	    strstr(t->error, "REFUSED_STREAM") != NULL)
		t->refused = true;
	if (t->refused) /* and not sent again: too often already */
		res->body_started = res->body_sent = false;
	else if (t->req.body == NULL || t->req.body_len == 0)
		res->body_started = res->body_sent = begun;
	res->body = t->answer.data;
	res->body_len = t->answer.len;
	res->headers = t->answer_headers.data;
	res->status = (int)status;
	res->retry_after_s = asked_to_wait_s(res);
	if (t->error[0] == '\0')
		snprintf(t->error, sizeof(t->error), "%s",
		    curl_easy_strerror(code));
}

static void
end_request(struct transfer *t, CURLcode code)
{
	enum transfer_outcome outcome = transfer_outcome_of(code);

	fill_result(t, code);
	detach(t);
	/* The status was there; only its explanation was too long. */
	if (code == CURLE_WRITE_ERROR && t->res.truncated)
		outcome = TRANSFER_ANSWERED;
	/* A single line can be too long for curl: it calls that out of memory. */
	if (!t->headers_whole && (code == CURLE_OUT_OF_MEMORY ||
	                             t->headers_read > HEADERS_READ_MAX))
		snprintf(t->error, sizeof(t->error),
		    "the headers of the answer have more than %d bytes",
		    HEADERS_READ_MAX);
	/* curl is content with half a header when the connection ends there. */
	if (outcome == TRANSFER_ANSWERED && !t->headers_whole) {
		snprintf(t->error, sizeof(t->error),
		    "the connection ended within the headers of the answer");
		outcome = TRANSFER_BROKEN;
	}
	if (outcome != TRANSFER_ANSWERED)
		t->res.status = 0;
	transfer_finish(t, outcome);
}

/* ---- Lines ---- */

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	struct http_line *line = arg;
	struct transfers *ts = line->ts;
	uint64_t who = TRANSFER_HTTP_MARK + (uint64_t)(line - ts->lines);
	struct epoll_event ev = { .data.u64 = who << 32 | (uint32_t)fd };

	if (what == CURL_POLL_REMOVE) {
		(void)epoll_ctl(ts->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	ev.events = ((what & CURL_POLL_IN) ? EPOLLIN : 0u) |
	    ((what & CURL_POLL_OUT) ? EPOLLOUT : 0u);
	if (epoll_ctl(ts->epoll_fd, EPOLL_CTL_MOD, fd, &ev) < 0)
		ensure(epoll_ctl(ts->epoll_fd, EPOLL_CTL_ADD, fd, &ev) == 0);
	return 0;
}

static int
on_timer(CURLM *multi, long timeout_ms, void *arg)
{
	struct http_line *line = arg;

	line->timer_ms = timeout_ms < 0 ? INT64_MAX
	                                : clock_mono_ms() + timeout_ms;
	return 0;
}

int
transfer_http_lines(struct transfers *ts)
{
	struct http_line *line;
	long most;

	for (line = ts->lines; line < ts->lines + HTTP_LINES; line++) {
		line->ts = ts;
		line->timer_ms = INT64_MAX;
		line->multi = curl_multi_init();
		if (line->multi == NULL)
			return -1;
		most = (line - ts->lines) & HTTP_LINE_FEW
		    ? FEW_CONNECTIONS
		    : (long)ts->params.connections_per_host;
		curl_multi_setopt(line->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
		    most);
		curl_multi_setopt(line->multi, CURLMOPT_MAXCONNECTS,
		    (long)ts->params.max_in_flight);
		curl_multi_setopt(line->multi, CURLMOPT_SOCKETFUNCTION,
		    on_socket);
		curl_multi_setopt(line->multi, CURLMOPT_SOCKETDATA, line);
		curl_multi_setopt(line->multi, CURLMOPT_TIMERFUNCTION, on_timer);
		curl_multi_setopt(line->multi, CURLMOPT_TIMERDATA, line);
	}
	return 0;
}

void
transfer_http_close_all(struct transfers *ts)
{
	size_t i;

	for (i = 0; i < HTTP_LINES; i++)
		if (ts->lines[i].multi != NULL)
			curl_multi_cleanup(ts->lines[i].multi);
}

/* Lets curl go on, and ends what has ended; fd may be CURL_SOCKET_TIMEOUT. */
static void
drive(struct http_line *line, curl_socket_t fd, int mask)
{
	int running, left;
	CURLMsg *msg;
	char *p;

	curl_multi_socket_action(line->multi, fd, mask, &running);
	while ((msg = curl_multi_info_read(line->multi, &left)) != NULL) {
		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &p);
		end_request((struct transfer *)(void *)p, msg->data.result);
	}
}

void
transfer_http_event(struct http_line *line, int fd, uint32_t events)
{
	int mask = 0;

	mask |= events & EPOLLIN ? CURL_CSELECT_IN : 0;
	mask |= events & EPOLLOUT ? CURL_CSELECT_OUT : 0;
	mask |= events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0;
	drive(line, fd, mask);
}

void
transfer_http_expire(struct transfers *ts, int64_t now_ms)
{
	struct http_line *line;

	ts->http_started = false;
	for (line = ts->lines; line < ts->lines + HTTP_LINES; line++) {
		if (line->timer_ms > now_ms)
			continue;
		line->timer_ms = INT64_MAX;
		drive(line, CURL_SOCKET_TIMEOUT, 0);
	}
}

int64_t
transfer_http_next_ms(const struct transfers *ts)
{
	int64_t next_ms = INT64_MAX;
	size_t i;

	for (i = 0; i < HTTP_LINES; i++)
		if (ts->lines[i].timer_ms < next_ms)
			next_ms = ts->lines[i].timer_ms;
	return next_ms;
}
