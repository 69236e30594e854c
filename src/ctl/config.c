/*
 * config.c - belfryctl check-config, config
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "base/config.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/out.h"

enum { DUMP_BYTES_MAX = 1 << 20 };

int
command_check_config(struct ctl *c, struct err *e)
{
	if (ctl_open_config(c, e) == -1)
		return -1;
	if (c->config_path != NULL)
		out_said(c,
		    json_pack("{s:b, s:s}", "ok", 1, "file", c->config_path),
		    "%s is right", c->config_path);
	else
		out_said(c, json_pack("{s:b, s:n}", "ok", 1, "file"),
		    "there is no file: the defaults are in force");
	return 0;
}

/* "[section]" and "key = value" lines as an object of objects. */
static json_t *
dump_json(const char *text)
{
	json_t *all = json_object(), *section = NULL;
	const char *line = text, *end, *equals;
	size_t n;

	for (; *line != '\0'; line = end + (*end == '\n')) {
		end = line + strcspn(line, "\n");
		n = (size_t)(end - line);
		equals = memchr(line, '=', n);
		if (n > 2 && line[0] == '[') {
			section = json_object();
			json_object_setn_new(all, line + 1, n - 2, section);
		} else if (section != NULL && equals != NULL) {
			equals += equals[1] == ' ' ? 2 : 1;
			json_object_setn_new(section, line, strcspn(line, " ="),
			    json_stringn(equals, (size_t)(end - equals)));
		}
	}
	return all;
}

int
command_config(struct ctl *c, struct err *e)
{
	struct buf *out = buf_new(c->a, DUMP_BYTES_MAX);
	bool sample = ctl_has(c, "defaults");

	if (!sample && ctl_open_config(c, e) == -1)
		return -1;
	config_dump(c->config,
	    sample                    ? CONFIG_DUMP_SAMPLE
	        : ctl_has(c, "changed") ? CONFIG_DUMP_CHANGED
	                                : CONFIG_DUMP_ALL,
	    out);
	if (c->json && !sample)
		out_said(c, dump_json(out->data), "%s", "");
	else
		out_raw(out->data, out->len);
	return 0;
}
