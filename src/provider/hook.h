/*
 * hook.h - what a provider reports by itself
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A provider calls POST /hooks/{tenant}/{provider_id}.  Its receive() proves that the
 * request is the account's own, by its raw bytes, and says what it reports.  Only the
 * signature lets anything in; whatever it signs may still be old, repeated, out of order
 * or about a delivery that is not ours.
 */
#ifndef BELFRY_PROVIDER_HOOK_H
#define BELFRY_PROVIDER_HOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/compiler.h"
#include "base/id.h"
#include "model/suppression.h"
#include "provider/verdict.h"

struct arena;
struct err;
struct field_param;
struct jwk;
struct key_source;

/* A request as it came. */
struct hook_request {
	bool is_get; /* a challenge */
	const char *public_url; /* api.public_url, or NULL */
	const char *path; /* "/hooks/TENANT/PROVIDER", which follows it */
	const char *query; /* as it came, without "?"; "" */
	const struct field_param *params; /* of the query, decoded */
	size_t params_count;
	const char *content_type; /* or "" */
	const char *body; /* ends in NUL */
	size_t body_bytes;
	int64_t now_ms; /* wall */
	/* The value of a header, or NULL; names as "X-Twilio-Signature". */
	const char *(*header)(const struct hook_request *rq, const char *name);
	/* A key of an issuer of tokens, good until the next call; NULL: there is none. */
	const struct jwk *(*key)(const struct hook_request *rq,
	    const struct key_source *source, const char *kid);
	void *arg; /* of header() and key() */
};

/* The value of a parameter of the query, or NULL. */
const char *hook_param(const struct hook_request *rq, const char *name);

enum hook_what {
#define X(NAME, name) HOOK_##NAME,
#include "provider/hook.def"
#undef X
	HOOK_WHAT_COUNT
};

/* One thing that is reported.  Texts may be NULL. */
struct hook_event {
	enum hook_what what;
	struct notification_id notification; /* nil where the provider does not say */
	struct delivery_id delivery;
	const char *provider_ref; /* then this names the message */
	enum verdict_class class; /* of FAILED and BOUNCED */
	int64_t at_ms; /* 0: now */
	const char *code, *text; /* the provider's own words */
	enum suppression_reason suppress; /* the address from now on, or NONE */
	bool for_sender; /* only for this account */
	bool by_category; /* only for the category of the notification */
	const char *address; /* OPT_OUT, OPT_IN, HEARD: who said it */
	const char *id; /* the same, by its own id: it counts once */
	int64_t after_ms; /* foreseen (provider.h): it comes so much later */
	const char *sender; /* of another account of this kind: what names that one */
	const char *tenant; /* of an account of the platform: whose message, as it said */
	bool unrecognised; /* a failure for a reason that no table knows */
	bool if_known; /* counts only for an address that the account has written to */
	struct provider_id account; /* whose event it is; nil: of a link of ours */
};

struct hook_events {
	struct hook_event *list;
	size_t count, cap;
	const char *reply; /* the answer to a challenge */
};

enum hook_verdict {
	HOOK_REFUSED, /* not proven to be theirs */
	HOOK_TAKEN, /* it is; maybe without events */
	HOOK_CHALLENGED /* it is, and wants to have "reply" */
};

/* A public URL without slashes at its end. */
const char *hook_base(struct arena *a, const char *public_url);

/* Adds an empty event, to be filled. */
struct hook_event *hook_event_new(struct arena *a, struct hook_events *events);

/* The names of X-form parameters and values of any bytes but NUL, in the order in which
 * they came.  -1 when it is no such form or has more than "max". */
int hook_form_parse(struct arena *a, const char *body, size_t n, size_t max,
    struct field_param **params_r, size_t *count_r) MUST_CHECK;

/* Events on their way from belfry-api to the spooler, as JSON (a new reference), and
 * back; what is damaged is left out. */
json_t *hook_events_write(const struct hook_event *list, size_t count);
void hook_events_read(struct arena *a, const json_t *json,
    struct hook_events *events_r);

const char *hook_name(enum hook_what what);

#endif
