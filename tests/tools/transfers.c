/*
 * transfers.c - runs the transfers that a JSON object describes
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * For the tests of net/transfer.c: reads {"in_flight": N, "params": {...},
 * "transfers": [{"url", "from", "rcpt", "body", ...}]} from stdin, keeps N on their
 * way, and writes a line of JSON for each result, then one with the longest time
 * that the loop did not come around.  "abort_at": NAME aborts all when that file
 * appears.  With "fetch": true in "params" the URLs go through net/fetch.c, one by one.
 */
#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "net/fetch.h"
#include "net/transfer.h"

static const char *const outcomes[] = { "answered", "not_connected",
	"tls_failed", "login_refused", "broken", "timed_out", "no_smtputf8",
	"aborted" };
static const char *const stages[] = { "connect", "login", "sender", "recipient",
	"data", "body" };

struct job {
	json_t *description;
	struct transfer_pretence pretence;
	size_t index;
	int64_t started_ms;
};

static struct arena *arena;
static size_t done_count;

static const char *
text(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static int
number(const json_t *o, const char *key)
{
	return (int)json_integer_value(json_object_get(o, key));
}

static void
done(void *arg, const struct transfer_result *res)
{
	struct job *job = arg;
	const char *type = transfer_header(arena, res, "content-type");
	json_t *o = json_pack("{s:i, s:s, s:s, s:i, s:s, s:s, s:s, s:b, s:b, s:i, "
	                      "s:i, s:s*, s:s*, s:i, s:b}",
	    "index", (int)job->index, "outcome", outcomes[res->outcome], "stage",
	    stages[res->stage], "status", res->status, "enhanced",
	    res->enhanced, "reply", res->reply, "error", res->error,
	    "body_started", res->body_started, "body_sent", res->body_sent,
	    "num_connects", (int)res->num_connects, "ms",
	    (int)(clock_mono_ms() - job->started_ms), "body", res->body,
	    "content_type", type, "retry_after_s", (int)res->retry_after_s,
	    "truncated", res->truncated);

	if (o == NULL)
		abort();
	json_dumpf(o, stdout, 0);
	putchar('\n');
	json_decref(o);
	done_count++;
}

static enum transfer_tls
tls_of(const json_t *o)
{
	const char *s = text(o, "tls");

	if (s != NULL && strcmp(s, "starttls") == 0)
		return TRANSFER_TLS_STARTTLS;
	return s != NULL && strcmp(s, "tls") == 0 ? TRANSFER_TLS_IMPLICIT
	                                          : TRANSFER_TLS_NONE;
}

/* {"outcome", "status", "after_ms", "retry_after_s", "body"} */
static void
set_pretence(struct job *job, struct transfer_request *req)
{
	const json_t *o = json_object_get(job->description, "pretence");
	const char *outcome = text(o, "outcome");
	size_t i;

	if (o == NULL)
		return;
	job->pretence = (struct transfer_pretence){
		.after_ms = number(o, "after_ms"),
		.status = number(o, "status"),
		.retry_after_s = number(o, "retry_after_s"),
		.body = text(o, "body"),
	};
	for (i = 0; outcome != NULL && i < NELEMS(outcomes); i++)
		if (strcmp(outcomes[i], outcome) == 0)
			job->pretence.outcome = (enum transfer_outcome)i;
	req->kind = TRANSFER_PRETEND;
	req->pretence = &job->pretence;
}

static void
start(struct transfers *ts, struct job *job)
{
	const json_t *o = job->description, *body = json_object_get(o, "body");
	struct transfer_header header = { "Content-Type", "text/x-test" };
	struct transfer_request req = { .url = text(o, "url"),
		.kind = text(o, "rcpt") != NULL ? TRANSFER_SMTP : TRANSFER_HTTP,
		.body = json_string_value(body),
		.body_len = json_string_length(body),
		.timeout_ms = number(o, "timeout_ms"),
		.response_max = (size_t)number(o, "response_max"),
		.username = text(o, "username"),
		.password = text(o, "password"),
		.ca_file = text(o, "ca_file"),
		.tls = tls_of(o),
		.method = text(o, "method"),
		.headers = &header,
		.headers_count = 1,
		.from = text(o, "from"),
		.rcpt = text(o, "rcpt"),
		.smtputf8 = json_is_true(json_object_get(o, "smtputf8")),
		.of_platform = json_is_true(json_object_get(o, "of_platform")),
		.few_connections =
		    json_is_true(json_object_get(o, "few_connections")),
		.done = done,
		.arg = job };
	struct transfer *t;
	struct err e;

	job->started_ms = clock_mono_ms();
	set_pretence(job, &req);
	if (transfers_start(ts, &req, &t, &e) < 0) {
		printf("{\"index\": %zu, \"outcome\": \"refused\", "
		       "\"error\": \"%s\"}\n",
		    job->index, e.text);
		done_count++;
	}
}

static void
fetch_all(const json_t *o)
{
	const json_t *params = json_object_get(o, "params");
	const json_t *list = json_object_get(o, "transfers"), *one;
	struct fetch_request r = { .allowed = text(params, "allowed"),
		.allowed_platform = text(params, "allowed_platform"),
		.max_bytes = 1 << 16 };
	const char *got;
	struct err e;
	size_t i, n;

	json_array_foreach(list, i, one)
	{
		r.url = text(one, "url");
		r.timeout_ms = number(one, "timeout_ms");
		err_clear(&e);
		o = json_pack("{s:i, s:s, s:s}", "index", (int)i, "outcome",
		    fetch(arena, &r, &got, &n, &e) == 0 ? "answered" : "failed",
		    "error", e.text);
		json_dumpf(o, stdout, 0);
		putchar('\n');
	}
	printf("{\"longest_poll_ms\": 0}\n");
}

static void
run(struct transfers *ts, const json_t *o)
{
	const json_t *list = json_object_get(o, "transfers");
	size_t count = json_array_size(list), started = 0;
	size_t in_flight = (size_t)number(o, "in_flight");
	const char *abort_at = text(o, "abort_at");
	struct job *jobs = arena_zalloc(arena, count, sizeof(*jobs));
	int64_t longest_ms = 0, before_ms;

	while (done_count < count) {
		for (; started < count && started - done_count < in_flight;
		     started++) {
			jobs[started].description =
			    json_array_get(list, started);
			jobs[started].index = started;
			start(ts, &jobs[started]);
		}
		before_ms = clock_mono_ms();
		transfers_poll(ts, NULL, 0, 20);
		if (clock_mono_ms() - before_ms > longest_ms)
			longest_ms = clock_mono_ms() - before_ms;
		if (abort_at != NULL && access(abort_at, F_OK) == 0)
			transfers_abort_all(ts);
	}
	printf("{\"longest_poll_ms\": %d}\n", (int)longest_ms);
}

int
main(void)
{
	json_error_t error;
	json_t *o = json_loadf(stdin, 0, &error), *p;
	struct transfers_params params = { .max_in_flight = 0 };
	struct transfers *ts;
	struct err e;

	if (o == NULL)
		return 2;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	arena = arena_new(65536);
	p = json_object_get(o, "params");
	params.max_in_flight = (size_t)number(p, "max_in_flight");
	params.connections_per_host = (size_t)number(p, "connections_per_host");
	params.idle_ms = number(p, "idle_ms");
	params.per_connection = number(p, "per_connection");
	params.allowed = text(p, "allowed");
	params.allowed_platform = text(p, "allowed_platform");
	if (transfers_new(arena, &params, &ts, &e) < 0)
		return 1;
	if (json_is_true(json_object_get(p, "fetch")))
		fetch_all(o);
	else
		run(ts, o);
	arena_free(&arena);
	json_decref(o);
	curl_global_cleanup();
	return fflush(stdout) == 0 ? 0 : 1;
}
