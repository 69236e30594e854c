/*
 * provider_test.c - /admin/providers/{id}/test
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The worker asks the provider itself and waits a few seconds for the answer.  So that
 * tests never hold up more than one worker, there is one at a time on a host.
 */
#include "api/provider_test.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/file.h>
#include <unistd.h>

#include "api/app.h"
#include "base/arena.h"
#include "base/config.h"
#include "base/err.h"
#include "model/provider_account.h"
#include "notify/probe.h"
#include "provider/provider.h"
#include "provider/settings.h"
#include "web/field.h"
#include "web/js.h"
#include "web/request.h"
#include "web/response.h"

enum { TIMEOUT_MS = 5000 };

struct test_body {
	struct field_mask mask;
	const char *to;
};

static const struct field fields[] = {
	FIELD(struct test_body, to, TEXT, .flags = FIELD_ONE_LINE, .min = 1,
	    .max = 2048, .example = "\"ann@example.org\"",
	    .help = "An address to ask about, where the provider can tell."),
};

const struct field_table provider_test_table = FIELD_TABLE("ProviderTest",
    struct test_body, fields, "What a test of an account is about.");

static void
defer_close(void *p)
{
	close((int)(intptr_t)p);
}

/* The lock goes with the request. */
static int
take_turn(struct request *rq, struct err *e)
{
	const char *path = arena_printf(rq->a, "%s/provider-test.lock",
	    rq->config->process_run_directory);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd == -1)
		return err_set(e, ERR_INTERNAL,
		    "the lock for tests of providers cannot be opened");
	arena_defer(rq->a, defer_close, (void *)(intptr_t)fd);
	if (flock(fd, LOCK_EX | LOCK_NB) == -1)
		return err_set(e, ERR_CONFLICT,
		    "another test of a provider is under way");
	return 0;
}

static int
find(struct request *rq, struct provider **p_r, struct err *e)
{
	struct provider_account *account;
	struct provider_id id;
	int rc;

	if (request_arg_uuid(rq, 0, &id.u, e) != 0)
		return -1;
	rc = provider_account_get(rq->a, app_of(rq)->db, rq->tenant, id, &account,
	    e);
	if (rc == 0)
		return err_set(e, ERR_NOT_FOUND, "there is no such provider");
	if (rc == 1 && provider_account_is_shared(account))
		return err_set(e, ERR_FORBIDDEN,
		    "it is an account of the platform, which tests it");
	return rc == -1 ? -1
	                : settings_open(rq->a, app_of(rq)->ring, account, p_r, e);
}

int
provider_test(struct request *rq, struct response *rs, struct err *e)
{
	const struct test_body *body = rq->body;
	struct probe_report r;
	struct provider *p;

	if (find(rq, &p, e) != 0 || take_turn(rq, e) != 0 ||
	    probe_run(rq->a, p, body != NULL ? body->to : NULL, TIMEOUT_MS, &r,
	        e) == -1)
		return -1;
	return response_json(rs, 200,
	    js_keep(rq->a,
	        json_pack("{s:b, s:s, s:s, s:s, s:s, s:I}", "good", r.good,
	            "words", r.words, "class", verdict_name(r.verdict.class),
	            "code", r.verdict.code, "text", r.verdict.text, "took_ms",
	            (json_int_t)r.took_ms)));
}
