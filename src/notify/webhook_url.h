/*
 * webhook_url.h - whether a URL may be a webhook endpoint
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_NOTIFY_WEBHOOK_URL_H
#define BELFRY_NOTIFY_WEBHOOK_URL_H

#include "base/compiler.h"

struct config;
struct err;

/* What a URL tells by itself: https (webhook.http), no user, an allowed port
 * (webhook.ports), no address that is not allowed (net/guard.h).  0, or -1
 * (ERR_UNPROCESSABLE) with what is wrong: "must ...". */
int webhook_url_check(const struct config *config, const char *url,
    struct err *e) MUST_CHECK;

#endif
