/*
 * help.c - help on commands and options
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "ctl/help.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/grammar.h"
#include "ctl/out.h"

enum { HELP_BYTES_MAX = 1 << 20, LINE = 79, OPTION = 28, ROOM_MIN = 30 };

/* "template pull KEY DIR" */
static size_t
synopsis(const struct ctl_command *c, struct buf *out)
{
	size_t start = out->len;

	buf_puts(out, c->words);
	if (c->arguments[0] != '\0')
		buf_printf(out, " %s", c->arguments);
	return out->len - start;
}

static void
pad(struct buf *out, size_t have, size_t want)
{
	buf_printf(out, "%*s", (int)(have < want ? want - have : 1), "");
}

/* A text that goes on below itself; the line has "indent" characters already. */
static void
put_wrapped(struct buf *out, size_t indent, const char *text)
{
	size_t room = indent + ROOM_MIN < LINE ? LINE - indent : ROOM_MIN, n;

	while (strlen(text) > room) {
		for (n = room; n > 0 && text[n] != ' '; n--)
			continue;
		if (n == 0)
			n = strcspn(text, " ");
		if (text[n] == '\0')
			break;
		buf_printf(out, "%.*s\n%*s", (int)n, text, (int)indent, "");
		text += n + 1;
	}
	buf_printf(out, "%s\n", text);
}

static size_t
widest_synopsis(const struct grammar *g, const char *words)
{
	const struct ctl_command *c;
	size_t n, widest = 0;

	for (c = g->commands; c->words != NULL; c++) {
		n = strlen(c->words) + strlen(c->arguments) + 1;
		if (grammar_begins(c, words) && n > widest)
			widest = n;
	}
	return widest;
}

/* The options, aligned: "  -c, --config FILE   help". */
static void
write_options(const struct ctl_option *o, struct buf *out)
{
	size_t start;

	for (; o != NULL && o->name != NULL; o++) {
		start = out->len;
		if (o->letter != 0)
			buf_printf(out, "  -%c, --%s", o->letter, o->name);
		else
			buf_printf(out, "      --%s", o->name);
		if (o->value != NULL)
			buf_printf(out, " %s", o->value);
		pad(out, out->len - start, OPTION);
		put_wrapped(out, out->len - start > OPTION ?
		    out->len - start : OPTION, o->help);
	}
}

void
help_overview(const struct grammar *g, const char *words, struct buf *out)
{
	const struct ctl_command *c;
	size_t widest = widest_synopsis(g, words) + 2, n;

	buf_puts(out, "usage: belfryctl [OPTION]... COMMAND [ARGUMENT]...\n\n");
	for (c = g->commands; c->words != NULL; c++) {
		if (!grammar_begins(c, words))
			continue;
		buf_puts(out, "  ");
		n = synopsis(c, out);
		pad(out, n, widest);
		put_wrapped(out, widest + 2, c->help);
	}
	buf_puts(out, "\nOptions of every command:\n");
	write_options(g->options, out);
	buf_puts(out, "\n\"belfryctl help COMMAND\" tells more; so does "
	    "belfryctl(8).\n");
}

static void
write_aliases(const struct grammar *g, const struct ctl_command *c,
    struct buf *out)
{
	const struct ctl_alias *alias = g->aliases;

	for (; alias != NULL && alias->words != NULL; alias++)
		if (strcmp(alias->means, c->words) == 0)
			buf_printf(out, "\n\"%s\" does the same.\n",
			    alias->words);
}

void
help_command(const struct grammar *g, const struct ctl_command *c,
    struct buf *out)
{
	buf_puts(out, "usage: belfryctl ");
	synopsis(c, out);
	buf_printf(out, "%s\n\n%s.\n", c->options != NULL ? " [OPTION]..." : "",
	    c->help);
	write_aliases(g, c, out);
	if (c->options != NULL) {
		buf_puts(out, "\nOptions:\n");
		write_options(c->options, out);
	}
	buf_puts(out, "\nOptions of every command:\n");
	write_options(g->options, out);
}

/* The arguments, joined by blanks. */
static const char *
join(const struct ctl *c)
{
	struct buf *words = buf_new(c->a, HELP_BYTES_MAX);
	size_t i;

	for (i = 0; i < c->line->arguments_count; i++)
		buf_printf(words, "%s%s", i > 0 ? " " : "",
		    c->line->arguments[i]);
	return words->data;
}

static int
help_on(const struct ctl *c, const char *words, struct buf *out, struct err *e)
{
	const struct ctl_command *command, *only = NULL;
	const char *like;
	int count = 0;

	words = grammar_means(c->grammar, words);
	for (command = c->grammar->commands; command->words != NULL; command++)
		if (grammar_begins(command, words)) {
			only = command;
			count++;
		}
	like = count == 0 ? grammar_guess(c->a, c->grammar, words) : NULL;
	if (count == 0)
		return err_set(e, ERR_INVALID, "there is no command \"%.60s\"%s%s%s",
		    words, like != NULL ? ": did you mean \"" : "",
		    like != NULL ? like : "", like != NULL ? "\"?" : "");
	if (count == 1)
		help_command(c->grammar, only, out);
	else
		help_overview(c->grammar, words, out);
	return 0;
}

int
command_help(struct ctl *c, struct err *e)
{
	struct buf *out = buf_new(c->a, HELP_BYTES_MAX);

	if (ctl_has(c, "mdoc"))
		manual_write(c->grammar, out);
	else if (help_on(c, join(c), out, e) == -1)
		return -1;
	out_raw(out->data, out->len);
	return 0;
}
