/*
 * data_path.h - "order.id", "items[].name": places in the data of a template
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Variables are declared, and what templates use is told, in this notation: names with
 * dots between them, "[]" after the name of a list for each of its entries.
 */
#ifndef BELFRY_MODEL_DATA_PATH_H
#define BELFRY_MODEL_DATA_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/compiler.h"

struct arena;

enum { DATA_PATH_DEPTH_MAX = 16, DATA_PATH_BYTES_MAX = 200 };

/* Names that are not empty, none of them with brackets but for "[]" at its end. */
bool data_path_is_valid(const char *path);

/* The length of the first name. */
size_t data_path_root(const char *path);

/* True when they are the same, or one leads to a place within the other's:
 * "order" and "order.id", "items" and "items[].name". */
bool data_path_overlaps(const char *a, const char *b);

/* Calls fn for each place that the path leads to in "data" (NULL: nothing is there), with
 * its JSON pointer, which begins with "pointer", and its value: NULL when it is
 * not there or null.  A list without entries has no such places. */
void data_path_visit(struct arena *a, const json_t *data, const char *path,
    const char *pointer,
    void (*fn)(void *arg, const char *pointer, const json_t *value), void *arg);

/* True when the path leads somewhere and every place of it has a value. */
bool data_path_given(struct arena *a, const json_t *data, const char *path);

#endif
