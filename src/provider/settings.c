/*
 * settings.c - settings of provider accounts, checked, sealed and opened
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "provider/settings.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/seal.h"
#include "model/provider_account.h"
#include "net/guard.h"
#include "provider/identity.h"
#include "provider/limits.h"
#include "provider/provider.h"
#include "web/field.h"
#include "web/js.h"

enum {
	SETTINGS_BYTES_MAX = 64 << 10,
	SETTINGS_DEPTH_MAX = 16,
	STEP_BYTES = 4096
};

static struct seal_place
place_of(const struct provider_account *p)
{
	return (struct seal_place){
		.tenant = p->tenant,
		.table = "provider",
		.column = "sealed",
		.row = p->id.u,
	};
}

static int
find_ops(const char *kind, const struct provider_ops **ops_r, struct err *e)
{
	*ops_r = provider_ops_find(kind);
	if (*ops_r == NULL)
		return err_set(e, ERR_UNPROCESSABLE,
		    "there is no provider kind \"%s\"", kind);
	return 0;
}

/* The struct of a kind, filled from JSON. */
static int
read_record(struct arena *a, const struct provider_ops *ops, json_t *settings,
    void **record_r, struct field_errors *fe, struct err *e)
{
	*record_r = arena_zalloc(a, 1, ops->settings->struct_bytes);
	if (fields_read(a, settings, ops->settings, *record_r, fe) == -1)
		return err_set(e, ERR_UNPROCESSABLE, "setting \"%s\": %s",
		    fe->first->pointer[0] == '/' ? fe->first->pointer + 1 : "",
		    fe->first->detail);
	return 0;
}

/* What the kind thinks of it. */
static int
check_record(const struct provider_ops *ops, const void *record, struct err *e)
{
	return ops->check != NULL ? ops->check(record, e) : 0;
}

/* A URL, or hosts with commas between them. */
static bool
allows(struct arena *a, bool of_platform, const char *text)
{
	char *list = arena_strdup(a, text), *one;

	if (strstr(text, "://") != NULL)
		return provider_may_lead(of_platform, text);
	while ((one = strsep(&list, " ,")) != NULL)
		if (one[0] != '\0' && !provider_may_lead(of_platform, one))
			return false;
	return true;
}

static int
check_host(bool of_platform, const char *pointer, const json_t *value,
    struct field_errors *fe, struct err *e)
{
	const char *text = json_string_value(value);

	if (text == NULL || allows(fe->a, of_platform, text))
		return 0;
	(void)err_set(e, ERR_UNPROCESSABLE, "setting \"%s\": its address %s",
	    pointer + 1, guard_refusal(of_platform));
	return field_errors_add(fe, pointer, FIELD_ERR_NOT_ALLOWED, "%s",
	    e->text);
}

/* A setting that leads somewhere: a text, a list of them, or an object whose URLs count. */
static int
check_leading(bool of_platform, const char *pointer, json_t *value,
    struct field_errors *fe, struct err *e)
{
	const char *name;
	json_t *one;
	size_t i;

	json_array_foreach(value, i, one)
		if (check_host(of_platform,
		        arena_printf(fe->a, "%s/%zu", pointer, i), one, fe,
		        e) == -1)
			return -1;
	json_object_foreach(value, name, one)
		if (json_is_string(one) &&
		    strstr(json_string_value(one), "://") != NULL &&
		    check_host(of_platform,
		        arena_printf(fe->a, "%s/%s", pointer, name), one, fe,
		        e) == -1)
			return -1;
	return check_host(of_platform, pointer, value, fe, e);
}

/* Where the account leads. */
static int
check_hosts(const struct provider_ops *ops, const struct provider_account *p,
    const json_t *settings, struct field_errors *fe, struct err *e)
{
	bool of_platform = tenant_is_platform(p->tenant) && !ops->to_address;
	const struct field *f;
	const char *name;
	size_t i;

	for (i = 0; i < ops->settings->count; i++) {
		f = &ops->settings->fields[i];
		name = field_name(f);
		if ((f->type == FIELD_URL || f->flags & FIELD_HOST) &&
		    check_leading(of_platform, arena_printf(fe->a, "/%s", name),
		        json_object_get(settings, name), fe, e) == -1)
			return -1;
	}
	return 0;
}

static int
too_large(struct err *e)
{
	return err_set(e, ERR_UNPROCESSABLE,
	    "the settings are larger than %d bytes", SETTINGS_BYTES_MAX);
}

static int
seal_secrets(struct arena *a, const struct keyring *ring, const json_t *secret,
    struct provider_account *p, struct err *e)
{
	struct seal_place place = place_of(p);
	struct buf *text;
	void *blob;
	int rc;

	p->sealed = NULL;
	p->sealed_bytes = 0;
	if (json_object_size(secret) == 0)
		return 0;
	text = buf_new(a, SETTINGS_BYTES_MAX);
	js_write(text, secret);
	if (buf_overflowed(text))
		return too_large(e);
	rc = seal(a, ring, &place, text->data, text->len, &blob,
	    &p->sealed_bytes, e);
	if (rc == 0)
		p->sealed = blob;
	return rc;
}

static int
allowed_of(struct arena *a, const struct provider_account *p, json_t **list_r,
    struct err *e)
{
	const char *text = p->allowed != NULL ? p->allowed : "[]";

	return js_parse(a, text, strlen(text), SETTINGS_DEPTH_MAX, list_r, e);
}

/* What an account of the platform becomes with a tenant's own settings. */
static int
put_own(struct arena *a, const struct keyring *ring,
    const struct provider_ops *ops, const struct provider_account *p,
    const json_t *own, json_t **whole_r, struct field_errors *fe, struct err *e)
{
	json_t *allowed;

	if (p->shared == NULL)
		return err_set(e, ERR_NOT_FOUND,
		    "the platform's account is gone");
	if (allowed_of(a, p, &allowed, e) == -1 ||
	    identity_check(ops, own, allowed, fe, e) == -1 ||
	    settings_whole(a, ring, p->shared, whole_r, e) == -1)
		return -1;
	identity_put(ops, *whole_r, own);
	return 0;
}

int
settings_seal(struct arena *a, const struct keyring *ring, json_t *settings,
    struct provider_account *p, struct field_errors *fe, struct err *e)
{
	const struct provider_ops *ops;
	struct buf *text = buf_new(a, SETTINGS_BYTES_MAX);
	json_t *shown, *secret, *whole = settings;
	void *record;

	if (find_ops(p->kind, &ops, e) == -1 ||
	    (provider_account_is_shared(p) &&
	        put_own(a, ring, ops, p, settings, &whole, fe, e) == -1) ||
	    read_record(a, ops, whole, &record, fe, e) == -1 ||
	    check_record(ops, record, e) == -1 ||
	    check_hosts(ops, p, settings, fe, e) == -1)
		return -1;
	fields_split(a, ops->settings, settings, &shown, &secret);
	js_write(text, shown);
	if (buf_overflowed(text))
		return too_large(e);
	if (seal_secrets(a, ring, secret, p, e) == -1)
		return -1;
	p->channel = ops->channel;
	p->settings = text->data;
	return 0;
}

int
settings_whole(struct arena *a, const struct keyring *ring,
    const struct provider_account *p, json_t **settings_r, struct err *e)
{
	struct seal_place place = place_of(p);
	json_t *shown, *secret;
	void *plain;
	size_t n;

	if (js_parse(a, p->settings, strlen(p->settings), SETTINGS_DEPTH_MAX,
	        &shown, e) == -1)
		return -1;
	if (p->sealed == NULL) {
		*settings_r = shown;
		return 0;
	}
	if (unseal(a, ring, &place, p->sealed, p->sealed_bytes, &plain, &n,
		e) == -1 ||
	    js_parse(a, plain, n, SETTINGS_DEPTH_MAX, &secret, e) == -1)
		return -1;
	*settings_r = js_merge_patch(a, shown, secret);
	return 0;
}

int
settings_narrow(struct arena *a, struct provider_account *p,
    const char *allowed, struct err *e)
{
	const struct provider_ops *ops;
	struct buf *text = buf_new(a, SETTINGS_BYTES_MAX);
	json_t *own, *list;

	p->allowed = allowed;
	if (find_ops(p->kind, &ops, e) == -1 ||
	    allowed_of(a, p, &list, e) == -1 ||
	    js_parse(a, p->settings, strlen(p->settings), SETTINGS_DEPTH_MAX,
	        &own, e) == -1)
		return -1;
	js_write(text, identity_rest(a, ops, own, list));
	p->settings = text->data;
	return 0;
}

/* ---- Use -------------------------------------------------------------------------- */

/* Everything of an account but its settings. */
static struct provider *
shell_of(struct arena *a, const struct provider_account *p,
    const struct provider_ops *ops)
{
	const struct provider_account *itself = provider_account_itself(p);
	struct provider *provider = arena_object(a, struct provider);

	*provider = (struct provider){
		.id = p->id,
		.tenant = p->tenant,
		.name = arena_strdup(a, p->name),
		.ops = ops,
		.owner = itself->tenant,
		.account = itself->id,
		.version = itself->version,
		.enabled = p->state == PROVIDER_ENABLED &&
		    itself->state == PROVIDER_ENABLED,
		.priority = p->priority,
		.weight = p->weight,
		.limits = limits_of(a, itself),
	};
	provider->has_budget =
	    provider->limits->rate > 0 || provider->limits->per_day > 0;
	return provider;
}

/* Its settings, ready for use.  What was checked once is not checked again: to look at a
 * key costs more than to send a message. */
static int
open_record(struct arena *a, const struct keyring *ring,
    const struct provider_account *p, bool checked, void **record_r,
    struct err *e)
{
	const struct provider_ops *ops;
	struct field_errors fe;
	json_t *whole;

	field_errors_init(&fe, a);
	if (find_ops(p->kind, &ops, e) == -1 ||
	    settings_whole(a, ring, p, &whole, e) == -1 ||
	    (provider_account_is_shared(p) &&
	        put_own(a, ring, ops, p, whole, &whole, &fe, e) == -1) ||
	    read_record(a, ops, whole, record_r, &fe, e) == -1 ||
	    (!checked && check_record(ops, *record_r, e) == -1))
		return -1;
	return ops->prepare != NULL ? ops->prepare(a, *record_r, e) : 0;
}

int
settings_open(struct arena *a, const struct keyring *ring,
    const struct provider_account *p, struct provider **provider_r,
    struct err *e)
{
	void *record;

	if (open_record(a, ring, p, false, &record, e) == -1)
		return -1;
	*provider_r = shell_of(a, p, provider_ops_find(p->kind));
	(*provider_r)->settings = record;
	return 0;
}

/* ---- Keeping ---------------------------------------------------------------------- */

/* An account whose secrets are sealed while nobody holds it. */
struct settings_vault {
	const struct keyring *ring;
	const struct provider_account *account;
	const struct provider *kept;
	struct arena *a; /* of "open"; NULL: nobody holds it */
	struct provider open;
	int held;
};

static void
defer_vault(void *p)
{
	struct settings_vault *v = p;

	arena_free(&v->a);
}

static bool
has_secrets(const struct provider_account *p)
{
	return p->sealed != NULL || provider_account_itself(p)->sealed != NULL;
}

/* Does it open, and pass the check? */
static int
try_opening(const struct keyring *ring, const struct provider_account *p,
    struct err *e)
{
	struct arena *a = arena_new(STEP_BYTES);
	void *unused;
	int rc = open_record(a, ring, p, false, &unused, e);

	arena_free(&a);
	return rc;
}

int
settings_keep(struct arena *a, const struct keyring *ring,
    const struct provider_account *p, struct provider **provider_r,
    struct err *e)
{
	struct settings_vault *v;

	if (provider_account_itself(p) == NULL || !has_secrets(p))
		return settings_open(a, ring, p, provider_r, e);
	if (try_opening(ring, p, e) == -1)
		return -1;
	v = arena_object(a, struct settings_vault);
	v->ring = ring;
	v->account = provider_account_copy(a, p);
	arena_defer(a, defer_vault, v);
	*provider_r = shell_of(a, p, provider_ops_find(p->kind));
	(*provider_r)->vault = v;
	v->kept = *provider_r;
	return 0;
}

int
settings_hold(const struct provider *kept, const struct provider **open_r,
    struct err *e)
{
	struct settings_vault *v = kept->vault;
	void *record;

	if (v == NULL) {
		*open_r = kept;
		return 0;
	}
	if (v->held == 0) {
		v->a = arena_new(STEP_BYTES);
		if (open_record(v->a, v->ring, v->account, true, &record, e) ==
		    -1) {
			arena_free(&v->a);
			return -1;
		}
		v->open = *v->kept;
		v->open.settings = record;
	}
	v->held++;
	*open_r = &v->open;
	return 0;
}

void
settings_release(const struct provider *open)
{
	struct settings_vault *v = open != NULL ? open->vault : NULL;

	if (v == NULL)
		return;
	ensure(v->held > 0);
	if (--v->held > 0)
		return;
	v->open.settings = NULL;
	arena_free(&v->a);
}
