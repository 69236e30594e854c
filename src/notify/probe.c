/*
 * probe.c - can an account at a provider be used?
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "notify/probe.h"

#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/compiler.h"
#include "base/err.h"
#include "net/transfer.h"
#include "provider/provider.h"

enum { POLL_MS = 100 };

/* One probe on its way. */
struct probe {
	struct arena *a;
	const struct provider *provider;
	struct transfers *transfers;
	struct message message;
	int64_t until_ms;
	bool over;
	const char *token;
	struct verdict verdict;
};

static void
token_done(void *arg, const struct transfer_result *res)
{
	struct probe *pr = arg;
	int64_t lifetime_ms;
	const char *token = pr->provider->ops->token_read(pr->a, res,
	    &lifetime_ms, &pr->verdict);

	pr->token = token != NULL ? arena_strdup(pr->a, token) : NULL;
	pr->over = true;
}

static void
done(void *arg, const struct transfer_result *res)
{
	struct probe *pr = arg;

	pr->provider->ops->judge(pr->provider, res, &pr->verdict);
	pr->over = true;
}

/* Sends a request and waits until it is over. */
static int
exchange(struct probe *pr, struct transfer_request *rq,
    void (*then)(void *, const struct transfer_result *), struct err *e)
{
	int left_ms = (int)(pr->until_ms - clock_mono_ms());
	struct transfer *t;

	rq->of_platform = provider_leads_for_platform(pr->provider);
	rq->done = then;
	rq->arg = pr;
	rq->timeout_ms = left_ms > 1 ? left_ms : 1;
	pr->over = false;
	if (transfers_start(pr->transfers, rq, &t, e) == -1)
		return -1;
	while (!pr->over)
		transfers_poll(pr->transfers, NULL, 0, POLL_MS);
	return 0;
}

static int
run(struct probe *pr, struct err *e)
{
	const struct provider_ops *ops = pr->provider->ops;
	struct transfer_request rq;

	if (ops->token_request != NULL) {
		if (ops->token_request(pr->a, pr->provider, &rq, e) == -1 ||
		    exchange(pr, &rq, token_done, e) == -1)
			return -1;
		if (pr->token == NULL)
			return 0;
		pr->message.token = pr->token;
	}
	if (ops->probe(pr->a, pr->provider, &pr->message, &rq, e) == -1)
		return -1;
	return exchange(pr, &rq, done, e);
}

static const struct {
	bool good;
	const char *words;
} meanings[VERDICT_COUNT] = {
	[VERDICT_ACCEPTED] = { true, "it works" },
	[VERDICT_RETRY] = { false,
	    "the provider cannot be reached or is in trouble" },
	[VERDICT_THROTTLED] = { false,
	    "the provider is reached, but takes no more at the moment" },
	[VERDICT_BAD_RECIPIENT] = { false,
	    "the account can be used, but not with this address" },
	[VERDICT_BAD_MESSAGE] = { true,
	    "it works: only the empty test was refused" },
	[VERDICT_BAD_CREDENTIAL] = { false,
	    "the provider refuses the account's credentials or settings" },
	[VERDICT_PROVIDER_BLOCKED] = { false,
	    "the account is closed, blocked or unpaid" },
	[VERDICT_UNKNOWN] = { false, "no full answer came in time" },
};

int
probe_run(struct arena *a, const struct provider *p, const char *address,
    int timeout_ms, struct probe_report *report_r, struct err *e)
{
	struct transfers_params params = { .max_in_flight = 2,
		.allowed = provider_allowed_networks(),
		.allowed_platform = provider_platform_networks() };
	int64_t start_ms = clock_mono_ms();
	struct probe pr = { .a = a, .provider = p,
		.message = { .tenant = p->tenant, .attempt = 1,
		    .address = address, .locale = "en" },
		.until_ms = start_ms + timeout_ms };
	bool refused;

	if (p->ops->probe == NULL)
		return err_set(e, ERR_UNPROCESSABLE,
		    "there is nothing to ask of a provider of kind \"%s\" but to send a "
		    "notification through it",
		    p->ops->kind);
	if (transfers_new(a, &params, &pr.transfers, e) == -1 ||
	    run(&pr, e) == -1)
		return -1;
	refused = p->ops->probe_is_whole &&
	    pr.verdict.class == VERDICT_BAD_MESSAGE;
	*report_r = (struct probe_report){
		.good = meanings[pr.verdict.class].good && !refused,
		.words = refused ? "the test was refused"
		                 : meanings[pr.verdict.class].words,
		.verdict = pr.verdict,
		.took_ms = clock_mono_ms() - start_ms,
	};
	return 0;
}
