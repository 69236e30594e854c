/*
 * config_issuer.c - the [issuer NAME] sections of the configuration
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "base/config_issuer.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/config_value.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/text.h"

enum { ISSUERS_MAX = 64, NAME_MAX_CHARS = 32 };

static const struct config_key keys[] = {
#define X(name_, type_, def_, help_)                                           \
	{ .section = "issuer", .name = #name_, .def = (def_),                  \
		.help = (help_),                                               \
		.offset = offsetof(struct config_issuer, name_),               \
		.type = CONFIG_##type_, .reload = CONFIG_RELOAD },
#include "base/config_issuer.def"
#undef X
};

/* One section as it is read. */
struct reading {
	int line;
	int lines[NELEMS(keys)]; /* where each key was set */
};

struct config_issuers {
	struct arena *a;
	const char *path;
	struct buf *faults;
	struct config_issuer issuers[ISSUERS_MAX];
	struct reading readings[ISSUERS_MAX];
	size_t count;
};

const struct config_key *
config_issuer_keys(size_t *count_r)
{
	*count_r = NELEMS(keys);
	return keys;
}

struct config_issuers *
config_issuers_new(struct arena *a, const char *path, struct buf *faults)
{
	struct config_issuers *s = arena_object(a, struct config_issuers);

	s->a = a;
	s->path = path;
	s->faults = faults;
	return s;
}

/* What follows "issuer" in the name of a section; NULL when it is another one. */
static const char *
name_of(const char *section)
{
	if (strncmp(section, "issuer", 6) != 0 ||
	    (section[6] != ' ' && section[6] != '\0'))
		return NULL;
	return section + 6 + strspn(section + 6, " ");
}

static struct config_issuer *
find(struct config_issuers *s, const char *name)
{
	size_t i;

	for (i = 0; i < s->count; i++)
		if (strcmp(s->issuers[i].name, name) == 0)
			return &s->issuers[i];
	return NULL;
}

static void
add(struct config_issuers *s, const char *name, int line)
{
	struct config_issuer *issuer = &s->issuers[s->count];
	struct err e;
	size_t i;

	for (i = 0; i < NELEMS(keys); i++)
		ensure(config_value_parse(s->a, &keys[i], keys[i].def, issuer,
		           &e) == 0);
	issuer->name = name;
	s->readings[s->count].line = line;
	s->count++;
}

void
config_issuers_open(struct config_issuers *s, const char *section, size_t len,
    int line)
{
	const char *name = name_of(arena_strndup(s->a, section, len));
	const char *wrong = NULL;

	if (name == NULL)
		return;
	if (!text_is_slug(name) || strlen(name) > NAME_MAX_CHARS)
		wrong = "needs a name of up to 32 small letters, digits and "
		        "dashes: [issuer NAME]";
	else if (find(s, name) != NULL)
		wrong = "there are two of this name; rename one";
	else if (s->count == ISSUERS_MAX)
		wrong = "there are more than 64; remove some";
	else
		add(s, name, line);
	if (wrong != NULL)
		buf_printf(s->faults, "%s:%d: [%.60s]: %s\n", s->path, line,
		    section[len] == ']' ? arena_strndup(s->a, section, len) : "",
		    wrong);
}

static void
fault(struct config_issuers *s, const struct config_issuer *issuer, int line,
    const char *key, const char *what)
{
	buf_printf(s->faults, "%s:%d: issuer %s.%.60s: %s\n", s->path, line,
	    issuer->name, key, what);
}

static void
set(struct config_issuers *s, struct config_issuer *issuer, size_t i,
    const char *value, int line)
{
	int *before = &s->readings[issuer - s->issuers].lines[i];
	struct err e;

	if (*before > 0)
		fault(s, issuer, line, keys[i].name,
		    arena_printf(s->a, "given twice, first in line %d; remove one",
		        *before));
	else if (config_value_parse(s->a, &keys[i], value, issuer, &e) == -1)
		fault(s, issuer, line, keys[i].name, e.text);
	*before = line;
}

bool
config_issuers_set(struct config_issuers *s, const char *section,
    const char *name, const char *value, int line)
{
	const char *own = name_of(section);
	struct config_issuer *issuer;
	size_t i;

	if (own == NULL)
		return false;
	issuer = find(s, own);
	if (issuer == NULL)
		return true; /* said when the section began */
	for (i = 0; i < NELEMS(keys); i++)
		if (strcmp(keys[i].name, name) == 0)
			break;
	if (i < NELEMS(keys))
		set(s, issuer, i, value, line);
	else
		fault(s, issuer, line, name,
		    "unknown key; belfry.conf(5) lists them");
	return true;
}

static bool
is_url(const char *text)
{
	return strncmp(text, "https://", 8) == 0 ||
	    strncmp(text, "http://", 7) == 0;
}

/* What is wrong with a key that was read; NULL when nothing is. */
static const char *
wrong_with(const struct config_issuer *issuer, const char *key,
    const char *value)
{
	if (value[0] == '\0')
		return strcmp(key, "issuer") == 0 ||
		        strcmp(key, "audience") == 0 ?
		    "is missing; give it" :
		    NULL;
	if (strcmp(key, "issuer") == 0 && issuer->jwks[0] == '\0' &&
	    !is_url(value))
		return "is no URL, so jwks must say where the keys are";
	if (strcmp(key, "jwks") == 0 && value[0] != '/' && !is_url(value))
		return "is neither a URL nor an absolute path";
	if (strcmp(key, "ca_file") == 0 && value[0] != '/')
		return "is not an absolute path";
	if (strcmp(key, "tenant") == 0 && !text_is_slug(value))
		return "is not the slug of a tenant";
	return NULL;
}

void
config_issuers_finish(struct config_issuers *s, struct config *config)
{
	const struct config_issuer *issuer;
	const char *value, *wrong;
	size_t n, i;

	for (n = 0; n < s->count; n++) {
		issuer = &s->issuers[n];
		for (i = 0; i < NELEMS(keys); i++) {
			value = config_value_text(&keys[i], issuer);
			wrong = wrong_with(issuer, keys[i].name, value);
			if (wrong == NULL)
				continue;
			fault(s, issuer,
			    s->readings[n].lines[i] > 0 ?
			        s->readings[n].lines[i] :
			        s->readings[n].line,
			    keys[i].name, wrong);
		}
	}
	config->issuers = s->issuers;
	config->issuers_count = s->count;
}

void
config_issuer_dump(const struct config_issuer *issuer, bool all,
    struct buf *out)
{
	const char *value;
	size_t i;

	buf_printf(out, "%s[issuer %s]\n", out->len > 0 ? "\n" : "",
	    issuer->name);
	for (i = 0; i < NELEMS(keys); i++) {
		value = config_value_text(&keys[i], issuer);
		if (all || strcmp(value, keys[i].def) != 0)
			buf_printf(out, "%s =%s%s\n", keys[i].name,
			    value[0] != '\0' ? " " : "", value);
	}
}
