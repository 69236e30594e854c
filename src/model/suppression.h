/*
 * suppression.h - addresses that are not to be written to any more
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * hard_bounce  the address does not exist
 * complaint    somebody called a message spam
 * opt_out      STOP, said to one sender, that is one account at a provider
 * unsubscribe  a link or a provider's list said so, for all or for one category
 * manual       an admin did
 *
 * Addresses are compared in lower case, of ASCII alone, so that C and SQL agree.  What
 * is suppressed is skipped when a notification is routed, and fails when it had been
 * routed before; accepting costs no round trip more (notify/express.h).
 */
#ifndef BELFRY_MODEL_SUPPRESSION_H
#define BELFRY_MODEL_SUPPRESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/id.h"
#include "model/channel.h"

struct arena;
struct db;
struct db_array;
struct db_batch;
struct db_rows;
struct editor;
struct err;
struct keyring;

enum suppression_reason {
	SUPPRESSION_NONE,
#define X(number, NAME, name) SUPPRESSION_##NAME = (number),
#include "model/suppression.def"
#undef X
	SUPPRESSION_REASON_COUNT
};

/* The names from SUPPRESSION_HARD_BOUNCE on, ended by NULL, for field tables. */
extern const char *const suppression_reason_names[];

/* "hard_bounce"; "none" for what is none. */
const char *suppression_reason_name(int reason);
/* SUPPRESSION_NONE for any other text. */
enum suppression_reason suppression_reason_parse(const char *name);

struct suppression {
	const char *address; /* as suppression_address() makes it */
	enum channel channel;
	struct provider_id provider; /* nil: every account of the channel */
	const char *provider_name; /* or NULL */
	const char *category; /* "": every one */
	enum suppression_reason reason;
	const char *source;
	const char *code; /* or NULL */
	struct notification_id notification; /* nil: it came of none */
	struct delivery_id delivery;
	int64_t created_ms;
};

/* Once for a process: what the marks of erased addresses are made with. */
void suppression_configure(const struct keyring *ring);

/* A tenant's key of such marks (suppression_mark() in sql/), for queries. */
const char *suppression_mark_key(struct arena *a, struct tenant_id tenant)
    MUST_CHECK;

/* How an address is compared: in lower case, without blanks around it. */
const char *suppression_address(struct arena *a, const char *address);

struct suppression_filter {
	enum channel channel; /* CHANNEL_NONE: any */
	enum suppression_reason reason; /* SUPPRESSION_NONE: any */
};

/* Up to "limit" behind the one with that key ("": from the first on; -1 with ERR_INVALID
 * when it is no such key), by their addresses. */
int suppression_list(const struct editor *ed,
    const struct suppression_filter *filter, const char *after_key, int limit,
    struct suppression **list_r, size_t *count_r, struct err *e) MUST_CHECK;
const char *suppression_key(struct arena *a, const struct suppression *s);

/* All of an address on a channel; none is no error. */
int suppression_get(const struct editor *ed, enum channel channel,
    const char *address, struct suppression **list_r, size_t *count_r,
    struct err *e) MUST_CHECK;

/* Adds one; *new_r is false when it was there. */
int suppression_add(const struct editor *ed, const struct suppression *s,
    bool *new_r, struct err *e) MUST_CHECK;

/* Takes away all of an address on a channel.  -1: NOT_FOUND. */
int suppression_remove(const struct editor *ed, enum channel channel,
    const char *address, struct err *e) MUST_CHECK;

/* ---- In batches of others ----------------------------------------------------- */

/* The addresses of deliveries: gathered one by one, then added to a batch. */
struct suppression_notes;
struct suppression_note {
	struct notification_id notification;
	struct delivery_id delivery;
	struct provider_id provider; /* nil: every account */
	enum suppression_reason reason;
	const char *source;
	const char *code; /* or NULL */
	bool by_category; /* only for the category of the notification */
	int64_t at_ms; /* when it was said; 0: now */
};
struct suppression_notes *suppression_notes_new(struct arena *a) MUST_CHECK;
void suppression_notes_take(struct suppression_notes *sn,
    const struct suppression_note *note);
/* Takes back the unsubscription of a delivery's address from the category of its
 * notification, as far as it was said before (at_ms; 0: now).  In whatever order they come
 * the last word counts; of two in one moment it is the no. */
void suppression_notes_lift(struct suppression_notes *sn,
    struct notification_id notification, struct delivery_id delivery,
    int64_t at_ms);
/* Adds nothing when nothing was taken. */
void suppression_notes_add(struct db_batch *b, struct tenant_id tenant,
    const struct suppression_notes *sn);

/* Somebody followed the link of a delivery: adds s->category of the address, whatever the
 * account; and takes it back, but nothing that has another reason. */
void suppression_unsubscribe_add(struct db_batch *b, struct tenant_id tenant,
    const struct suppression *s);
void suppression_resubscribe_add(struct arena *a, struct db_batch *b,
    struct tenant_id tenant, const struct suppression *s);

/* A query for what is suppressed of these addresses and of those of stored recipients. */
void suppression_find_add(struct arena *a, struct db_batch *b,
    struct tenant_id tenant, const struct db_array *addresses,
    const struct db_array *user_ids);

/* Its rows asked: why this may not be sent, SUPPRESSION_NONE when it may. */
struct suppression_question {
	const char *address;
	enum channel channel;
	struct provider_id provider;
	const char *category;
};
enum suppression_reason suppression_of(const struct db_rows *rows,
    const struct suppression_question *q);

#endif
