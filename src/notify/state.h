/*
 * state.h - the states of notifications and deliveries
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_NOTIFY_STATE_H
#define BELFRY_NOTIFY_STATE_H

#include <stdbool.h>

enum notification_state {
#define NOTIFICATION_STATE(number, NAME, name) NOTIFICATION_##NAME = (number),
#include "notify/state.def"
	NOTIFICATION_STATE_COUNT
};

enum delivery_state {
#define DELIVERY_STATE(number, NAME, name, final) DELIVERY_##NAME = (number),
#include "notify/state.def"
	DELIVERY_STATE_COUNT
};

const char *notification_state_name(int state);
const char *delivery_state_name(int state);

/* True when nothing more is to be done for the delivery. */
bool delivery_state_is_final(int state);

bool notification_move_is_legal(int from, int to);
bool delivery_move_is_legal(int from, int to);

/* Moves *state; an illegal move breaks an invariant. */
void delivery_move(enum delivery_state *state, enum delivery_state to);

#endif
