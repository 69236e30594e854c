/*
 * user_service.c - a tenant's own directory of people: its settings
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "notify/user_service.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/compiler.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/seal.h"
#include "model/data_path.h"
#include "notify/user_question.h"
#include "provider/provider.h"
#include "web/js.h"

enum {
	BATCH_MAX = 500,
	BODY_MEMBERS_MAX = 20,
	SECRETS_MAX = 64 << 10,
	DEPTH_MAX = 8,
	STEP_BYTES = 4096
};

#define PATH .flags = FIELD_DEFAULT | FIELD_ONE_LINE, .min = 1, .max = 200

static const struct field batch_fields[] = {
	FIELD(struct user_batch, url, TEXT,
	    .flags = FIELD_REQUIRED | FIELD_ONE_LINE, .max = 2000,
	    .help = "Where people are asked for: http or https, with {user_ids} "
	            "where their ids go, with commas between them, or with body.",
	    .example = "\"https://users.example.org/v1/users?ids={user_ids}\""),
	FIELD(struct user_batch, body, JSON, .max = BODY_MEMBERS_MAX,
	    .help = "Is posted to url; the text \"{user_ids}\" in it becomes the "
	            "list of ids. Absent: GET.",
	    .example = "{\"ids\": \"{user_ids}\"}"),
	FIELD(struct user_batch, size, INT, .flags = FIELD_DEFAULT, .def = 50,
	    .min = 1, .max = BATCH_MAX,
	    .help = "How many one request may ask for."),
	FIELD(struct user_batch, people, TEXT, .flags = FIELD_ONE_LINE, .min = 1,
	    .max = 200,
	    .help = "Where the people stand in the answer: a list, or an object "
	            "with their ids as names. Absent: it is the answer itself.",
	    .example = "\"data.users\""),
	FIELD(struct user_batch, id, TEXT, PATH, .def_text = "user_id",
	    .help = "Where the id stands in each one of a list."),
};

static const struct field_table batch_table = FIELD_TABLE("UserBatch",
    struct user_batch, batch_fields, "Asking for many people at once.");

static const char *const auth_words[] = { [USER_OAUTH_BASIC] = "basic",
	[USER_OAUTH_POST] = "post", NULL };

static const struct field oauth_fields[] = {
	FIELD(struct user_oauth, token_url, URL, .flags = FIELD_REQUIRED,
	    .max = 2000, .help = "The token endpoint of the issuer.",
	    .example = "\"https://login.example.org/oauth/token\""),
	FIELD(struct user_oauth, client_id, TEXT,
	    .flags = FIELD_REQUIRED | FIELD_ONE_LINE, .min = 1, .max = 500,
	    .help = "Whom the issuer knows Belfry as.",
	    .example = "\"belfry\""),
	FIELD(struct user_oauth, client_secret, TEXT,
	    .flags = FIELD_SECRET | FIELD_ONE_LINE, .min = 1, .max = 2000,
	    .help = "Its secret. Either this or client_secret_file."),
	FIELD(struct user_oauth, client_secret_file, SLUG,
	    .help = "The file that has it: TENANT/this below secrets.directory "
	            "on the spooler's host.",
	    .example = "\"users\""),
	FIELD(struct user_oauth, auth, ENUM, .words = auth_words,
	    .flags = FIELD_DEFAULT, .def = USER_OAUTH_BASIC,
	    .help = "How id and secret go: as Authorization: Basic, or in the "
	            "body."),
	FIELD(struct user_oauth, scope, TEXT, .flags = FIELD_ONE_LINE, .min = 1,
	    .max = 1000, .help = "The scope to ask for.",
	    .example = "\"users:read\""),
	FIELD(struct user_oauth, audience, TEXT, .flags = FIELD_ONE_LINE,
	    .min = 1, .max = 1000,
	    .help = "The audience to ask for, where the issuer wants it."),
	FIELD(struct user_oauth, resource, TEXT, .flags = FIELD_ONE_LINE,
	    .min = 1, .max = 1000,
	    .help = "The resource to ask for (RFC 8707), where the issuer wants "
	            "it."),
};

static const struct field_table oauth_table = FIELD_TABLE("UserOauth",
    struct user_oauth, oauth_fields,
    "An access token for the user service, by client credentials.");

static const struct field fields[] = {
	FIELD(struct user_service, url, TEXT, .flags = FIELD_ONE_LINE,
	    .max = 2000,
	    .help = "Where one person is asked for: http or https, with {user_id} "
	            "where the id goes. Absent: batch alone is used.",
	    .example = "\"https://users.example.org/v1/users/{user_id}\""),
	FIELD_SUB(struct user_service, batch, &batch_table,
	    .help = "Where many are asked for at once."),
	FIELD(struct user_service, token, TEXT,
	    .flags = FIELD_SECRET | FIELD_ONE_LINE, .max = 2000,
	    .help = "Goes with each request as Authorization: Bearer."),
	FIELD_SUB(struct user_service, oauth, &oauth_table,
	    .help = "Where such a token is fetched instead."),
	FIELD(struct user_service, email, TEXT, PATH, .def_text = "email",
	    .help = "Where the address stands in the answer.",
	    .example = "\"contact.email\""),
	FIELD(struct user_service, phone, TEXT, PATH, .def_text = "phone",
	    .help = "Where the phone number stands."),
	FIELD(struct user_service, name, TEXT, PATH, .def_text = "name",
	    .help = "Where the name stands."),
	FIELD(struct user_service, locale, TEXT, PATH, .def_text = "locale",
	    .help = "Where the locale stands."),
	FIELD(struct user_service, time_zone, TEXT, PATH,
	    .def_text = "time_zone", .help = "Where the time zone stands."),
	FIELD(struct user_service, push_tokens, TEXT, PATH,
	    .def_text = "push_tokens",
	    .help = "Where the tokens of devices stand: one, a list, or each in "
	            "an entry of a list.",
	    .example = "\"devices[].token\""),
	FIELD(struct user_service, timeout, DURATION, .flags = FIELD_DEFAULT,
	    .def = 3000, .min = 100, .max = 30000,
	    .help = "How long an answer may take.", .example = "\"3s\""),
	FIELD(struct user_service, ca_file, TEXT, .flags = FIELD_ONE_LINE,
	    .max = 4000,
	    .help = "A file with the certificates to trust instead of the "
	            "system's, on the host of the spooler."),
};

const struct field_table user_service_table = FIELD_TABLE("UserService",
    struct user_service, fields, "A tenant's own directory of people.");

/* ---- Checks --------------------------------------------------------------------- */

struct check {
	struct arena *a;
	const char *pointer;
	struct field_errors *fe;
};

static void
fault(const struct check *c, const char *member, const char *why)
{
	field_errors_add(c->fe, arena_printf(c->a, "%s/%s", c->pointer, member),
	    FIELD_ERR_MALFORMED, "%s", why);
}

static void
check_scheme(const struct check *c, const char *member, const char *url)
{
	if (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0)
		fault(c, member, "it must begin with http:// or https://");
}

static void
check_batch(const struct check *c, const struct user_batch *batch)
{
	check_scheme(c, "batch/url", batch->url);
	if (batch->body == NULL && strstr(batch->url, USER_IDS) == NULL)
		fault(c, "batch/url",
		    USER_IDS " must stand in it when there is no body");
	if (batch->body != NULL && !user_question_has_ids(batch->body))
		fault(c, "batch/body",
		    "the text \"" USER_IDS "\" must stand in it");
}

static void
check_oauth(const struct check *c, const struct user_service *us)
{
	const struct user_oauth *o = us->oauth;

	if (us->token != NULL)
		fault(c, "token", "with oauth it is fetched: unset this one");
	if ((o->client_secret == NULL) == (o->client_secret_file == NULL))
		fault(c, "oauth/client_secret",
		    "either this or client_secret_file must be there");
}

void
user_service_check(struct arena *a, const struct user_service *us,
    const char *pointer, struct field_errors *fe)
{
	struct check c = { a, pointer, fe };
	struct err e;

	if (us->url != NULL) {
		check_scheme(&c, "url", us->url);
		if (strstr(us->url, USER_ID) == NULL)
			fault(&c, "url", USER_ID " must stand in it");
	} else if (us->batch == NULL) {
		fault(&c, "url", "either this or batch must be there");
	}
	if (us->batch != NULL)
		check_batch(&c, us->batch);
	if (us->oauth != NULL)
		check_oauth(&c, us);
	if (!data_path_is_valid(us->push_tokens))
		fault(&c, "push_tokens", "it is not a path");
	if (provider_ca_file_check(us->ca_file, &e) == -1)
		fault(&c, "ca_file", "it is not below the directory that "
		                     "[network] ca_base allows");
}

/* ---- Use ------------------------------------------------------------------------- */

static uint64_t
hash_of(const json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
	uint64_t hash = UINT64_C(14695981039346656037);
	const char *c;

	for (c = text; c != NULL && *c != '\0'; c++)
		hash = (hash ^ (unsigned char)*c) * UINT64_C(1099511628211);
	free(text);
	return hash;
}

/* The struct of settings that live as long as "a"; NULL when they do not fit. */
static struct user_service *
fill(struct arena *a, json_t *json)
{
	struct user_service *us = arena_object(a, struct user_service);
	struct field_errors fe;

	field_errors_init(&fe, a);
	if (fields_read(a, json, &user_service_table, us, &fe) == -1)
		return NULL;
	us->json = json;
	return us;
}

const struct user_service *
user_service_of(struct arena *a, const json_t *settings)
{
	json_t *json = json_object_get(settings, "user_service");
	struct user_service *us = json != NULL ? fill(a, json) : NULL;
	struct field_errors fe;

	if (us == NULL)
		return NULL;
	field_errors_init(&fe, a);
	user_service_check(a, us, "", &fe);
	if (fe.count > 0)
		return NULL;
	us->hash = hash_of(json);
	return us;
}

/* ---- Keeping ---------------------------------------------------------------------- */

static struct seal_place
place_of(struct tenant_id tenant)
{
	return (struct seal_place){ .tenant = tenant, .table = "user_service",
		.column = "secrets" };
}

static int
seal_secrets(struct arena *a, const struct keyring *ring,
    struct tenant_id tenant, const json_t *secrets, struct user_service *us)
{
	struct seal_place place = place_of(tenant);
	struct buf *text = buf_new(a, SECRETS_MAX);
	struct err ignored;
	void *blob;

	if (json_object_size(secrets) == 0)
		return 0;
	js_write(text, secrets);
	if (buf_overflowed(text) ||
	    seal(a, ring, &place, text->data, text->len, &blob,
	        &us->sealed_bytes, &ignored) == -1)
		return -1;
	us->sealed = blob;
	buf_done(text);
	return 0;
}

const struct user_service *
user_service_keep(struct arena *a, const struct keyring *ring,
    struct tenant_id tenant, const json_t *settings)
{
	struct arena *step = arena_new(STEP_BYTES);
	const struct user_service *whole = user_service_of(step, settings);
	struct user_service *us = NULL;
	json_t *shown, *secrets;

	if (whole != NULL) {
		fields_split(step, &user_service_table, whole->json, &shown,
		    &secrets);
		us = fill(a, js_keep(a, json_deep_copy(shown)));
		ensure(us != NULL);
		us->hash = whole->hash;
		if (seal_secrets(a, ring, tenant, secrets, us) == -1)
			us = NULL;
	}
	arena_free(&step);
	return us;
}

const struct user_service *
user_service_copy(struct arena *a, const struct user_service *kept)
{
	struct user_service *copy =
	    fill(a, js_keep(a, json_deep_copy(kept->json)));

	ensure(copy != NULL);
	copy->hash = kept->hash;
	if (kept->sealed == NULL)
		return copy;
	copy->sealed = arena_memdup(a, kept->sealed, kept->sealed_bytes);
	copy->sealed_bytes = kept->sealed_bytes;
	return copy;
}

int
user_service_open(struct arena *a, const struct keyring *ring,
    struct tenant_id tenant, const struct user_service *kept,
    const struct user_service **us_r, struct err *e)
{
	struct seal_place place = place_of(tenant);
	struct user_service *us;
	json_t *secrets;
	void *plain;
	size_t n;

	if (kept->sealed == NULL) {
		*us_r = user_service_copy(a, kept);
		return 0;
	}
	if (unseal(a, ring, &place, kept->sealed, kept->sealed_bytes, &plain, &n,
	        e) == -1 ||
	    js_parse(a, plain, n, DEPTH_MAX, &secrets, e) == -1)
		return -1;
	us = fill(a, js_merge_patch(a, kept->json, secrets));
	ensure(us != NULL);
	us->hash = kept->hash;
	*us_r = us;
	return 0;
}
