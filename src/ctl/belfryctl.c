/*
 * belfryctl.c - what an operator does
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/wipe.h"
#include "config.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/grammar.h"
#include "ctl/help.h"
#include "ctl/out.h"

enum { CTL_ARENA_BYTES = 16384 };

static int
print_help(const struct ctl *c)
{
	struct buf *out = buf_new(c->a, 1 << 20);

	if (c->line->command != NULL)
		help_command(c->grammar, c->line->command, out);
	else
		help_overview(c->grammar, c->line->words, out);
	out_raw(out->data, out->len);
	return CTL_EXIT_OK;
}

/* Output that did not get out is a failure, or a pipe would hide it. */
static int
flush(enum ctl_exit status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return (int)status;
	perror("belfryctl: could not write the output");
	return CTL_EXIT_FAILED;
}

static int
run(struct ctl *c)
{
	const struct ctl_command *command = c->line->command;
	struct err e;

	err_clear(&e);
	if (ctl_prepare(c, command->need, &e) == 0 && command->run(c, &e) == 0)
		return flush(c->status);
	fflush(stdout);
	if (c->status == CTL_EXIT_CONFIG && !c->json)
		return CTL_EXIT_CONFIG;
	out_error(c, &e);
	return c->status == CTL_EXIT_CONFIG ? CTL_EXIT_CONFIG
	                                    : (int)ctl_exit_of(&e);
}

static int
run_and_tidy(struct ctl *c)
{
	int status = run(c);

	json_decref(c->faults);
	return status;
}

static int
with_arena(struct arena *a, int argc, char **argv)
{
	struct invocation line;
	struct ctl c = { .a = a, .grammar = &ctl_grammar, .line = &line };
	struct err e;

	if (grammar_parse(a, c.grammar, argc - 1, argv + 1, &line, &e) == -1) {
		c.json = invocation_has(&line, "json");
		out_error(&c, &e);
		return CTL_EXIT_USAGE;
	}
	c.json = ctl_has(&c, "json");
	if (ctl_has(&c, "version")) {
		puts("belfryctl " PACKAGE_VERSION);
		return flush(CTL_EXIT_OK);
	}
	if (ctl_has(&c, "help"))
		return flush(print_help(&c));
	return run_and_tidy(&c);
}

int
main(int argc, char **argv)
{
	struct arena *a;
	int status;

	wipe_begin();
	setlocale(LC_CTYPE, "C.UTF-8");
	if (sodium_init() == -1) {
		fputs("belfryctl: could not initialise libsodium\n", stderr);
		return CTL_EXIT_FAILED;
	}
	a = arena_new(CTL_ARENA_BYTES);
	status = with_arena(a, argc, argv);
	arena_free(&a);
	return status;
}
