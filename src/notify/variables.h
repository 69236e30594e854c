/*
 * variables.h - whether the data that a template needs are there
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_NOTIFY_VARIABLES_H
#define BELFRY_NOTIFY_VARIABLES_H

struct accept_params;
struct arena;
struct field_errors;

/* Adds a fault for each required variable that somebody would be without, and for each
 * value that has another type than was declared.  What a recipient has goes before what
 * the notification has, name by name, as it does when it is rendered. */
void variables_check(struct arena *a, const struct accept_params *p,
    struct field_errors *fe);

#endif
