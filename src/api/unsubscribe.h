/*
 * unsubscribe.h - /u/{token}: the link that ends the messages of a category
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_API_UNSUBSCRIBE_H
#define BELFRY_API_UNSUBSCRIBE_H

struct err;
struct request;
struct response;

/* Shows what would end, and changes nothing: scanners of mail follow every link. */
int unsubscribe_show(struct request *rq, struct response *rs, struct err *e);

/* Does it: "List-Unsubscribe=One-Click" (RFC 8058) or "action=unsubscribe", or takes it
 * back: "action=resubscribe". */
int unsubscribe_do(struct request *rq, struct response *rs, struct err *e);

#endif
