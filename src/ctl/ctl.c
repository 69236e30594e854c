/*
 * ctl.c - what a command of belfryctl works with
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "ctl/ctl.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/err.h"
#include "base/seal.h"
#include "ctl/grammar.h"
#include "db/db.h"
#include "db/migrate.h"
#include "model/tenant.h"
#include "provider/provider.h"
#include "web/field.h"

enum { TENANTS_TOLD = 2, CONFIG_FAULTS_BYTES = 1 << 16 };

const char *
ctl_argument(const struct ctl *c, size_t n)
{
	return n < c->line->arguments_count ? c->line->arguments[n] : NULL;
}

const char *
ctl_value(const struct ctl *c, const char *option)
{
	return invocation_value(c->line, option);
}

bool
ctl_has(const struct ctl *c, const char *option)
{
	return invocation_has(c->line, option);
}

int
ctl_need_option(const struct ctl *c, struct err *e)
{
	const struct ctl_option *o;

	for (o = c->line->command->options; o->name != NULL; o++)
		if (ctl_has(c, o->name))
			return 0;
	return err_set(e, ERR_INVALID,
	    "what is to be changed? \"belfryctl help %s\" lists the options",
	    c->line->command->words);
}

/* ---- Configuration
 * --------------------------------------------------------- */

static const char *
find_config(const struct ctl *c)
{
	static const char usual[] = BELFRY_SYSCONFDIR "/belfry.conf";
	const char *path = ctl_value(c, "config");

	if (path == NULL)
		path = getenv("BELFRY_CONF");
	if (path == NULL && access(usual, F_OK) == 0)
		path = usual;
	return path;
}

/* Lines "FILE:LINE: what is wrong", or "VARIABLE: what is wrong", for out_error(). */
static void
tell_faults(struct ctl *c, const char *text)
{
	const char *end, *place_end;

	c->faults = json_array();
	for (; *text != '\0'; text = end + (*end == '\n')) {
		end = text + strcspn(text, "\n");
		place_end = strstr(text, ": ");
		if (place_end == NULL || place_end > end)
			place_end = text;
		json_array_append_new(c->faults,
		    json_pack("{s:s%, s:s%}", "place", text,
		        (size_t)(place_end - text), "text",
		        place_end + (place_end > text ? 2 : 0),
		        (size_t)(end - place_end) - (place_end > text ? 2 : 0)));
	}
}

int
ctl_open_config(struct ctl *c, struct err *e)
{
	struct buf *faults = buf_new(c->a, CONFIG_FAULTS_BYTES);

	c->config_path = find_config(c);
	if (config_load(c->a, c->config_path, &c->config, faults, e) == 0) {
		provider_configure(c->config);
		return 0;
	}
	if (c->json)
		tell_faults(c, faults->data);
	else
		fputs(faults->data, stderr);
	c->status = CTL_EXIT_CONFIG;
	return -1;
}

/* ---- The database
 * ---------------------------------------------------------- */

struct db_params
ctl_db_params(const struct ctl *c, bool owner)
{
	struct db_params p = db_params_from(c->config, NULL, "belfryctl");

	p.conninfo = c->config->database_admin_conninfo;
	p.prepare = false;
	if (owner)
		p.options = "-c role=belfry_owner -c search_path=belfry";
	return p;
}

/* Which key of the configuration said where the database is. */
static void
say_where(struct err *e)
{
	struct err was = *e;

	err_set(e, was.kind, "%.100s: look at admin_conninfo in [database]; "
	    "\"belfryctl doctor\" tells more", was.text);
	(void)err_detail(e, "%s", was.detail);
}

int
ctl_prepare_database(struct ctl *c, struct err *e)
{
	struct db_params *p = arena_object(c->a, struct db_params);

	*p = ctl_db_params(c, true);
	c->db = db_new(c->a, p);
	if (db_connect(c->db, e) == -1) {
		if (strstr(e->detail, "belfry_owner") != NULL)
			err_set(e, ERR_TEMPORARY, "the database has no role "
			    "\"belfry_owner\" for us: run \"belfryctl init\"");
		else
			say_where(e);
		return -1;
	}
	return migrate_check(c->db, c->a, e);
}

/* ---- The tenant
 * ------------------------------------------------------------ */

static int
only_tenant(struct ctl *c, struct err *e)
{
	struct tenant *list;
	size_t count;

	if (tenant_list(c->a, c->db, "", TENANTS_TOLD, &list, &count, e) == -1)
		return -1;
	if (count == 0)
		return err_set(e, ERR_NOT_FOUND,
		    "there is no tenant yet: run \"belfryctl tenant "
		    "add SLUG\"");
	if (count > 1)
		return err_set(e, ERR_INVALID, "there are several tenants "
		    "(\"%s\", \"%s\" ...): say which one with --tenant or in "
		    "BELFRY_TENANT",
		    list[0].slug, list[1].slug);
	c->tenant = &list[0];
	return 0;
}

int
ctl_open_tenant(struct ctl *c, struct err *e)
{
	const char *slug = ctl_value(c, "tenant"), *from = "";
	int found;

	if (slug == NULL) {
		slug = getenv("BELFRY_TENANT");
		from = ", which BELFRY_TENANT names";
	}
	if (slug == NULL || slug[0] == '\0')
		return only_tenant(c, e);
	found = tenant_find(c->a, c->db, slug, &c->tenant, e);
	if (found == 0)
		return err_set(e, ERR_NOT_FOUND, "there is no tenant \"%.63s\"%s: "
		    "\"belfryctl tenant list\" lists them", slug, from);
	return found == 1 ? 0 : -1;
}

int
ctl_prepare(struct ctl *c, enum ctl_need need, struct err *e)
{
	if (need >= CTL_NEEDS_CONFIG && ctl_open_config(c, e) == -1)
		return -1;
	if (need >= CTL_NEEDS_DATABASE && ctl_prepare_database(c, e) == -1)
		return -1;
	if (need >= CTL_NEEDS_TENANT && ctl_open_tenant(c, e) == -1)
		return -1;
	return 0;
}

/* ---- Helpers
 * --------------------------------------------------------------- */

/* Who sits before the terminal, for the audit: also behind sudo. */
static const char *
principal(struct arena *a)
{
	const char *name = getenv("SUDO_USER");
	const struct passwd *pw;

	if (name == NULL) {
		pw = getpwuid(getuid());
		name = pw != NULL ? pw->pw_name : "unknown";
	}
	return arena_printf(a, "belfryctl:%.64s", name);
}

/* From where: the account that runs this, which sudo changes, and the host. */
static const char *
source(struct arena *a)
{
	char host[256] = "";
	const struct passwd *pw = getpwuid(getuid());

	if (gethostname(host, sizeof(host) - 1) == -1)
		host[0] = '\0';
	return pw != NULL ? arena_printf(a, "unix %.64s@%s", pw->pw_name, host)
	                  : arena_printf(a, "unix %d@%s", (int)getuid(), host);
}

struct editor
ctl_editor(const struct ctl *c)
{
	return (struct editor){
		.source = source(c->a),
		.a = c->a,
		.db = c->db,
		.tenant = c->tenant != NULL ? c->tenant->id
		                            : (struct tenant_id){ 0 },
		.principal = principal(c->a),
	};
}

int
ctl_refuse(struct ctl *c, const struct field_errors *fe, const char *text,
    struct err *e)
{
	const struct field_error *f;

	c->faults = json_array();
	for (f = fe->first; f != NULL; f = f->next)
		json_array_append_new(c->faults, json_pack("{s:s, s:s}", "place",
		    f->pointer, "text", f->detail));
	return err_set(e, ERR_UNPROCESSABLE, "%s", text);
}

int
ctl_keyring(struct ctl *c, struct keyring **ring_r, struct err *e)
{
	return keyring_load(c->a, c->config->keys_directory, ring_r, e);
}

static void
defer_close(void *p)
{
	fclose(p);
}

int
ctl_read_file(struct arena *a, const char *path, size_t max_bytes,
    char **text_r, size_t *len_r, struct err *e)
{
	bool standard = strcmp(path, "-") == 0;
	FILE *f = standard ? stdin : fopen(path, "re");
	struct buf *text = buf_new(a, max_bytes + 1);
	char piece[4096];
	size_t n;

	if (f == NULL)
		return err_set(e,
		    errno == ENOENT ? ERR_NOT_FOUND : ERR_INTERNAL,
		    "could not open \"%s\": %s", path, strerror(errno));
	if (!standard)
		arena_defer(a, defer_close, f);
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		buf_add(text, piece, n);
	if (ferror(f))
		return err_set(e, ERR_INTERNAL, "could not read \"%s\": %s",
		    path, strerror(errno));
	if (buf_overflowed(text) || text->len > max_bytes)
		return err_set(e, ERR_UNPROCESSABLE,
		    "\"%s\" has more than %zu bytes", path, max_bytes);
	*text_r = text->data;
	*len_r = text->len;
	return 0;
}

enum ctl_exit
ctl_exit_of(const struct err *e)
{
	switch ((int)e->kind) {
	case ERR_INVALID:
		return CTL_EXIT_USAGE;
	case ERR_NOT_FOUND:
		return CTL_EXIT_NOT_FOUND;
	case ERR_CONFLICT:
	case ERR_PRECONDITION:
		return CTL_EXIT_CONFLICT;
	case ERR_UNPROCESSABLE:
	case ERR_TOO_LARGE:
		return CTL_EXIT_REFUSED;
	case ERR_TEMPORARY:
	case ERR_UNCERTAIN:
		return CTL_EXIT_DATABASE;
	default:
		return CTL_EXIT_FAILED;
	}
}
