/*
 * provider_account.c - a tenant's accounts at providers, as they are stored
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "model/provider_account.h"

#include "base/arena.h"
#include "base/ensure.h"
#include "base/err.h"
#include "db/db.h"
#include "model/edit.h"

const char *
provider_state_name(enum provider_state state)
{
	static const char *const names[] = {
		[PROVIDER_ENABLED] = "enabled",
		[PROVIDER_DISABLED] = "disabled",
		[PROVIDER_PARKED] = "parked",
	};

	ensure(state >= PROVIDER_ENABLED && state <= PROVIDER_PARKED);
	return names[state];
}

bool
provider_account_is_shared(const struct provider_account *p)
{
	return !uuid_is_nil(&p->shared_id.u);
}

const struct provider_account *
provider_account_itself(const struct provider_account *p)
{
	return provider_account_is_shared(p) ? p->shared : p;
}

static const char *
copy_text(struct arena *a, const char *s)
{
	return s != NULL ? arena_strdup(a, s) : NULL;
}

struct provider_account *
provider_account_copy(struct arena *a, const struct provider_account *p)
{
	struct provider_account *copy = arena_object(a, struct provider_account);

	*copy = *p;
	copy->name = copy_text(a, p->name);
	copy->kind = copy_text(a, p->kind);
	copy->settings = copy_text(a, p->settings);
	copy->limits = copy_text(a, p->limits);
	copy->allowed = copy_text(a, p->allowed);
	if (p->sealed != NULL)
		copy->sealed = arena_memdup(a, p->sealed, p->sealed_bytes);
	if (p->shared != NULL)
		copy->shared = provider_account_copy(a, p->shared);
	return copy;
}

/* ---- Reading ---------------------------------------------------------------------- */

static void
list_add(struct db_batch *b, struct tenant_id tenant, const char *after,
    int limit)
{
	db_add(b, Q_PROVIDER_LIST);
	db_arg_int(b, tenant.n);
	db_arg_text(b, after);
	db_arg_int(b, limit);
}

static struct provider_account
account_of_row(struct arena *a, const struct db_rows *r, int row)
{
	struct provider_account p = {
		.tenant = { db_int(r, row, 12) },
		.id = { db_uuid(r, row, 0) },
		.name = db_text(r, row, 1),
		.kind = db_text(r, row, 2),
		.channel = (enum channel)db_int(r, row, 3),
		.state = (enum provider_state)db_int(r, row, 4),
		.priority = (int)db_int(r, row, 5),
		.weight = (int)db_int(r, row, 6),
		.settings = db_text(r, row, 7),
		.version = (int)db_int(r, row, 9),
		.created_ms = db_time_ms(r, row, 10),
		.updated_ms = db_time_ms(r, row, 11),
		.limits = db_text(r, row, 13),
		.shared_id = { db_uuid(r, row, 14) },
		.allowed = db_text(r, row, 15),
	};

	p.sealed = db_bytes(a, r, row, 8, &p.sealed_bytes);
	return p;
}

static void
from_rows(struct arena *a, const struct db_rows *rows,
    struct provider_account **list_r, size_t *count_r)
{
	size_t i, n = (size_t)db_count(rows);
	struct provider_account *list = arena_zalloc(a, n, sizeof(*list));

	for (i = 0; i < n; i++)
		list[i] = account_of_row(a, rows, (int)i);
	*list_r = list;
	*count_r = n;
}

/* Finds the accounts that rows are leave to use. */
static void
join(struct provider_account *list, size_t count,
    const struct provider_account *platform, size_t platform_count)
{
	size_t i, k;

	for (i = 0; i < count; i++)
		for (k = 0; k < platform_count; k++)
			if (uuid_cmp(&list[i].shared_id.u, &platform[k].id.u) ==
			    0)
				list[i].shared = &platform[k];
}

void
provider_account_all_add(struct db_batch *b, struct tenant_id tenant)
{
	list_add(b, tenant, "", PROVIDER_ACCOUNTS_MAX);
	db_add(b, Q_PLATFORM_ENTER);
	list_add(b, TENANT_PLATFORM, "", PROVIDER_ACCOUNTS_MAX);
	db_add(b, Q_PLATFORM_LEAVE);
}

void
provider_account_all_read(struct arena *a, struct db_rows **rows,
    struct provider_account **list_r, size_t *count_r)
{
	struct provider_account *platform;
	size_t count;

	from_rows(a, rows[0], list_r, count_r);
	from_rows(a, rows[2], &platform, &count);
	join(*list_r, *count_r, platform, count);
}

/* The rows of a query, with the accounts of the platform if there are some among them. */
static int
run(struct arena *a, struct db *db, struct db_batch *b,
    struct provider_account **list_r, size_t *count_r, struct err *e)
{
	struct provider_account *list, *platform;
	struct db_rows **rows;
	size_t i = 0, count, platform_count;

	if (db_run(db, a, b, &rows, e) == -1)
		return -1;
	from_rows(a, rows[0], &list, &count);
	while (i < count && !provider_account_is_shared(&list[i]))
		i++;
	if (i < count) {
		b = db_batch_new(a, TENANT_PLATFORM, DB_ONE);
		list_add(b, TENANT_PLATFORM, "", PROVIDER_ACCOUNTS_MAX);
		if (db_run(db, a, b, &rows, e) == -1)
			return -1;
		from_rows(a, rows[0], &platform, &platform_count);
		join(list, count, platform, platform_count);
	}
	*list_r = list;
	*count_r = count;
	return 0;
}

int
provider_account_list(struct arena *a, struct db *db, struct tenant_id tenant,
    const char *after, int limit, struct provider_account **list_r,
    size_t *count_r, struct err *e)
{
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);

	list_add(b, tenant, after, limit);
	return run(a, db, b, list_r, count_r, e);
}

static int
one(struct arena *a, struct db *db, struct db_batch *b,
    struct provider_account **account_r, struct err *e)
{
	struct provider_account *list;
	size_t count;

	if (run(a, db, b, &list, &count, e) == -1)
		return -1;
	if (count == 0)
		return 0;
	*account_r = list;
	return 1;
}

int
provider_account_get(struct arena *a, struct db *db, struct tenant_id tenant,
    struct provider_id id, struct provider_account **account_r, struct err *e)
{
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);

	db_add(b, Q_PROVIDER_GET);
	db_arg_int(b, tenant.n);
	db_arg_uuid(b, &id.u);
	return one(a, db, b, account_r, e);
}

int
provider_account_find(struct arena *a, struct db *db, struct tenant_id tenant,
    const char *name, struct provider_account **account_r, struct err *e)
{
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);

	db_add(b, Q_PROVIDER_FIND);
	db_arg_int(b, tenant.n);
	db_arg_text(b, name);
	return one(a, db, b, account_r, e);
}

/* ---- Writing ---------------------------------------------------------------------- */

/* Arguments of insert and update. */
static void
bind_settings(struct db_batch *b, const struct provider_account *p)
{
	db_arg_text(b, p->settings);
	if (p->sealed == NULL)
		db_arg_null(b);
	else
		db_arg_bytes(b, p->sealed, p->sealed_bytes);
	db_arg_text(b, p->limits != NULL ? p->limits : "{}");
}

/* What waits for an account of the channel goes on: some thousands at once, the others
 * when they are due by themselves. */
static void
wake(struct db_batch *b, struct tenant_id tenant, struct provider_id id,
    enum provider_state state)
{
	if (state != PROVIDER_ENABLED)
		return;
	db_add(b, Q_PROVIDER_WAKE);
	db_arg_int(b, tenant.n);
	db_arg_uuid(b, &id.u);
	if (!tenant_is_platform(tenant))
		return;
	db_add(b, Q_SHARED_WAKE);
	db_arg_uuid(b, &id.u);
}

static int
say_taken(
    const struct editor *ed, const struct provider_account *p, struct err *e)
{
	if (db_violates(e, "provider_tenant_id_name_key"))
		err_set(e, ERR_CONFLICT, "there is a provider \"%s\" already",
		    p->name);
	else if (db_violates(e, "provider_tenant_id_shared_id_key"))
		err_set(e, ERR_CONFLICT, "the tenant has it already");
	return edit_abort(ed);
}

/* The account of the platform stays as long as the transaction; rows[ITSELF] say whether
 * it is there. */
enum { ITSELF = 2 };

static void
lock_itself(struct db_batch *b, struct provider_id id)
{
	db_add(b, Q_PLATFORM_ENTER);
	db_add(b, Q_SHARED_LOCK);
	db_arg_int(b, TENANT_PLATFORM.n);
	db_arg_uuid(b, &id.u);
	db_add(b, Q_PLATFORM_LEAVE);
}

int
provider_account_create(const struct editor *ed,
    const struct provider_account *p, struct err *e)
{
	struct db_batch *b = edit_begin(ed);
	bool shared = provider_account_is_shared(p);
	struct db_rows **rows;

	if (shared)
		lock_itself(b, p->shared_id);
	db_add(b, Q_PROVIDER_INSERT);
	db_arg_int(b, ed->tenant.n);
	db_arg_uuid(b, &p->id.u);
	db_arg_text(b, p->name);
	db_arg_text(b, p->kind);
	db_arg_int(b, p->channel);
	db_arg_int(b, p->state);
	db_arg_int(b, p->priority);
	db_arg_int(b, p->weight);
	bind_settings(b, p);
	db_arg_uuid(b, shared ? &p->shared_id.u : NULL);
	db_arg_text(b, p->allowed);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return say_taken(ed, p, e);
	if (shared && db_count(rows[ITSELF]) == 0) {
		err_set(e, ERR_NOT_FOUND, "the platform has no such account");
		return edit_abort(ed);
	}
	b = edit_commit(ed, shared ? "provider.share" : "provider.add", p->name,
	    json_pack("{s:s}", "kind", p->kind));
	wake(b, ed->tenant, p->id, p->state);
	return db_run(ed->db, ed->a, b, &rows, e);
}

/* Opens the transaction and locks the account, whose name the audit wants; NULL: it is known. */
static int
lock(const struct editor *ed, struct provider_id id, int expected,
    const char **name_r, struct err *e)
{
	struct db_batch *b = edit_begin(ed);
	struct db_rows **rows;

	db_add(b, Q_PROVIDER_LOCK);
	db_arg_int(b, ed->tenant.n);
	db_arg_uuid(b, &id.u);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	if (edit_expect(ed, rows[1], expected, "provider", e) == -1)
		return -1;
	if (name_r != NULL)
		*name_r = db_text(rows[1], 0, 1);
	return 0;
}

int
provider_account_update(const struct editor *ed, struct provider_account *p,
    struct err *e)
{
	struct db_batch *b;
	struct db_rows **rows;

	if (lock(ed, p->id, p->version, NULL, e) == -1)
		return -1;
	/* Whoever mends a parked account wants it to be tried again. */
	if (p->state == PROVIDER_PARKED)
		p->state = PROVIDER_ENABLED;
	b = edit_commit(ed, "provider.set", p->name, NULL);
	db_add(b, Q_PROVIDER_UPDATE);
	db_arg_int(b, ed->tenant.n);
	db_arg_uuid(b, &p->id.u);
	db_arg_text(b, p->name);
	db_arg_int(b, p->state);
	db_arg_int(b, p->priority);
	db_arg_int(b, p->weight);
	bind_settings(b, p);
	db_arg_text(b, p->allowed);
	wake(b, ed->tenant, p->id, p->state);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return say_taken(ed, p, e);
	p->version = (int)db_int(rows[1], 0, 0);
	return 0;
}

int
provider_account_set_state(const struct editor *ed, struct provider_id id,
    int expected_version, enum provider_state state, struct err *e)
{
	struct db_batch *b;
	struct db_rows **rows;
	const char *name;

	if (lock(ed, id, expected_version, &name, e) == -1)
		return -1;
	b = edit_commit(ed, "provider.state", name,
	    json_pack("{s:s}", "state", provider_state_name(state)));
	db_add(b, Q_PROVIDER_SET_STATE);
	db_arg_int(b, ed->tenant.n);
	db_arg_uuid(b, &id.u);
	db_arg_int(b, state);
	wake(b, ed->tenant, id, state);
	return db_run(ed->db, ed->a, b, &rows, e);
}

/* In the open transaction. */
static int
check_unshared(const struct editor *ed, struct provider_id id, struct err *e)
{
	struct db_batch *b = db_batch_new(ed->a, ed->tenant, DB_CONTINUE);
	struct db_rows **rows;

	if (!tenant_is_platform(ed->tenant))
		return 0;
	db_add(b, Q_SHARED_LIST);
	db_arg_uuid(b, &id.u);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	if (db_count(rows[0]) == 0)
		return 0;
	err_set(e, ERR_CONFLICT, "%d tenants have leave to use it, such as \"%s\"",
	    db_count(rows[0]), db_text(rows[0], 0, 1));
	return edit_abort(ed);
}

int
provider_account_remove(const struct editor *ed, struct provider_id id,
    int expected_version, struct err *e)
{
	struct db_batch *b;
	struct db_rows **rows;
	const char *name;

	if (lock(ed, id, expected_version, &name, e) == -1 ||
	    check_unshared(ed, id, e) == -1)
		return -1;
	b = edit_commit(ed, "provider.remove", name, NULL);
	db_add(b, Q_PROVIDER_DELETE);
	db_arg_int(b, ed->tenant.n);
	db_arg_uuid(b, &id.u);
	return db_run(ed->db, ed->a, b, &rows, e);
}
