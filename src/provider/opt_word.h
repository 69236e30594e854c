/*
 * opt_word.h - what people answer when they want no more messages, or some again
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_PROVIDER_OPT_WORD_H
#define BELFRY_PROVIDER_OPT_WORD_H

#include <stdbool.h>

#include "provider/hook.h"

struct opt_word {
	const char *word;
	enum hook_what what; /* HOOK_OPT_OUT or HOOK_OPT_IN */
	bool clear; /* it says nothing else where people talk, or press buttons */
};

/* The word that a text consists of, in any case and with blanks around it; NULL when it
 * is talk. */
const struct opt_word *opt_word_of(const char *text);

#endif
