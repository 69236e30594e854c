/*
 * provider_dkim.c - belfryctl provider dkim-record
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <string.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/out.h"
#include "model/provider_account.h"
#include "model/tenant.h"
#include "provider/dkim.h"
#include "provider/provider.h"
#include "provider/settings.h"
#include "provider/smtp.h"

enum { STRING_MAX = 255 }; /* of one string of a TXT record */

static const struct out_column columns[] = {
	{ "record", "RECORD" },
	{ NULL, NULL },
};

/* As it stands in a zone file. */
static const char *
zone_text(struct arena *a, const char *name, const char *value)
{
	const char *text = arena_printf(a, "%s. IN TXT (", name);
	size_t n;

	for (; *value != '\0'; value += n) {
		n = strnlen(value, STRING_MAX);
		text = arena_printf(a, "%s \"%.*s\"", text, (int)n, value);
	}
	return arena_printf(a, "%s )", text);
}

static int
print(struct ctl *c, const struct smtp_settings *s, struct err *e)
{
	const struct dkim_key *key;
	json_t *list = json_array();
	const char *name, *value;

	if (s->keys_count == 0)
		return err_set(e, ERR_NOT_FOUND,
		    "the account has no setting \"dkim_key\"");
	for (key = s->keys; key < s->keys + s->keys_count; key++) {
		value = dkim_record(c->a, key);
		name = arena_printf(c->a, "%s._domainkey.%s", key->selector,
		    key->domain);
		json_array_append_new(list,
		    json_pack("{s:s, s:s, s:s, s:s}", "name", name, "type",
		        "TXT", "value", value, "record",
		        zone_text(c->a, name, value)));
	}
	out_table(c, list, columns, "no keys");
	return 0;
}

int
command_provider_dkim_record(struct ctl *c, struct err *e)
{
	const char *name = ctl_argument(c, 0);
	struct provider_account *account;
	struct keyring *ring;
	struct provider *p;
	int rc = provider_account_find(c->a, c->db, c->tenant->id, name, &account,
	    e);

	if (rc == 0)
		return err_set(e, ERR_NOT_FOUND, "there is no provider \"%.63s\": "
		    "\"belfryctl provider list\" lists them",
		    name);
	if (rc == -1 || ctl_keyring(c, &ring, e) == -1 ||
	    settings_open(c->a, ring, account, &p, e) == -1)
		return -1;
	if (p->ops != &smtp_ops)
		return err_set(e, ERR_UNPROCESSABLE,
		    "an account of kind \"%s\" signs nothing", p->ops->kind);
	return print(c, p->settings, e);
}
