/*
 * conninfo.c - what a connection string says
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "db/conninfo.h"

#include <string.h>

#include <libpq-fe.h>

#include "base/arena.h"
#include "base/err.h"

int
conninfo_value(struct arena *a, const char *conninfo, const char *keyword,
    const char **value_r, struct err *e)
{
	char *message = NULL;
	PQconninfoOption *options = PQconninfoParse(conninfo, &message), *o;
	int found = 0;

	if (options == NULL) {
		err_set(
		    e, ERR_UNPROCESSABLE, "the connection string is malformed");
		err_detail(
		    e, "%s", message != NULL ? message : "out of memory");
		PQfreemem(message);
		return -1;
	}
	for (o = options; o->keyword != NULL && found == 0; o++)
		if (strcmp(o->keyword, keyword) == 0 && o->val != NULL) {
			*value_r = arena_strdup(a, o->val);
			found = 1;
		}
	PQconninfoFree(options);
	return found;
}
