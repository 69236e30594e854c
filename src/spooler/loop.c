/*
 * loop.c - the one loop of a spooler
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <poll.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/err.h"
#include "base/log.h"
#include "base/worker.h"
#include "base/metrics.h"
#include "base/seal.h"
#include "db/db.h"
#include "db/pool.h"
#include "model/channel.h"
#include "net/cache.h"
#include "net/doorbell.h"
#include "net/transfer.h"
#include "model/suppression.h"
#include "notify/book.h"
#include "notify/health.h"
#include "provider/provider.h"
#include "spooler/crash.h"
#include "spooler/keys.h"
#include "spooler/share.h"
#include "spooler/spooler.h"
#include "spooler/pack.h"
#include "spooler/tokens.h"
#include "spooler/users.h"
#include "web/rate_limit.h"

enum {
	CHUNK_BYTES = 65536,
	FDS_MAX = 40,
	CONNECTIONS_KEPT = 1, /* for heartbeats and results */
	TROUBLE_MS = 1000,
	LEAVE_MS = 1000,
	AWAIT_MS = 10 /* between two looks whether a parcel is to come still */
};

void
spooler_trouble(struct spooler *sp, const char *what, const struct err *e)
{
	int64_t now = clock_mono_ms();

	if (sp->trouble_logged_ms != 0 &&
	    now - sp->trouble_logged_ms < TROUBLE_MS)
		return;
	sp->trouble_logged_ms = now;
	log_warn(NULL, what, LF_ERR(e));
}

bool
spooler_takes(const struct spooler *sp)
{
	return !sp->stopping && !sp->draining && !sp->holding &&
	    lease_is_trusted(sp) && pool_is_up(sp->pool) &&
	    sp->beaten_connects == pool_connects(sp->pool);
}

int
spooler_room(const struct spooler *sp)
{
	return shares_free(sp->shares);
}

/* Claims as long as there are room, connections and work. */
static void
start_claims(struct spooler *sp)
{
	int most = (int)sp->config->spooler_db_connections - CONNECTIONS_KEPT;
	int64_t now = clock_mono_ms();
	struct key *key;
	int rows;

	while (spooler_takes(sp) && sp->claims < most) {
		key = keys_next(sp->keys, now, &rows);
		if (key == NULL)
			return;
		claim_start(sp, key, rows);
	}
}

static void
read_doorbell(struct spooler *sp, int fd)
{
	struct doorbell_heard heard;

	while (doorbell_read(fd, &heard) == 1) {
		if (heard.parcel != NULL) {
			express_arrived(sp, heard.parcel, heard.parcel_bytes);
			continue;
		}
		metrics_add(METRIC_DOORBELL_TOTAL, 0, 1);
		if (QUEUE_LANE(heard.queue) == LANE_HOOKS) {
			hooks_mark(sp->hooks, heard.tenant);
			continue;
		}
		keys_mark(sp->keys, heard.tenant, QUEUE_LANE(heard.queue),
		    QUEUE_PRIO(heard.queue));
	}
}

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int
timeout_ms(const struct spooler *sp)
{
	int64_t now = clock_mono_ms();
	int64_t ms = pool_timeout_ms(sp->pool);
	int settle = settler_timeout_ms(sp->settler);
	int gather = keys_timeout_ms(sp->keys, now);
	int pace = door_timeout_ms(sp);
	int webhooks = webhooks_timeout_ms(sp->webhooks);

	if (pool_is_up(sp->pool) && !sp->stopping) {
		ms = least(ms, sp->next_heartbeat_ms - now);
		ms = least(ms, sp->next_poll_ms - now);
		if (!sp->promote_running)
			ms = least(ms, sp->next_promote_ms - now);
	}
	if (settle >= 0)
		ms = least(ms, settle);
	if (gather >= 0)
		ms = least(ms, gather);
	if (pace >= 0)
		ms = least(ms, pace);
	if (webhooks >= 0)
		ms = least(ms, webhooks);
	if (sp->stopping && express_awaits(sp))
		ms = least(ms, AWAIT_MS);
	ms = least(ms, 250);
	return ms > 0 ? (int)ms : 0;
}

/* Sleeps until something happens, and lets it happen. */
static void
wait(struct spooler *sp, int doorbell)
{
	struct curl_waitfd fds[FDS_MAX];
	struct pollfd db[FDS_MAX];
	int i, n, count = 0;

	fds[count++] = (struct curl_waitfd){ .fd = worker_signal_fd(),
		.events = CURL_WAIT_POLLIN };
	fds[count++] = (struct curl_waitfd){ .fd = doorbell,
		.events = CURL_WAIT_POLLIN };
	n = pool_fds(sp->pool, db, FDS_MAX - count);
	for (i = 0; i < n; i++)
		fds[count++] = (struct curl_waitfd){
			.fd = db[i].fd,
			.events = (short)(
			    ((db[i].events & POLLIN) ? CURL_WAIT_POLLIN : 0) |
			    ((db[i].events & POLLOUT) ? CURL_WAIT_POLLOUT : 0)),
		};
	transfers_poll(sp->transfers, fds, (unsigned)count, timeout_ms(sp));
	if (fds[0].revents != 0)
		worker_signal_read();
	if (fds[1].revents != 0)
		read_doorbell(sp, doorbell);
}

static bool
is_done(const struct spooler *sp, int64_t stop_ms)
{
	if (!sp->stopping)
		return false;
	if (sp->in_flight == 0 && sp->claims == 0 &&
	    settler_is_empty(sp->settler) && webhooks_is_idle(sp->webhooks) &&
	    !express_awaits(sp))
		return true;
	return clock_mono_ms() - stop_ms > sp->config->spooler_drain_timeout;
}

static void
loop(struct spooler *sp, int doorbell)
{
	int64_t stop_ms = 0;

	while (!is_done(sp, stop_ms)) {
		if (worker_stopping() && !sp->stopping) {
			sp->stopping = true;
			stop_ms = clock_mono_ms();
		}
		pool_service(sp->pool);
		lease_service(sp);
		if (!sp->stopping)
			house_service(sp);
		if (!sp->stopping)
			hooks_service(sp->hooks);
		start_claims(sp);
		users_service(sp->users);
		webhooks_service(sp->webhooks);
		if (sp->stopping)
			transfers_abort_unsent(sp->transfers);
		settler_service(sp->settler, sp->stopping);
		door_service(sp);
		express_service(sp);
		wait(sp, doorbell);
	}
}

/* Lets go of what is on the wire still, and says good-bye; waits for the database a
 * moment only. */
static void
leave(struct spooler *sp)
{
	int64_t until_ms = clock_mono_ms() + LEAVE_MS;
	struct curl_waitfd none[1];
	bool said = false;

	if (sp->in_flight > 0)
		log_warn(NULL, "stopped with deliveries on the wire",
		    LF_INT("in_flight", sp->in_flight));
	transfers_abort_all(sp->transfers);
	while (clock_mono_ms() < until_ms) {
		pool_service(sp->pool);
		settler_service(sp->settler, true);
		webhooks_service(sp->webhooks);
		if (!said && sp->claims == 0 && settler_is_empty(sp->settler) &&
		    webhooks_is_idle(sp->webhooks)) {
			lease_leave(sp);
			said = true;
		}
		if (said && pool_jobs(sp->pool) == 0)
			return;
		transfers_poll(sp->transfers, none, 0, 5);
	}
}

static void
woken(void *arg)
{
	lease_check(arg);
}

static int
set_up(struct spooler *sp, int slot, int *doorbell_r, struct err *e)
{
	const struct config *config = sp->config;
	struct db_params params = db_params_from(config,
	    config->database_spooler_user, "belfry-spooler");
	struct transfers_params transfers = {
		.max_in_flight = (size_t)(config->spooler_transfers_max +
		    config->webhook_transfers_max),
		.connections_per_host =
		    (size_t)config->spooler_connections_per_host,
		.allowed = config->network_allowed,
		.allowed_platform = config->network_allowed_platform,
		.woken = woken,
		.arg = sp,
	};
	struct shares_params shares = {
		.slots = (int)config->spooler_transfers_max,
		.percent = (int)config->spooler_tenant_share,
		.batch = (int)config->spooler_claim_batch,
	};
	struct users_params users = { .try_every_ms = config->breaker_probe,
		.secrets = config->secrets_directory };
	struct tokens_params tokens = { .transfers = NULL };
	struct keyring *ring;
	int i;

	if (keyring_load(sp->a, config->keys_directory, &ring, e) == -1 ||
	    transfers_new(sp->a, &transfers, &sp->transfers, e) == -1)
		return -1;
	sp->packs = packs_new(sp);
	if (cache_new(sp->a, config, &users.cache, e) == -1)
		return -1;
	tokens.transfers = users.transfers = sp->transfers;
	tokens.ring = users.ring = ring;
	tokens.cache = users.cache;
	users.tokens = sp->tokens = tokens_new(sp->a, &tokens);
	sp->users = users_new(sp->a, &users);
	sp->limits = rate_limiter_new(sp->a, users.cache,
	    config->spooler_processes);
	*doorbell_r = doorbell_open(config->spooler_doorbell, slot, e);
	if (*doorbell_r == -1)
		return -1;
	params.answer_timeout_ms = config->spooler_db_answer_timeout;
	provider_configure(config);
	suppression_configure(ring);
	sp->pool = pool_new(sp->a, &params, (int)config->spooler_db_connections);
	sp->book = book_new(sp->a, ring, (size_t)config->cache_entries);
	sp->shares = shares_new(sp->a, &shares);
	sp->keys = keys_new(sp->a, sp->shares);
	sp->tally = tally_new(sp->a);
	sp->health = health_new(sp->a, config->retry_recovery);
	for (i = CHANNEL_NONE + 1; i < CHANNEL_COUNT; i++)
		sp->policies[i] = retry_policy_from(config, (enum channel)i);
	door_new(sp);
	sp->settler = settler_new(sp);
	sp->holders = holders_new(sp);
	sp->later = later_new(sp);
	sp->hooks = hooks_new(sp);
	sp->webhooks = webhooks_new(sp, ring);
	sp->poll_interval_ms = config->spooler_poll_min;
	sp->poll_all = true;
	return express_new(sp, slot, e);
}

int
spooler_run(const struct config *config, int slot)
{
	struct arena *a = arena_new(CHUNK_BYTES);
	struct spooler *sp = arena_object(a, struct spooler);
	int doorbell;
	struct err e;

	sp->a = a;
	sp->config = config;
	sp->id = uuid_make();
	sp->slot = slot;
	if (set_up(sp, slot, &doorbell, &e) == -1) {
		log_error(NULL, "spooler cannot start", LF_ERR(&e));
		arena_free(&a);
		return 1;
	}
	crash_watch(config->process_run_directory, &sp->id);
	log_info(NULL, "spooler started", LF_INT("slot", slot));
	loop(sp, doorbell);
	leave(sp);
	log_info(NULL, "spooler ended", LF_INT("slot", slot));
	close(doorbell);
	arena_free(&a);
	return 0;
}
