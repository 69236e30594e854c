/*
 * transfer.h - many exchanges with other hosts at once
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A transfer is one exchange: an HTTP request and its answer, or one mail to one
 * recipient over SMTP; or it only pretends to be one, and ends as it was told to when
 * its time has come.  Nothing here waits except transfers_poll().  Connections
 * are kept and used again, also those of SMTP (README.md tells how).
 *
 * Every transfer that was started ends in exactly one call of its "done", from
 * inside transfers_poll() or transfer_abort().
 */
#ifndef BELFRY_NET_TRANSFER_H
#define BELFRY_NET_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct arena;
struct curl_waitfd;
struct err;
struct transfer;
struct transfers;
struct transfer_result;

enum { TRANSFER_URLS_MAX = 8 };

enum transfer_kind { TRANSFER_HTTP, TRANSFER_SMTP, TRANSFER_PRETEND };

/* TLS is wanted or it is not: never "when it is offered". */
enum transfer_tls {
	TRANSFER_TLS_NONE,
	TRANSFER_TLS_STARTTLS, /* SMTP only */
	TRANSFER_TLS_IMPLICIT /* the URL is https: or smtps: */
};

/* What the scheme of a URL of HTTP asks for, in whatever case it is written. */
enum transfer_tls transfer_tls_of(const char *url);

struct transfer_header {
	const char *name;
	const char *value;
};

struct transfer_pretence;

/* A piece of a body: bytes in memory, or of a file as they are or as base64. */
enum transfer_form {
	PIECE_MEMORY,
	PIECE_FILE,
	PIECE_BASE64,
	PIECE_BASE64_LINES
};
struct transfer_piece {
	enum transfer_form form;
	size_t n; /* bytes as they lie there */
	const char *p; /* memory */
	int fd; /* a file, from this place on; it stays open until "done" */
	int64_t from;
};
size_t transfer_piece_bytes(const struct transfer_piece *p);

/* What the pointers point to stays there until "done" was called. */
struct transfer_request {
	enum transfer_kind kind;
	const char *url; /* SMTP: smtp[s]://host:port/name-for-EHLO */
	const void *body;
	size_t body_len;
	const struct transfer_piece *pieces; /* instead of "body", which is not NULL;
	                                      * body_len is that of all */
	size_t pieces_count;
	int timeout_ms; /* for all of it; 0 is 30 s */
	int connect_timeout_ms; /* 0 is 10 s */
	size_t response_max; /* bytes of an HTTP answer kept; 0 is 64 kB */
	const char *username; /* or NULL */
	const char *password;
	const char *ca_file; /* instead of the system's, or NULL */
	enum transfer_tls tls;
	bool of_platform; /* the platform named the host: allowed_platform counts, too */

	/* HTTP */
	const char *method; /* NULL is POST with a body, else GET */
	const struct transfer_header *headers;
	size_t headers_count;
	/* Gets the answer's body instead of keeping it, piece by piece; false ends it. */
	bool (*sink)(void *arg, const char *p, size_t n);
	bool few_connections; /* many at once over each, where the server has HTTP/2 */
	bool secret; /* the answer is: its connection is its own, and ends with it */

	/* SMTP: the body is a message with CRLF line ends. */
	const char *const *urls; /* url and what takes its place where that one
	                          * cannot be connected, ended by NULL; or NULL */
	const char *envid; /* where DSN is offered: reports of success, too, under
	                    * this id (RFC 3461); or NULL */
	const char *from; /* "" for the null sender */
	const char *rcpt; /* NULL: no mail, only whether the server takes us (RSET) */
	bool smtputf8; /* the server must offer it (RFC 6531) */

	/* PRETEND */
	const struct transfer_pretence *pretence;

	void (*done)(void *arg, const struct transfer_result *res);
	void *arg;
};

enum transfer_outcome {
	TRANSFER_ANSWERED, /* a full answer: see status */
	TRANSFER_NOT_CONNECTED, /* name not found, refused, unreachable */
	TRANSFER_TLS_FAILED, /* not offered, or the certificate is not good */
	TRANSFER_LOGIN_REFUSED, /* SMTP AUTH; status 0: no way in common */
	TRANSFER_BROKEN, /* the connection ended or made no sense */
	TRANSFER_TIMED_OUT,
	TRANSFER_NO_SMTPUTF8, /* wanted and not offered; nothing was sent */
	TRANSFER_ABORTED /* by transfer_abort() */
};

/* How a pretended transfer ends, unless its time is over before. */
struct transfer_pretence {
	int64_t after_ms;
	enum transfer_outcome outcome;
	int status;
	int64_t retry_after_s;
	const char *body; /* of the answer; or NULL */
};

/* How far a transfer came: the step that its outcome belongs to. */
enum transfer_stage {
	TRANSFER_AT_CONNECT, /* with TLS, greeting and EHLO */
	TRANSFER_AT_LOGIN,
	TRANSFER_AT_SENDER, /* MAIL */
	TRANSFER_AT_RECIPIENT, /* RCPT */
	TRANSFER_AT_DATA, /* the command */
	TRANSFER_AT_BODY /* the message itself; every HTTP request */
};

/* Lives until "done" returns. */
struct transfer_result {
	enum transfer_outcome outcome;
	enum transfer_stage stage;
	int curl_code; /* CURLcode, for the log */
	int status; /* of HTTP, or the SMTP reply code; 0 without one */
	char enhanced[12]; /* SMTP: "5.1.1", or "" */
	const char *error; /* why there is no answer, "" when there is one */
	const char *reply; /* SMTP: the text of the reply, UTF-8 in one line */
	bool body_started; /* a byte of the body may have been written */
	bool body_sent; /* all of it was */
	long num_connects; /* connections made; 0: an old one was used */
	int64_t retry_after_s; /* of HTTP, 0 when nothing was said; retry_after.h */
	const char *body; /* HTTP: ends in NUL */
	size_t body_len;
	bool truncated; /* the answer was longer than response_max */
	const char *headers; /* HTTP: "Name: value\n" ..., ends in NUL */
};

struct transfers_params {
	size_t max_in_flight; /* 0 is 1000 */
	size_t connections_per_host; /* 0 is 10; SMTP: per account of a host */
	int idle_ms; /* how long an unused connection is kept; 0 is 20 s */
	int per_connection; /* mails over one SMTP connection; 0 is 100 */

	/* Networks that may be reached beside the open Internet (guard.h); NULL: every
	 * address may. */
	const char *allowed;
	const char *allowed_platform; /* further ones, for what is of_platform; or NULL */

	/* Called in transfers_poll() after each sleep and before anything is written:
	 * the caller may have slept for longer than it thinks (a stopped process) and
	 * abort what it has no right to any more.  May be NULL. */
	void (*woken)(void *arg);
	void *arg;
};

/* The value of a header of the answer in "a", or NULL. */
const char *transfer_header(struct arena *a, const struct transfer_result *res,
    const char *name);

/* What stands in the body of a request from "at" on, up to *n bytes: in memory, or read
 * into "scratch".  *n gets how many; NULL when a file cannot be read. */
enum { TRANSFER_SCRATCH_MIN = 256 };
const char *transfer_body_at(const struct transfer_request *req, size_t at,
    char *scratch, size_t *n);

/* Makes the engine.  It lives in "a" and ends with it: transfers that are still
 * on their way are then cut off without a call of "done".  Returns 0, or -1 with
 * *e set when there are no file descriptors left. */
int transfers_new(struct arena *a, const struct transfers_params *params,
    struct transfers **ts_r, struct err *e) MUST_CHECK;

/* Starts an exchange; *req is copied, what it points to is not.  Returns 0, or -1
 * with *e set: ERR_TEMPORARY when max_in_flight are on their way, ERR_UNPROCESSABLE
 * for a URL, an address or a header that cannot go over the wire.  Then "done" is
 * not called.  *t_r is good until "done" was called. */
int transfers_start(struct transfers *ts, const struct transfer_request *req,
    struct transfer **t_r, struct err *e) MUST_CHECK;

/* Waits until something happens on a connection or on one of the caller's "extra"
 * descriptors (whose revents are set), for timeout_ms at most, and does what is to
 * be done.  Returns how many transfers ended. */
int transfers_poll(struct transfers *ts, struct curl_waitfd *extra,
    unsigned int n_extra, int timeout_ms);

/* Ends a transfer at once: when this returns, "done" was called with
 * TRANSFER_ABORTED and no byte of it will be written any more. */
void transfer_abort(struct transfer *t);
void transfers_abort_all(struct transfers *ts);

/* The same with those of which no byte has left: they wait for a connection. */
void transfers_abort_unsent(struct transfers *ts);

size_t transfers_in_flight(const struct transfers *ts);

#endif
