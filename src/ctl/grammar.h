/*
 * grammar.h - the commands as a table, and the line that calls one
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A command is its words ("template push"), its arguments, its options and a
 * function.  From the table come the parser, the help and the manual
 * page.  Options may stand anywhere; "--" ends them.
 */
#ifndef BELFRY_CTL_GRAMMAR_H
#define BELFRY_CTL_GRAMMAR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct arena;
struct ctl;
struct err;

struct ctl_option {
	char letter; /* 0: none */
	const char *name; /* without its dashes; NULL ends a list */
	const char *value; /* what its value is called; NULL: it has none */
	const char *help; /* a sentence */
};

/* How far the way must be clear before the command runs. */
enum ctl_need {
	CTL_NEEDS_NOTHING,
	CTL_NEEDS_CONFIG,
	CTL_NEEDS_DATABASE, /* as belfry_owner, with the schema in place */
	CTL_NEEDS_TENANT /* and one tenant: --tenant, or the only one */
};

struct ctl_command {
	const char *words;
	const char *arguments; /* "KEY [DIR]", "DIR..."; "": none */
	const struct ctl_option *options; /* NULL: none of its own */
	enum ctl_need need;
	int (*run)(struct ctl *c, struct err *e); /* 0, or -1 with *e set */
	const char *help; /* a line with a capital and without a stop */
	const char *text; /* more for the manual, in mdoc; NULL: nothing */
};

/* Other words for a command, which the help tells but does not list. */
struct ctl_alias {
	const char *words;
	const char *means; /* the words of the command */
};

struct grammar {
	const struct ctl_option *options; /* that every command takes */
	const struct ctl_command *commands; /* words NULL ends the list */
	const struct ctl_alias *aliases; /* the same; NULL: there are none */
};

/* A line as it was understood. */
struct invocation {
	const struct ctl_command *command; /* NULL: none was named */
	const char *words; /* of the command, as far as they go; "": none */
	const char **arguments;
	size_t arguments_count;
	struct {
		const struct ctl_option *option;
		const char *value; /* NULL for one without */
	} *options;
	size_t options_count;
};

/* Reads a line without the program's name.  With --help arguments may be
 * missing. Returns 0, or -1 with ERR_INVALID. */
int grammar_parse(struct arena *a, const struct grammar *g, int argc,
    char *const *argv, struct invocation *line_r, struct err *e) MUST_CHECK;

/* The value of an option, the last one when it stands more than once; NULL
 * when it is absent or has no value. */
const char *invocation_value(const struct invocation *line, const char *name);
bool invocation_has(const struct invocation *line, const char *name);

/* The values of an option one after the other; *i starts at 0; NULL at the
 * end. */
const char *invocation_next(const struct invocation *line, const char *name,
    size_t *i);

/* How many arguments "KEY [DIR]", "DIR..." and so on stand for; *max_r -1:
 * any. */
void grammar_count(const char *arguments, int *min_r, int *max_r);

/* What "words" are an alias of, else "words". */
const char *grammar_means(const struct grammar *g, const char *words);

/* The words that "words" were probably meant to be, or NULL. */
const char *grammar_guess(struct arena *a, const struct grammar *g,
    const char *words);

/* Does the command begin with these words ("template", "template push", "")? */
bool grammar_begins(const struct ctl_command *command, const char *words);

#endif
