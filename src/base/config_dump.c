/*
 * config_dump.c - the configuration as a file
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/config_issuer.h"
#include "base/config_value.h"
#include "base/ensure.h"
#include "base/err.h"

enum { LINE_CHARS = 78, DEFAULTS_BYTES = 65536 };

static const char head[] =
    "# belfry.conf - the configuration of Belfry\n"
    "#\n"
    "# Every key stands here with its default; take the # away to change one.\n"
    "# The variable BELFRY_SECTION_KEY in the environment overrides a key: for\n"
    "# example BELFRY_API_WORKERS=4.  Durations need a unit (ms, s, m, h, d);\n"
    "# sizes may have one (k, m, g).  \"belfryctl check-config\" names every fault.\n"
    "# A semicolon after a blank begins a comment.  See belfry.conf(5).\n";

/* Writes words as comment lines. */
static void
comment(struct buf *out, const char *text)
{
	size_t column = 0, len;

	while (*text != '\0') {
		len = strcspn(text, " ");
		if (column == 0 || column + 1 + len > LINE_CHARS) {
			buf_puts(out, column == 0 ? "#" : "\n#");
			column = 1;
		}
		buf_putc(out, ' ');
		buf_add(out, text, len);
		column += 1 + len;
		text += len;
		text += strspn(text, " ");
	}
	buf_putc(out, '\n');
}

static void
write_sample(const struct config_key *k, struct buf *out)
{
	struct buf rule;

	buf_init(&rule, 256);
	config_value_describe(k, &rule);
	if (k->reload == CONFIG_RESTART)
		buf_printf(&rule, "%sA change needs a restart.",
		    rule.len > 0 ? " " : "");
	buf_putc(out, '\n');
	comment(out, k->help);
	if (rule.len > 0)
		comment(out, rule.data);
	buf_printf(out, "#%s =%s%s\n", k->name, k->def[0] != '\0' ? " " : "",
	    k->def);
	buf_done(&rule);
}

static void
write_value(const struct config_key *k, const struct config *config,
    struct buf *out)
{
	struct buf value;

	buf_init(&value, DEFAULTS_BYTES);
	config_value_format(k, config, &value);
	buf_printf(out, "%s =%s%s\n", k->name, value.len > 0 ? " " : "",
	    value.data);
	buf_done(&value);
}

/* The defaults without file or environment. */
static struct config *
defaults(struct arena *a)
{
	struct config *config = arena_object(a, struct config);
	const struct config_key *k;
	struct err e;
	size_t count, i;

	k = config_keys(&count);
	for (i = 0; i < count; i++)
		ensure(config_value_parse(a, &k[i], k[i].def, config, &e) == 0);
	return config;
}

static void
write_issuers(const struct config *config, enum config_dump what,
    struct buf *out)
{
	const struct config_key *k;
	size_t count, i;

	if (what != CONFIG_DUMP_SAMPLE) {
		for (i = 0; i < config->issuers_count; i++)
			config_issuer_dump(&config->issuers[i],
			    what == CONFIG_DUMP_ALL, out);
		return;
	}
	buf_putc(out, '\n');
	comment(out, "One such section for each issuer of access tokens. The "
	             "name is for the log.");
	buf_puts(out, "#[issuer NAME]\n");
	k = config_issuer_keys(&count);
	for (i = 0; i < count; i++)
		write_sample(&k[i], out);
}

void
config_dump(const struct config *config, enum config_dump what,
    struct buf *out)
{
	struct arena *a = arena_new(4096);
	const struct config *plain = defaults(a);
	const struct config_key *k;
	const char *section = "";
	size_t count, i;

	if (what == CONFIG_DUMP_SAMPLE)
		buf_puts(out, head);
	k = config_keys(&count);
	for (i = 0; i < count; i++) {
		if (what == CONFIG_DUMP_CHANGED &&
		    config_value_equal(&k[i], config, plain))
			continue;
		if (strcmp(section, k[i].section) != 0) {
			section = k[i].section;
			buf_printf(out, "%s[%s]\n", out->len > 0 ? "\n" : "",
			    section);
		}
		if (what == CONFIG_DUMP_SAMPLE)
			write_sample(&k[i], out);
		else
			write_value(&k[i], config, out);
	}
	write_issuers(config, what, out);
	arena_free(&a);
}
