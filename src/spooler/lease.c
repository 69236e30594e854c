/*
 * lease.c - the right to work on what was claimed
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Leases last as long as our heartbeat is younger than spooler.dead_after.  We trust
 * them for a fifth less, counted from before the heartbeat was sent, on a clock that
 * goes on while the machine sleeps.  When the trust is gone (we were stopped, or the
 * database was away) nothing more goes out for them: we let everything go and go on
 * under a new id, as if a new spooler had been started.
 *
 * When it was the database that was away, every spooler was silent and none is dead.  So
 * who lost its trust rescues nobody until all others had time to be heard again; in that
 * time they write the results that they could not write.
 */
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/err.h"
#include "base/log.h"
#include "base/metrics.h"
#include "config.h"
#include "db/db.h"
#include "db/pool.h"
#include "net/transfer.h"
#include "spooler/crash.h"
#include "spooler/keys.h"
#include "spooler/spooler.h"

/* Until the next heartbeat is in the database. */
static const int64_t NO_RESCUE_MS = INT64_MAX;

struct beat {
	struct pool_job job;
	struct spooler *sp;
	struct uuid id;
	int64_t began_ms;
	unsigned connects;
};

bool
lease_is_trusted(const struct spooler *sp)
{
	return clock_mono_ms() < sp->trusted_until_ms;
}

static enum spooler_state
state_of(const struct spooler *sp)
{
	if (sp->stopping)
		return SPOOLER_STOPPING;
	if (sp->holding)
		return SPOOLER_HOLDING;
	if (!sp->draining)
		return SPOOLER_RUNNING;
	return sp->in_flight > 0 || sp->claims > 0 ||
	        !settler_is_empty(sp->settler) || !webhooks_is_idle(sp->webhooks)
	    ? SPOOLER_DRAINING
	    : SPOOLER_DRAINED;
}

/* What operators wish, and whether this is the database that we know. */
static void
obey(struct spooler *sp, const struct db_rows *installation,
    const struct db_rows *own)
{
	bool hold = db_bool(installation, 0, 0), drain = db_bool(own, 0, 1);

	if (hold && !sp->holding)
		log_error(NULL, "on hold: nothing is sent",
		    LF_STR("reason", db_text(installation, 0, 1)));
	else if (!hold && sp->holding)
		log_info(NULL, "the hold was released");
	if (drain != sp->draining)
		log_info(NULL, drain ? "draining" : "no longer draining",
		    LF_INT("in_flight", sp->in_flight));
	sp->holding = hold;
	sp->draining = drain;
	metrics_set(METRIC_HOLD, 0, hold && sp->slot == 0);
}

static void
beaten(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	struct beat *bt = (struct beat *)job;
	struct spooler *sp = bt->sp;

	sp->heartbeat_running = false;
	sp->beat_failed = e != NULL;
	if (e != NULL) {
		spooler_trouble(sp, "heartbeat failed", e);
		sp->next_heartbeat_ms = clock_mono_ms() + 500;
		arena_free(&job->a);
		return;
	}
	clock_agree(db_time_ms(rows[1], 0, 0));
	if (uuid_cmp(&bt->id, &sp->id) == 0) {
		obey(sp, rows[0], rows[1]);
		if (sp->rescue_from_ms == NO_RESCUE_MS)
			sp->rescue_from_ms =
			    clock_mono_ms() + sp->config->spooler_dead_after;
		sp->beaten_connects = bt->connects;
		sp->trusted_until_ms =
		    bt->began_ms + sp->config->spooler_dead_after * 4 / 5;
	}
	arena_free(&job->a);
}

static struct db_batch *
heartbeat(struct spooler *sp, struct arena *a)
{
	struct db_batch *b = db_batch_new(a, (struct tenant_id){ 0 }, DB_ONE);
	struct utsname name;

	uname(&name);
	sp->told_state = state_of(sp);
	db_add(b, Q_INSTALLATION_CHECK);
	db_add(b, Q_HEARTBEAT);
	db_arg_uuid(b, &sp->id);
	db_arg_text(b, arena_strdup(a, name.nodename));
	db_arg_int(b, getpid());
	db_arg_text(b, PACKAGE_VERSION);
	db_arg_int(b, sp->slot);
	db_arg_int(b, sp->told_state);
	db_arg_int(b, sp->in_flight);
	db_arg_int(b, sp->claims);
	return b;
}

/* A change is told at once, and asked for when a connection is new. */
static bool
is_due(const struct spooler *sp)
{
	return clock_mono_ms() >= sp->next_heartbeat_ms ||
	    (sp->trusted_until_ms != 0 && !sp->beat_failed &&
	        (state_of(sp) != sp->told_state ||
	            pool_connects(sp->pool) != sp->beaten_connects));
}

void
lease_check(struct spooler *sp)
{
	if (sp->trusted_until_ms == 0 || lease_is_trusted(sp))
		return;
	log_warn(NULL, "leases are no longer sure: letting go",
	    LF_INT("in_flight", sp->in_flight));
	sp->id = uuid_make();
	crash_watch(sp->config->process_run_directory, &sp->id);
	sp->trusted_until_ms = 0;
	sp->next_heartbeat_ms = 0;
	sp->rescue_from_ms = NO_RESCUE_MS;
	transfers_abort_all(sp->transfers);
}

void
lease_service(struct spooler *sp)
{
	int64_t now = clock_mono_ms();
	struct arena *a;
	struct beat *bt;

	lease_check(sp);
	if (sp->heartbeat_running || !pool_is_up(sp->pool) || !is_due(sp))
		return;
	a = arena_new(2048);
	bt = arena_object(a, struct beat);
	bt->job.a = a;
	bt->job.step = beaten;
	bt->sp = sp;
	bt->id = sp->id;
	bt->began_ms = now;
	bt->connects = pool_connects(sp->pool);
	sp->heartbeat_running = true;
	sp->next_heartbeat_ms = now + sp->config->spooler_heartbeat_interval;
	pool_submit(sp->pool, &bt->job, heartbeat(sp, a));
}

/* ---- Rescue ---------------------------------------------------------------------- */

/* A report whose file is taken is kept until the database has what it says. */
struct crash {
	struct crash *next;
	struct crash_report report; /* signal 0: this is free */
	int jobs; /* under way for it */
	bool again; /* one of them failed */
};

struct rescue {
	struct pool_job job;
	struct spooler *sp;
	struct tenant_id tenant;
	struct uuid dead;
	struct crash *crash; /* NULL: it did not crash */
	bool written;
	int count;
};

static void
crash_begin(struct crash *cr)
{
	if (cr != NULL)
		cr->jobs++;
}

static void
crash_end(struct crash *cr, const struct err *e)
{
	if (cr == NULL)
		return;
	cr->again |= e != NULL && err_may_retry(e->kind);
	if (--cr->jobs == 0 && !cr->again)
		cr->report.signal = 0;
}

/* Is the delivery to blame for the crash? */
static bool
is_blamed(const struct rescue *rs, const struct uuid *delivery)
{
	return rs->crash != NULL &&
	    (rs->crash->report.tenant.n == 0 ||
	        uuid_cmp(&rs->crash->report.delivery.u, delivery) == 0);
}

static void
rescue_write(struct rescue *rs, const struct db_rows *rows)
{
	struct arena *a = rs->job.a;
	struct db_batch *b = db_batch_new(a, rs->tenant, DB_COMMIT);
	struct db_array *v[7];
	struct uuid id;
	int i, k;

	for (k = 0; k < 7; k++)
		v[k] = db_array_new(a);
	for (i = 0; i < db_count(rows); i++) {
		for (k = 0; k < 2; k++) {
			id = db_uuid(rows, i, k);
			db_array_uuid(v[k], &id);
		}
		db_array_int(v[6], is_blamed(rs, &id));
		for (k = 2; k < 5; k++)
			db_array_int(v[k], db_int(rows, i, k));
		id = uuid_make();
		db_array_uuid(v[5], &id);
		keys_mark(rs->sp->keys, rs->tenant, (int)db_int(rows, i, 2),
		    (int)db_int(rows, i, 3));
	}
	rs->count = db_count(rows);
	db_add(b, Q_LEASES_RESCUE);
	db_arg_int(b, rs->tenant.n);
	db_arg_uuid(b, &rs->dead);
	for (k = 0; k < 7; k++)
		db_arg_array(b, v[k]);
	db_arg_int(b, rs->sp->config->spooler_crash_window);
	db_arg_int(b, rs->crash != NULL ? rs->crash->report.signal : 0);
	rs->written = true;
	pool_continue(rs->sp->pool, &rs->job, b);
}

static void
rescue_step(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	struct rescue *rs = (struct rescue *)job;
	char id[UUID_TEXT_BYTES];

	if (e == NULL && !rs->written) {
		rescue_write(rs, rows[0]);
		return;
	}
	if (e != NULL) {
		spooler_trouble(rs->sp, "rescue failed", e);
	} else if (rs->count > 0) {
		uuid_format(&rs->dead, id);
		metrics_add(METRIC_RESCUED_TOTAL, 0, rs->count);
		log_warn(NULL, "took over from a dead spooler",
		    LF_STR("spooler", id), LF_INT("tenant_id", rs->tenant.n),
		    LF_INT("count", rs->count));
	}
	crash_end(rs->crash, e);
	arena_free(&job->a);
}

static void
rescue(struct spooler *sp, struct tenant_id tenant, struct uuid dead,
    struct crash *crash)
{
	struct arena *a = arena_new(4096);
	struct rescue *rs = arena_object(a, struct rescue);
	struct db_batch *b = db_batch_new(a, tenant, DB_BEGIN);

	rs->job.a = a;
	rs->job.step = rescue_step;
	rs->sp = sp;
	rs->tenant = tenant;
	rs->dead = dead;
	rs->crash = crash;
	crash_begin(crash);
	db_add(b, Q_LEASES_TAKE);
	db_arg_int(b, tenant.n);
	db_arg_uuid(b, &dead);
	pool_submit(sp->pool, &rs->job, b);
}

static void
orphans_found(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	struct rescue *rs = (struct rescue *)job;
	int i;

	for (i = 0; e == NULL && i < db_count(rows[0]); i++)
		rescue(rs->sp, (struct tenant_id){ db_int(rows[0], i, 0) },
		    db_uuid(rows[0], i, 1), rs->crash);
	crash_end(rs->crash, e);
	arena_free(&job->a);
}

void
lease_rescue(struct spooler *sp, bool all)
{
	struct arena *a;
	struct rescue *rs;
	struct db_batch *b;

	if (clock_mono_ms() < sp->rescue_from_ms)
		return;
	a = arena_new(4096);
	rs = arena_object(a, struct rescue);
	b = db_batch_new(a, (struct tenant_id){ 0 }, DB_PLAIN);
	rs->job.a = a;
	rs->job.step = orphans_found;
	rs->sp = sp;
	db_add(b, Q_LEASES_ORPHANED);
	db_arg_int(b, sp->config->spooler_dead_after);
	db_arg_uuid(b, &sp->id);
	db_arg_bool(b, all);
	pool_submit(sp->pool, &rs->job, b);
}

static void
blamed(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	struct rescue *rs = (struct rescue *)job;

	if (e != NULL)
		spooler_trouble(rs->sp, "blaming a notification failed", e);
	/* Without an answer to COMMIT it counts, rather than twice. */
	if (e == NULL || e->kind == ERR_UNCERTAIN)
		memset(&rs->crash->report.notification, 0,
		    sizeof(rs->crash->report.notification));
	crash_end(rs->crash, e);
	arena_free(&job->a);
}

static struct rescue *
crash_job(struct spooler *sp, struct crash *cr,
    void (*step)(struct pool_job *, struct db_rows **, const struct err *))
{
	struct arena *a = arena_new(4096);
	struct rescue *rs = arena_object(a, struct rescue);

	rs->job.a = a;
	rs->job.step = step;
	rs->sp = sp;
	rs->crash = cr;
	crash_begin(cr);
	return rs;
}

/* It crashed while it routed a notification, which has no lease. */
static bool
was_routing(const struct crash_report *report)
{
	static const struct uuid nil;

	return report->tenant.n != 0 &&
	    uuid_cmp(&report->delivery.u, &nil) == 0 &&
	    uuid_cmp(&report->notification.u, &nil) != 0;
}

static void
blame_notification(struct spooler *sp, struct crash *cr)
{
	struct rescue *rs = crash_job(sp, cr, blamed);
	struct db_batch *b =
	    db_batch_new(rs->job.a, cr->report.tenant, DB_ONE);

	db_add(b, Q_NOTIFICATION_BLAME);
	db_arg_int(b, cr->report.tenant.n);
	db_arg_uuid(b, &cr->report.notification.u);
	pool_submit(sp->pool, &rs->job, b);
}

static void
follow(struct spooler *sp, struct crash *cr)
{
	struct rescue *rs = crash_job(sp, cr, orphans_found);
	struct db_batch *b =
	    db_batch_new(rs->job.a, (struct tenant_id){ 0 }, DB_PLAIN);

	cr->again = false;
	if (was_routing(&cr->report))
		blame_notification(sp, cr);
	db_add(b, Q_LEASES_OF);
	db_arg_uuid(b, &cr->report.spooler);
	pool_submit(sp->pool, &rs->job, b);
}

static struct crash *
free_crash(struct spooler *sp)
{
	struct crash *cr = sp->crashes;

	while (cr != NULL && cr->report.signal != 0)
		cr = cr->next;
	if (cr == NULL) {
		cr = arena_object(sp->a, struct crash);
		cr->next = sp->crashes;
		sp->crashes = cr;
	}
	return cr;
}

/* What it was at work on; ids of zeros: on nothing, or it routed the notification. */
static void
log_crash(const struct crash_report *report)
{
	char notification[UUID_TEXT_BYTES], delivery[UUID_TEXT_BYTES];

	uuid_format(&report->notification.u, notification);
	uuid_format(&report->delivery.u, delivery);
	log_error(NULL, "a spooler crashed", LF_INT("signal", report->signal),
	    LF_INT("tenant_id", report->tenant.n),
	    LF_STR("notification_id", notification),
	    LF_STR("delivery_id", delivery));
}

void
lease_rescue_crashed(struct spooler *sp)
{
	struct crash_report report;
	struct crash *cr;

	while (crash_report_take(sp->config->process_run_directory, &report)) {
		log_crash(&report);
		free_crash(sp)->report = report;
	}
	for (cr = sp->crashes; cr != NULL; cr = cr->next)
		if (cr->report.signal != 0 && cr->jobs == 0)
			follow(sp, cr);
}

static void
left(struct pool_job *job, struct db_rows **rows, const struct err *e)
{
	arena_free(&job->a);
}

void
lease_leave(struct spooler *sp)
{
	struct arena *a = arena_new(2048);
	struct pool_job *job = arena_object(a, struct pool_job);
	struct db_batch *b =
	    db_batch_new(a, (struct tenant_id){ 0 }, DB_PLAIN);

	job->a = a;
	job->step = left;
	db_add(b, Q_SPOOLER_LEAVE);
	db_arg_uuid(b, &sp->id);
	pool_submit(sp->pool, job, b);
}
