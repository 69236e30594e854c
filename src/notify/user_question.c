/*
 * user_question.c - a tenant's own directory of people: requests and answers
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "notify/user_question.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/compiler.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/text.h"
#include "model/data_path.h"
#include "net/transfer.h"
#include "notify/user_service.h"
#include "web/js.h"
#include "web/url.h"

enum {
	DEPTH_MAX = 32,
	URL_MAX = 1 << 20,
	URL_IDS_MAX = 6000, /* what servers surely take in one line */
	BODY_MAX = 1 << 20,
	HEADERS_MAX = 4,
	VALUE_MAX = 1000,
	PUSH_TOKEN_MAX = 2048,
	PUSH_TOKENS_MAX = 20,
	ONE_ANSWER_MAX = 64 << 10,
	ANSWER_MAX = 4 << 20
};

/* ---- Questions ---------------------------------------------------------------------- */

bool
user_question_has_ids(const json_t *body)
{
	const char *name;
	json_t *value;
	size_t i;

	if (json_is_string(body))
		return strcmp(json_string_value(body), USER_IDS) == 0;
	json_object_foreach((json_t *)(uintptr_t)body, name, value)
		if (user_question_has_ids(value))
			return true;
	json_array_foreach(body, i, value)
		if (user_question_has_ids(value))
			return true;
	return false;
}

/* "body" with the ids in place of their name: a new reference. */
static json_t *
filled(json_t *body, json_t *ids)
{
	json_t *copy, *value;
	const char *name;
	size_t i;

	if (json_is_string(body) &&
	    strcmp(json_string_value(body), USER_IDS) == 0)
		return json_incref(ids);
	if (json_is_object(body)) {
		copy = json_object();
		json_object_foreach(body, name, value)
			json_object_set_new(copy, name, filled(value, ids));
		return copy;
	}
	if (!json_is_array(body))
		return json_incref(body);
	copy = json_array();
	json_array_foreach(body, i, value)
		json_array_append_new(copy, filled(value, ids));
	return copy;
}

/* A URL with the ids, commas between them, in place of their name. */
static const char *
url_of(struct arena *a, const char *text, const char *name,
    const char *const *ids, size_t count)
{
	struct buf *url = buf_new(a, URL_MAX);
	const char *at;
	size_t i;

	while ((at = strstr(text, name)) != NULL) {
		buf_add(url, text, (size_t)(at - text));
		for (i = 0; i < count; i++) {
			if (i > 0)
				buf_putc(url, ',');
			url_arg(url, ids[i]);
		}
		text = at + strlen(name);
	}
	buf_puts(url, text);
	return url->data;
}

static const char *
body_of(struct arena *a, const struct user_batch *batch, const char *const *ids,
    size_t count)
{
	json_t *list = js_keep(a, json_array());
	struct buf *body = buf_new(a, BODY_MAX);
	size_t i;

	for (i = 0; i < count; i++)
		json_array_append_new(list, json_string(ids[i]));
	js_write(body, js_keep(a, filled(batch->body, list)));
	return body->data;
}

static bool
is_single(const struct user_service *us, size_t count)
{
	return us->batch == NULL || (us->url != NULL && count == 1);
}

size_t
user_service_take(const struct user_service *us, const char *const *ids,
    size_t count)
{
	size_t n = 0, bytes = 0;

	if (us->batch == NULL)
		return count > 0 ? 1 : 0;
	while (n < count && n < (size_t)us->batch->size) {
		bytes += 3 * strlen(ids[n]) + 1; /* encoded, at most */
		if (us->batch->body == NULL && n > 0 && bytes > URL_IDS_MAX)
			break;
		n++;
	}
	return n;
}

void
user_service_request(struct arena *a, const struct user_service *us,
    const char *const *ids, size_t count, const char *token,
    struct transfer_request *request_r)
{
	struct transfer_header *h = arena_zalloc(a, HEADERS_MAX, sizeof(*h));
	const char *body = NULL, *url;
	size_t n = 0;

	h[n++] = (struct transfer_header){ "Accept", "application/json" };
	if (token != NULL)
		h[n++] = (struct transfer_header){ "Authorization",
			arena_printf(a, "Bearer %s", token) };
	if (is_single(us, count)) {
		ensure(count == 1);
		url = url_of(a, us->url, USER_ID, ids, 1);
	} else {
		url = url_of(a, us->batch->url, USER_IDS, ids, count);
		if (us->batch->body != NULL) {
			body = body_of(a, us->batch, ids, count);
			h[n++] = (struct transfer_header){ "Content-Type",
				"application/json" };
		}
	}
	*request_r = (struct transfer_request){
		.kind = TRANSFER_HTTP,
		.url = url,
		.body = body,
		.body_len = body != NULL ? strlen(body) : 0,
		.tls = transfer_tls_of(url),
		.timeout_ms = (int)us->timeout,
		.response_max = is_single(us, count) ? ONE_ANSWER_MAX
		                                     : ANSWER_MAX,
		.headers = h,
		.headers_count = n,
		.ca_file = us->ca_file != NULL ? arena_strdup(a, us->ca_file)
		                               : NULL,
	};
}

/* ---- Answers ------------------------------------------------------------------------ */

static const json_t *
at_path(struct arena *a, const json_t *json, const char *path)
{
	size_t n;

	for (; json != NULL && *path != '\0'; path += n + (path[n] == '.')) {
		n = strcspn(path, ".");
		json = json_object_get(json, arena_strndup(a, path, n));
	}
	return json;
}

static const char *
text_at(struct arena *a, const json_t *json, const char *path)
{
	json = at_path(a, json, path);
	if (!json_is_string(json) || json_string_length(json) == 0 ||
	    json_string_length(json) > VALUE_MAX)
		return NULL;
	return json_string_value(json);
}

/* One token, or some of a list; what is none, or there already, is passed over. */
static void
add_push_token(void *arg, const char *pointer, const json_t *value)
{
	json_t *list = arg, *known;
	size_t i;

	json_array_foreach(value, i, known)
		if (json_is_string(known))
			add_push_token(list, pointer, known);
	if (!json_is_string(value) || json_string_length(value) == 0 ||
	    json_string_length(value) > PUSH_TOKEN_MAX ||
	    text_has_control(json_string_value(value)) ||
	    json_array_size(list) >= PUSH_TOKENS_MAX)
		return;
	json_array_foreach(list, i, known)
		if (json_equal(known, value))
			return;
	json_array_append(list, (json_t *)(uintptr_t)value);
}

/* The members of a recipient that an answer has. */
static json_t *
person(struct arena *a, const struct user_service *us, const json_t *json)
{
	const struct {
		const char *name, *path;
	} members[] = { { "email", us->email }, { "phone", us->phone },
		{ "name", us->name }, { "locale", us->locale },
		{ "time_zone", us->time_zone } };
	json_t *user = js_keep(a, json_object()), *tokens = json_array();
	const char *value;
	size_t i;

	for (i = 0; i < NELEMS(members); i++) {
		value = text_at(a, json, members[i].path);
		if (value != NULL)
			json_object_set_new(user, members[i].name,
			    json_string(value));
	}
	data_path_visit(a, json, us->push_tokens, "", add_push_token, tokens);
	if (json_array_size(tokens) > 0)
		json_object_set(user, "push_tokens", tokens);
	json_decref(tokens);
	return user;
}

/* An id may be a text or a number. */
static const char *
id_of(struct arena *a, const json_t *entry, const char *path)
{
	const json_t *id = at_path(a, entry, path);

	if (json_is_integer(id))
		return arena_printf(a, "%lld", (long long)json_integer_value(id));
	return json_string_value(id);
}

static int
read_many(struct arena *a, const struct user_service *us, json_t *answer,
    const char *const *ids, size_t count, json_t **people, struct err *e)
{
	const json_t *list = us->batch->people != NULL
	    ? at_path(a, answer, us->batch->people)
	    : answer;
	json_t *by_id = js_keep(a, json_object()), *entry;
	const char *id;
	size_t i;

	if (!json_is_array(list) && !json_is_object(list))
		return err_set(e, ERR_INVALID,
		    "there is no list of people in the answer");
	json_array_foreach(list, i, entry)
	{
		id = id_of(a, entry, us->batch->id);
		if (id != NULL)
			json_object_set(by_id, id, entry);
	}
	for (i = 0; i < count; i++) {
		entry = json_object_get(json_is_array(list) ? by_id : list,
		    ids[i]);
		people[i] = json_is_object(entry) ? person(a, us, entry) : NULL;
	}
	return 0;
}

int
user_service_read(struct arena *a, const struct user_service *us,
    const char *body, size_t len, const char *const *ids, size_t count,
    json_t **people, struct err *e)
{
	json_t *json;

	if (js_parse(a, body, len, DEPTH_MAX, &json, e) == -1)
		return -1;
	if (!is_single(us, count))
		return read_many(a, us, json, ids, count, people, e);
	if (!json_is_object(json))
		return err_set(e, ERR_INVALID, "the answer is not an object");
	people[0] = person(a, us, json);
	return 0;
}
