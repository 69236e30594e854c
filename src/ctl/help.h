/*
 * help.h - help and the manual page, from the table of commands
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_CTL_HELP_H
#define BELFRY_CTL_HELP_H

struct buf;
struct ctl_command;
struct grammar;

/* Adds an overview of the commands that begin with "words" ("": all of
 * them). */
void help_overview(const struct grammar *g, const char *words, struct buf *out);

/* Adds what there is to know of one command. */
void help_command(const struct grammar *g, const struct ctl_command *command,
    struct buf *out);

/* Adds belfryctl(8) in mdoc. */
void manual_write(const struct grammar *g, struct buf *out);

#endif
