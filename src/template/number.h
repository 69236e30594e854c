/*
 * number.h - numbers as JavaScript writes and reads them
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_TEMPLATE_NUMBER_H
#define BELFRY_TEMPLATE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes that the text of a number needs at most. */
enum { NUMBER_TEXT_BYTES = 32 };

/* Writes the shortest digits that stand for this number: 1, 0.5, 1e+21, NaN.
 * Independent of the locale.  Returns the bytes written, without a NUL. */
size_t number_write(double number, char room[NUMBER_TEXT_BYTES]);
size_t number_write_integer(long long number, char room[NUMBER_TEXT_BYTES]);

/* What a literal says: digits with at most one sign and one point. */
double number_read(const char *text, size_t len);

/* A text from outside: a sign, digits with at most one point, an exponent, white
 * space around.  False when it is anything else. */
bool number_parse(const char *text, size_t len, double *number_r);

#endif
