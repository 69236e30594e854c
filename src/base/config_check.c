/*
 * config_check.c - keys of the configuration that must fit each other
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "base/config_check.h"

#include "base/compiler.h"
#include "base/config.h"

static bool
polls_in_order(const struct config *c)
{
	return c->spooler_poll_min <= c->spooler_poll_max;
}

static bool
death_after_two_beats(const struct config *c)
{
	return c->spooler_dead_after >= 2 * c->spooler_heartbeat_interval;
}

static bool
delays_in_order(const struct config *c)
{
	return c->retry_delay_first <= c->retry_delay_max;
}

static const struct config_check checks[] = {
	{ offsetof(struct config, spooler_poll_min),
	    offsetof(struct config, spooler_poll_max), polls_in_order,
	    "poll_min is longer than poll_max; make it at most as long" },
	{ offsetof(struct config, spooler_dead_after),
	    offsetof(struct config, spooler_heartbeat_interval),
	    death_after_two_beats,
	    "dead_after is shorter than two heartbeat_intervals, so spoolers "
	    "that live would lose their work; make it at least twice as long" },
	{ offsetof(struct config, retry_delay_first),
	    offsetof(struct config, retry_delay_max), delays_in_order,
	    "delay_first is longer than delay_max; make it at most as long" },
};

const struct config_check *
config_checks(size_t *count_r)
{
	*count_r = NELEMS(checks);
	return checks;
}
