/*
 * provider_test.c - belfryctl provider test
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/out.h"
#include "model/provider_account.h"
#include "model/tenant.h"
#include "notify/probe.h"
#include "provider/provider.h"
#include "provider/settings.h"

enum { TIMEOUT_MS = 20000 };

int
command_provider_test(struct ctl *c, struct err *e)
{
	const char *name = ctl_argument(c, 0);
	struct provider_account *account;
	struct probe_report r;
	struct provider *p;
	struct keyring *ring;
	int rc = provider_account_find(c->a, c->db, c->tenant->id, name, &account,
	    e);

	if (rc == 0)
		return err_set(e, ERR_NOT_FOUND, "there is no provider \"%.63s\": "
		    "\"belfryctl provider list\" lists them",
		    name);
	if (rc == -1 || ctl_keyring(c, &ring, e) == -1 ||
	    settings_open(c->a, ring, account, &p, e) == -1 ||
	    probe_run(c->a, p, ctl_value(c, "to"), TIMEOUT_MS, &r, e) == -1)
		return -1;
	if (!r.good)
		return err_set(e, ERR_UNPROCESSABLE, "%s (%s): %s", r.words,
		    r.verdict.code, r.verdict.text);
	out_said(c,
	    json_pack("{s:b, s:s, s:s, s:s, s:I}", "good", 1, "class",
	        verdict_name(r.verdict.class), "code", r.verdict.code, "text",
	        r.verdict.text, "took_ms", (json_int_t)r.took_ms),
	    "provider \"%s\": %s%s%s", name, r.words,
	    r.verdict.text[0] != '\0' ? ": " : "", r.verdict.text);
	return 0;
}
