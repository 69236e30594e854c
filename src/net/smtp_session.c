/*
 * smtp_session.c - one SMTP connection and the mails that go over it
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Of a mail, the commands RSET (when the last mail was refused), MAIL, RCPT and
 * DATA go out together where the server takes that (PIPELINING, RFC 2920), else
 * one by one; the message follows on 354.  The first refusal is the outcome; what
 * the server says to the commands behind it is read and forgotten.
 */
#include "net/smtp_session.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/crash_point.h"
#include "base/ensure.h"

enum { READ_BYTES = 4096, CHUNK_BYTES = 16 << 10, KEEP_BUFFER_BYTES = 8 << 10 };

static const enum transfer_stage stages[SMTP_STEPS] = {
	[SMTP_LOGIN] = TRANSFER_AT_LOGIN,
	[SMTP_RESET] = TRANSFER_AT_SENDER,
	[SMTP_MAIL] = TRANSFER_AT_SENDER,
	[SMTP_RCPT] = TRANSFER_AT_RECIPIENT,
	[SMTP_DATA] = TRANSFER_AT_DATA,
	[SMTP_MESSAGE] = TRANSFER_AT_BODY,
};

static void
watch(struct smtp_session *s, curl_socket_t fd, uint32_t events)
{
	struct epoll_event ev = { .events = events,
		.data.u64 = (uint64_t)s->index << 32 | (uint32_t)fd };

	if (epoll_ctl(s->ts->epoll_fd, EPOLL_CTL_MOD, fd, &ev) < 0)
		ensure(epoll_ctl(s->ts->epoll_fd, EPOLL_CTL_ADD, fd, &ev) == 0);
}

static void
watch_writing(struct smtp_session *s, bool writing)
{
	if (s->writing == writing)
		return;
	s->writing = writing;
	watch(s, s->fd, EPOLLIN | (writing ? EPOLLOUT : 0));
}

/* ---- Ends ---- */

static void
release_buf(struct buf *b)
{
	if (b->cap > KEEP_BUFFER_BYTES)
		buf_done(b);
	else
		buf_reset(b);
}

/* Tells the server that no mail will follow.  Its answer is not waited for. */
static void
say_quit(struct smtp_session *s)
{
	size_t n;

	(void)curl_easy_send(s->easy, "QUIT\r\n", 6, &n);
}

void
smtp_session_close(struct smtp_session *s)
{
	if (s->state == SMTP_IDLE)
		say_quit(s);
	if (s->fd != CURL_SOCKET_BAD)
		(void)epoll_ctl(s->ts->epoll_fd, EPOLL_CTL_DEL, s->fd, NULL);
	/* Without its multi handle curl closes a connection of this kind. */
	if (s->in_multi)
		curl_multi_remove_handle(s->multi, s->easy);
	s->in_multi = false;
	s->fd = CURL_SOCKET_BAD;
	s->curl_timer_ms = -1;
	s->writing = false;
	s->state = SMTP_CLOSED;
	release_buf(&s->in);
	release_buf(&s->out);
	s->out_done = 0;
}

/* Ends the transfer of the session and lets the session go on or closes it. */
static void
finish(struct smtp_session *s, enum transfer_outcome outcome, bool usable)
{
	struct transfer *t = s->transfer;

	s->transfer = NULL;
	t->session = NULL;
	s->mails++;
	/* More than was asked for: its next answers could not be told apart. */
	if (s->in.len > 0)
		usable = false;
	if (usable) {
		release_buf(&s->out);
		s->out_done = 0;
		s->state = SMTP_IDLE;
	}
	if (!usable || s->mails >= s->ts->params.per_connection)
		smtp_session_close(s);
	transfer_finish(t, outcome);
	transfer_smtp_session_free(s);
}

/* Takes over a reply as the answer to the transfer. */
static void
set_answer(struct transfer *t, const struct smtp_reply *r)
{
	t->res.status = r->code;
	snprintf(t->res.enhanced, sizeof(t->res.enhanced), "%s", r->enhanced);
	snprintf(t->reply, sizeof(t->reply), "%s", r->text);
	t->res.reply = t->reply;
}

static void
finish_answered(struct smtp_session *s, bool usable)
{
	bool refused = s->refusal.code != 0;

	set_answer(s->transfer, refused ? &s->refusal : &s->reply);
	s->needs_reset = refused;
	finish(s, TRANSFER_ANSWERED, usable);
}

/* The connection ended, or it makes no sense any more.  When it had been kept
 * from earlier mails and nothing of the message was sent, the server has only
 * grown tired of waiting: the mail gets a new connection, once. */
static void
lost(struct smtp_session *s, const char *why)
{
	struct transfer *t = s->transfer;

	if (t == NULL) {
		smtp_session_close(s);
		return;
	}
	if (s->mails > 0 && !t->again && !t->res.body_started &&
	    (s->refusal.code == 0 || s->refusal.code == 421)) {
		t->again = true;
		t->session = NULL;
		s->transfer = NULL;
		smtp_session_close(s);
		transfer_smtp_start(t);
		return;
	}
	if (s->refusal.code != 0) {
		finish_answered(s, false);
		return;
	}
	snprintf(t->error, sizeof(t->error), "%s", why);
	finish(s, TRANSFER_BROKEN, false);
}

/* ---- Writing ---- */

static void
add_mail_command(struct smtp_session *s, const struct transfer *t)
{
	buf_printf(&s->out, "MAIL FROM:<%s>", t->req.from);
	if (s->size)
		buf_printf(&s->out, " SIZE=%zu", t->req.body_len);
	if (t->req.smtputf8)
		buf_puts(&s->out,
		    s->eight_bit ? " BODY=8BITMIME SMTPUTF8" : " SMTPUTF8");
	if (s->dsn && t->req.envid != NULL)
		buf_printf(&s->out, " RET=HDRS ENVID=%s", t->req.envid);
	buf_puts(&s->out, "\r\n");
}

static void
add_command(struct smtp_session *s, enum smtp_step step)
{
	const struct transfer *t = s->transfer;

	switch (step) {
	case SMTP_RESET:
		buf_puts(&s->out, "RSET\r\n");
		break;
	case SMTP_MAIL:
		add_mail_command(s, t);
		break;
	case SMTP_RCPT:
		buf_printf(&s->out, "RCPT TO:<%s>%s\r\n", t->req.rcpt,
		    s->dsn && t->req.envid != NULL
		        ? " NOTIFY=SUCCESS,FAILURE,DELAY"
		        : "");
		break;
	case SMTP_DATA:
		buf_puts(&s->out, "DATA\r\n");
		break;
	case SMTP_LOGIN:
	case SMTP_MESSAGE:
	case SMTP_STEPS:
		break;
	}
}

/* Adds the next piece of the message with a dot before each dot that begins a
 * line; behind the last piece the final dot. */
static bool
add_body(struct smtp_session *s)
{
	struct transfer *t = s->transfer;
	size_t left = CHUNK_BYTES, n = 0, start = 0;
	char scratch[CHUNK_BYTES];
	const char *p = "";

	if (t->body_done == t->req.body_len)
		left = 0;
	else if ((p = transfer_body_at(&t->req, t->body_done, scratch, &left)) ==
	    NULL)
		return false;
	if (left > 0 && t->body_done == 0 &&
	    crash_point_is_set(CRASH_FIRST_BODY_BYTE))
		left = 1;
	for (; n < left; n++) {
		if (p[n] == '.' &&
		    (s->last_byte == '\n' || s->last_byte == '\r')) {
			buf_add(&s->out, p + start, n - start);
			buf_putc(&s->out, '.');
			start = n;
		}
		s->last_byte = p[n];
	}
	buf_add(&s->out, p + start, n - start);
	t->body_done += n;
	if (t->body_done < t->req.body_len)
		return true;
	buf_puts(&s->out, s->last_byte == '\n' ? ".\r\n" : "\r\n.\r\n");
	s->in_body = false;
	return true;
}

static bool
has_output(const struct smtp_session *s)
{
	return s->out_done < s->out.len;
}

/* What was written of the message is known by the byte. */
static void
note_written(struct smtp_session *s)
{
	struct transfer *t = s->transfer;

	if (t == NULL || s->steps_sent < s->steps_count ||
	    s->steps[s->steps_count - 1] != SMTP_MESSAGE ||
	    s->refusal.code != 0)
		return;
	t->res.body_started = true;
	crash_point(CRASH_FIRST_BODY_BYTE);
	if (s->in_body || has_output(s))
		return;
	t->res.body_sent = true;
	crash_point(CRASH_LAST_BODY_BYTE);
}

static void read_replies(struct smtp_session *s);

/* Writes what can be written without waiting. */
static void
flush(struct smtp_session *s)
{
	CURLcode code = CURLE_OK;
	size_t n;

	while (has_output(s) || s->in_body) {
		if (!has_output(s)) {
			buf_reset(&s->out);
			s->out_done = 0;
			if (!add_body(s)) {
				lost(s, "could not read an attachment");
				return;
			}
		}
		code = curl_easy_send(s->easy, s->out.data + s->out_done,
		    s->out.len - s->out_done, &n);
		if (code != CURLE_OK)
			break;
		s->out_done += n;
		note_written(s);
	}
	if (code == CURLE_OK || code == CURLE_AGAIN) {
		watch_writing(s, has_output(s));
		return;
	}
	/* The server may have said why before it closed. */
	s->in_body = false;
	read_replies(s);
	if (s->state == SMTP_TALKING)
		lost(s, "the connection was lost while sending");
}

/* Sends the next step, or with PIPELINING all that can go together. */
static void
send_steps(struct smtp_session *s)
{
	do {
		add_command(s, s->steps[s->steps_sent]);
		s->steps_sent++;
	} while (s->pipelining && s->steps_sent < s->steps_count);
	flush(s);
}

static void
add_step(struct smtp_session *s, enum smtp_step step)
{
	s->steps[s->steps_count++] = step;
}

void
smtp_session_send(struct smtp_session *s, struct transfer *t)
{
	s->transfer = t;
	s->state = SMTP_TALKING;
	s->reply = (struct smtp_reply){ .code = 0 };
	s->refusal = (struct smtp_reply){ .code = 0 };
	s->steps_count = s->steps_sent = s->steps_answered = 0;
	s->in_body = false;
	s->last_byte = '\n';
	t->body_done = 0;
	t->res.stage = TRANSFER_AT_SENDER;
	crash_point(CRASH_AFTER_CONNECT);
	if (t->req.smtputf8 && !s->smtputf8) {
		snprintf(t->error, sizeof(t->error),
		    "the server does not take addresses in UTF-8");
		finish(s, TRANSFER_NO_SMTPUTF8, true);
		return;
	}
	if (s->needs_reset || t->req.rcpt == NULL)
		add_step(s, SMTP_RESET);
	if (t->req.rcpt == NULL) {
		send_steps(s);
		return;
	}
	add_step(s, SMTP_MAIL);
	add_step(s, SMTP_RCPT);
	add_step(s, SMTP_DATA);
	send_steps(s);
}

/* ---- Reading ---- */

/* The server says go: the message follows, or nothing but the final dot when the
 * mail was refused already (RFC 2920 section 3.1). */
static void
begin_message(struct smtp_session *s)
{
	add_step(s, SMTP_MESSAGE);
	s->steps_sent++;
	if (s->refusal.code != 0)
		buf_puts(&s->out, ".\r\n");
	else
		s->in_body = true;
}

/* The next line of the login. */
static void
say_login(struct smtp_session *s)
{
	if (smtp_login_next(&s->login, s->reply.text, &s->out) == -1)
		lost(s, "the server asks for something else than a login");
	else
		flush(s);
}

static void
end_login(struct smtp_session *s, enum transfer_outcome outcome)
{
	s->login = (struct smtp_login){ .mechanism = 0 };
	finish(s, outcome, false);
}

/* In: on with the mail.  Whoever was refused would be refused again. */
static void
take_login_reply(struct smtp_session *s)
{
	int class = s->reply.code / 100;

	if (class == 3) {
		say_login(s);
	} else if (class == 2) {
		s->login = (struct smtp_login){ .mechanism = 0 };
		release_buf(&s->out);
		s->out_done = 0;
		smtp_session_send(s, s->transfer);
	} else {
		set_answer(s->transfer, &s->reply);
		end_login(s, TRANSFER_LOGIN_REFUSED);
	}
}

static void
log_in(struct smtp_session *s)
{
	const struct transfer_request *req = &s->transfer->req;

	s->state = SMTP_TALKING;
	s->reply = (struct smtp_reply){ .code = 0 };
	s->refusal = (struct smtp_reply){ .code = 0 };
	s->login = (struct smtp_login){
		.mechanism = smtp_login_choose(s->mechanisms,
		    req->tls != TRANSFER_TLS_NONE),
		.username = req->username,
		.password = req->password != NULL ? req->password : "",
	};
	s->transfer->res.stage = TRANSFER_AT_LOGIN;
	s->steps_count = s->steps_answered = 0;
	add_step(s, SMTP_LOGIN);
	s->steps_sent = 1;
	if (s->login.mechanism != 0) {
		say_login(s);
		return;
	}
	snprintf(s->transfer->error, sizeof(s->transfer->error),
	    "the server has no way of logging in that is known here");
	end_login(s, TRANSFER_LOGIN_REFUSED);
}

/* Takes the complete reply to the step at hand. */
static void
take_reply(struct smtp_session *s)
{
	enum smtp_step step = s->steps[s->steps_answered];
	int class = s->reply.code / 100;
	bool good = step == SMTP_DATA ? class == 3 : class == 2;

	if (step == SMTP_LOGIN) {
		take_login_reply(s);
		return;
	}
	if (s->refusal.code == 0)
		s->transfer->res.stage = stages[step];
	if (s->transfer->req.rcpt == NULL)
		s->transfer->res.stage = TRANSFER_AT_BODY; /* all there is */
	s->steps_answered++;
	if (!good && class < 4) {
		lost(s, "the server answered with a reply that makes no sense");
		return;
	}
	if (step == SMTP_RESET && !good) {
		lost(s, "the server refused RSET");
		return;
	}
	if (!good && s->refusal.code == 0)
		s->refusal = s->reply;
	if (s->reply.code == 421 || (step == SMTP_MESSAGE &&
	        (s->in_body || has_output(s)))) {
		/* It closes; or it did not wait for the end of the message. */
		lost(s, "the server answered before the message was sent");
		return;
	}
	if (step == SMTP_DATA && good)
		begin_message(s);
	if (s->refusal.code == 0 && s->steps_answered < s->steps_count)
		s->transfer->res.stage = stages[s->steps[s->steps_answered]];
	if (s->steps_answered == s->steps_count ||
	    (s->steps_answered == s->steps_sent && s->refusal.code != 0))
		finish_answered(s, true);
	else if (s->steps_sent < s->steps_count)
		send_steps(s);
	else if (step == SMTP_DATA && good)
		flush(s);
}

/* Acts on a line.  It left "in" before, because what follows from it may end the
 * transfer, begin the next one, or close the connection. */
static void
take_reply_line(struct smtp_session *s, int rc)
{
	if (rc < 0)
		lost(s, "the server does not speak SMTP");
	else if (rc > 0 && s->steps_answered < s->steps_sent)
		take_reply(s);
	else if (rc > 0)
		lost(s, "the server answered without being asked");
}

static void
take_lines(struct smtp_session *s)
{
	const char *end;
	size_t len;
	int rc;

	while (s->state == SMTP_TALKING &&
	    (end = memchr(s->in.data, '\n', s->in.len)) != NULL) {
		len = (size_t)(end + 1 - s->in.data);
		rc = smtp_reply_line(&s->reply, s->in.data, len);
		memmove(s->in.data, s->in.data + len, s->in.len - len);
		buf_truncate(&s->in, s->in.len - len);
		take_reply_line(s, rc);
	}
}

static void
read_replies(struct smtp_session *s)
{
	char bytes[READ_BYTES];
	CURLcode code;
	size_t n;

	while (s->state == SMTP_TALKING) {
		code = curl_easy_recv(s->easy, bytes, sizeof(bytes), &n);
		if (code == CURLE_AGAIN)
			return;
		if (code != CURLE_OK || n == 0) {
			lost(s, "the server closed the connection");
			return;
		}
		buf_add(&s->in, bytes, n);
		if (buf_overflowed(&s->in))
			lost(s, "the server sent a line without end");
		else
			take_lines(s);
	}
}

/* An idle server has nothing to say but good-bye. */
static void
check_idle(struct smtp_session *s)
{
	char byte;
	size_t n;

	if (curl_easy_recv(s->easy, &byte, 1, &n) != CURLE_AGAIN)
		smtp_session_close(s);
}

/* ---- Connecting ---- */

/* Notes what a line of the answer to EHLO offers. */
static void
take_offer(struct smtp_session *s, const char *line, size_t len)
{
	const struct {
		const char *keyword;
		bool *offered;
	} offers[] = { { "PIPELINING", &s->pipelining }, { "SIZE", &s->size },
		{ "SMTPUTF8", &s->smtputf8 }, { "8BITMIME", &s->eight_bit },
		{ "DSN", &s->dsn } };
	size_t i, n;

	if (!s->reply.open) /* a new answer begins */
		s->mechanisms = 0;
	s->mechanisms |= smtp_login_offers(line + 4, len - 4);
	for (i = 0; i < NELEMS(offers); i++) {
		if (!s->reply.open)
			*offers[i].offered = false;
		n = strlen(offers[i].keyword);
		if (len >= n + 4 &&
		    strncasecmp(line + 4, offers[i].keyword, n) == 0 &&
		    (len == n + 4 || strchr(" \r\n", line[n + 4]) != NULL))
			*offers[i].offered = true;
	}
}

/* Gets each line that the server sends while curl connects. */
static size_t
take_line(char *line, size_t size, size_t n, void *arg)
{
	struct smtp_session *s = arg;
	size_t len = size * n;

	if (len >= 4 && memcmp(line, "250", 3) == 0)
		take_offer(s, line, len);
	if (smtp_reply_line(&s->reply, line, len) > 0)
		s->refusal = s->reply;
	return len;
}

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *unused)
{
	struct smtp_session *s = arg;
	uint32_t events = 0;

	(void)easy;
	(void)unused;
	if (what == CURL_POLL_REMOVE) {
		(void)epoll_ctl(s->ts->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	if (what & CURL_POLL_IN)
		events |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		events |= EPOLLOUT;
	watch(s, fd, events);
	return 0;
}

static int
on_timer(CURLM *multi, long timeout_ms, void *arg)
{
	struct smtp_session *s = arg;

	(void)multi;
	s->curl_timer_ms = timeout_ms < 0 ? -1 : clock_mono_ms() + timeout_ms;
	if (timeout_ms >= 0 && s->curl_timer_ms < s->ts->next_deadline_ms)
		s->ts->next_deadline_ms = s->curl_timer_ms;
	return 0;
}

static void
make_handles(struct smtp_session *s)
{
	s->multi = curl_multi_init();
	s->easy = curl_easy_init();
	if (s->multi == NULL || s->easy == NULL)
		panic("out of memory");
	curl_multi_setopt(s->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(s->multi, CURLMOPT_SOCKETDATA, s);
	curl_multi_setopt(s->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(s->multi, CURLMOPT_TIMERDATA, s);
}

static void
set_options(struct smtp_session *s, struct transfer *t)
{
	CURL *easy = s->easy;

	curl_easy_reset(easy);
	transfer_setopt_common(t, easy);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 4096L);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_line);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, s);
	if (t->req.tls == TRANSFER_TLS_STARTTLS)
		curl_easy_setopt(easy, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
}

/* curl gave up: what the server said last, if it refused, is the answer. */
static void
connect_failed(struct smtp_session *s, CURLcode code)
{
	struct transfer *t = s->transfer;
	enum transfer_outcome outcome = transfer_outcome_of(code);
	bool refused = s->refusal.code >= 400 &&
	    outcome != TRANSFER_NOT_CONNECTED && outcome != TRANSFER_TIMED_OUT;

	t->res.curl_code = (int)code;
	t->res.stage = TRANSFER_AT_CONNECT;
	if (t->error[0] == '\0')
		snprintf(t->error, sizeof(t->error), "%s",
		    curl_easy_strerror(code));
	if (refused)
		set_answer(t, &s->refusal);
	if (refused && outcome == TRANSFER_BROKEN)
		outcome = TRANSFER_ANSWERED;
	if ((outcome == TRANSFER_NOT_CONNECTED || outcome == TRANSFER_TIMED_OUT) &&
	    transfer_smtp_next_url(t)) {
		t->session = NULL;
		s->transfer = NULL;
		smtp_session_close(s);
		transfer_smtp_start(t);
		transfer_smtp_session_free(s);
		return;
	}
	finish(s, outcome, false);
}

static void
connected(struct smtp_session *s, CURLcode code)
{
	struct transfer *t = s->transfer;

	curl_easy_getinfo(s->easy, CURLINFO_NUM_CONNECTS, &t->res.num_connects);
	if (code == CURLE_OK &&
	    curl_easy_getinfo(s->easy, CURLINFO_ACTIVESOCKET, &s->fd) !=
	        CURLE_OK)
		code = CURLE_COULDNT_CONNECT;
	if (code != CURLE_OK || s->fd == CURL_SOCKET_BAD) {
		connect_failed(s, code);
		return;
	}
	s->curl_timer_ms = -1;
	watch(s, s->fd, EPOLLIN);
	/* A server that offers no login may take mails without. */
	if (t->req.username != NULL && s->mechanisms != 0)
		log_in(s);
	else
		smtp_session_send(s, t);
}

/* Lets curl go on; fd may be CURL_SOCKET_TIMEOUT. */
static void
drive_curl(struct smtp_session *s, curl_socket_t fd, int mask)
{
	int running, left;
	CURLMsg *msg;

	curl_multi_socket_action(s->multi, fd, mask, &running);
	while ((msg = curl_multi_info_read(s->multi, &left)) != NULL) {
		if (msg->msg == CURLMSG_DONE) {
			connected(s, msg->data.result);
			return;
		}
	}
}

void
smtp_session_connect(struct smtp_session *s, struct transfer *t)
{
	ensure(s->state == SMTP_CLOSED);
	if (s->easy == NULL)
		make_handles(s);
	set_options(s, t);
	s->transfer = t;
	s->state = SMTP_CONNECTING;
	s->mails = 0;
	s->needs_reset = false;
	s->reply = (struct smtp_reply){ .code = 0 };
	s->refusal = (struct smtp_reply){ .code = 0 };
	s->pipelining = s->size = s->smtputf8 = s->eight_bit = s->dsn = false;
	s->mechanisms = 0;
	/* curl sets its timer to "now", so the next turn of the loop goes on. */
	ensure(curl_multi_add_handle(s->multi, s->easy) == CURLM_OK);
	s->in_multi = true;
}

void
smtp_session_event(struct smtp_session *s, curl_socket_t fd, uint32_t events)
{
	int mask = 0;

	if (s->state == SMTP_CONNECTING) {
		mask |= events & EPOLLIN ? CURL_CSELECT_IN : 0;
		mask |= events & EPOLLOUT ? CURL_CSELECT_OUT : 0;
		mask |= events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0;
		drive_curl(s, fd, mask);
		return;
	}
	if (fd != s->fd)
		return;
	if (s->state == SMTP_TALKING && events & EPOLLOUT)
		flush(s);
	if (s->state == SMTP_TALKING && events & (EPOLLIN | EPOLLERR | EPOLLHUP))
		read_replies(s);
	else if (s->state == SMTP_IDLE)
		check_idle(s);
}

void
smtp_session_timer(struct smtp_session *s)
{
	s->curl_timer_ms = -1;
	drive_curl(s, CURL_SOCKET_TIMEOUT, 0);
}
