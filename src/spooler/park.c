/*
 * park.c - notifications wait for recipients whom a tenant's own service knows
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "base/arena.h"
#include "base/clock.h"
#include "notify/book.h"
#include "notify/route.h"
#include "spooler/claim.h"
#include "spooler/keys.h"
#include "spooler/spooler.h"
#include "spooler/users.h"

/* Who of its recipients is not stored is asked for at the tenant's service.  False when
 * somebody is not known yet: then the notification waits for *wait_ms_r. */
static bool
ask_for_users(struct claim *c, const struct notification *n, json_t *users,
    int64_t *wait_ms_r)
{
	json_t *strangers = route_strangers(c->job.a, n, c->recipients), *id;
	json_t *user;
	bool all = true;
	int64_t ms;
	size_t i;

	*wait_ms_r = 0;
	json_array_foreach(strangers, i, id)
	{
		if (users_ask(c->spooler->users, c->page,
		        json_string_value(id), &user, &ms) == 1) {
			if (user != NULL)
				json_object_set(users, json_string_value(id),
				    user);
			continue;
		}
		all = false;
		if (ms > *wait_ms_r)
			*wait_ms_r = ms;
	}
	return all;
}

/* Past this nobody is waited for any more. */
static bool
is_late(const struct claim *c, const struct notification *n, int64_t now_ms)
{
	return now_ms - n->created_ms >=
	    c->spooler->policies[CHANNEL_EMAIL].give_up_after_ms ||
	    (n->expires_ms != 0 && n->expires_ms <= now_ms);
}

bool
claim_parks(struct claim *c, struct notification *n, json_t *users)
{
	int64_t now_ms = clock_agreed_ms(), wait_ms;

	if (c->page->users == NULL || n->user_ids == NULL ||
	    n->corrupt != NULL || ask_for_users(c, n, users, &wait_ms) ||
	    is_late(c, n, now_ms))
		return false;
	c->returned[c->returned_count++] = (struct delivery){
		.notification = n,
		.id = { n->id.u },
		.channel = (enum channel)LANE_ROUTE,
		.prio = c->key->prio,
		.lease_no = 1,
		.ready_ms = now_ms,
		.put_off_ms = wait_ms,
	};
	return true;
}
