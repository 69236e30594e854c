/*
 * doctor_tenants.c - what belfryctl doctor finds about each tenant
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <string.h>

#include "base/arena.h"
#include "base/config.h"
#include "base/err.h"
#include "base/seal.h"
#include "base/secret_file.h"
#include "ctl/ctl.h"
#include "ctl/doctor.h"
#include "db/db.h"
#include "model/provider_account.h"
#include "model/tenant.h"
#include "net/transfer.h"
#include "notify/tenant_settings.h"
#include "notify/user_service.h"

enum { PAGE_TENANTS = 100 };

/* All tenants, some at a time. */
struct walk {
	const char *after;
	struct tenant *list;
	size_t count;
};

/* The next of them; false when there are no more, or the database failed. */
static bool
walk_on(struct doctor *d, struct walk *w)
{
	struct err e;

	if (tenant_list(d->c->a, d->owner, w->after, PAGE_TENANTS, &w->list,
	        &w->count, &e) == -1 ||
	    w->count == 0)
		return false;
	w->after = w->list[w->count - 1].slug;
	return true;
}

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

/* 1 when it can send nothing. */
static int
look_at_providers(struct doctor *d, const struct tenant *t)
{
	if (t->state != TENANT_ACTIVE || count_enabled(d, t->id) != 0)
		return 0;
	doctor_warn(d,
	    "Add one with \"belfryctl provider add\"; its notifications wait "
	    "until then.",
	    "tenant \"%s\" has no enabled provider", t->slug);
	return 1;
}

void
doctor_providers(struct doctor *d)
{
	struct walk w = { .after = "" };
	size_t i, mute = 0;

	if (d->owner == NULL)
		return;
	while (walk_on(d, &w))
		for (i = 0; i < w.count; i++)
			mute += (size_t)look_at_providers(d, &w.list[i]);
	if (mute == 0)
		doctor_ok(d, "every tenant has one that is enabled");
}

/* ---- User services ------------------------------------------------------------------ */

static void
check_secret(struct doctor *d, const struct tenant *t,
    const struct user_oauth *oauth)
{
	const char *secret;
	struct err e;

	if (oauth->client_secret_file == NULL ||
	    secret_file_read(d->c->a, d->c->config->secrets_directory, t->slug,
	        oauth->client_secret_file, &secret, &e) == 0)
		return;
	doctor_fail(d,
	    "Put the client's secret there, readable by the user of Belfry "
	    "alone; recipients are not found before.",
	    "user service of tenant \"%s\": %s", t->slug, e.text);
}

static void
check_plain(struct doctor *d, const struct tenant *t, const char *what,
    const char *url)
{
	if (url != NULL && transfer_tls_of(url) == TRANSFER_TLS_NONE)
		doctor_warn(d, "Use https: unless it is on this host.",
		    "user service of tenant \"%s\": %s is asked without TLS",
		    t->slug, what);
}

static void
check_service(struct doctor *d, const struct tenant *t,
    const struct user_service *us)
{
	check_plain(d, t, "url", us->url);
	if (us->batch != NULL)
		check_plain(d, t, "batch.url", us->batch->url);
	if (us->oauth == NULL)
		return;
	check_plain(d, t, "oauth.token_url", us->oauth->token_url);
	check_secret(d, t, us->oauth);
}

/* 1 when the tenant has one. */
static int
look_at_service(struct doctor *d, const struct keyring *ring,
    const struct tenant *t)
{
	const struct user_service *us;
	json_t *settings;
	struct err e;

	if (tenant_settings_whole(d->c->a, ring, t, &settings, &e) == -1 ||
	    json_object_get(settings, "user_service") == NULL)
		return 0;
	us = user_service_of(d->c->a, settings);
	if (us != NULL)
		check_service(d, t, us);
	return 1;
}

void
doctor_user_services(struct doctor *d)
{
	struct walk w = { .after = "" };
	struct keyring *ring;
	size_t i, have = 0;
	struct err e;

	if (d->owner == NULL || ctl_keyring(d->c, &ring, &e) == -1)
		return;
	while (walk_on(d, &w))
		for (i = 0; i < w.count; i++)
			have += (size_t)look_at_service(d, ring, &w.list[i]);
	if (have > 0)
		doctor_ok(d, "%zu tenants have one", have);
}
