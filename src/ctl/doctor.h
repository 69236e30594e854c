/*
 * doctor.h - the checks of belfryctl doctor
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_CTL_DOCTOR_H
#define BELFRY_CTL_DOCTOR_H

#include <stdbool.h>

#include <jansson.h>

#include "base/compiler.h"

struct ctl;
struct db;

struct doctor {
	struct ctl *c;
	const char *check; /* the name of the check under way */
	json_t *rows; /* findings so far */
	bool failed;
	struct db *owner; /* connections; NULL: could not connect */
	struct db *api;
	struct db *spooler;
};

/* A finding of the check under way: it is right; it could be better, or
 * works less well than it should; it is wrong.  "mend" says what to do. */
void doctor_ok(struct doctor *d, const char *fmt, ...) PRINTF_LIKE(2, 3);
void doctor_warn(struct doctor *d, const char *mend, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
void doctor_fail(struct doctor *d, const char *mend, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* Checks of the database (doctor_database.c), in this order. */
void doctor_database(struct doctor *d);
void doctor_roles(struct doctor *d);
void doctor_schema(struct doctor *d);
void doctor_sessions(struct doctor *d);
void doctor_durability(struct doctor *d);
void doctor_clock(struct doctor *d);
void doctor_partitions(struct doctor *d);
void doctor_spoolers(struct doctor *d);
void doctor_hold(struct doctor *d);

/* What each tenant needs (doctor_tenants.c). */
void doctor_settings(struct doctor *d);
void doctor_providers(struct doctor *d);
void doctor_user_services(struct doctor *d);

#endif
