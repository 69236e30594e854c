/*
 * receipt.h - what providers and people report later, applied to deliveries
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A receipt moves its delivery forward or not at all: delivered, failed, read.  In the same
 * transaction go the wait for it (q_later), the steps of a fallback order that are not
 * needed any more or go on now, the notification's open count, and a line of the
 * timeline.  The order of receipts does not matter, nor how often one comes: each kind is
 * told once for a delivery, clicks once for each text (the link).  One that comes before
 * the end of its attempt was written is kept and counts then.
 *
 * Whether a receipt is genuine, and is for this tenant, is what the caller has checked.
 */
#ifndef BELFRY_NOTIFY_RECEIPT_H
#define BELFRY_NOTIFY_RECEIPT_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/id.h"
#include "model/channel.h"
#include "notify/decide.h"
#include "provider/verdict.h"

struct arena;
struct db_batch;
struct db_rows;
struct editor;
struct err;

enum { RECEIPTS_MAX = 1000 }; /* that one call takes */

/* The delivery is named by its ids, or by what its provider calls it.  Texts may be NULL;
 * code and text may be anything: they are cut (31 and 255 bytes) and made printable; of
 * a person who was erased only a code that is a number is kept. */
struct receipt {
	struct notification_id notification; /* these two, */
	struct delivery_id delivery;
	int attempt; /* which of its attempts; 0: not known */
	struct provider_id provider; /* or these two; with ids: whose receipt it is */
	const char *provider_ref;
	enum receipt_what what;
	enum verdict_class class; /* of FAILED and BOUNCED; else NONE */
	int64_t at_ms; /* 0: now */
	const char *code, *text; /* the provider's own words */
	const char *by; /* who says so: "twilio", "user u1" */
};

enum receipt_effect {
	RECEIPT_FOREIGN, /* this tenant has no such delivery */
	RECEIPT_REPEATED, /* that was known */
	RECEIPT_NOTED, /* new on the timeline, and nothing else */
	RECEIPT_MOVED /* the delivery's state changed, or what is known of it */
};

/* What became of it, and whom it was about (not for FOREIGN). */
struct receipt_result {
	enum receipt_effect effect;
	struct notification_id notification;
	struct delivery_id delivery;
	enum channel channel;
	enum delivery_state state; /* that it has now */
	const char *user_id, *address; /* in the arena; or NULL */
};

/* Applies receipts by hand, in one transaction (two round trips).  0 with *results_r, one for each, in "a"; -1 when the database failed:
 * then nothing has happened, and applying them again is harmless in any case. */
int receipt_apply(const struct editor *ed, const struct receipt *list,
    size_t count, struct receipt_result **results_r, struct err *e) MUST_CHECK;

/* The same for a batch of one's own, in three steps of one transaction.  "list" and "a" are
 * used until the end. */
struct receipts;
struct receipts *receipts_new(struct arena *a, struct tenant_id tenant,
    const struct receipt *list, size_t count) MUST_CHECK;

/* Adds the query that finds and locks the deliveries. */
void receipts_find_add(struct receipts *rs, struct db_batch *b);

/* With its rows: which deliveries they are about; the effects are not known yet. */
const struct receipt_result *receipts_found(struct receipts *rs,
    const struct db_rows *rows);

/* Adds the queries that write what follows; the rows of the first of them are for
 * receipts_written(), which tells the effects and counts them. */
void receipts_write_add(struct receipts *rs, struct db_batch *b);
struct receipt_result *receipts_written(struct receipts *rs,
    const struct db_rows *rows);

/* "delivered" ...; receipt_parse() returns RECEIPT_WHAT_COUNT for any other text. */
const char *receipt_name(enum receipt_what what);
enum receipt_what receipt_parse(const char *name);

#endif
