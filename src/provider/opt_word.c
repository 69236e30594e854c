/*
 * opt_word.c - what people answer when they want no more messages, or some again
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The words are Twilio's own, which carriers ask for.  WhatsApp has none, but people who
 * talk and buttons of all kinds, where "Yes" and "Cancel" are answers to something else.
 */
#include "provider/opt_word.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/compiler.h"

static const struct opt_word words[] = {
	{ "STOP", HOOK_OPT_OUT, true },
	{ "STOPALL", HOOK_OPT_OUT, true },
	{ "UNSUBSCRIBE", HOOK_OPT_OUT, true },
	{ "CANCEL", HOOK_OPT_OUT, false },
	{ "END", HOOK_OPT_OUT, false },
	{ "QUIT", HOOK_OPT_OUT, false },
	{ "REVOKE", HOOK_OPT_OUT, false },
	{ "OPTOUT", HOOK_OPT_OUT, true },
	{ "START", HOOK_OPT_IN, true },
	{ "YES", HOOK_OPT_IN, false },
	{ "UNSTOP", HOOK_OPT_IN, true },
};

const struct opt_word *
opt_word_of(const char *text)
{
	size_t i, n;

	while (isspace((unsigned char)*text))
		text++;
	n = strlen(text);
	while (n > 0 && isspace((unsigned char)text[n - 1]))
		n--;
	for (i = 0; i < NELEMS(words); i++)
		if (strlen(words[i].word) == n &&
		    strncasecmp(words[i].word, text, n) == 0)
			return &words[i];
	return NULL;
}
