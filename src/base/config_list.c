/*
 * config_list.c - keys of the configuration that are lists
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "base/config_list.h"

#include <string.h>

#include "base/arena.h"
#include "base/config.h"
#include "base/config_value.h"
#include "base/err.h"

static const char blanks[] = " \t";

/* Each entry is read as a key of its own would be. */
static int
read_list(struct arena *a, const struct config_key *entry, const char *text,
    int64_t **list_r, size_t *count_r, struct err *e)
{
	int64_t *list = arena_zalloc(a, strlen(text) / 2 + 1, sizeof(*list));
	size_t len, count = 0;

	for (text += strspn(text, blanks); *text != '\0';
	     text += strspn(text, blanks)) {
		len = strcspn(text, blanks);
		if (config_value_parse(a, entry, arena_strndup(a, text, len),
		        &list[count++], e) == -1)
			return -1;
		text += len;
	}
	*list_r = list;
	*count_r = count;
	return 0;
}

int
config_durations(struct arena *a, const char *text, int64_t **list_r,
    size_t *count_r, struct err *e)
{
	static const struct config_key entry = { .type = CONFIG_DURATION,
		.max = INT64_C(90) * 24 * 3600 * 1000 };

	if (text[strspn(text, blanks)] == '\0')
		return err_set(e, ERR_INVALID,
		    "the list is empty; give durations such as 0s 5s 5m");
	return read_list(a, &entry, text, list_r, count_r, e);
}

int
config_ports(struct arena *a, const char *text, int64_t **list_r,
    size_t *count_r, struct err *e)
{
	static const struct config_key entry = { .type = CONFIG_INT, .min = 1,
		.max = 65535 };

	return read_list(a, &entry, text, list_r, count_r, e);
}
