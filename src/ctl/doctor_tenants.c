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
#include "notify/health_report.h"
#include "notify/tenant_settings.h"
#include "notify/user_service.h"

/* The next tenant; false when there are no more, or the database failed, which is told. */
static bool
next_tenant(struct doctor *d, struct tenant_walk *w, struct tenant **t_r)
{
	struct err e;
	int rc = tenant_next(w, t_r, &e);

	if (rc == -1)
		doctor_fail(d, "Look at the log of PostgreSQL.", "%s: %s",
		    e.text, e.detail);
	return rc == 1;
}

/* ---- Settings ------------------------------------------------------------------------- */

/* 1 when some of them are broken. */
static int
look_at_settings(struct doctor *d, const struct tenant *t)
{
	const struct field_error *f;
	struct field_errors fe;

	field_errors_init(&fe, d->c->a);
	tenant_settings_stored(d->c->a, t->settings, &fe);
	for (f = fe.first; f != NULL; f = f->next)
		doctor_warn(d,
		    "It counts as absent: set it anew, or anything else, with "
		    "\"belfryctl tenant set\".",
		    "setting \"%s\" of tenant \"%s\": %s", f->pointer, t->slug,
		    f->detail);
	return fe.count > 0;
}

void
doctor_settings(struct doctor *d)
{
	struct tenant_walk w = { .a = d->c->a, .db = d->owner };
	struct tenant *t;
	int broken = 0;

	if (d->owner == NULL)
		return;
	while (next_tenant(d, &w, &t))
		broken += look_at_settings(d, t);
	if (broken == 0)
		doctor_ok(d, "those of every tenant can be used");
}

/* ---- Accounts at providers ------------------------------------------------------------- */

static bool
is_usable(const struct provider_account *p)
{
	const struct provider_account *itself = provider_account_itself(p);

	return p->state == PROVIDER_ENABLED && itself != NULL &&
	    itself->state == PROVIDER_ENABLED;
}

/* Tells of an enabled account that nothing but failures came from. */
static void
look_at_health(struct doctor *d, const char *slug,
    const struct provider_account *p)
{
	const struct health_question q = { .account = p,
		.recovery_ms = d->c->config->retry_recovery };
	json_t *report;
	struct err e;

	if (health_report(d->c->a, d->owner, &q, &report, &e) == -1 ||
	    strcmp(json_string_value(json_object_get(report, "breaker")),
	        "closed") == 0)
		return;
	doctor_warn(d,
	    "Ask \"belfryctl provider test\" what is wrong; it is tried again by "
	    "itself.",
	    "\"%s\" of tenant \"%s\" is left alone: nothing but failures came "
	    "from it", p->name, slug);
}

static void
look_at_account(struct doctor *d, const char *slug,
    const struct provider_account *p)
{
	if (p->state == PROVIDER_PARKED)
		doctor_warn(d,
		    "Mend its credentials, then \"belfryctl provider enable\".",
		    "\"%s\" of tenant \"%s\" is parked: its credentials were "
		    "refused", p->name, slug);
	else if (p->state == PROVIDER_ENABLED && !provider_account_is_shared(p))
		look_at_health(d, slug, p);
}

/* How many accounts can be used now; -1 when the database failed. */
static int
look_at_accounts(struct doctor *d, struct tenant_id tenant, const char *slug)
{
	struct provider_account *list;
	size_t count, i;
	struct err e;
	int usable = 0;

	if (provider_account_list(d->c->a, d->owner, tenant, "",
	        PROVIDER_ACCOUNTS_MAX, &list, &count, &e) == -1) {
		doctor_fail(d, "Look at the log of PostgreSQL.", "%s: %s",
		    e.text, e.detail);
		return -1;
	}
	for (i = 0; i < count; i++) {
		usable += is_usable(&list[i]);
		look_at_account(d, slug, &list[i]);
	}
	return usable;
}

/* 1 when it can send nothing. */
static int
is_mute(struct doctor *d, const struct tenant *t)
{
	if (t->state != TENANT_ACTIVE ||
	    look_at_accounts(d, t->id, t->slug) != 0)
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
	struct tenant_walk w = { .a = d->c->a, .db = d->owner };
	struct tenant *t;
	int mute = 0;

	if (d->owner == NULL)
		return;
	(void)look_at_accounts(d, TENANT_PLATFORM, "platform");
	while (next_tenant(d, &w, &t))
		mute += is_mute(d, t);
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
	else
		doctor_fail(d,
		    "Set it anew with \"belfryctl tenant set\"; recipients are not "
		    "found before.",
		    "user service of tenant \"%s\": its settings cannot be used",
		    t->slug);
	return 1;
}

void
doctor_user_services(struct doctor *d)
{
	struct tenant_walk w = { .a = d->c->a, .db = d->owner };
	struct keyring *ring;
	struct tenant *t;
	size_t have = 0;
	struct err e;

	if (d->owner == NULL || ctl_keyring(d->c, &ring, &e) == -1)
		return;
	while (next_tenant(d, &w, &t))
		have += (size_t)look_at_service(d, ring, t);
	if (have > 0)
		doctor_ok(d, "%zu tenants have one", have);
}
