/*
 * renew.h - the configuration read again while a program runs
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_BASE_RENEW_H
#define BELFRY_BASE_RENEW_H

struct arena;
struct config;

/* Reads "path" into "a".  Keys that need a restart keep the value they have in
 * "old", and a line of the log names each that was changed.  Returns NULL when the
 * file has faults; each is a line of the log. */
struct config *renew_config(struct arena *a, const char *path,
    const struct config *old);

/* Has the log follow its keys from one configuration to another. */
void renew_log(const char *program, const struct config *from,
    const struct config *to);

#endif
