/*
 * key.c - belfryctl key add, list, revoke, rotate
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "ctl/key.h"

#include <string.h>

#include <jansson.h>

#include "auth/apikey.h"
#include "auth/scope.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "ctl/choice.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/number.h"
#include "ctl/out.h"
#include "model/account.h"
#include "model/tenant.h"

enum { PAGE = 200, SCOPES_BYTES_MAX = 4096, ACCOUNT_NAME_MAX = 200 };

static const int64_t overlap_default_ms = INT64_C(24) * 60 * 60 * 1000;

/* ---- Making
 * ----------------------------------------------------------------- */

int
key_make(struct ctl *c, const struct keyring *ring, const struct key_wish *wish,
    const char **text_r, struct err *e)
{
	struct editor ed = ctl_editor(c);
	struct account *account, fresh = { .name = wish->account,
		.scopes = wish->scopes };
	struct api_key key = { .expires_ms = wish->expires_ms,
		.test = wish->test };
	struct apikey *made = arena_object(c->a, struct apikey);
	int found = account_check_tenant(ed.tenant, e);

	if (found == 0)
		found = account_find(c->a, c->db, ed.tenant, wish->account,
		    &account, e);
	if (found == -1)
		return -1;
	if (found == 0 && wish->scopes == NULL)
		return err_set(e, ERR_NOT_FOUND,
		    "there is no service account \"%.80s\": %s", wish->account,
		    wish->overlap_ms == -1
		        ? "say with --scope what a new one may do"
		        : "\"belfryctl key list\" lists them");
	*text_r = apikey_make(c->a, ring, ed.tenant, wish->test, made);
	key.id = made->id;
	memcpy(key.hash, made->hash, sizeof(key.hash));
	if (found == 0)
		return account_create(&ed, &fresh, &key, e);
	key.account = account->id;
	return api_key_add(&ed, &key, wish->overlap_ms, e);
}

/* When a new key runs out, as a moment. */
static int
read_expiry(const struct ctl *c, int64_t *expires_ms_r, struct err *e)
{
	int64_t ms = 0;

	if (ctl_time(c, "expires", CTL_AHEAD, &ms, e) == -1)
		return -1;
	if (ms <= clock_wall_ms() && ctl_has(c, "expires"))
		return err_set(e, ERR_INVALID,
		    "--expires: a key must work for some time: \"%.40s\" is over",
		    ctl_value(c, "expires"));
	*expires_ms_r = ms;
	return 0;
}

static int
refuse_scope(const struct ctl *c, const char *name, struct err *e)
{
	(void)choice_refuse(c->a, "scope", name, scope_names, e);
	e->kind = ERR_UNPROCESSABLE;
	return -1;
}

/* The scopes of the options in one text; NULL when there are none. */
static int
read_scopes(const struct ctl *c, const char **scopes_r, struct err *e)
{
	struct buf *scopes = buf_new(c->a, SCOPES_BYTES_MAX);
	const char *scope;
	size_t i = 0;

	while ((scope = invocation_next(c->line, "scope", &i)) != NULL) {
		if (scope_bit(scope) == 0)
			return refuse_scope(c, scope, e);
		buf_printf(scopes, "%s%s", scopes->len > 0 ? " " : "", scope);
	}
	*scopes_r = scopes->len > 0 ? scopes->data : NULL;
	return 0;
}

static int
make_and_tell(struct ctl *c, const struct key_wish *wish, struct err *e)
{
	struct keyring *ring;
	const char *text;

	if (ctl_keyring(c, &ring, e) == -1 ||
	    key_make(c, ring, wish, &text, e) == -1)
		return -1;
	out_said(c,
	    json_pack("{s:s, s:s, s:s, s:o}", "tenant", c->tenant->slug,
	        "account", wish->account, "key", text, "expires_at",
	        out_time(wish->expires_ms)),
	    "%s", text);
	return 0;
}

int
command_key_add(struct ctl *c, struct err *e)
{
	struct key_wish wish = { .account = ctl_argument(c, 0),
		.test = ctl_has(c, "test"),
		.overlap_ms = -1 };

	if (wish.account[0] == '\0' ||
	    strlen(wish.account) > ACCOUNT_NAME_MAX ||
	    text_has_control(wish.account))
		return err_set(e, ERR_UNPROCESSABLE,
		    "this is no name for a service account");
	if (read_scopes(c, &wish.scopes, e) == -1 ||
	    read_expiry(c, &wish.expires_ms, e) == -1)
		return -1;
	return make_and_tell(c, &wish, e);
}

int
command_key_rotate(struct ctl *c, struct err *e)
{
	struct key_wish wish = { .account = ctl_argument(c, 0),
		.overlap_ms = overlap_default_ms };

	if (ctl_duration(c, "overlap", &wish.overlap_ms, e) == -1 ||
	    read_expiry(c, &wish.expires_ms, e) == -1)
		return -1;
	return make_and_tell(c, &wish, e);
}

int
command_key_revoke(struct ctl *c, struct err *e)
{
	struct editor ed = ctl_editor(c);
	const char *id = ctl_argument(c, 0);

	if (api_key_revoke(&ed, id, e) == -1)
		return -1;
	out_said(c, json_pack("{s:s, s:b}", "id", id, "revoked", 1),
	    "key %s is revoked", id);
	return 0;
}

/* ---- Listing
 * ---------------------------------------------------------------- */

static const struct out_column columns[] = {
	{ "account", "ACCOUNT" },
	{ "key_id", "KEY-ID" },
	{ "state", "STATE" },
	{ "test", "TEST" },
	{ "expires_at", "EXPIRES" },
	{ "last_used_at", "USED" },
	{ "created_at", "CREATED" },
	{ "scopes", "SCOPES" },
	{ NULL, NULL },
};

static const char *
key_state(const struct account *account, const struct api_key *key)
{
	if (key->revoked_ms != 0)
		return "revoked";
	if (account->state != ACCOUNT_ACTIVE)
		return "account revoked";
	if (key->expires_ms != 0 && key->expires_ms <= clock_wall_ms())
		return "expired";
	return "works";
}

static int
add_keys(struct ctl *c, const struct account *account, json_t *rows,
    struct err *e)
{
	struct api_key *keys;
	size_t count, i;

	if (api_key_list(c->a, c->db, c->tenant->id, account->id, &keys, &count,
	        e) == -1)
		return -1;
	for (i = 0; i < count; i++)
		json_array_append_new(rows,
		    json_pack("{s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:s}",
		        "account", account->name, "key_id", keys[i].id, "state",
		        key_state(account, &keys[i]), "test",
		        (int)keys[i].test, "expires_at",
		        out_time(keys[i].expires_ms), "last_used_at",
		        out_time(keys[i].used_ms), "created_at",
		        out_time(keys[i].created_ms), "scopes",
		        account->scopes));
	if (count == 0)
		json_array_append_new(
		    rows, json_pack("{s:s, s:n, s:s, s:o, s:s}", "account",
			      account->name, "key_id", "state", "no key",
			      "created_at", out_time(account->created_ms),
			      "scopes", account->scopes));
	return 0;
}

static int
list_accounts(struct ctl *c, json_t *rows, struct err *e)
{
	const char *after = "";
	struct account *accounts;
	size_t count, i;

	do {
		if (account_list(c->a, c->db, c->tenant->id, after, PAGE,
		        &accounts, &count, e) == -1)
			return -1;
		for (i = 0; i < count; i++)
			if (add_keys(c, &accounts[i], rows, e) == -1)
				return -1;
		if (count > 0)
			after = accounts[count - 1].name;
	} while (count == PAGE);
	return 0;
}

int
command_key_list(struct ctl *c, struct err *e)
{
	json_t *rows = json_array();

	if (list_accounts(c, rows, e) == -1) {
		json_decref(rows);
		return -1;
	}
	out_table(c, rows, columns, "there is no service account");
	return 0;
}
