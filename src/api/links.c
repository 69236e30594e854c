/*
 * links.c - /t/...: what becomes known of deliveries by links that they carry
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A link is its own proof (base/link.h), and holds where it leads: nobody can make one that
 * leads elsewhere.  A person who follows one gets there whatever becomes of the event, also
 * when it was followed so often that it is not noted any more (limits.link_most).
 * HEAD tells nothing: it is what programs ask with.
 */
#include "api/links.h"

#include <string.h>

#include "api/app.h"
#include "api/inbox.h"
#include "api/limits.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/link.h"
#include "base/log.h"
#include "base/metrics.h"
#include "notify/track.h"
#include "provider/hook.h"
#include "provider/push_message.h"
#include "web/js.h"
#include "web/request.h"
#include "web/response.h"

enum { JSON_DEPTH = 2 };

/* The smallest picture: one point that is not seen. */
static const char gif[] = "GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\4\1\0\0\0"
                          "\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0;";

static int
read_link(struct request *rq, const char *purpose, struct link *l_r,
    struct err *e)
{
	const char *text = rq->args[0];
	size_t n = strlen(text);

	if (n > 4 && strcmp(text + n - 4, ".gif") == 0)
		text = arena_strndup(rq->a, text, n - 4);
	if (link_read(rq->a, app_of(rq)->ring, purpose, text, l_r) == -1)
		return err_set(e, ERR_NOT_FOUND, "there is no such link");
	return 0;
}

/* The labels of METRIC_LINKS_TOTAL. */
enum label { OPENED, CLICKED, TOLD };

static int
put(struct request *rq, const struct link *l, const struct hook_event *what,
    enum label label, struct err *e)
{
	struct hook_events events = { .count = 0 };
	struct hook_event *ev = hook_event_new(rq->a, &events);

	*ev = *what;
	ev->notification = l->notification;
	ev->delivery = l->delivery;
	metrics_add(METRIC_LINKS_TOTAL, (int)label, 1);
	return inbox_put(rq, l->tenant, &events, e);
}

/* What somebody did who only looks or goes on: their way does not depend on it. */
static void
note(struct request *rq, const struct link *l, const struct hook_event *what)
{
	enum label label = what->what == HOOK_OPENED ? OPENED : CLICKED;
	struct err e;

	if (rq->method != HTTP_GET)
		return;
	if (limits_link(rq, hook_name(what->what), l->delivery, &e) == -1) {
		rq->limits_count = 0; /* the answer is a good one */
		return;
	}
	if (put(rq, l, what, label, &e) == -1)
		log_error(&rq->scope, "what a link tells was not noted",
		    LF_ERR(&e));
}

int
links_open(struct request *rq, struct response *rs, struct err *e)
{
	struct link l;

	if (read_link(rq, TRACK_OPEN, &l, e) == -1)
		return -1;
	note(rq, &l, &(struct hook_event){ .what = HOOK_OPENED });
	buf_add(response_body(rs, 200, "image/gif"), gif, sizeof(gif) - 1);
	return 0;
}

int
links_click(struct request *rq, struct response *rs, struct err *e)
{
	struct link l;

	if (read_link(rq, TRACK_CLICK, &l, e) == -1)
		return -1;
	note(rq, &l,
	    &(struct hook_event){ .what = HOOK_CLICKED, .text = l.rest });
	response_header(rs, "Location", "%s", l.rest);
	response_empty(rs, 302);
	return 0;
}

/* ---- Apps -------------------------------------------------------------------------- */

/* What an app can tell. */
static const enum hook_what tells[] = { HOOK_DELIVERED, HOOK_OPENED, HOOK_READ,
	HOOK_CLICKED };

static int
read_what(struct request *rq, const json_t *body, struct hook_event *ev,
    struct err *e)
{
	const char *name = json_string_value(json_object_get(body, "event"));
	size_t i;

	for (i = 0; name != NULL && i < NELEMS(tells); i++) {
		if (strcmp(name, hook_name(tells[i])) == 0) {
			ev->what = tells[i];
			return 0;
		}
	}
	return request_refuse(rq, e, "/event", FIELD_ERR_NOT_ALLOWED,
	    "must be delivered, opened, read or clicked");
}

static int
read_at(struct request *rq, const json_t *body, struct hook_event *ev,
    struct err *e)
{
	const json_t *at = json_object_get(body, "at");

	if (at == NULL ||
	    (json_is_string(at) &&
	        clock_parse(json_string_value(at), &ev->at_ms) == 0))
		return 0;
	return request_refuse(rq, e, "/at", FIELD_ERR_MALFORMED,
	    "must be a time such as 2026-12-01T08:00:00Z");
}

int
links_receipt(struct request *rq, struct response *rs, struct err *e)
{
	struct hook_event ev = { .at_ms = 0 };
	struct link l;
	json_t *body;

	if (read_link(rq, PUSH_RECEIPT, &l, e) == -1 ||
	    js_parse(rq->a, rq->body_text != NULL ? rq->body_text : "",
	        rq->body_bytes, JSON_DEPTH, &body, e) == -1 ||
	    read_what(rq, body, &ev, e) == -1 ||
	    read_at(rq, body, &ev, e) == -1 ||
	    limits_link(rq, "receipt", l.delivery, e) == -1 ||
	    put(rq, &l, &ev, TOLD, e) == -1)
		return -1;
	response_empty(rs, 204);
	return 0;
}
