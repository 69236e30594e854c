/*
 * transfer_private.h - what the files of the transfer engine share
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * transfer.c owns the pool, the loop and the ends of transfers; transfer_http.c
 * runs HTTP on one curl multi handle; transfer_smtp.c gives mails to the
 * connections of smtp_session.c.
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

struct smtp_session;

enum transfer_state {
	TRANSFER_FREE, /* in ts->free */
	TRANSFER_WAITING, /* for an SMTP session, in ts->waiting */
	TRANSFER_RUNNING, /* on a connection */
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

	/* HTTP */
	CURL *easy; /* made once, used again and again */
	struct curl_slist *headers;
	struct buf answer;
	struct buf answer_headers;
	bool headers_whole; /* the empty line behind them came */
	size_t body_done; /* bytes that curl has taken */

	/* SMTP */
	struct smtp_session *session; /* NULL while it waits */
	uint8_t identity[TRANSFER_IDENTITY_BYTES]; /* of host and account */
	bool again; /* it met a connection that was dead already */
	char reply[SMTP_REPLY_TEXT_BYTES];
};

/* First in, first out. */
struct transfer_list {
	struct transfer *first;
	struct transfer **end; /* where the next one goes */
};

struct transfers {
	struct arena *arena;
	struct transfers_params params;
	CURLM *multi; /* for HTTP */
	CURLSH *share; /* host names and TLS sessions, for all */
	int epoll_fd; /* the sockets of the SMTP sessions */
	size_t in_flight;
	size_t http_running;
	bool http_started; /* a request that curl does not know of yet */
	int64_t next_deadline_ms; /* none of SMTP's is earlier */
	struct transfer *free;
	struct transfer_list waiting;
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

/* Options that every easy handle gets after curl_easy_reset(). */
void transfer_setopt_common(struct transfer *t, CURL *easy);

int transfer_http_check(const struct transfer_request *req, struct err *e)
    MUST_CHECK;
void transfer_http_start(struct transfer *t);
void transfer_http_abort(struct transfer *t);
/* Does what can be done without waiting. */
void transfer_http_perform(struct transfers *ts);

int transfer_smtp_check(const struct transfer_request *req, struct err *e)
    MUST_CHECK;
void transfer_smtp_start(struct transfer *t);
void transfer_smtp_abort(struct transfer *t);
/* Does what the sockets are ready for. */
void transfer_smtp_perform(struct transfers *ts);
/* Ends what is late and closes what is idle; sets next_deadline_ms. */
void transfer_smtp_expire(struct transfers *ts, int64_t now_ms);
void transfer_smtp_close_all(struct transfers *ts);
/* A session went idle or was closed: somebody may be waiting for it. */
void transfer_smtp_session_free(struct smtp_session *s);

#endif
