/*
 * queue.h - what waits, and what is done about it
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_CTL_QUEUE_H
#define BELFRY_CTL_QUEUE_H

#include <jansson.h>

#include "base/compiler.h"

struct arena;
struct ctl;
struct err;

/* How rows are put together. */
enum queue_by { QUEUE_BY_BOTH, QUEUE_BY_LANE, QUEUE_BY_TENANT, QUEUE_BY_PROVIDER };

/* Everything that a look into the queue shows; the caller has the references. */
struct queue_look {
	json_t *rows; /* by tenant and lane */
	json_t *providers; /* by account */
	json_t *hold; /* an object; null: there is none */
};

/* 0, or -1 with *e. */
int queue_look(struct ctl *c, struct queue_look *look_r, struct err *e)
    MUST_CHECK;
void queue_look_done(struct queue_look *look);

/* The rows put together, the longest queue first; a new reference.  "a" is for the time
 * of the call. */
json_t *queue_fold(struct arena *a, const struct queue_look *look,
    enum queue_by by);

/* Prints rows of that kind; the reference is taken. */
void queue_print(const struct ctl *c, json_t *rows, enum queue_by by);

/* A line on the hold for people, when there is one. */
void queue_print_hold(const struct ctl *c, const json_t *hold);

#endif
