/*
 * config.h - the configuration: one table, one struct
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * config.def names every key with its section, type, default, range, reload rule
 * and help.  From it come the fields of struct config, the parser, the defaults,
 * belfryctl config, belfry.conf(5) and conf/belfry.conf.  A key [section] name is
 * the field section_name; the environment variable BELFRY_SECTION_NAME overrides
 * it.  Durations are milliseconds in the struct ("5s", "2m", "250ms" in the
 * file), sizes are bytes ("64k", "1m").
 */
#ifndef BELFRY_BASE_CONFIG_H
#define BELFRY_BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct arena;
struct buf;
struct config_issuer;
struct err;

#define CONFIG_FIELD_TEXT const char *
#define CONFIG_FIELD_PATH const char *
#define CONFIG_FIELD_LISTEN const char *
#define CONFIG_FIELD_MODE const char *
#define CONFIG_FIELD_PREFIX const char *
#define CONFIG_FIELD_LOGTARGET const char *
#define CONFIG_FIELD_LOGLEVEL const char *
#define CONFIG_FIELD_UNKNOWN const char *
#define CONFIG_FIELD_NETWORKS const char *
#define CONFIG_FIELD_PORTS const char *
#define CONFIG_FIELD_DURATIONS const char *
#define CONFIG_FIELD_OVERRIDES const char *
#define CONFIG_FIELD_INT int64_t
#define CONFIG_FIELD_DURATION int64_t
#define CONFIG_FIELD_SIZE int64_t
#define CONFIG_FIELD_BOOL bool

struct config {
#define X(section, name, type, def, min, max, reload, help)                    \
	CONFIG_FIELD_##type section##_##name;
#include "base/config.def"
#undef X
	/* The [issuer NAME] sections (base/config_issuer.h). */
	const struct config_issuer *issuers;
	size_t issuers_count;
};

/* The types up to CONFIG_OVERRIDES are text in the struct. */
enum config_type {
	CONFIG_TEXT, /* anything without control characters */
	CONFIG_PATH, /* an absolute path */
	CONFIG_LISTEN, /* what listen_open() takes */
	CONFIG_MODE, /* permissions in octal */
	CONFIG_PREFIX, /* empty, or /path without a slash at its end */
	CONFIG_LOGTARGET, /* stderr, syslog or an absolute path */
	CONFIG_LOGLEVEL, /* debug, info, warn or error */
	CONFIG_UNKNOWN, /* resend or hold */
	CONFIG_NETWORKS, /* what network_list_parse() takes */
	CONFIG_PORTS, /* what config_ports() takes */
	CONFIG_DURATIONS, /* what config_durations() takes */
	CONFIG_OVERRIDES, /* what config_override() takes, of the section retry */
	CONFIG_INT,
	CONFIG_DURATION,
	CONFIG_SIZE,
	CONFIG_BOOL
};

/* When a changed value takes effect. */
enum config_reload { CONFIG_RELOAD, CONFIG_RESTART };

/* One row of the table. */
struct config_key {
	const char *section;
	const char *name;
	const char *def; /* the default as it is written in the file */
	const char *help;
	int64_t min, max; /* numbers only, in the unit of the struct */
	size_t offset; /* in struct config */
	enum config_type type;
	enum config_reload reload;
};

/* The table; *count_r is its length.  The keys of a section stand together. */
const struct config_key *config_keys(size_t *count_r);

/* Reads "path" (NULL: defaults and environment alone) into *config_r, which lives
 * in "a".  Every fault is found, not only the first: each is a line
 * "file:line: section.key: what is wrong; the mend" in "faults" (NULL: not wanted);
 * for a variable "file:line" is "environment:NAME".  Returns 0, or -1 with *e set to
 * the first of them.  Environment variables that name no key are not looked at. */
int config_load(struct arena *a, const char *path, struct config **config_r,
    struct buf *faults, struct err *e) MUST_CHECK;

/* Copies a configuration with other values for keys of one section: "text" is NAME=VALUE
 * separated by blanks.  0, or -1 with *e. */
int config_override(struct arena *a, const struct config *config,
    const char *section, const char *text, struct config *config_r,
    struct err *e) MUST_CHECK;

/* Writes the commented sample file ("config" may be NULL), or only the keys that
 * are not at their default, or everything as it is in force. */
enum config_dump { CONFIG_DUMP_SAMPLE, CONFIG_DUMP_CHANGED, CONFIG_DUMP_ALL };
void config_dump(const struct config *config, enum config_dump what,
    struct buf *out);

#endif
