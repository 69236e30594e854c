/*
 * webhook_endpoint.c - URLs that a tenant subscribed to what happens
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "model/webhook_endpoint.h"

#include <string.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/seal.h"
#include "base/uuid.h"
#include "db/db.h"
#include "model/edit.h"

const char *const webhook_signatures[] = { "v1", "v1a", NULL };

enum webhook_signature
webhook_signature_find(const char *word)
{
	size_t i;

	for (i = 0; webhook_signatures[i] != NULL; i++)
		if (strcmp(webhook_signatures[i], word) == 0)
			return (enum webhook_signature)(i + 1);
	return WEBHOOK_NO_SIGNATURE;
}

/* The columns of query "webhook_endpoint_list". */
enum column {
	ID,
	URL,
	DESCRIPTION,
	EVENTS,
	SIGNATURE,
	RATE,
	PUBLIC_KEY,
	PREVIOUS_UNTIL,
	STATE,
	REASON,
	VERSION,
	CREATED,
	UPDATED,
	FAILING_SINCE,
	PAUSED_UNTIL,
	SEALED,
	ORDERED
};

static void
read_row(struct arena *a, const struct db_rows *r, int i,
    struct webhook_endpoint *ep)
{
	*ep = (struct webhook_endpoint){
		.id = db_uuid(r, i, ID),
		.url = db_text(r, i, URL),
		.description = db_text(r, i, DESCRIPTION),
		.events = db_text(r, i, EVENTS),
		.signature = (enum webhook_signature)db_int(r, i, SIGNATURE),
		.rate = db_int(r, i, RATE),
		.public_key = db_text(r, i, PUBLIC_KEY),
		.previous_until_ms = db_time_ms(r, i, PREVIOUS_UNTIL),
		.state = (enum webhook_state)db_int(r, i, STATE),
		.reason = db_text(r, i, REASON),
		.version = (int)db_int(r, i, VERSION),
		.created_ms = db_time_ms(r, i, CREATED),
		.updated_ms = db_time_ms(r, i, UPDATED),
		.failing_since_ms = db_time_ms(r, i, FAILING_SINCE),
		.paused_until_ms = db_time_ms(r, i, PAUSED_UNTIL),
		.ordered = db_text(r, i, ORDERED),
	};
	ep->sealed = db_bytes(a, r, i, SEALED, &ep->sealed_bytes);
}

int
webhook_endpoint_list(struct arena *a, struct db *db, struct tenant_id tenant,
    struct uuid after, int limit, struct webhook_endpoint **list_r,
    size_t *count_r, struct err *e)
{
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);
	struct db_rows **rows;
	int i, n;

	db_add(b, Q_WEBHOOK_ENDPOINT_LIST);
	db_arg_int(b, tenant.n);
	db_arg_uuid(b, &after);
	db_arg_int(b, limit);
	if (db_run(db, a, b, &rows, e) == -1)
		return -1;
	n = db_count(rows[0]);
	*list_r = arena_zalloc(a, (size_t)n, sizeof(**list_r));
	for (i = 0; i < n; i++)
		read_row(a, rows[0], i, &(*list_r)[i]);
	*count_r = (size_t)n;
	return 0;
}

int
webhook_endpoint_get(struct arena *a, struct db *db, struct tenant_id tenant,
    struct uuid id, struct webhook_endpoint **endpoint_r, struct err *e)
{
	struct db_batch *b = db_batch_new(a, tenant, DB_ONE);
	struct db_rows **rows;

	db_add(b, Q_WEBHOOK_ENDPOINT_GET);
	db_arg_int(b, tenant.n);
	db_arg_uuid(b, &id);
	if (db_run(db, a, b, &rows, e) == -1)
		return -1;
	if (db_count(rows[0]) == 0)
		return 0;
	*endpoint_r = arena_object(a, struct webhook_endpoint);
	read_row(a, rows[0], 0, *endpoint_r);
	return 1;
}

bool
webhook_ordered_is_known(const char *ordered)
{
	static const char by_key[] = "metadata.";
	size_t n = sizeof(by_key) - 1;

	return strcmp(ordered, "notification") == 0 ||
	    (strncmp(ordered, by_key, n) == 0 && ordered[n] != '\0');
}

/* ---- What is sealed ------------------------------------------------------------- */

static struct seal_place
place_of(struct tenant_id tenant, struct uuid id)
{
	return (struct seal_place){
		.tenant = tenant,
		.table = "webhook_endpoint",
		.column = "sealed",
		.row = id,
	};
}

static void
defer_json(void *p)
{
	json_decref(p);
}

int
webhook_secrets_open(struct arena *a, const struct keyring *ring,
    struct tenant_id tenant, struct uuid id, const void *sealed,
    size_t sealed_bytes, struct webhook_secrets *secrets_r, struct err *e)
{
	struct seal_place place = place_of(tenant, id);
	void *plain;
	size_t n;
	json_t *json;

	if (unseal(a, ring, &place, sealed, sealed_bytes, &plain, &n, e) == -1)
		return -1;
	json = json_loadb(plain, n, 0, NULL);
	arena_defer(a, defer_json, json);
	*secrets_r = (struct webhook_secrets){
		.secret = json_string_value(json_object_get(json, "secret")),
		.previous = json_string_value(json_object_get(json, "previous")),
		.headers = json_object_get(json, "headers"),
	};
	if (secrets_r->secret == NULL)
		return err_set(e, ERR_INTERNAL,
		    "what an endpoint keeps sealed is broken");
	return 0;
}

/* Adds the sealed blob as the next argument. */
static int
bind_sealed(const struct webhook_editor *we, struct db_batch *b, struct uuid id,
    const struct webhook_secrets *s, struct err *e)
{
	struct seal_place place = place_of(we->ed->tenant, id);
	struct arena *a = we->ed->a;
	json_t *json = json_pack("{s:s, s:s*, s:O*}", "secret", s->secret,
	    "previous", s->previous, "headers", s->headers);
	char *text = (char *)(uintptr_t)edit_json(a, json);
	size_t n = strlen(text);
	void *blob;
	int rc = seal(a, we->ring, &place, text, n, &blob, &n, e);

	sodium_memzero(text, strlen(text));
	json_decref(json);
	if (rc == 0)
		db_arg_bytes(b, blob, n);
	return rc;
}

/* ---- Changing ------------------------------------------------------------------- */

static const char *
id_text(const struct webhook_editor *we, struct uuid id)
{
	char text[UUID_TEXT_BYTES];

	uuid_format(&id, text);
	return arena_strdup(we->ed->a, text);
}

static void
bind_events(const struct webhook_editor *we, struct db_batch *b,
    const char *events)
{
	struct db_array *v = db_array_new(we->ed->a);
	size_t len;

	for (; *events != '\0'; events += len + (events[len] == ',')) {
		len = strcspn(events, ",");
		db_array_text(v, arena_strndup(we->ed->a, events, len));
	}
	db_arg_array(b, v);
}

static void
bind_rate(struct db_batch *b, int64_t rate)
{
	if (rate == 0)
		db_arg_null(b);
	else
		db_arg_int(b, rate);
}

int
webhook_endpoint_create(const struct webhook_editor *we,
    struct webhook_endpoint *ep, const struct webhook_secrets *secrets,
    struct err *e)
{
	const struct editor *ed = we->ed;
	struct db_batch *b = edit_begin(ed);
	struct db_rows **rows;

	ep->id = uuid_make();
	db_add(b, Q_WEBHOOK_ENDPOINT_COUNT);
	db_arg_int(b, ed->tenant.n);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1)
		return -1;
	if (db_int(rows[1], 0, 0) >= we->endpoints_max) {
		err_set(e, ERR_CONFLICT, "there are %d endpoints already",
		    (int)we->endpoints_max);
		return edit_abort(ed);
	}
	b = edit_commit(ed, "webhook.add", id_text(we, ep->id),
	    json_pack("{s:s}", "url", ep->url));
	db_add(b, Q_WEBHOOK_ENDPOINT_INSERT);
	db_arg_int(b, ed->tenant.n);
	db_arg_uuid(b, &ep->id);
	db_arg_text(b, ep->url);
	db_arg_text(b, ep->description);
	bind_events(we, b, ep->events);
	db_arg_int(b, ep->signature);
	bind_rate(b, ep->rate);
	db_arg_text(b, ep->ordered);
	if (bind_sealed(we, b, ep->id, secrets, e) == -1)
		return edit_abort(ed);
	db_arg_text(b, ep->public_key);
	return db_run(ed->db, ed->a, b, &rows, e);
}

/* Opens the transaction and locks the endpoint; secrets_r may be NULL. */
static int
lock(const struct webhook_editor *we, struct uuid id, int expected,
    struct webhook_secrets *secrets_r, struct err *e)
{
	const struct editor *ed = we->ed;
	struct db_batch *b = edit_begin(ed);
	struct db_rows **rows;
	const void *sealed;
	size_t n;

	db_add(b, Q_WEBHOOK_ENDPOINT_LOCK);
	db_arg_int(b, ed->tenant.n);
	db_arg_uuid(b, &id);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1 ||
	    edit_expect(ed, rows[1], expected, "webhook endpoint", e) == -1)
		return -1;
	if (secrets_r == NULL)
		return 0;
	sealed = db_bytes(ed->a, rows[1], 0, 1, &n);
	if (webhook_secrets_open(ed->a, we->ring, ed->tenant, id, sealed, n,
	        secrets_r, e) == -1)
		return edit_abort(ed);
	return 0;
}

int
webhook_endpoint_update(const struct webhook_editor *we,
    struct webhook_endpoint *ep, json_t *headers, struct err *e)
{
	const struct editor *ed = we->ed;
	struct webhook_secrets secrets;
	struct db_batch *b;
	struct db_rows **rows;

	if (lock(we, ep->id, ep->version, &secrets, e) == -1)
		return -1;
	if (headers != NULL)
		secrets.headers = headers;
	b = edit_commit(ed, "webhook.set", id_text(we, ep->id),
	    json_pack("{s:s}", "url", ep->url));
	db_add(b, Q_WEBHOOK_ENDPOINT_UPDATE);
	db_arg_int(b, ed->tenant.n);
	db_arg_uuid(b, &ep->id);
	db_arg_text(b, ep->url);
	db_arg_text(b, ep->description);
	bind_events(we, b, ep->events);
	bind_rate(b, ep->rate);
	db_arg_text(b, ep->ordered);
	if (bind_sealed(we, b, ep->id, &secrets, e) == -1)
		return edit_abort(ed);
	return db_run(ed->db, ed->a, b, &rows, e);
}

int
webhook_endpoint_rotate(const struct webhook_editor *we,
    struct webhook_endpoint *ep, const char *secret, int64_t overlap_ms,
    struct err *e)
{
	const struct editor *ed = we->ed;
	struct webhook_secrets secrets;
	struct db_batch *b;
	struct db_rows **rows;

	if (lock(we, ep->id, ep->version, &secrets, e) == -1)
		return -1;
	secrets.previous = overlap_ms > 0 ? secrets.secret : NULL;
	secrets.secret = secret;
	b = edit_commit(ed, "webhook.rotate", id_text(we, ep->id), NULL);
	db_add(b, Q_WEBHOOK_ENDPOINT_ROTATE);
	db_arg_int(b, ed->tenant.n);
	db_arg_uuid(b, &ep->id);
	if (bind_sealed(we, b, ep->id, &secrets, e) == -1)
		return edit_abort(ed);
	db_arg_text(b, ep->public_key);
	db_arg_int(b, overlap_ms);
	return db_run(ed->db, ed->a, b, &rows, e);
}

int
webhook_endpoint_set_state(const struct webhook_editor *we, struct uuid id,
    int expected_version, enum webhook_state state, const char *reason,
    struct err *e)
{
	const struct editor *ed = we->ed;
	struct db_batch *b;
	struct db_rows **rows;

	if (lock(we, id, expected_version, NULL, e) == -1)
		return -1;
	b = edit_commit(ed,
	    state == WEBHOOK_ACTIVE ? "webhook.enable" : "webhook.disable",
	    id_text(we, id), NULL);
	db_add(b, state == WEBHOOK_ACTIVE ? Q_WEBHOOK_ENDPOINT_ENABLE
	                                  : Q_WEBHOOK_ENDPOINT_DISABLE);
	db_arg_int(b, ed->tenant.n);
	db_arg_uuid(b, &id);
	if (state == WEBHOOK_DISABLED)
		db_arg_text(b, reason);
	return db_run(ed->db, ed->a, b, &rows, e);
}

int
webhook_endpoint_remove(const struct webhook_editor *we, struct uuid id,
    int expected_version, struct err *e)
{
	const struct editor *ed = we->ed;
	struct db_batch *b;
	struct db_rows **rows;

	if (lock(we, id, expected_version, NULL, e) == -1)
		return -1;
	b = edit_commit(ed, "webhook.remove", id_text(we, id), NULL);
	db_add(b, Q_WEBHOOK_ENDPOINT_DELETE);
	db_arg_int(b, ed->tenant.n);
	db_arg_uuid(b, &id);
	return db_run(ed->db, ed->a, b, &rows, e);
}

int
webhook_endpoint_ping(const struct webhook_editor *we, struct uuid id,
    struct uuid *message_r, struct err *e)
{
	const struct editor *ed = we->ed;
	struct db_batch *b = edit_begin(ed);
	struct db_rows **rows;

	db_add(b, Q_WEBHOOK_ENDPOINT_LOCK);
	db_arg_int(b, ed->tenant.n);
	db_arg_uuid(b, &id);
	if (db_run(ed->db, ed->a, b, &rows, e) == -1 ||
	    edit_expect(ed, rows[1], 0, "webhook endpoint", e) == -1)
		return -1;
	if (db_int(rows[1], 0, 2) != WEBHOOK_ACTIVE) {
		err_set(e, ERR_CONFLICT, "the endpoint is disabled");
		return edit_abort(ed);
	}
	*message_r = uuid_make();
	b = edit_commit(ed, "webhook.ping", id_text(we, id), NULL);
	db_add(b, Q_WEBHOOK_PING);
	db_arg_int(b, ed->tenant.n);
	db_arg_uuid(b, &id);
	db_arg_uuid(b, message_r);
	return db_run(ed->db, ed->a, b, &rows, e);
}
