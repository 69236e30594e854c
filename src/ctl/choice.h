/*
 * choice.h - words that must be one of several, and what was meant instead
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_CTL_CHOICE_H
#define BELFRY_CTL_CHOICE_H

#include <stdbool.h>

struct arena;
struct ctl;
struct err;

/* What a word was probably meant to be: begin with { NULL, 3 } and try all that there
 * are. */
struct guess {
	const char *best; /* NULL: nothing comes near */
	unsigned least;
};
#define GUESS_NONE ((struct guess){ NULL, 3 })
void guess_try(struct guess *g, const char *word, const char *like);

/* "there is no WHAT "WORD": did you mean "x"?", or with all that there are; the list
 * ends in NULL.  Returns -1 with ERR_INVALID. */
int choice_refuse(struct arena *a, const char *what, const char *word,
    const char *const *words, struct err *e);

/* Reads an option that says yes or no; *yes_r stays as it is when it is absent.  -1 with
 * ERR_INVALID. */
int choice_yes_no(const struct ctl *c, const char *option, bool *yes_r,
    struct err *e);

#endif
