/*
 * retry_after.h - what an HTTP server says about when to come back
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_NET_RETRY_AFTER_H
#define BELFRY_NET_RETRY_AFTER_H

#include <stdint.h>

/* No server can ask for more than a year. */
#define RETRY_AFTER_MAX_S INT64_C(31536000)

/* Reads the value of a header Retry-After (RFC 9110 section 10.2.3): seconds, or a
 * date in one of the three forms of HTTP.  Returns the seconds from now_ms (wall clock)
 * on, at most RETRY_AFTER_MAX_S; 0 for a date that is over and for anything that is
 * neither, a sign included.  NULL is 0 too. */
int64_t retry_after_s(const char *value, int64_t now_ms);

#endif
