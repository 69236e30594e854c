/*
 * template_preview.h - what a template would look like
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_API_TEMPLATE_PREVIEW_H
#define BELFRY_API_TEMPLATE_PREVIEW_H

struct err;
struct request;
struct response;

extern const struct field_table preview_body_table;

/* Renders a version, by default the one in use, for the data and the recipient of the body;
 * nothing is stored or sent.  The same below /admin and /services. */
int templates_preview(struct request *rq, struct response *rs, struct err *e);

#endif
