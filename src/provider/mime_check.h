/*
 * mime_check.h - what may stand in a struct mail
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_PROVIDER_MIME_CHECK_H
#define BELFRY_PROVIDER_MIME_CHECK_H

#include "base/compiler.h"

struct err;
struct mail;

/* Returns 0, or -1 with ERR_UNPROCESSABLE and a text that names the field.
 * Addresses are checked by mail_address_ascii(), which mime_build() calls. */
int mime_check(const struct mail *m, struct err *e) MUST_CHECK;

enum { MIME_CONTENT_ID_MAX = 100 };

/* What is wrong with an attachment's media type ("is ..."), or NULL.  It may have
 * parameters.  Those of messages and of multiparts cannot be attached: nobody may encode
 * them in base64 (RFC 2045 section 6.4). */
const char *mime_type_fault(const char *type);

/* What is wrong with an attachment's content id ("is ...", "holds ..."), or NULL. */
const char *mime_content_id_fault(const char *id);

#endif
