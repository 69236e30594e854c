/*
 * dead_letter.h - deliveries that were given up: listed, replayed, discarded
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_NOTIFY_DEAD_LETTER_H
#define BELFRY_NOTIFY_DEAD_LETTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/compiler.h"
#include "base/id.h"
#include "model/channel.h"
#include "provider/verdict.h"

struct editor;
struct err;

/* What is left out leaves everything. */
struct dead_filter {
	enum channel channel; /* CHANNEL_NONE: any */
	const char *provider; /* a name */
	enum verdict_class class; /* VERDICT_NONE: any */
	const char *template; /* a key */
	int64_t since_ms, until_ms; /* when it died; 0: any time */
};

enum { DEAD_SLICE = 500 }; /* what one call replays or discards at most */

/* One row of a list, and where the next page begins. */
struct dead_letter {
	json_t *json; /* a new reference; the address is masked */
	const char *key; /* for after_key below */
};

/* Up to "limit", the newest first, after the letter with that key ("": from the first
 * on; -1 with ERR_INVALID when it is no such key). */
int dead_list(const struct editor *ed, const struct dead_filter *filter,
    const char *after_key, int limit, struct dead_letter **list_r,
    size_t *count_r, struct err *e) MUST_CHECK;

/* Leaves out who dies from now on, unless the filter has an end: what is replayed and dies
 * again at once would else come back behind the others for ever. */
int dead_filter_end(const struct editor *ed, struct dead_filter *filter,
    struct err *e) MUST_CHECK;

/* Makes those of the ids (NULL: of all) that the filter leaves ready again, or cancelled
 * for good; at most DEAD_SLICE, the oldest first.  *more_r: there may be more.  It
 * stands on their timelines and in the audit who did it. */
enum dead_act { DEAD_REPLAY, DEAD_DISCARD };
int dead_act(const struct editor *ed, enum dead_act act,
    const struct dead_filter *filter, const struct uuid *ids, size_t ids_count,
    int *count_r, bool *more_r, struct err *e) MUST_CHECK;

#endif
