/*
 * test_grammar.c - command lines as belfryctl understands them
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "ctl/command.h"
#include "ctl/grammar.h"
#include "ctl/help.h"

static struct arena *a;

static const struct ctl_option everywhere[] = {
	{ 'c', "config", "FILE", "A file." },
	{ 'j', "json", NULL, "JSON." },
	{ 'h', "help", NULL, "Help." },
	{ 0, "version", NULL, "Version." },
	{ .name = NULL },
};
static const struct ctl_option own[] = {
	{ 's', "set", "KEY=VALUE", "A setting." },
	{ 0, "force", NULL, "Do it." },
	{ .name = NULL },
};
static const struct ctl_command commands[] = {
	{ .words = "init", .arguments = "", .help = "Make" },
	{ .words = "thing add", .arguments = "NAME", .options = own, .help = "Add" },
	{ .words = "thing list", .arguments = "", .help = "List" },
	{ .words = "copy", .arguments = "FROM [TO]", .help = "Copy" },
	{ .words = "push", .arguments = "DIR...", .help = "Push" },
	{ .words = "help", .arguments = "[COMMAND...]", .help = "Help" },
	{ .words = NULL },
};
static const struct ctl_alias aliases[] = {
	{ "thing make", "thing add" },
	{ .words = NULL },
};
static const struct grammar small = { everywhere, commands, aliases };

enum { WORDS_MAX = 16 };

/* Splits at blanks and parses. */
static int
parse(const char *text, struct invocation *line, struct err *e)
{
	char *copy = arena_strdup(a, text), *argv[WORDS_MAX], *rest = NULL, *word;
	int argc = 0;

	for (word = strtok_r(copy, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest))
		argv[argc++] = word;
	return grammar_parse(a, &small, argc, argv, line, e);
}

/* A line as "command|argument,argument|option=value,option". */
static const char *
told(const struct invocation *line)
{
	struct buf *out = buf_new(a, 4096);
	size_t i;

	buf_printf(out, "%s|",
	    line->command != NULL ? line->command->words : "-");
	for (i = 0; i < line->arguments_count; i++)
		buf_printf(out, "%s%s", i > 0 ? "," : "", line->arguments[i]);
	buf_putc(out, '|');
	for (i = 0; i < line->options_count; i++)
		buf_printf(out, "%s%s%s%s", i > 0 ? "," : "",
		    line->options[i].option->name,
		    line->options[i].value != NULL ? "=" : "",
		    line->options[i].value != NULL ? line->options[i].value : "");
	return out->data;
}

static void
lines_are_understood(void **state)
{
	static const struct {
		const char *line;
		const char *want;
	} cases[] = {
		{ "init", "init||" },
		{ "thing add x", "thing add|x|" },
		{ "--json thing add x", "thing add|x|json" },
		{ "thing --json add x", "thing add|x|json" },
		{ "thing add x -c f --set a=b", "thing add|x|config=f,set=a=b" },
		{ "thing add -cf x", "thing add|x|config=f" },
		{ "thing add --config=f=g x", "thing add|x|config=f=g" },
		{ "thing add --set=a= x", "thing add|x|set=a=" },
		{ "thing add --set -1 x", "thing add|x|set=-1" },
		{ "thing add -- --json", "thing add|--json|" },
		{ "thing add -", "thing add|-|" },
		{ "thing make x --force", "thing add|x|force" },
		{ "copy a", "copy|a|" },
		{ "copy a b", "copy|a,b|" },
		{ "push a b c", "push|a,b,c|" },
		{ "help", "help||" },
		{ "help thing add", "help|thing,add|" },
		{ "--help", "-||help" },
		{ "thing -h", "-||help" },
		{ "thing add --help", "thing add||help" },
		{ "--version", "-||version" },
	};
	struct invocation line;
	struct err e;
	size_t i;

	for (i = 0; i < NELEMS(cases); i++) {
		if (parse(cases[i].line, &line, &e) == -1)
			fail_msg("%s: %s", cases[i].line, e.text);
		assert_string_equal(told(&line), cases[i].want);
	}
}

static void
wrong_lines_say_why(void **state)
{
	static const struct {
		const char *line;
		const char *want;
	} cases[] = {
		{ "", "no command was given" },
		{ "thing", "an incomplete command: thing" },
		{ "thng list", "no command \"thng\": did you mean \"thing\"?" },
		{ "thing lst", "did you mean \"thing list\"?" },
		{ "inti", "did you mean \"init\"?" },
		{ "thing mkae", "did you mean \"thing make\"?" },
		{ "zzz", "no command \"zzz\": \"belfryctl help\" lists all" },
		{ "thing zzzzzz", "\"belfryctl help thing\" lists its commands" },
		{ "thing add", "NAME is missing: usage: belfryctl thing add NAME" },
		{ "thing add x y", "\"y\" is one argument too many: usage: "
		                   "belfryctl thing add NAME" },
		{ "init x", "\"x\" is one argument too many: usage: belfryctl init" },
		{ "copy", "FROM is missing: usage: belfryctl copy FROM [TO]" },
		{ "copy a b c", "\"c\" is one argument too many" },
		{ "push", "DIR is missing: usage: belfryctl push DIR..." },
		{ "thing add x --frce", "did you mean \"--force\"?" },
		{ "thing add x --jsn", "did you mean \"--json\"?" },
		{ "thing add x --frce=1", "did you mean \"--force\"?" },
		{ "thing add x -q", "no option \"-q\": \"belfryctl help thing add\"" },
		{ "thing add x --nothing", "no option \"--nothing\"" },
		{ "--set a=b thing add x", "in front of a command" },
		{ "thing list --force", "no option \"--force\"" },
		{ "thing add x --set", "needs a value: KEY=VALUE" },
		{ "thing add x --force=1", "takes no value" },
		{ "thing add x -jj", "takes no value" },
		{ "thing add x --conf f", "no option \"--conf\"" },
	};
	struct invocation line;
	struct err e;
	size_t i;

	for (i = 0; i < NELEMS(cases); i++) {
		assert_int_equal(parse(cases[i].line, &line, &e), -1);
		assert_int_equal(e.kind, ERR_INVALID);
		if (strstr(e.text, cases[i].want) == NULL)
			fail_msg("%s: %s", cases[i].line, e.text);
	}
}

static void
values_are_found(void **state)
{
	struct invocation line;
	struct err e;
	size_t i = 0;

	assert_int_equal(
	    parse("thing add x --set a=1 --json --set b=2", &line, &e), 0);
	assert_string_equal(invocation_value(&line, "set"), "b=2");
	assert_string_equal(invocation_next(&line, "set", &i), "a=1");
	assert_string_equal(invocation_next(&line, "set", &i), "b=2");
	assert_null(invocation_next(&line, "set", &i));
	assert_true(invocation_has(&line, "json"));
	assert_null(invocation_value(&line, "json"));
	assert_false(invocation_has(&line, "force"));
	assert_null(invocation_value(&line, "config"));
}

static void
arguments_are_counted(void **state)
{
	static const struct {
		const char *text;
		int min, max;
	} cases[] = {
		{ "", 0, 0 },
		{ "KEY", 1, 1 },
		{ "KEY DIR", 2, 2 },
		{ "KEY [DIR]", 1, 2 },
		{ "[KEY]", 0, 1 },
		{ "DIR...", 1, -1 },
		{ "[DIR...]", 0, -1 },
		{ "KEY [DIR...]", 1, -1 },
	};
	size_t i;
	int min, max;

	for (i = 0; i < NELEMS(cases); i++) {
		grammar_count(cases[i].text, &min, &max);
		assert_int_equal(min, cases[i].min);
		assert_int_equal(max, cases[i].max);
	}
}

/* No command may begin with all words of another one, each text has its
 * form, and no letter or name stands twice. */
static void
the_table_is_sound(void **state)
{
	const struct ctl_command *c, *d;
	const struct ctl_option *o, *p;

	for (c = ctl_grammar.commands; c->words != NULL; c++) {
		assert_true(c->help[0] >= 'A' && c->help[0] <= 'Z');
		assert_int_not_equal(c->help[strlen(c->help) - 1], '.');
		assert_non_null(c->run);
		for (d = ctl_grammar.commands; d->words != NULL; d++)
			if (c != d && grammar_begins(d, c->words))
				fail_msg("%s, %s", c->words, d->words);
		for (o = c->options; o != NULL && o->name != NULL; o++) {
			assert_int_equal(o->help[strlen(o->help) - 1], '.');
			for (p = ctl_grammar.options; p->name != NULL; p++) {
				assert_string_not_equal(o->name, p->name);
				assert_true(o->letter == 0 ||
				    o->letter != p->letter);
			}
		}
	}
}

/* An alias is nothing but other words for a command, which tells of it. */
static void
aliases_lead_to_commands(void **state)
{
	const struct ctl_alias *alias;
	const struct ctl_command *c;
	struct buf *help;

	for (alias = ctl_grammar.aliases; alias->words != NULL; alias++) {
		for (c = ctl_grammar.commands; c->words != NULL; c++) {
			assert_false(grammar_begins(c, alias->words));
			if (strcmp(c->words, alias->means) == 0)
				break;
		}
		assert_non_null(c->words);
		help = buf_new(a, 1 << 16);
		help_command(&ctl_grammar, c, help);
		assert_non_null(strstr(help->data,
		    arena_printf(a, "\"%s\" does the same.", alias->words)));
	}
}

static void
help_tells_of_every_command(void **state)
{
	struct buf *all = buf_new(a, 1 << 20), *manual = buf_new(a, 1 << 20);
	const struct ctl_command *c;

	help_overview(&ctl_grammar, "", all);
	manual_write(&ctl_grammar, manual);
	for (c = ctl_grammar.commands; c->words != NULL; c++) {
		assert_non_null(strstr(all->data, c->words));
		assert_non_null(strstr(manual->data,
		    arena_printf(a, ".It Cm %s", c->words)));
	}
}

static void
mdoc_arguments_are_marked(void **state)
{
	struct buf *manual = buf_new(a, 1 << 20);

	manual_write(&small, manual);
	assert_non_null(strstr(manual->data, ".It Cm copy Ar FROM Op Ar TO\n"));
	assert_non_null(strstr(manual->data, ".It Cm push Ar DIR ...\n"));
	assert_non_null(strstr(manual->data, ".It Cm help Op Ar COMMAND ...\n"));
	assert_non_null(
	    strstr(manual->data, ".It Fl s , Fl \\-set Ar KEY=VALUE\n"));
}

static int
setup(void **state)
{
	a = arena_new(4096);
	return 0;
}

static int
teardown(void **state)
{
	arena_free(&a);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_understood),
		cmocka_unit_test(wrong_lines_say_why),
		cmocka_unit_test(values_are_found),
		cmocka_unit_test(arguments_are_counted),
		cmocka_unit_test(the_table_is_sound),
		cmocka_unit_test(aliases_lead_to_commands),
		cmocka_unit_test(help_tells_of_every_command),
		cmocka_unit_test(mdoc_arguments_are_marked),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
