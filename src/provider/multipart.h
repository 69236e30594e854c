/*
 * multipart.h - a form of texts and files, as bodies of requests have it (RFC 7578)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Files are read while the request is written, so none of them is ever in memory whole.
 */
#ifndef BELFRY_PROVIDER_MULTIPART_H
#define BELFRY_PROVIDER_MULTIPART_H

#include "base/compiler.h"

struct arena;
struct attachment;
struct multipart;
struct transfer_request;

/* An empty form in "a". */
struct multipart *multipart_new(struct arena *a) MUST_CHECK;

/* Adds a field; a file goes with its name and type. */
void multipart_text(struct multipart *mp, const char *name, const char *value);
void multipart_file(struct multipart *mp, const char *name,
    const struct attachment *file);

/* Ends the form and makes it the body of a request, which has none yet. */
void multipart_send(struct multipart *mp, struct transfer_request *rq);

#endif
