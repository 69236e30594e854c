/*
 * config_override.c - a configuration with some keys of a section changed
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * "attempts_max=10 delay_first=1m": each value is read as its key reads it.
 */
#include <string.h>

#include "base/arena.h"
#include "base/config.h"
#include "base/config_value.h"
#include "base/err.h"

static const char blanks[] = " \t";

static const struct config_key *
find(const char *section, const char *name)
{
	size_t i, count;
	const struct config_key *keys = config_keys(&count);

	for (i = 0; i < count; i++)
		if (strcmp(keys[i].section, section) == 0 &&
		    strcmp(keys[i].name, name) == 0 &&
		    keys[i].type != CONFIG_OVERRIDES)
			return &keys[i];
	return NULL;
}

static int
set(struct arena *a, const char *section, char *pair, struct config *config,
    struct err *e)
{
	char *value = strchr(pair, '=');
	const struct config_key *k;
	struct err wrong;

	if (value == NULL)
		return err_set(e, ERR_INVALID,
		    "\"%.40s\" is not NAME=VALUE; write it so, without blanks "
		    "around the sign", pair);
	*value++ = '\0';
	k = find(section, pair);
	if (k == NULL)
		return err_set(e, ERR_INVALID,
		    "\"%.40s\" is no key of section \"%s\"; remove it", pair,
		    section);
	if (config_value_parse(a, k, value, config, &wrong) == -1)
		return err_set(e, ERR_INVALID, "%s: %s", pair, wrong.text);
	return 0;
}

int
config_override(struct arena *a, const struct config *config,
    const char *section, const char *text, struct config *config_r,
    struct err *e)
{
	struct config changed = *config;
	size_t len;

	for (text += strspn(text, blanks); *text != '\0';
	     text += strspn(text, blanks)) {
		len = strcspn(text, blanks);
		if (set(a, section, arena_strndup(a, text, len), &changed, e) ==
		    -1)
			return -1;
		text += len;
	}
	*config_r = changed;
	return 0;
}
