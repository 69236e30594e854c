/*
 * audit.c - belfryctl audit list, export, verify
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "model/audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/number.h"
#include "ctl/out.h"
#include "model/tenant.h"

enum { SHOWN = 50, SHOWN_MAX = 10000, PAGE = 500, CHUNK_BYTES = 65536 };

static const struct tenant_id installation = { 0 };

static const struct out_column columns[] = {
	{ "at", "AT" },
	{ "principal", "WHO" },
	{ "source", "FROM" },
	{ "action", "ACTION" },
	{ "object", "OBJECT" },
	{ NULL, NULL },
};

/* What the option --installation or the tenant says. */
static int
choose(struct ctl *c, struct tenant_id *id_r, struct err *e)
{
	*id_r = installation;
	if (ctl_has(c, "installation"))
		return 0;
	if (ctl_open_tenant(c, e) == -1)
		return -1;
	*id_r = c->tenant->id;
	return 0;
}

static int
read_times(const struct ctl *c, struct audit_filter *f, struct err *e)
{
	if (ctl_time(c, "since", CTL_AGO, &f->since_ms, e) == -1)
		return -1;
	return ctl_time(c, "until", CTL_AGO, &f->until_ms, e);
}

/* ---- audit list ----------------------------------------------------------------- */

static json_t *
entry_json(const struct audit *row)
{
	char id[UUID_TEXT_BYTES];

	uuid_format(&row->id, id);
	return json_pack("{s:s, s:s, s:s, s:o, s:s, s:s, s:o, s:o, s:o, s:o}",
	    "id", id, "at", row->at, "principal", row->principal, "source",
	    out_text(row->source), "action", row->action, "object", row->object,
	    "detail", out_json(row->detail), "changes", out_json(row->changes),
	    "request_id", out_text(row->request_id), "seq",
	    row->seq > 0 ? json_integer((json_int_t)row->seq) : json_null());
}

int
command_audit_list(struct ctl *c, struct err *e)
{
	struct audit_filter filter = { .principal = ctl_value(c, "principal"),
		.action = ctl_value(c, "action"),
		.object = ctl_value(c, "object") };
	int64_t limit = SHOWN;
	struct tenant_id id;
	struct audit *list;
	size_t i, count;
	json_t *rows;

	if (choose(c, &id, e) == -1 || read_times(c, &filter, e) == -1 ||
	    ctl_number(c, "limit", 1, SHOWN_MAX, &limit, e) == -1 ||
	    audit_list(c->a, c->db, id, &filter, NULL, (int)limit, &list, &count,
	        e) == -1)
		return -1;
	rows = json_array();
	for (i = 0; i < count; i++)
		json_array_append_new(rows, entry_json(&list[i]));
	out_table(c, rows, columns, "nothing was changed");
	return 0;
}

/* ---- audit export ---------------------------------------------------------------- */

/* Every text as it is hashed. */
static void
print_line(struct tenant_id tenant, const struct audit *row)
{
	char id[UUID_TEXT_BYTES], *text;
	json_t *line;

	uuid_format(&row->id, id);
	line = json_pack("{s:I, s:I, s:s, s:s, s:s, s:o, s:s, s:s, s:o, s:o, s:o, "
	                 "s:s, s:s}",
	    "tenant_id", (json_int_t)tenant.n, "seq", (json_int_t)row->seq, "id",
	    id, "at", row->at, "principal", row->principal, "source",
	    out_text(row->source), "action", row->action, "object", row->object,
	    "detail", out_text(row->detail), "changes", out_text(row->changes),
	    "request_id", out_text(row->request_id), "prev_hash",
	    row->prev_hash, "hash", row->hash);
	text = json_dumps(line, JSON_COMPACT);
	puts(text);
	free(text);
	json_decref(line);
}

static int
export_chain(struct ctl *c, struct tenant_id id,
    const struct audit_filter *filter, struct err *e)
{
	struct arena *a = arena_new(CHUNK_BYTES);
	struct audit *list;
	int64_t after = 0;
	size_t i, count = PAGE;
	int rc = 0;

	while (rc == 0 && count == PAGE) {
		arena_reset(a);
		rc = audit_chain(a, c->db, id, filter, after, PAGE, &list,
		    &count, e);
		for (i = 0; rc == 0 && i < count; i++) {
			print_line(id, &list[i]);
			after = list[i].seq;
		}
	}
	arena_free(&a);
	return rc;
}

int
command_audit_export(struct ctl *c, struct err *e)
{
	struct audit_filter filter = { .since_ms = 0 };
	struct tenant_id id;

	if (choose(c, &id, e) == -1 || read_times(c, &filter, e) == -1)
		return -1;
	return export_chain(c, id, &filter, e);
}

/* ---- audit verify ---------------------------------------------------------------- */

static const struct out_column verdict_columns[] = {
	{ "chain", "CHAIN" },
	{ "entries", "ENTRIES" },
	{ "unchained", "BEFORE THE CHAIN" },
	{ "fault", "FAULT" },
	{ NULL, NULL },
};

static int
verify(struct ctl *c, const char *name, struct tenant_id id, json_t *rows,
    struct err *e)
{
	struct audit_verdict v;

	if (audit_verify(c->a, c->db, id, &v, e) == -1)
		return -1;
	if (v.fault != NULL)
		c->status = CTL_EXIT_FAILED;
	json_array_append_new(rows,
	    json_pack("{s:s, s:I, s:I, s:o}", "chain", name, "entries",
	        (json_int_t)v.entries, "unchained", (json_int_t)v.unchained,
	        "fault", out_text(v.fault)));
	return 0;
}

static int
verify_all(struct ctl *c, json_t *rows, struct err *e)
{
	struct tenant_walk w = { .a = c->a, .db = c->db };
	struct tenant *t;
	int rc;

	if (verify(c, "installation", installation, rows, e) == -1)
		return -1;
	while ((rc = tenant_next(&w, &t, e)) == 1)
		if (verify(c, t->slug, t->id, rows, e) == -1)
			return -1;
	return rc;
}

int
command_audit_verify(struct ctl *c, struct err *e)
{
	json_t *rows = json_array();
	int rc;

	if (ctl_value(c, "tenant") == NULL)
		rc = verify_all(c, rows, e);
	else if ((rc = ctl_open_tenant(c, e)) == 0)
		rc = verify(c, c->tenant->slug, c->tenant->id, rows, e);
	if (rc == -1) {
		json_decref(rows);
		return -1;
	}
	out_table(c, rows, verdict_columns, "");
	return 0;
}
