/*
 * renew.c - the configuration read again while a program runs
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "base/renew.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/config_value.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/log.h"

enum { FAULTS_BYTES = 65536 };

static void
log_faults(const struct buf *faults)
{
	const char *line = faults->data, *end;
	char text[512];

	for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		snprintf(text, sizeof(text), "%.*s", (int)(end - line), line);
		log_error(NULL,
		    "the configuration has a fault; the one before it stays in "
		    "force",
		    LF_STR("fault", text));
	}
}

static void
keep_restart_keys(struct arena *a, struct config *new,
    const struct config *old)
{
	const struct config_key *k;
	char name[128];
	size_t count, i;

	k = config_keys(&count);
	for (i = 0; i < count; i++) {
		if (k[i].reload != CONFIG_RESTART ||
		    config_value_equal(&k[i], new, old))
			continue;
		snprintf(name, sizeof(name), "%s.%s", k[i].section, k[i].name);
		log_warn(NULL, "a changed key needs a restart",
		    LF_STR("key", name));
		config_value_copy(a, &k[i], new, old);
	}
}

struct config *
renew_config(struct arena *a, const char *path, const struct config *old)
{
	struct buf *faults = buf_new(a, FAULTS_BYTES);
	struct config *new = NULL;
	struct err e;

	if (config_load(a, path, &new, faults, &e) == -1) {
		log_faults(faults);
		return NULL;
	}
	keep_restart_keys(a, new, old);
	return new;
}

void
renew_log(const char *program, const struct config *from,
    const struct config *to)
{
	enum log_level level = LOG_LEVEL_INFO;
	struct err e;

	ensure(log_level_parse(to->log_level, &level) == 0);
	if (strcmp(from->log_target, to->log_target) == 0)
		log_set_level(level);
	else if (log_open(program, to->log_target, level, &e) == -1)
		log_error(NULL, "the log stays where it was", LF_ERR(&e));
}
