/*
 * template_draft.h - a template as its author wrote it
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Sources are one object by locale and part, samples one object by locale:
 *	parts   {"en": {"email.subject": "Order {{order}}", ...}, "de": {...}}
 *	sample  {"en": {"order": "42"}}
 *	variables {"order": {"required": true, "description": "..."}}
 */
#ifndef BELFRY_MODEL_TEMPLATE_DRAFT_H
#define BELFRY_MODEL_TEMPLATE_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/compiler.h"

struct arena;
struct err;

enum {
	TEMPLATE_BYTES_MAX = 1 << 20, /* all sources of a version together */
	TEMPLATE_LOCALES_MAX = 64,
	TEMPLATE_NAME_MAX = 200, /* characters of texts that people read */
	TEMPLATE_CHECKSUM_BYTES = 32
};

/* What begins the keys of templates that others stand in or call. */
#define TEMPLATE_LAYOUT "layout:"
#define TEMPLATE_PARTIAL "partial:"

/* True for the keys of layouts and partials. */
bool template_is_shared(const char *key);

struct template_draft {
	const char *key;
	const char *name;
	const char *description; /* "" when there is none */
	const char *category; /* the same */
	const char *default_locale;
	const char *layout; /* what its bodies stand in; NULL: nothing */
	const char *from; /* the sender of its mails; NULL: the account's */
	bool unsubscribe; /* its messages carry a link that ends those of their category */
	json_t *tracking; /* borrowed, as all JSON here: {"opens", "clicks"}, what is to
	                   * be known of its mails; NULL: it says nothing */
	json_t *fallback; /* the order of channels of requests that have none; NULL: none */
	bool quiet_exempt; /* its messages go out in quiet hours too */
	bool says_fallback, says_quiet_exempt; /* else the stored ones stay as they are */
	json_t *variables; /* objects */
	json_t *sample;
	json_t *parts;
};

/* A fault: in a part (locale, part, and the place in its source), or in a
 * member of the draft ("key", "variables", "parts" ...), when part is NULL. */
struct template_fault {
	struct template_fault *next;
	const char *member;
	const char *locale;
	const char *part;
	int line, column; /* from 1; 0 when there is no place */
	const char *text;
};

/* The faults of a draft in the order they were found. */
struct template_faults {
	struct arena *a;
	struct template_fault *first, *last;
	size_t count;
};

void template_faults_init(struct template_faults *faults, struct arena *a);

/* Adds a fault of a member, for what layers above know of it. */
void template_faults_add(struct template_faults *faults, const char *member,
    const char *text);

/* Compiles every part, checks the rest, and renders the JSON parts with
 * their samples. Returns 0, or -1 when faults were added. */
int template_check(const struct template_draft *draft,
    struct template_faults *faults) MUST_CHECK;

/* Sets *e (ERR_UNPROCESSABLE) from the first fault and how many there are:
 * "order shipped: de/email.html, line 3, column 7: ...".  Returns -1. */
int template_faults_err(const struct template_draft *draft,
    const struct template_faults *faults, struct err *e);

/* Of what makes a version: layout, unsubscribe, from, parts, variables and sample, whatever
 * order their members have. */
void template_checksum(const struct template_draft *draft,
    uint8_t sum[static TEMPLATE_CHECKSUM_BYTES]);

#endif
