/*
 * choice.c - words that must be one of several, and what was meant instead
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "ctl/choice.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "ctl/ctl.h"
#include "web/field_form.h"

enum { WORDS_BYTES = 4096, WORDS_SHOWN = 160 };

void
guess_try(struct guess *g, const char *word, const char *like)
{
	unsigned distance = form_distance(word, like, 2);

	if (distance < g->least && distance < strlen(like)) {
		g->least = distance;
		g->best = like;
	}
}

int
choice_refuse(struct arena *a, const char *what, const char *word,
    const char *const *words, struct err *e)
{
	struct buf *all = buf_new(a, WORDS_BYTES);
	struct guess g = GUESS_NONE;
	size_t i;

	for (i = 0; words[i] != NULL; i++) {
		guess_try(&g, word, words[i]);
		if (all->len < WORDS_SHOWN)
			buf_printf(all, "%s%s", i > 0 ? ", " : "", words[i]);
		else if (words[i + 1] == NULL)
			buf_puts(all, " and others");
	}
	if (g.best != NULL)
		return err_set(e, ERR_INVALID,
		    "there is no %s \"%.60s\": did you mean \"%s\"?", what,
		    word, g.best);
	return err_set(e, ERR_INVALID,
	    "there is no %s \"%.40s\", but %s", what, word, all->data);
}

int
choice_yes_no(const struct ctl *c, const char *option, bool *yes_r,
    struct err *e)
{
	const char *text = ctl_value(c, option);

	if (text == NULL)
		return 0;
	if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
		return err_set(e, ERR_INVALID,
		    "--%s takes yes or no, not \"%.40s\"", option, text);
	*yes_r = text[0] == 'y';
	return 0;
}
