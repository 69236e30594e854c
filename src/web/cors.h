/*
 * cors.h - pages of other origins that may call (https://fetch.spec.whatwg.org/)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Belfry takes no cookies: what a page may do is decided by the token that it shows, and an
 * origin that is allowed may read the answers.  So an origin is named or nothing is
 * said, never "*", and credentials are not allowed.
 */
#ifndef BELFRY_WEB_CORS_H
#define BELFRY_WEB_CORS_H

#include <stdbool.h>

struct request;
struct response;

/* Adds what an allowed origin is told: of a preflight, which methods and headers may
 * come; of anything else, which headers may be read.  "allow" are the path's
 * methods. */
void cors_headers(struct response *rs, const struct request *rq,
    const char *origin, const char *allow);

/* An origin as browsers send it: "https://app.example.org", "http://[::1]:8080". */
bool cors_is_origin(const char *text);

#endif
