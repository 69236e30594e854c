/*
 * page.h - lists in pages
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * ?limit= and an opaque cursor, which is the key of the last entry of the page before;
 * the answer is { "data": [...], "next_cursor": "..." or null }, and a header
 * Link: rel="next".
 */
#ifndef BELFRY_API_PAGE_H
#define BELFRY_API_PAGE_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/compiler.h"
#include "web/field.h"

struct err;
struct request;
struct response;

struct page_query {
	struct field_mask mask;
	int64_t limit;
	const char *cursor;
};

/* For routes: .query = &page_query_table. */
extern const struct field_table page_query_table;

/* Where a page begins: after_r is "" for the first one.  limit_r is how many rows to
 * ask for: one more than the page holds, which tells whether there is another.  -1 with a
 * fault when the cursor is none of ours. */
int page_start(struct request *rq, const char **after_r, int *limit_r,
    struct err *e) MUST_CHECK;

/* Writes the page: "row" makes the JSON of each of the count entries (a new
 * reference), "key" tells an entry's key.  Entries are size_bytes apart.  Always
 * returns 0. */
struct page_rows {
	const void *rows;
	size_t count;
	size_t size_bytes;
	json_t *(*row)(struct request *rq, const void *row);
	const char *(*key)(struct request *rq, const void *row);
};
int page_write(struct request *rq, struct response *rs,
    const struct page_rows *p);

#endif
