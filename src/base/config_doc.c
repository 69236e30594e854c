/*
 * config_doc.c - the table of configuration keys as documents
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Usage: config-doc sample | mdoc
 *
 * Runs while Belfry is built: "sample" is belfry.conf.sample, "mdoc" the list of
 * keys for belfry.conf(5).
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/config.h"
#include "base/config_issuer.h"
#include "base/config_value.h"

enum { TEXT_BYTES = 1048576 };

/* Writes prose for mdoc: each sentence on a line of its own, nothing that roff
 * would take for a request. */
static void
write_prose(struct buf *out, const char *text)
{
	const char *p;

	for (p = text; *p != '\0'; p++) {
		if ((p == text || p[-1] == '\n') && (*p == '.' || *p == '\''))
			buf_puts(out, "\\&");
		if (*p == '\\')
			buf_puts(out, "\\e");
		else if (*p == ' ' && p > text && p[-1] == '.')
			buf_putc(out, '\n');
		else
			buf_putc(out, *p);
	}
	buf_putc(out, '\n');
}

static void
write_key(struct buf *out, const struct config_key *k)
{
	struct buf rule;

	buf_init(&rule, 256);
	config_value_describe(k, &rule);
	buf_printf(out, ".It Ic %s\n", k->name);
	write_prose(out, k->help);
	if (rule.len > 0)
		write_prose(out, rule.data);
	if (k->def[0] == '\0')
		buf_puts(out, "The default is empty.\n");
	else
		buf_printf(out, "The default is\n.Ql %s .\n", k->def);
	if (k->reload == CONFIG_RESTART)
		buf_puts(out, "A change needs a restart.\n");
	buf_done(&rule);
}

static void
write_mdoc(struct buf *out)
{
	const char *section = "";
	const struct config_key *k;
	size_t count, i;

	k = config_keys(&count);
	for (i = 0; i < count; i++) {
		if (strcmp(section, k[i].section) != 0) {
			if (section[0] != '\0')
				buf_puts(out, ".El\n");
			section = k[i].section;
			buf_printf(out, ".Ss [%s]\n", section);
			buf_puts(out, ".Bl -tag -width Ds\n");
		}
		write_key(out, &k[i]);
	}
	buf_puts(out, ".El\n.Ss [issuer NAME]\n");
	write_prose(out,
	    "One such section for each issuer of access tokens. The name, small "
	    "letters, digits and dashes, is for the log. No variable of the "
	    "environment overrides these keys.");
	buf_puts(out, ".Bl -tag -width Ds\n");
	k = config_issuer_keys(&count);
	for (i = 0; i < count; i++)
		write_key(out, &k[i]);
	buf_puts(out, ".El\n");
}

int
main(int argc, char **argv)
{
	struct buf out;
	int status = 0;

	buf_init(&out, TEXT_BYTES);
	if (argc == 2 && strcmp(argv[1], "sample") == 0) {
		config_dump(NULL, CONFIG_DUMP_SAMPLE, &out);
	} else if (argc == 2 && strcmp(argv[1], "mdoc") == 0) {
		write_mdoc(&out);
	} else {
		fprintf(stderr, "usage: config-doc sample | mdoc\n");
		status = 2;
	}
	if (fwrite(out.data, 1, out.len, stdout) != out.len ||
	    fflush(stdout) != 0 || buf_overflowed(&out))
		status = 1;
	buf_done(&out);
	return status;
}
