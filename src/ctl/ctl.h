/*
 * ctl.h - what a command of belfryctl works with
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_CTL_CTL_H
#define BELFRY_CTL_CTL_H

#include <stdbool.h>

#include "base/compiler.h"
#include "ctl/grammar.h"
#include "model/edit.h"

struct arena;
struct config;
struct db;
struct db_params;
struct err;
struct field_errors;
struct keyring;
struct tenant;

enum ctl_exit {
#define X(status, NAME, text) CTL_EXIT_##NAME = (status),
#include "ctl/exit.def"
#undef X
};

struct ctl {
	struct arena *a; /* lives as long as the command */
	const struct grammar *grammar;
	const struct invocation *line;
	bool json; /* --json */
	const char *config_path; /* NULL: there is no file */
	/* As far as the command needs it. */
	struct config *config;
	struct db *db;
	struct tenant *tenant;
	enum ctl_exit status; /* of a command that did not fail */
	json_t *faults; /* in detail: {"place", "text"}; NULL: none */
};

/* The n-th argument, NULL when it was left out. */
const char *ctl_argument(const struct ctl *c, size_t n);
const char *ctl_value(const struct ctl *c, const char *option);
bool ctl_has(const struct ctl *c, const char *option);

/* Refuses a command that changes something without an option of its own that says
 * what. */
int ctl_need_option(const struct ctl *c, struct err *e) MUST_CHECK;

/* Brings what command->need says: sets config, db,
 * tenant.  ctl_open_config() also finds the file: -c, BELFRY_CONF, or
 * belfry.conf in the system's directory. */
int ctl_prepare(struct ctl *c, enum ctl_need need, struct err *e) MUST_CHECK;
int ctl_open_config(struct ctl *c, struct err *e) MUST_CHECK;
int ctl_prepare_database(struct ctl *c, struct err *e) MUST_CHECK;
int ctl_open_tenant(struct ctl *c, struct err *e) MUST_CHECK;

/* How belfryctl connects: as who admin_conninfo says, acting as belfry_owner
 * when "owner". */
struct db_params ctl_db_params(const struct ctl *c, bool owner);

/* Sets *e to "text", and c->faults to what is wrong with fields; returns -1. */
int ctl_refuse(struct ctl *c, const struct field_errors *fe, const char *text,
    struct err *e);

/* An editor for the tenant, and the key ring of the configuration. */
struct editor ctl_editor(const struct ctl *c);
int ctl_keyring(struct ctl *c, struct keyring **ring_r, struct err *e)
    MUST_CHECK;

/* Reads a whole file ("-": standard input) of at most max_bytes; a NUL
 * follows. */
int ctl_read_file(struct arena *a, const char *path, size_t max_bytes,
    char **text_r, size_t *len_r, struct err *e) MUST_CHECK;

/* The exit status that stands for an error. */
enum ctl_exit ctl_exit_of(const struct err *e);

#endif
