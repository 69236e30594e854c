/*
 * state.c - the states of notifications and deliveries
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "notify/state.h"

#include "base/ensure.h"

static const char *const notification_names[] = {
#define NOTIFICATION_STATE(number, NAME, name) [number] = name,
#include "notify/state.def"
};

static const struct {
	const char *name;
	bool final;
} delivery_states[] = {
#define DELIVERY_STATE(number, NAME, name, final) [number] = { name, final },
#include "notify/state.def"
};

static const bool
    notification_moves[NOTIFICATION_STATE_COUNT][NOTIFICATION_STATE_COUNT] = {
#define NOTIFICATION_MOVE(from, to) [NOTIFICATION_##from][NOTIFICATION_##to] = true,
#include "notify/state.def"
    };

static const bool delivery_moves[DELIVERY_STATE_COUNT][DELIVERY_STATE_COUNT] = {
#define DELIVERY_MOVE(from, to) [DELIVERY_##from][DELIVERY_##to] = true,
#include "notify/state.def"
};

const char *
notification_state_name(int state)
{
	ensure(state > 0 && state < NOTIFICATION_STATE_COUNT);
	return notification_names[state];
}

const char *
delivery_state_name(int state)
{
	ensure(state > 0 && state < DELIVERY_STATE_COUNT);
	return delivery_states[state].name;
}

bool
delivery_state_is_final(int state)
{
	ensure(state > 0 && state < DELIVERY_STATE_COUNT);
	return delivery_states[state].final;
}

bool
notification_move_is_legal(int from, int to)
{
	return from > 0 && from < NOTIFICATION_STATE_COUNT && to > 0 &&
	    to < NOTIFICATION_STATE_COUNT && notification_moves[from][to];
}

bool
delivery_move_is_legal(int from, int to)
{
	return from > 0 && from < DELIVERY_STATE_COUNT && to > 0 &&
	    to < DELIVERY_STATE_COUNT && delivery_moves[from][to];
}

void
delivery_move(enum delivery_state *state, enum delivery_state to)
{
	if (!delivery_move_is_legal((int)*state, (int)to))
		panic("illegal move of a delivery from state %d to %d",
		    (int)*state, (int)to);
	*state = to;
}
