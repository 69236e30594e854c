/*
 * http_judge.h - what the providers that speak HTTP have in common
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_PROVIDER_HTTP_JUDGE_H
#define BELFRY_PROVIDER_HTTP_JUDGE_H

#include <stdbool.h>

struct transfer_result;
struct verdict;

/* When there is no full answer, judges that and returns true: retry before a byte of
 * the request's body was written, unknown behind it. */
bool http_judge_silence(const struct transfer_result *res, struct verdict *v_r);

/* What the provider asked for goes into the verdict, whatever its class. */
void http_judge_retry_after(const struct transfer_result *res,
    struct verdict *v);

#endif
