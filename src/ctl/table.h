/*
 * table.h - rows with aligned columns
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Numbers stand on the right of their column.  What is wider than the terminal is made to
 * fit: columns without a value are left out, the last one goes on below itself, of names
 * the middle is missing, and when all that is not enough a line is broken between
 * columns.  Into a file or a pipe everything is written in full.
 */
#ifndef BELFRY_CTL_TABLE_H
#define BELFRY_CTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

struct arena;
struct out_column;

/* Prints an array of objects that is not empty. */
void table_print(struct arena *a, json_t *rows,
    const struct out_column *columns);

/* The size of the terminal that standard output is; false when it is none. */
bool table_terminal(size_t *columns_r, size_t *lines_r);

#endif
