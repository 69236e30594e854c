/*
 * doctor_tenants.c - what belfryctl doctor finds about each tenant
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "base/arena.h"
#include "base/err.h"
#include "ctl/ctl.h"
#include "ctl/doctor.h"
#include "db/db.h"
#include "model/provider_account.h"
#include "model/tenant.h"

enum { TENANTS_MAX = 100 };

/* How many accounts can be used now; -1 when the database failed. */
static int
count_enabled(struct doctor *d, struct tenant_id tenant)
{
	struct provider_account *list;
	size_t count, i;
	struct err e;
	int enabled = 0;

	if (provider_account_list(d->c->a, d->owner, tenant, "",
	        PROVIDER_ACCOUNTS_MAX, &list, &count, &e) == -1) {
		doctor_fail(d, "Look at the log of PostgreSQL.", "%s: %s",
		    e.text, e.detail);
		return -1;
	}
	for (i = 0; i < count; i++) {
		enabled += list[i].state == PROVIDER_ENABLED;
		if (list[i].state == PROVIDER_PARKED)
			doctor_warn(d,
			    "Mend its credentials, then \"belfryctl provider "
			    "enable\".",
			    "\"%s\" is parked: its credentials were refused",
			    list[i].name);
	}
	return enabled;
}

void
doctor_providers(struct doctor *d)
{
	struct tenant *list;
	size_t count, i, mute = 0;
	struct err e;

	if (d->owner == NULL ||
	    tenant_list(d->c->a, d->owner, "", TENANTS_MAX, &list, &count, &e) ==
	        -1)
		return;
	for (i = 0; i < count; i++)
		if (list[i].state == TENANT_ACTIVE &&
		    count_enabled(d, list[i].id) == 0) {
			doctor_warn(d,
			    "Add one with \"belfryctl provider add\"; its "
			    "notifications wait until then.",
			    "tenant \"%s\" has no enabled provider",
			    list[i].slug);
			mute++;
		}
	if (mute == 0)
		doctor_ok(d, "every tenant has one that is enabled");
}
