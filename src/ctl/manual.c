/*
 * manual.c - belfryctl(8), from its tables
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/compiler.h"
#include "config.h"
#include "ctl/grammar.h"
#include "ctl/help.h"

static const char intro[] =
    ".Sh DESCRIPTION\n"
    ".Nm\n"
    "does everything that an operator of Belfry does: it makes the database, keeps\n"
    "tenants, keys, templates and providers, and looks into the queue.\n"
    ".Pp\n"
    "It connects to PostgreSQL as the role that\n"
    ".Ic admin_conninfo\n"
    "in\n"
    ".Xr belfry.conf 5\n"
    "names, and acts as\n"
    ".Li belfry_owner\n"
    "from then on.\n"
    "What it changes is recorded in the audit with the name of the user who runs it.\n"
    "Running programs take a change over within\n"
    ".Ic cache_check .\n";

static const char environment[] =
    ".Sh ENVIRONMENT\n"
    ".Bl -tag -width BELFRY_TEMPLATES\n"
    ".It Ev BELFRY_CONF\n"
    "The configuration file, when\n"
    ".Fl c\n"
    "is not given.\n"
    ".It Ev BELFRY_SECTION_KEY\n"
    "Overrides a key of the configuration, for example\n"
    ".Ev BELFRY_API_WORKERS .\n"
    ".It Ev BELFRY_TEMPLATES\n"
    "The directory of templates that\n"
    ".Cm seed\n"
    "pushes.\n"
    ".It Ev BELFRY_TENANT\n"
    "The tenant of commands that need one, when\n"
    ".Fl \\-tenant\n"
    "is not given.\n"
    ".It Ev PGPASSFILE , PGSSLMODE No and so on\n"
    "As libpq reads them.\n"
    ".El\n";

static const char files[] =
    ".Sh FILES\n"
    ".Bl -tag -width Ds\n"
    ".It Pa " BELFRY_SYSCONFDIR "/belfry.conf\n"
    "The configuration.\n"
    ".It Pa " BELFRY_SYSCONFDIR "/keys\n"
    "The keys that seal credentials.\n"
    "Keep a copy elsewhere: without them no stored credential opens and no API key\n"
    "is recognised.\n"
    ".It Pa " BELFRY_DATADIR "/templates\n"
    "The default templates.\n"
    ".El\n";

static const char examples[] =
    ".Sh EXAMPLES\n"
    "From an empty PostgreSQL to a first mail:\n"
    ".Bd -literal -offset indent\n"
    "belfryctl init --tenant demo\n"
    "belfryctl provider add mail --kind maildir \\e\n"
    "    --set directory=" BELFRY_STATEDIR "/mail/demo\n"
    "belfryctl seed\n"
    "belfryctl doctor\n"
    ".Ed\n"
    ".Pp\n"
    "A new key for a service, the old one good for another hour:\n"
    ".Bd -literal -offset indent\n"
    "belfryctl key rotate shop --overlap 1h\n"
    ".Ed\n"
    ".Pp\n"
    "A provider with a password that no shell history remembers:\n"
    ".Bd -literal -offset indent\n"
    "belfryctl provider add relay --kind smtp --set host=smtp.example.org \\e\n"
    "    --set username=demo --set password=-\n"
    ".Ed\n";

static const struct {
	int status;
	const char *text;
} exits[] = {
#define X(number, NAME, means) { number, means },
#include "ctl/exit.def"
#undef X
};

/* A text in which nothing is taken for a request or an escape. */
static void
put_text(struct buf *out, const char *s)
{
	if (*s == '.' || *s == '\'')
		buf_puts(out, "\\&");
	for (; *s != '\0'; s++) {
		if (*s == '\\')
			buf_puts(out, "\\e");
		else if (*s == '-')
			buf_puts(out, "\\-");
		else
			buf_putc(out, *s);
	}
	buf_putc(out, '\n');
}

/* Sentences, each on a line of its own, as mdoc wants them. */
static void
put_sentences(struct buf *out, const char *s)
{
	char line[1024];
	const char *end;
	size_t n;

	while (*s != '\0') {
		end = strstr(s, ". ");
		n = end != NULL ? (size_t)(end - s) + 1 : strlen(s);
		if (n >= sizeof(line))
			n = sizeof(line) - 1;
		memcpy(line, s, n);
		line[n] = '\0';
		put_text(out, line);
		s += n;
		s += strspn(s, " ");
	}
}

/* "KEY [DIR]" as ".Ar KEY Op Ar DIR". */
static void
put_arguments(struct buf *out, const char *arguments)
{
	const char *p = arguments;
	size_t n, len;
	bool optional, many;

	for (; *p != '\0'; p += n + (p[n] == ' ')) {
		n = strcspn(p, " ");
		optional = p[0] == '[';
		len = n - (optional ? 2 : 0);
		many = len > 3 &&
		       memcmp(p + (optional ? 1 : 0) + len - 3, "...", 3) == 0;
		buf_printf(out, " %sAr %.*s%s", optional ? "Op " : "",
		    (int)(many ? len - 3 : len), p + (optional ? 1 : 0),
		    many ? " ..." : "");
	}
}

static void
put_option(struct buf *out, const struct ctl_option *o, const char *start)
{
	buf_puts(out, start);
	if (o->letter != 0)
		buf_printf(out, " Fl %c ,", o->letter);
	buf_printf(out, " Fl \\-%s", o->name);
	if (o->value != NULL)
		buf_printf(out, " Ar %s", o->value);
	buf_putc(out, '\n');
}

static void
put_options(struct buf *out, const struct ctl_option *o)
{
	if (o == NULL || o->name == NULL)
		return;
	buf_puts(out, ".Bl -tag -width Ds\n");
	for (; o->name != NULL; o++) {
		put_option(out, o, ".It");
		put_sentences(out, o->help);
	}
	buf_puts(out, ".El\n");
}

static void
put_aliases(struct buf *out, const struct grammar *g,
    const struct ctl_command *c)
{
	const struct ctl_alias *alias = g->aliases;

	for (; alias != NULL && alias->words != NULL; alias++)
		if (strcmp(alias->means, c->words) == 0)
			buf_printf(out, ".Cm %s\ndoes the same.\n",
			    alias->words);
}

static void
put_command(struct buf *out, const struct grammar *g,
    const struct ctl_command *c)
{
	buf_printf(out, ".It Cm %s", c->words);
	put_arguments(out, c->arguments);
	buf_putc(out, '\n');
	buf_printf(out, "%s.\n", c->help);
	if (c->text != NULL)
		buf_puts(out, c->text);
	put_aliases(out, g, c);
	put_options(out, c->options);
}

void
manual_write(const struct grammar *g, struct buf *out)
{
	const struct ctl_command *c;
	size_t i;

	buf_puts(out,
	    ".\\\" Made from the tables of belfryctl: do not edit.\n"
	    ".Dd November 23, 2026\n.Dt BELFRYCTL 8\n.Os Belfry " PACKAGE_VERSION
	    "\n.Sh NAME\n.Nm belfryctl\n.Nd operate Belfry\n"
	    ".Sh SYNOPSIS\n.Nm\n.Op Fl c Ar FILE\n.Op Fl \\-tenant Ar SLUG\n"
	    ".Op Fl \\-json\n.Ar command\n.Op Ar argument ...\n");
	buf_puts(out, intro);
	buf_puts(
	    out, ".Pp\nOptions of every command, which may stand anywhere:\n");
	put_options(out, g->options);
	buf_puts(out, ".Sh COMMANDS\n.Bl -tag -width Ds\n");
	for (c = g->commands; c->words != NULL; c++)
		put_command(out, g, c);
	buf_puts(out, ".El\n");
	buf_puts(out, environment);
	buf_puts(out, files);
	buf_puts(out, ".Sh EXIT STATUS\n.Bl -tag -width Ds\n");
	for (i = 0; i < NELEMS(exits); i++)
		buf_printf(out, ".It %d\n%s\n", exits[i].status, exits[i].text);
	buf_puts(out, ".El\n");
	buf_puts(out, examples);
	buf_puts(out, ".Sh SEE ALSO\n.Xr belfry.conf 5 ,\n.Xr belfry-api 8 ,\n"
	    ".Xr belfry-spooler 8\n");
}
