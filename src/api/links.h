/*
 * links.h - /t/...: what becomes known of deliveries by links that they carry
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_API_LINKS_H
#define BELFRY_API_LINKS_H

struct err;
struct request;
struct response;

/* GET: the picture of a mail was loaded; a link of it was followed. */
int links_open(struct request *rq, struct response *rs, struct err *e);
int links_click(struct request *rq, struct response *rs, struct err *e);

/* POST: an app tells what became of a push message. */
int links_receipt(struct request *rq, struct response *rs, struct err *e);

#endif
