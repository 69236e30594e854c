/*
 * bounce.c - belfryctl bounce
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A mail server feeds it, and goes by its exit status (sysexits.h): whatever is not our
 * fault is taken and forgotten, or the server would answer a bounce with another one; what
 * we could not write down is to come again.  What is reported goes the way of provider
 * hooks: into the inbox, from where a spooler applies it.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/err.h"
#include "base/uuid.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/out.h"
#include "db/db.h"
#include "model/bounce_token.h"
#include "model/channel.h"
#include "model/tenant.h"
#include "net/doorbell.h"
#include "provider/bounce.h"
#include "provider/hook.h"
#include "web/js.h"

enum { EVENTS_MAX = 64 << 10 };

/* Whose delivery a mail reports on. */
struct place {
	struct tenant *tenant;
	struct notification_id notification;
	struct delivery_id delivery;
	struct provider_id provider;
};

/* The mail, or as much of it as is looked at: the report stands in front of what is
 * returned.  All is read, or the mail server would see a broken pipe. */
static int
read_mail(struct ctl *c, struct buf *mail, struct err *e)
{
	char piece[16384];
	ssize_t n;
	size_t room;

	while ((n = read(STDIN_FILENO, piece, sizeof(piece))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, ERR_TEMPORARY,
			    "could not read the mail: %s", strerror(errno));
		room = mail->max - mail->len;
		buf_add(mail, piece, (size_t)n < room ? (size_t)n : room);
	}
	return 0;
}

/* Looks for the delivery of a token: 1, 0, -1. */
static int
find(struct ctl *c, const struct keyring *ring, const char *text,
    struct place *p, struct err *e)
{
	const char *slug = ctl_value(c, "tenant");
	struct bounce_token token;
	struct delivery_id id;
	struct db_batch *b;
	struct db_rows **rows;
	int i, rc;

	if (bounce_token_read(c->a, text, &token) == -1)
		return 0;
	rc = tenant_get(c->a, c->db, token.tenant, &p->tenant, e);
	if (rc != 1)
		return rc;
	if (slug != NULL && strcmp(slug, p->tenant->slug) != 0)
		return 0;
	b = db_batch_new(c->a, token.tenant, DB_ONE);
	db_add(b, Q_BOUNCE_DELIVERIES);
	db_arg_int(b, token.tenant.n);
	db_arg_uuid(b, &token.notification.u);
	db_arg_int(b, CHANNEL_EMAIL);
	if (db_run(c->db, c->a, b, &rows, e) == -1)
		return -1;
	for (i = 0; i < db_count(rows[0]); i++) {
		id.u = db_uuid(rows[0], i, 0);
		if (!bounce_token_is(ring, &token, &id))
			continue;
		p->notification = token.notification;
		p->delivery = id;
		p->provider.u = db_uuid(rows[0], i, 1);
		return 1;
	}
	return 0;
}

static int
find_any(struct ctl *c, const struct bounce *report, struct place *p,
    struct err *e)
{
	struct keyring *ring;
	size_t i;
	int rc = 0;

	if (ctl_keyring(c, &ring, e) == -1)
		return -1;
	for (i = 0; i < report->token_count && rc == 0; i++)
		rc = find(c, ring, report->tokens[i], p, e);
	return rc;
}

static int
put(struct ctl *c, const struct hook_event *event, const struct place *p,
    struct err *e)
{
	struct db_batch *b = db_batch_new(c->a, p->tenant->id, DB_ONE);
	struct db_array *accounts = db_array_new(c->a), *ids = db_array_new(c->a),
	                *texts = db_array_new(c->a);
	struct buf *text = buf_new(c->a, EVENTS_MAX);
	struct uuid id = uuid_make();

	js_write(text, js_keep(c->a, hook_events_write(event, 1)));
	db_array_uuid(accounts, &p->provider.u);
	db_array_uuid(ids, &id);
	db_array_text(texts, text->data);
	db_add(b, Q_HOOK_PUT);
	db_arg_int(b, p->tenant->id.n);
	db_arg_array(b, accounts);
	db_arg_array(b, ids);
	db_arg_array(b, texts);
	if (db_run(c->db, c->a, b, NULL, e) == -1)
		return -1;
	doorbell_ring(c->config->spooler_doorbell, p->tenant->id,
	    QUEUE(LANE_HOOKS, 0));
	return 0;
}

static void
say(struct ctl *c, const char *effect, const struct bounce *report,
    const struct place *p)
{
	char delivery[UUID_TEXT_BYTES] = "";

	if (p != NULL)
		uuid_format(&p->delivery.u, delivery);
	out_said(c,
	    json_pack("{s:s, s:s*, s:s*, s:s*}", "effect", effect, "what",
	        report != NULL ? hook_name(report->event.what) : NULL, "tenant",
	        p != NULL ? p->tenant->slug : NULL, "delivery",
	        p != NULL ? delivery : NULL),
	    "%s%s%s", effect, p != NULL ? " of delivery " : "", delivery);
}

static int
take(struct ctl *c, struct err *e)
{
	struct bounce report;
	struct place place;
	struct buf *mail;
	int rc;

	if (ctl_open_config(c, e) == -1 || ctl_prepare_database(c, e) == -1)
		return -1;
	mail = buf_new(c->a, (size_t)c->config->bounce_size_max);
	if (read_mail(c, mail, e) == -1)
		return -1;
	if (bounce_read(c->a, mail->data, mail->len, &report) == -1) {
		say(c, "ignored: it reports nothing", NULL, NULL);
		return 0;
	}
	rc = find_any(c, &report, &place, e);
	if (rc == 0)
		say(c, "ignored: it is about no delivery of ours", &report, NULL);
	if (rc != 1)
		return rc;
	report.event.notification = place.notification;
	report.event.delivery = place.delivery;
	if (put(c, &report.event, &place, e) == -1)
		return -1;
	say(c, hook_name(report.event.what), &report, &place);
	return 0;
}

int
command_bounce(struct ctl *c, struct err *e)
{
	if (take(c, e) == 0)
		return 0;
	if (c->status != CTL_EXIT_CONFIG)
		out_error(c, e);
	c->status = CTL_EXIT_TEMPFAIL;
	return 0;
}
