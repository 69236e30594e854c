/*
 * unsubscribe_page.h - what somebody sees who follows the link
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_API_UNSUBSCRIBE_PAGE_H
#define BELFRY_API_UNSUBSCRIBE_PAGE_H

#include <stdbool.h>

#include "base/compiler.h"

struct err;
struct request;
struct response;
struct tenant;
struct unsubscribe;

struct unsubscribe_page {
	const struct unsubscribe *link; /* NULL: it is not one of ours */
	struct tenant *tenant; /* whose brand it has */
	bool unsubscribed; /* now */
	bool resubscribed; /* just now */
};

/* Answers with the page: 200, or 404 without a link.  Its language is that of the message,
 * or the first of Accept-Language that the page has. */
int unsubscribe_page_write(struct request *rq, struct response *rs,
    const struct unsubscribe_page *page, struct err *e) MUST_CHECK;

#endif
