/*
 * grammar.c - the commands as a table, and the line that calls one
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "ctl/grammar.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ensure.h"
#include "base/err.h"
#include "ctl/choice.h"

struct reader {
	struct arena *a;
	const struct grammar *g;
	struct invocation *line;
	struct buf *words; /* of the command, as far as they were read */
	struct err *e;
	char *const *argv;
	int argc, next;
	bool only_arguments; /* after "--" */
};

void
grammar_count(const char *arguments, int *min_r, int *max_r)
{
	const char *p = arguments;
	size_t n;

	*min_r = *max_r = 0;
	for (; *p != '\0'; p += n + (p[n] == ' ')) {
		n = strcspn(p, " ");
		if (*p != '[')
			++*min_r;
		if (n > 3 && (strncmp(p + n - 3, "...", 3) == 0 ||
		                 strncmp(p + n - 4, "...]", 4) == 0))
			*max_r = -1;
		else if (*max_r != -1)
			++*max_r;
	}
}

bool
grammar_begins(const struct ctl_command *command, const char *words)
{
	size_t n = strlen(words);

	return n == 0 || (strncmp(command->words, words, n) == 0 &&
	    (command->words[n] == '\0' || command->words[n] == ' '));
}

const char *
grammar_means(const struct grammar *g, const char *words)
{
	const struct ctl_alias *alias = g->aliases;

	for (; alias != NULL && alias->words != NULL; alias++)
		if (strcmp(alias->words, words) == 0)
			return alias->means;
	return words;
}

static const struct ctl_command *
find_command(const struct grammar *g, const char *words)
{
	const struct ctl_command *c;

	words = grammar_means(g, words);
	for (c = g->commands; c->words != NULL; c++)
		if (strcmp(c->words, words) == 0)
			return c;
	return NULL;
}

static bool
is_group(const struct grammar *g, const char *words)
{
	const struct ctl_command *c;

	for (c = g->commands; c->words != NULL; c++)
		if (grammar_begins(c, words))
			return true;
	return false;
}

/* As many words of the command as "words" has. */
static const char *
beginning(struct arena *a, const char *command, const char *words)
{
	const char *end = command + strcspn(command, " ");

	for (; *words != '\0' && *end != '\0'; words++)
		if (*words == ' ')
			end += 1 + strcspn(end + 1, " ");
	return arena_strndup(a, command, (size_t)(end - command));
}

const char *
grammar_guess(struct arena *a, const struct grammar *g, const char *words)
{
	const struct ctl_alias *alias = g->aliases;
	const struct ctl_command *c;
	struct guess guess = GUESS_NONE;

	for (c = g->commands; c->words != NULL; c++)
		guess_try(&guess, words, beginning(a, c->words, words));
	for (; alias != NULL && alias->words != NULL; alias++)
		guess_try(&guess, words, beginning(a, alias->words, words));
	return guess.best;
}

static const char *
guess_option(const struct reader *r, const char *name)
{
	const struct ctl_option *o;
	struct guess guess = GUESS_NONE;

	for (o = r->g->options; o->name != NULL; o++)
		guess_try(&guess, name, o->name);
	o = r->line->command != NULL ? r->line->command->options : NULL;
	for (; o != NULL && o->name != NULL; o++)
		guess_try(&guess, name, o->name);
	return guess.best;
}

/* The words without the last one, as far as there are commands that begin so. */
static const char *
group_of(struct arena *a, const struct grammar *g, const char *words)
{
	const char *end = strrchr(words, ' ');
	const char *group = arena_strndup(a, words,
	    end != NULL ? (size_t)(end - words) : 0);

	return is_group(g, group) ? group : "";
}

static int
take_word(struct reader *r, const char *word)
{
	const char *like, *group;

	if (r->words->len > 0)
		buf_putc(r->words, ' ');
	buf_puts(r->words, word);
	r->line->command = find_command(r->g, r->words->data);
	if (r->line->command != NULL || is_group(r->g, r->words->data))
		return 0;
	like = grammar_guess(r->a, r->g, r->words->data);
	if (like != NULL)
		return err_set(r->e, ERR_INVALID,
		    "there is no command \"%.60s\": did you mean \"%s\"?",
		    r->words->data, like);
	group = group_of(r->a, r->g, r->words->data);
	return err_set(r->e, ERR_INVALID,
	    "there is no command \"%.60s\": \"belfryctl help%s%s\" lists %s",
	    r->words->data, *group != '\0' ? " " : "", group,
	    *group != '\0' ? "its commands" : "all");
}

static const struct ctl_option *
find_in(const struct ctl_option *list, const char *name, size_t n)
{
	for (; list != NULL && list->name != NULL; list++)
		if ((n == 1 && list->letter == name[0]) ||
		    (n > 1 && strlen(list->name) == n &&
		        memcmp(list->name, name, n) == 0))
			return list;
	return NULL;
}

static const struct ctl_option *
find_option(const struct reader *r, const char *name, size_t n)
{
	const struct ctl_option *o = find_in(r->g->options, name, n);

	if (o == NULL && r->line->command != NULL)
		o = find_in(r->line->command->options, name, n);
	return o;
}

/* "There is no option", with what was meant, or where the options are told. */
static int
refuse_option(const struct reader *r, const char *word, const char *name,
    size_t n)
{
	const struct ctl_command *c = r->line->command;
	const char *like = n > 1 ?
	    guess_option(r, arena_strndup(r->a, name, n)) : NULL;

	if (like != NULL)
		return err_set(r->e, ERR_INVALID,
		    "there is no option \"%.60s\": did you mean \"--%s\"?",
		    word, like);
	if (c == NULL)
		return err_set(r->e, ERR_INVALID,
		    "there is no option \"%.60s\" in front of a command: those "
		    "of a command stand behind its words", word);
	return err_set(r->e, ERR_INVALID,
	    "there is no option \"%.60s\": \"belfryctl help %s\" lists them",
	    word, c->words);
}

/* Takes "--name", "--name=value", "-x" or "-xvalue". */
static int
take_option(struct reader *r, const char *word)
{
	const char *name = word + (word[1] == '-' ? 2 : 1), *value = NULL;
	size_t n = word[1] == '-' ? strcspn(name, "=") : 1;
	const struct ctl_option *o = find_option(r, name, n);

	if (o == NULL)
		return refuse_option(r, word, name, n);
	if (name[n] != '\0')
		value = word[1] == '-' ? name + n + 1 : name + n;
	if (o->value == NULL && value != NULL)
		return err_set(r->e, ERR_INVALID,
		    "the option \"--%s\" takes no value", o->name);
	if (o->value != NULL && value == NULL) {
		if (r->next == r->argc)
			return err_set(r->e, ERR_INVALID,
			    "the option \"--%s\" needs a value: %s", o->name,
			    o->value);
		value = r->argv[r->next++];
	}
	r->line->options[r->line->options_count].option = o;
	r->line->options[r->line->options_count++].value = value;
	return 0;
}

static int
take(struct reader *r, const char *word)
{
	if (!r->only_arguments && strcmp(word, "--") == 0) {
		r->only_arguments = true;
		return 0;
	}
	if (!r->only_arguments && word[0] == '-' && word[1] != '\0')
		return take_option(r, word);
	if (r->line->command == NULL)
		return take_word(r, word);
	r->line->arguments[r->line->arguments_count++] = word;
	return 0;
}

/* The n-th of "KEY FROM [TO]" and what follows it. */
static const char *
argument_name(const char *arguments, int n)
{
	for (; n > 0; n--)
		arguments += strcspn(arguments, " ") + 1;
	return arguments;
}

static int
check_arguments(const struct invocation *line, struct err *e)
{
	const char *missing;
	const struct ctl_command *c = line->command;
	int min, max, n = (int)line->arguments_count;

	grammar_count(c->arguments, &min, &max);
	if (n < min) {
		missing = argument_name(c->arguments, n);
		return err_set(e, ERR_INVALID,
		    "%.*s is missing: usage: belfryctl %s %s",
		    (int)strcspn(missing, " ."), missing, c->words,
		    c->arguments);
	}
	if (max != -1 && n > max)
		return err_set(e, ERR_INVALID,
		    "\"%.60s\" is one argument too many: usage: belfryctl %s%s%s",
		    line->arguments[max], c->words,
		    c->arguments[0] != '\0' ? " " : "", c->arguments);
	return 0;
}

int
grammar_parse(struct arena *a, const struct grammar *g, int argc,
    char *const *argv, struct invocation *line, struct err *e)
{
	struct reader r = { .a = a, .g = g, .line = line, .e = e, .argv = argv,
		.argc = argc, .words = buf_new(a, 1024) };
	size_t n = (size_t)argc + 1;

	*line = (struct invocation){ .words = "" };
	line->arguments = arena_zalloc(a, n, sizeof(*line->arguments));
	line->options = arena_zalloc(a, n, sizeof(*line->options));
	while (r.next < argc)
		if (take(&r, argv[r.next++]) == -1)
			return -1;
	line->words = r.words->data;
	if (invocation_has(line, "help") || invocation_has(line, "version"))
		return 0;
	if (line->command == NULL)
		return err_set(e, ERR_INVALID,
		    "%s%s: \"belfryctl help%s%s\" tells more",
		    r.words->len > 0 ? "an incomplete command: "
				     : "no command was given",
		    line->words, r.words->len > 0 ? " " : "", line->words);
	return check_arguments(line, e);
}

const char *
invocation_value(const struct invocation *line, const char *name)
{
	const char *value = NULL;
	size_t i;

	for (i = 0; i < line->options_count; i++)
		if (strcmp(line->options[i].option->name, name) == 0)
			value = line->options[i].value;
	return value;
}

bool
invocation_has(const struct invocation *line, const char *name)
{
	size_t i;

	for (i = 0; i < line->options_count; i++)
		if (strcmp(line->options[i].option->name, name) == 0)
			return true;
	return false;
}

const char *
invocation_next(const struct invocation *line, const char *name, size_t *i)
{
	while (*i < line->options_count) {
		size_t at = (*i)++;

		if (strcmp(line->options[at].option->name, name) == 0)
			return line->options[at].value;
	}
	return NULL;
}
