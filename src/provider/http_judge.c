/*
 * http_judge.c - what the providers that speak HTTP have in common
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "provider/http_judge.h"

#include "base/compiler.h"
#include "net/transfer.h"
#include "provider/verdict.h"

static const char *const codes[] = {
	[TRANSFER_NOT_CONNECTED] = "not_connected",
	[TRANSFER_TLS_FAILED] = "tls_failed",
	[TRANSFER_BROKEN] = "connection_lost",
	[TRANSFER_TIMED_OUT] = "timed_out",
	[TRANSFER_ABORTED] = "aborted",
};

bool
http_judge_silence(const struct transfer_result *res, struct verdict *v_r)
{
	const char *code = "no_answer";

	if (res->outcome == TRANSFER_ANSWERED && res->status >= 200)
		return false;
	if (res->outcome < NELEMS(codes) && codes[res->outcome] != NULL)
		code = codes[res->outcome];
	verdict_set(v_r, res->body_started ? VERDICT_UNKNOWN : VERDICT_RETRY,
	    code, res->error);
	return true;
}

void
http_judge_retry_after(const struct transfer_result *res, struct verdict *v)
{
	v->retry_after_ms = res->retry_after_s * 1000;
}
