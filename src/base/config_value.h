/*
 * config_value.h - one value of the configuration as text
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_BASE_CONFIG_VALUE_H
#define BELFRY_BASE_CONFIG_VALUE_H

#include <stdbool.h>

#include "base/compiler.h"

struct arena;
struct buf;
struct config;
struct config_key;
struct err;

/* Reads "text" into the key's field of "record", the struct config or the struct
 * config_issuer of its table; texts are copied into "a".  Returns 0, or -1 with e->text
 * "what is wrong; the mend". */
int config_value_parse(struct arena *a, const struct config_key *k,
    const char *text, void *record, struct err *e) MUST_CHECK;

/* The field of a key whose type is text. */
const char *config_value_text(const struct config_key *k, const void *record);

/* Writes the field as config_value_parse() reads it. */
void config_value_format(const struct config_key *k,
    const struct config *config, struct buf *out);

/* Writes what the key takes, as a sentence: "A number from 1 to 1024."  Nothing
 * where the help says it already. */
void config_value_describe(const struct config_key *k, struct buf *out);

/* Is the field the same in both? */
bool config_value_equal(const struct config_key *k, const struct config *a,
    const struct config *b);

/* Copies the field, texts into "a". */
void config_value_copy(struct arena *a, const struct config_key *k,
    struct config *to, const struct config *from);

#endif
