/*
 * init.c - belfryctl init
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * From an empty PostgreSQL to an installation that takes notifications.  Each
 * step looks whether it is done already, so init may be run again, also after
 * it was cut off: a tenant without keys gets them.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "auth/signing.h"
#include "base/arena.h"
#include "base/config.h"
#include "base/err.h"
#include "base/seal.h"
#include "base/text.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/key.h"
#include "ctl/out.h"
#include "db/conninfo.h"
#include "db/db.h"
#include "db/migrate.h"
#include "db/script.h"
#include "model/account.h"
#include "model/tenant.h"

static const char service_scopes[] =
    "notifications:send notifications:read recipients:read recipients:write";

struct init {
	struct ctl *c;
	const char *database;
	json_t *made; /* what was not there before, for people */
	const char *api_key; /* NULL: it was there */
	const char *admin_key;
};

static void
note(struct init *in, const char *what, const char *name)
{
	json_array_append_new(in->made, json_sprintf("%s \"%s\"", what, name));
}

/* ---- The database
 * ----------------------------------------------------------- */

static int
find_name(struct init *in, struct err *e)
{
	const char *conninfo = in->c->config->database_admin_conninfo;
	int found =
	    conninfo_value(in->c->a, conninfo, "dbname", &in->database, e);

	if (found == 0)
		in->database = getenv("PGDATABASE");
	if (found == 0 && in->database == NULL)
		return err_set(e, ERR_UNPROCESSABLE,
		    "database.admin_conninfo names no database: add "
		    "dbname=belfry");
	return found == -1 ? -1 : 0;
}

/* Makes the database through the one that always exists.  0 also when it exists
 * already; whether it can be reached is seen later. */
static int
make_database(struct init *in, struct err *e)
{
	struct ctl *c = in->c;
	struct db_params p = ctl_db_params(c, false);
	struct db_rows *rows;
	struct db *db;

	p.database = "postgres";
	db = db_new(c->a, &p);
	if (db_connect(db, e) == -1 ||
	    db_script(db, c->a,
		arena_printf(c->a, "SET belfry.database = %s",
		    db_quote_text(c->a, db, in->database)),
		NULL, e) == -1 ||
	    db_script(db, c->a, script_text(SCRIPT_DATABASE_FIND), &rows, e) ==
		-1)
		return -1;
	if (db_count(rows) > 0)
		return 0;
	if (db_script(db, c->a, script_text(SCRIPT_DATABASE_MAKE), &rows, e) ==
	        -1 ||
	    db_script(db, c->a, db_text(rows, 0, 0), NULL, e) == -1)
		return -1;
	note(in, "database", in->database);
	return 0;
}

static int
connect_database(struct init *in, struct db **db_r, struct err *e)
{
	struct ctl *c = in->c;
	struct db_params p = ctl_db_params(c, false);
	struct db *db = db_new(c->a, &p);
	struct err other;
	const char *why;

	*db_r = db;
	if (db_connect(db, e) == 0)
		return 0;
	if (make_database(in, &other) == 0)
		return db_connect(db, e);
	/* Who gets as far as PostgreSQL hears what was refused there. */
	if (other.kind != ERR_TEMPORARY) {
		*e = other;
		return -1;
	}
	why = arena_strdup(c->a, e->detail);
	err_set(e, ERR_TEMPORARY,
	    "could not connect to the database: on a new server \"sudo -u "
	    "postgres createuser --createrole --createdb root\" lets root "
	    "make it; see database.admin_conninfo");
	return err_detail(e, "%s", why);
}

static void
note_migration(void *arg, const char *name)
{
	note(arg, "migration", name);
}

static int
prepare_database(struct init *in, struct err *e)
{
	struct ctl *c = in->c;
	struct db *db;

	if (find_name(in, e) == -1 || connect_database(in, &db, e) == -1 ||
	    db_script(db, c->a, script_text(SCRIPT_ROLES), NULL, e) == -1 ||
	    db_script(db, c->a, script_text(SCRIPT_DATABASE), NULL, e) == -1)
		return -1;
	return migrate_up(db, c->a, note_migration, in, e);
}

/* ---- Tenant and keys
 * --------------------------------------------------------- */

/* The tenant that the option names, or the first there is, or a new one. */
static int
prepare_tenant(struct init *in, struct err *e)
{
	struct ctl *c = in->c;
	const char *slug = ctl_value(c, "tenant");
	struct tenant *t = arena_object(c->a, struct tenant);
	struct editor ed = ctl_editor(c);
	size_t count = 0;
	int found = 0;

	if (slug != NULL)
		found = tenant_find(c->a, c->db, slug, &c->tenant, e);
	else if (tenant_list(c->a, c->db, "", 1, &c->tenant, &count, e) == -1)
		found = -1;
	if (found == -1)
		return -1;
	if (found == 1 || count == 1)
		return 0;
	t->slug = slug != NULL ? slug : "default";
	t->name = t->slug;
	t->default_locale = "en";
	t->time_zone = "UTC";
	t->weight = 1;
	if (!text_is_slug(t->slug))
		return err_set(e, ERR_UNPROCESSABLE,
		    "the slug \"%.80s\" is not made of a-z, 0-9 and \"-\"",
		    t->slug);
	if (tenant_create(&ed, t, e) == -1)
		return -1;
	c->tenant = t;
	note(in, "tenant", t->slug);
	return 0;
}

static int
prepare_key(struct init *in, const struct keyring *ring, const char *name,
    const char *scopes, const char **text_r, struct err *e)
{
	struct ctl *c = in->c;
	struct key_wish wish = { .account = name, .scopes = scopes,
		.overlap_ms = -1 };
	struct account *account;
	int found = account_find(c->a, c->db, c->tenant->id, name, &account, e);

	if (found != 0)
		return found == 1 ? 0 : -1;
	if (key_make(c, ring, &wish, text_r, e) == -1)
		return -1;
	note(in, "service account", name);
	return 0;
}

static int
prepare_keys(struct init *in, struct err *e)
{
	struct keyring *ring;

	if (ctl_keyring(in->c, &ring, e) == -1 ||
	    prepare_key(in, ring, "service", service_scopes, &in->api_key, e) ==
	        -1)
		return -1;
	return prepare_key(in, ring, "admin", "admin", &in->admin_key, e);
}

/* Those that sign tokens. */
static int
prepare_signing(struct init *in, struct err *e)
{
	struct ctl *c = in->c;
	struct signing_key *list;
	struct keyring *ring;
	size_t count;

	if (signing_list(c->a, c->db, &list, &count, e) != 0)
		return -1;
	if (count > 0)
		return 0;
	if (ctl_keyring(c, &ring, e) != 0 ||
	    signing_rotate(c->a, c->db, ring, "EdDSA", false, e) != 0)
		return -1;
	note(in, "signing key", "EdDSA");
	return 0;
}

/* ---- What is told
 * ------------------------------------------------------------- */

static void
tell(const struct init *in)
{
	const struct ctl *c = in->c;
	json_t *what;
	size_t i;

	if (c->json) {
		out_said(c,
		    json_pack("{s:s, s:o, s:o, s:O}", "tenant", c->tenant->slug,
		        "api_key", out_text(in->api_key), "admin_key",
		        out_text(in->admin_key), "made", in->made),
		    "%s", "");
		return;
	}
	json_array_foreach(in->made, i, what)
		out_said(c, NULL, "made %s", json_string_value(what));
	if (json_array_size(in->made) == 0)
		out_said(c, NULL, "everything was there already");
	out_said(c, NULL, "tenant: %s", c->tenant->slug);
	if (in->api_key == NULL && in->admin_key == NULL) {
		out_said(c, NULL, "its keys were shown when they were made; "
		    "\"belfryctl key rotate service\" makes a new one");
		return;
	}
	if (in->api_key != NULL)
		out_said(c, NULL, "service key: %s", in->api_key);
	if (in->admin_key != NULL)
		out_said(c, NULL, "admin key: %s", in->admin_key);
	out_said(c, NULL, "keep the keys: they are not shown again");
}

int
command_init(struct ctl *c, struct err *e)
{
	struct init in = { .c = c, .made = json_array() };
	int rc = -1;

	if (prepare_database(&in, e) == 0 &&
	    keyring_create(c->config->keys_directory, e) == 0 &&
	    ctl_prepare_database(c, e) == 0 && prepare_tenant(&in, e) == 0 &&
	    prepare_keys(&in, e) == 0 && prepare_signing(&in, e) == 0) {
		tell(&in);
		rc = 0;
	}
	json_decref(in.made);
	return rc;
}
