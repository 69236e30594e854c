/*
 * problem.h - an error as application/problem+json (RFC 9457)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * { "type": "urn:belfry:error:CODE", "title", "status", "detail", "code",
 *   "request_id", "errors": [ { "pointer" or "parameter", "code", "detail" } ],
 *   "violated-policies": [ "send" ] }
 *
 * "code" is that of base/err.def, those in "errors" are of web/field_code.def.
 */
#ifndef BELFRY_WEB_PROBLEM_H
#define BELFRY_WEB_PROBLEM_H

struct err;
struct request;
struct response;

#define PROBLEM_TYPE "application/problem+json"

/* Makes the response the answer to an error; what the handler had set before is
 * gone.  Faults of fields are told for ERR_UNPROCESSABLE only. */
void problem_write(struct response *rs, const struct err *e,
    const struct request *rq);

#endif
