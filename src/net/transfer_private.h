/*
 * transfer_private.h - what the files of the transfer engine share
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * transfer.c owns the pool, the loop and the ends of transfers; transfer_http.c
 * runs HTTP on a few curl multi handles; transfer_smtp.c gives mails to the
 * connections of smtp_session.c; transfer_pretend.c needs nobody.
 *
 * All sockets are in one epoll set.  The upper half of an event's data says whose it
 * is: the place of an SMTP session, or TRANSFER_HTTP_MARK and the place of a line.
 */
#ifndef BELFRY_NET_TRANSFER_PRIVATE_H
#define BELFRY_NET_TRANSFER_PRIVATE_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "net/smtp_reply.h"
#include "net/transfer.h"

enum { TRANSFER_IDENTITY_BYTES = 16 };

#define TRANSFER_HTTP_MARK UINT32_C(0xffff0000)

struct smtp_session;

enum transfer_state {
	TRANSFER_FREE, /* in ts->free */
	TRANSFER_WAITING, /* for an SMTP session, in ts->waiting */
	TRANSFER_RUNNING, /* on a connection, or in ts->pretending */
	TRANSFER_FINISHED /* in ts->finished: "done" is to be called */
};

struct transfer {
	struct transfers *ts;
	enum transfer_state state;
	struct transfer *next; /* in the list that the state names */
	struct transfer_request req;
	struct transfer_result res;
	int64_t deadline_ms; /* of clock_mono_ms() */
	char error[CURL_ERROR_SIZE];
	bool forbidden; /* an address of its host is */

	/* HTTP */
	CURL *easy; /* NULL: nothing is on its way */
	struct curl_slist *headers;
	struct buf answer;
	struct buf answer_headers;
	bool headers_whole; /* the empty line behind them came */
	size_t headers_read; /* bytes, of all answers to the request */
	size_t body_done; /* bytes that curl has taken */
	bool refused; /* its stream was, before anything was done with it (HTTP/2) */

	/* SMTP */
	struct smtp_session *session; /* NULL while it waits */
	uint8_t identity[TRANSFER_IDENTITY_BYTES]; /* of host and account */
	bool again; /* it met a connection that was dead already */
	unsigned int urls_tried; /* places of req.urls, a bit each */
	char reply[SMTP_REPLY_TEXT_BYTES];
};

/* The lines of HTTP: most requests share a host's connections one after another; those
 * with few_connections go many at once over each.  The platform's have lines apart. */
enum http_line_kind {
	HTTP_LINE_FEW = 1, /* bits of the place */
	HTTP_LINE_PLATFORM = 2,
	HTTP_LINES = 4
};

struct http_line {
	struct transfers *ts;
	CURLM *multi;
	int64_t timer_ms; /* when curl wants to be called; INT64_MAX: not at all */
};

/* A server that could not be connected: for a while others are tried first. */
enum { SMTP_DOWN_MAX = 32, SMTP_DOWN_MS = 30000 };
struct smtp_down {
	uint8_t identity[TRANSFER_IDENTITY_BYTES];
	int64_t until_ms;
};

/* First in, first out. */
struct transfer_list {
	struct transfer *first;
	struct transfer **end; /* where the next one goes */
};

struct transfers {
	struct arena *arena;
	struct transfers_params params;
	struct http_line lines[HTTP_LINES];
	CURLSH *share; /* host names and TLS sessions, for all */
	int epoll_fd; /* all sockets */
	size_t in_flight;
	bool http_started; /* a request that curl has not looked at yet */
	int64_t next_deadline_ms; /* none of SMTP's is earlier */
	struct transfer_list pretending;
	int64_t next_pretence_ms; /* none of them is due earlier */
	struct transfer *free;
	struct transfer_list waiting;
	struct smtp_down down[SMTP_DOWN_MAX]; /* the oldest is written over */
	size_t down_next;
	struct transfer_list finished;
	struct smtp_session **sessions; /* sessions_count of max_in_flight */
	size_t sessions_count;
	struct transfer **pool; /* pool_count of max_in_flight */
	size_t pool_count;
};

void transfer_list_init(struct transfer_list *l);
void transfer_list_add(struct transfer_list *l, struct transfer *t);

/* Takes t out; it must be in the list. */
void transfer_list_remove(struct transfer_list *l, struct transfer *t);

/* Ends a transfer whose result is filled; "done" is called later. */
void transfer_finish(struct transfer *t, enum transfer_outcome outcome);

/* Which outcome a failure of curl is. */
enum transfer_outcome transfer_outcome_of(CURLcode code);

/* Options that every easy handle gets.  Login and password are not among them: curl would
 * keep them as long as the connection. */
void transfer_setopt_common(struct transfer *t, CURL *easy);

int transfer_http_check(const struct transfer_request *req, struct err *e)
    MUST_CHECK;
/* Makes the lines; -1 when there are no descriptors left. */
int transfer_http_lines(struct transfers *ts) MUST_CHECK;
void transfer_http_start(struct transfer *t);
void transfer_http_abort(struct transfer *t);
/* A socket of a line is ready: "events" are epoll's. */
void transfer_http_event(struct http_line *line, int fd, uint32_t events);
/* Calls curl where its time has come. */
void transfer_http_expire(struct transfers *ts, int64_t now_ms);
/* The earliest of curl's times, INT64_MAX: none. */
int64_t transfer_http_next_ms(const struct transfers *ts);
void transfer_http_close_all(struct transfers *ts);
/* Has a connection begun to carry the request? */
bool transfer_http_has_begun(const struct transfer *t);

int transfer_smtp_check(const struct transfer_request *req, struct err *e)
    MUST_CHECK;
void transfer_smtp_start(struct transfer *t);
/* Its server could not be connected: goes on with the next of req.urls that was not tried.
 * False when there is none. */
bool transfer_smtp_next_url(struct transfer *t);
void transfer_smtp_abort(struct transfer *t);
/* Ends what is late and closes what is idle; sets next_deadline_ms. */
void transfer_smtp_expire(struct transfers *ts, int64_t now_ms);
void transfer_smtp_close_all(struct transfers *ts);
/* A session went idle or was closed: somebody may be waiting for it. */
void transfer_smtp_session_free(struct smtp_session *s);

void transfer_pretend_start(struct transfer *t);
void transfer_pretend_abort(struct transfer *t);
void transfer_pretend_expire(struct transfers *ts, int64_t now_ms);

#endif
