/*
 * config_issuer.h - the [issuer NAME] sections of the configuration
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * There is one for each issuer of access tokens.  Their keys stand in
 * config_issuer.def; config.c reads the file and hands their lines over.
 */
#ifndef BELFRY_BASE_CONFIG_ISSUER_H
#define BELFRY_BASE_CONFIG_ISSUER_H

#include <stdbool.h>
#include <stddef.h>

struct arena;
struct buf;
struct config;
struct config_key;

struct config_issuer {
	const char *name; /* of the section: a slug */
#define X(name, type, def, help) const char *name;
#include "base/config_issuer.def"
#undef X
};

/* The table; *count_r is its length. */
const struct config_key *config_issuer_keys(size_t *count_r);

/* The reader.  It belongs to config.c. */
struct config_issuers;
struct config_issuers *config_issuers_new(struct arena *a, const char *path,
    struct buf *faults);

/* A line "[...]" has come; "section" is what stands between the brackets. */
void config_issuers_open(struct config_issuers *s, const char *section,
    size_t len, int line);

/* A key has come.  False when the section is none of an issuer. */
bool config_issuers_set(struct config_issuers *s, const char *section,
    const char *name, const char *value, int line);

/* Looks at each as a whole and puts them into the configuration. */
void config_issuers_finish(struct config_issuers *s, struct config *config);

/* Writes a section that is not at its defaults; "all": every key. */
void config_issuer_dump(const struct config_issuer *issuer, bool all,
    struct buf *out);

#endif
