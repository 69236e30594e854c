/*
 * spooler.h - one spooler process
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One thread, one loop (loop.c).  What it does is cut by what it waits for: keys.c knows
 * which queues may have work, claim.c takes it, flight.c has it on the wire, settler.c
 * writes what came of it, lease.c keeps the right to do all this, later.c makes ready what
 * is due, house.c keeps the tables in order.  express.c takes what belfry-api leases to
 * this spooler itself.  door.c makes deliveries wait until their account has room.
 * README.md explains how they fit together.
 */
#ifndef BELFRY_SPOOLER_SPOOLER_H
#define BELFRY_SPOOLER_SPOOLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/id.h"
#include "notify/decide.h"

struct arena;
struct book;
struct claim;
struct config;
struct crash;
struct delivery;
struct door;
struct err;
struct express;
struct gate;
struct gate_ended;
struct health;
struct holders;
struct hooks;
struct key;
struct keys;
struct keyring;
struct page;
struct message;
struct pool;
struct provider;
struct result;
struct settler;
struct shares;
struct tally;
struct packs;
struct tokens;
struct transfers;
struct users;
struct webhooks;

/* What operators see; the numbers are in the database. */
enum spooler_state {
	SPOOLER_RUNNING = 1,
	SPOOLER_DRAINING = 2,
	SPOOLER_DRAINED = 3,
	SPOOLER_HOLDING = 4,
	SPOOLER_STOPPING = 5,
	SPOOLER_LEFT = 6 /* in order, and should drain when it comes again */
};

struct spooler {
	const struct config *config;
	struct arena *a; /* of the process */
	int slot; /* which of the host's spoolers it is, from 0 on */
	struct uuid id; /* of this instance; leases carry it */
	struct pool *pool;
	struct transfers *transfers;
	struct packs *packs; /* attachments (pack.h) */
	struct tokens *tokens;
	struct users *users; /* whom services of tenants know */
	struct book *book;
	struct keys *keys;
	struct shares *shares; /* of the tenants */
	struct settler *settler;
	struct express *express;
	struct holders *holders;
	struct later_marks *later; /* from when on tenants may have work */
	struct hooks *hooks;
	struct webhooks *webhooks;
	struct claim *claim_list; /* all whose memory is held */
	struct health *health; /* of the accounts at providers */
	struct gate *gate; /* how much they are given */
	struct rate_limiter *limits; /* of tenants (prefix_limit.h) */
	struct door *door;
	struct retry_policy policies[CHANNEL_COUNT];
	bool stopping; /* nothing new is claimed */
	bool draining; /* neither: an operator wishes it */
	bool holding; /* neither: the installation is on hold */
	unsigned beaten_connects; /* pool_connects() when the last heartbeat began */
	bool beat_failed; /* the last one */
	enum spooler_state told_state; /* what the last heartbeat said */
	struct tally *tally; /* what is on the wire, by tenant and account */
	int claims; /* claim jobs under way */
	int in_flight; /* deliveries leased to us and without a result yet */
	int suspects; /* claims under way of a delivery that a crash was blamed on */
	int64_t trusted_until_ms; /* monotonic: how long our leases surely last */
	int64_t next_heartbeat_ms;
	struct crash *crashes; /* that others are to be blamed for (lease.c) */
	int64_t rescue_from_ms; /* who seems dead before may only have been unheard */
	int64_t next_poll_ms, poll_interval_ms;
	int64_t next_promote_ms;
	int64_t next_sweep_ms, next_rescue_ms;
	int sweeps, rescues;
	bool poll_all; /* the next poll looks for all there is */
	int64_t next_house_ms;
	int64_t next_retention_ms;
	int64_t next_health_ms;
	bool heartbeat_running, poll_running, promote_running, sweep_running;
	bool health_running, expire_running;
	int64_t next_measure_ms;
	int64_t overload_level; /* of the whole queue, as it was last seen */
	bool measuring;
	int64_t next_erase_ms;
	bool erasing;
	int64_t next_reconcile_ms;
	bool reconciling;
	bool retaining;
	int64_t trouble_logged_ms; /* the database's, at most one line a second */
};

/* loop.c: runs until the worker is told to stop; the exit status. */
int spooler_run(const struct config *config, int slot);

/* Logs trouble with the database at most once a second. */
void spooler_trouble(struct spooler *sp, const char *what, const struct err *e);

/* May anything new be taken?  Not while we stop, drain or hold, nor before a new
 * connection has told whether this is the database that we know. */
bool spooler_takes(const struct spooler *sp);

/* How many more deliveries may be started now. */
int spooler_room(const struct spooler *sp);

/* lease.c: are our leases surely ours? */
bool lease_is_trusted(const struct spooler *sp);
/* Sends a heartbeat when it is due, or when our state has changed; its answer brings
 * what operators wish. */
void lease_service(struct spooler *sp);
/* When the trust is gone, everything on the wire is let go, and we go on as another. */
void lease_check(struct spooler *sp);
/* Takes over what dead spoolers held; with "all" also what one committed late. */
void lease_rescue(struct spooler *sp, bool all);
/* Takes over what spoolers of this host held that crashed, and blames who caused it. */
void lease_rescue_crashed(struct spooler *sp);
/* Tells the database that we end. */
void lease_leave(struct spooler *sp);

/* claim.c: begins a claim of at most so many rows of what "key" has. */
void claim_start(struct spooler *sp, struct key *key, int rows);
/* One delivery of a claim has its result: the claim's memory may go. */
void claim_release(struct claim *c);

/* flight.c: renders and sends a delivery whose attempt has been committed. */
void flight_start(struct spooler *sp, struct claim *c, struct delivery *d,
    struct page *page);

/* door.c: nothing goes on the wire without a place of its account. */
void door_new(struct spooler *sp);
/* How many deliveries of a queue may be claimed; 0: none before something changes. */
int door_room(struct spooler *sp, struct key *key);
/* Nothing that was claimed of it could start. */
void door_gate(struct spooler *sp, struct key *key);
/* Takes a place of its account for a delivery that is about to start. */
bool door_take(struct spooler *sp, struct delivery *d);
/* The same for one that came in a parcel: it may wait in line. */
bool door_join(struct spooler *sp, struct delivery *d);
/* It is not started after all.  Without a place this does nothing. */
void door_leave(struct spooler *sp, struct delivery *d);
/* Starts it when its turn has come. */
void door_pass(struct spooler *sp, struct claim *c, struct delivery *d);
/* It was started, and has its answer. */
void door_ended(struct spooler *sp, struct delivery *d,
    const struct gate_ended *ended);
void door_service(struct spooler *sp);
/* Milliseconds until one may go on the wire by its pace; -1: none waits for that. */
int door_timeout_ms(const struct spooler *sp);
/* tally.c: counts what is on the wire, for operators. */
struct tally *tally_new(struct arena *a) MUST_CHECK;
void tally_started(struct tally *t, struct tenant_id tenant, int lane,
    const struct provider *pr);
void tally_ended(struct tally *t, struct tenant_id tenant, int lane,
    const struct provider *pr);
/* Writes it into the database when it is time, and begins anew. */
void tally_service(struct spooler *sp);

/* gauges.c: measures the queue when it is time. */
void gauges_service(struct spooler *sp);

/* reconcile.c: looks for what cannot happen when it is time. */
void reconcile_service(struct spooler *sp);

/* eraser.c: takes away what belongs to deleted tenants. */
void eraser_service(struct spooler *sp);

/* retention.c: removes what was kept for long enough when it is time. */
void retention_service(struct spooler *sp);

/* settler.c: takes results and writes them, many at once. */
struct settler *settler_new(struct spooler *sp);
struct result *settler_result(struct settler *st, struct tenant_id tenant);
void settler_service(struct settler *st, bool all);
/* Milliseconds until something is to be written; -1: nothing waits. */
int settler_timeout_ms(const struct settler *st);
bool settler_is_empty(const struct settler *st);
/* True when a result of that delivery waits or is being written. */
bool settler_has(const struct settler *st, const struct uuid *delivery);
/* How many there are, and with "ids_r" (it may be NULL) which. */
size_t settler_ids(const struct settler *st, struct uuid *ids_r);

/* express.c: offers tickets at the doorbell, starts what comes in parcels, looks for
 * parcels that never came.  -1 with *e when the page of tickets cannot be made. */
int express_new(struct spooler *sp, int slot, struct err *e) MUST_CHECK;
/* Offers as many tickets as are right now, and looks when it is time. */
void express_service(struct spooler *sp);
/* There may be leases of ours that nobody works on: we look for them for a while. */
void express_doubt(struct spooler *sp);
void express_arrived(struct spooler *sp, const void *parcel, size_t n);
/* A spooler that stops has to wait for parcels still: what is leased to it may not have
 * been handed over yet. */
bool express_awaits(const struct spooler *sp);

/* hooks.c: applies what providers report. */
struct hooks *hooks_new(struct spooler *sp) MUST_CHECK;
/* The tenant may have something in its inbox. */
void hooks_mark(struct hooks *h, struct tenant_id tenant);
void hooks_service(struct hooks *h);
/* A message was taken by a simulator: what will be reported of it is put into the inbox. */
void hooks_foresee(struct hooks *h, const struct provider *p,
    const struct message *m);

/* webhooks.c: tells tenants' endpoints what happened.  -1 with *e when the keys or the
 * engine cannot be had. */
struct webhooks *webhooks_new(struct spooler *sp, struct keyring *ring) MUST_CHECK;
/* Something was written that is to be told. */
void webhooks_wake(struct webhooks *w);
void webhooks_service(struct webhooks *w);
/* Milliseconds until something is to be done; -1: nothing is. */
int webhooks_timeout_ms(const struct webhooks *w);
/* True when nothing is on the wire and every outcome is written. */
bool webhooks_is_idle(const struct webhooks *w);

/* house.c: looks for work, sweeps, makes partitions. */
void house_service(struct spooler *sp);

/* holders.c: names who keeps PostgreSQL from vacuuming. */
struct holders *holders_new(struct spooler *sp) MUST_CHECK;
void holders_service(struct spooler *sp);

/* later.c: makes ready what is due. */
struct later_marks *later_new(struct spooler *sp) MUST_CHECK;
void later_service(struct spooler *sp);
/* The next look is behind all low-water marks. */
void later_sweep(struct later_marks *l);

#endif
