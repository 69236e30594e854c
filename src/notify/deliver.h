/*
 * deliver.h - the third station: a delivery becomes a message
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Rendering is deterministic: the version of the template, the data and the recipient as
 * they were routed give the same bytes at each attempt and in each preview.
 */
#ifndef BELFRY_NOTIFY_DELIVER_H
#define BELFRY_NOTIFY_DELIVER_H

#include <stddef.h>

#include <jansson.h>

#include "base/compiler.h"
#include "notify/work.h"

struct arena;
struct config;
struct db_batch;
struct db_rows;
struct err;
struct message;
struct page;

/* The columns of claim_lane from a row: the delivery; its notification is *n, already
 * read from the same row.  d->corrupt is set when the row is gone. */
void delivery_from_row(const struct db_rows *rows, int row,
    struct notification *n, struct delivery *d_r);

/* Adds the query that leases claimed deliveries and starts the attempts of those that
 * have one. */
void deliver_write_add(struct arena *a, struct db_batch *b,
    struct tenant_id tenant, const struct uuid *spooler,
    const struct delivery *list, size_t count);

/* Adds the query that returns claimed deliveries, of one lane and priority, which are not
 * started: to where they were, or for later (put_off_ms). */
void deliver_return_add(struct arena *a, struct db_batch *b,
    struct tenant_id tenant, const struct delivery *list, size_t count);

/* What templates see: the notification's data, the recipient's own above them, and
 * "recipient", "tenant" and "brand".  Lives in "a". */
json_t *deliver_data(struct arena *a, struct notification *n,
    const char *recipient, const struct page *page, struct err *e) MUST_CHECK;

/* Renders the parts of a delivery's channel.  The message's texts live in "a".  -1 with
 * *e (UNPROCESSABLE: the template, the line and what is wrong there). */
int deliver_render(struct arena *a, const struct config *config,
    const struct page *page, const struct delivery *d, struct message *m_r,
    struct err *e) MUST_CHECK;

#endif
