/*
 * user_service.c - a tenant's own directory of people
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "notify/user_service.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "web/js.h"
#include "web/url.h"

enum { DEPTH_MAX = 32, URL_MAX = 4000, VALUE_MAX = 1000 };

#define USER_ID "{user_id}"
#define PATH .flags = FIELD_DEFAULT | FIELD_ONE_LINE, .min = 1, .max = 200

static const struct field fields[] = {
	FIELD(struct user_service, url, TEXT,
	    .flags = FIELD_REQUIRED | FIELD_ONE_LINE, .max = 2000,
	    .help = "Where a person is asked for: http or https, with {user_id} "
	            "where the id goes.",
	    .example = "\"https://users.example.org/v1/users/{user_id}\""),
	FIELD(struct user_service, token, TEXT,
	    .flags = FIELD_SECRET | FIELD_ONE_LINE, .max = 2000,
	    .help = "Goes with each request as Authorization: Bearer."),
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

void
user_service_check(struct arena *a, const struct user_service *us,
    const char *pointer, struct field_errors *fe)
{
	const char *url = us->url;

	if (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0)
		field_errors_add(fe, arena_printf(a, "%s/url", pointer),
		    FIELD_ERR_MALFORMED, "it must begin with http:// or https://");
	if (strstr(url, USER_ID) == NULL)
		field_errors_add(fe, arena_printf(a, "%s/url", pointer),
		    FIELD_ERR_MALFORMED, "{user_id} must stand in it");
	if (us->ca_file != NULL && us->ca_file[0] != '/')
		field_errors_add(fe, arena_printf(a, "%s/ca_file", pointer),
		    FIELD_ERR_MALFORMED, "it is not an absolute path");
}

const struct user_service *
user_service_of(struct arena *a, const json_t *settings)
{
	json_t *json = json_object_get(settings, "user_service");
	struct user_service *us = arena_object(a, struct user_service);
	struct field_errors fe;

	const char *c;
	char *text;

	field_errors_init(&fe, a);
	if (json == NULL ||
	    fields_read(a, json, &user_service_table, us, &fe) == -1)
		return NULL;
	text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
	us->hash = UINT64_C(14695981039346656037);
	for (c = text; c != NULL && *c != '\0'; c++)
		us->hash = (us->hash ^ (unsigned char)*c) *
		    UINT64_C(1099511628211);
	free(text);
	return us;
}

const char *
user_service_url(struct arena *a, const struct user_service *us,
    const char *user_id)
{
	struct buf *url = buf_new(a, URL_MAX);
	const char *rest = us->url, *at;

	while ((at = strstr(rest, USER_ID)) != NULL) {
		buf_add(url, rest, (size_t)(at - rest));
		url_arg(url, user_id);
		rest = at + strlen(USER_ID);
	}
	buf_puts(url, rest);
	return url->data;
}

static const char *
find(struct arena *a, const json_t *json, const char *path)
{
	size_t n;

	for (; json != NULL && *path != '\0'; path += n + (path[n] == '.')) {
		n = strcspn(path, ".");
		json = json_object_get(json, arena_strndup(a, path, n));
	}
	if (!json_is_string(json) || json_string_length(json) == 0 ||
	    json_string_length(json) > VALUE_MAX)
		return NULL;
	return json_string_value(json);
}

int
user_service_read(struct arena *a, const struct user_service *us,
    const char *body, size_t len, json_t **user_r, struct err *e)
{
	const struct {
		const char *name, *path;
	} members[] = { { "email", us->email }, { "phone", us->phone },
		{ "name", us->name }, { "locale", us->locale },
		{ "time_zone", us->time_zone } };
	json_t *json, *user;
	const char *value;
	size_t i;

	if (js_parse(a, body, len, DEPTH_MAX, &json, e) == -1)
		return -1;
	if (!json_is_object(json))
		return err_set(e, ERR_INVALID, "the answer is not an object");
	user = js_keep(a, json_object());
	for (i = 0; i < NELEMS(members); i++) {
		value = find(a, json, members[i].path);
		if (value != NULL)
			json_object_set_new(user, members[i].name,
			    json_string(value));
	}
	*user_r = user;
	return 0;
}
