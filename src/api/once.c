/*
 * once.c - a request with an Idempotency-Key makes what it makes once
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "api/once.h"

#include <string.h>

#include <sodium.h>

#include "api/app.h"
#include "auth/principal.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/metrics.h"
#include "db/db.h"
#include "web/js.h"
#include "web/request.h"
#include "web/response.h"
#include "web/router.h"

enum {
	KEY_MAX = 255,
	HASH_BYTES = 16,
	NAME_BYTES = 64 << 10
};

/* A key and what it stands for, as they are stored. */
struct once {
	uint8_t key[HASH_BYTES];
	uint8_t body[HASH_BYTES];
};

/* With or without the quotes that the draft asks for: both are in use. */
int
once_key(struct request *rq, const char **key_r, struct err *e)
{
	const char *key = request_param(rq, "HTTP_IDEMPOTENCY_KEY"), *p;
	size_t n;

	*key_r = NULL;
	if (key == NULL)
		return 0;
	n = strlen(key);
	if (n >= 2 && key[0] == '"' && key[n - 1] == '"') {
		key = arena_strndup(rq->a, key + 1, n - 2);
		n -= 2;
	}
	for (p = key; *p > ' ' && *p < 0x7f && *p != '"'; p++)
		;
	if (n == 0 || n > KEY_MAX || *p != '\0')
		return err_set(e, ERR_INVALID, "the header Idempotency-Key must "
		    "hold 1 to %d printable characters without blanks", KEY_MAX);
	*key_r = key;
	return 0;
}

static void
hash(uint8_t out[HASH_BYTES], const void *p, size_t n)
{
	ensure(crypto_generichash(out, HASH_BYTES, p, n, NULL, 0) == 0);
}

/* A key belongs to whoever sent it, and to one path: an account has all its API keys
 * together, a person with an access token has its label. */
static void
once_init(struct once *o, struct request *rq, const char *key)
{
	const struct principal *p = rq->principal;
	static const struct account_id nobody;
	struct buf *name = buf_new(rq->a, NAME_BYTES);
	size_t i;

	buf_add(name, p->account.u.b, sizeof(p->account.u.b));
	if (memcmp(&p->account, &nobody, sizeof(nobody)) == 0)
		buf_puts(name, principal_label(rq->a, p));
	buf_printf(name, "\n%s", rq->route->pattern);
	for (i = 0; i < NELEMS(rq->args) && rq->args[i] != NULL; i++)
		buf_printf(name, "\n%s", rq->args[i]);
	buf_printf(name, "\n%s", key);
	ensure(!buf_overflowed(name));
	hash(o->key, name->data, name->len);
	hash(o->body, rq->body_text != NULL ? rq->body_text : "",
	    rq->body_bytes);
}

/* The answer that was given before: 1, 0 when there was none, -1. */
static int
replay(struct request *rq, struct response *rs, const struct once *o,
    struct err *e)
{
	struct db_batch *b = db_batch_new(rq->a, rq->tenant, DB_ONE);
	struct db_rows **rows;
	const void *body;
	size_t n;

	db_add(b, Q_IDEMPOTENCY_GET);
	db_arg_int(b, rq->tenant.n);
	db_arg_bytes(b, o->key, HASH_BYTES);
	db_arg_int(b, rq->config->api_idempotency_ttl);
	if (db_run(app_of(rq)->db, rq->a, b, &rows, e) == -1)
		return -1;
	if (db_count(rows[0]) == 0)
		return 0;
	body = db_bytes(rq->a, rows[0], 0, 0, &n);
	if (n != HASH_BYTES || memcmp(body, o->body, n) != 0)
		return err_set(e, ERR_KEY_REUSED, "the idempotency key was used "
		    "for a request with another body");
	response_clear(rs);
	buf_puts(response_body(rs, (int)db_int(rows[0], 0, 1),
	             "application/json"), db_text(rows[0], 0, 3));
	if (db_text(rows[0], 0, 2) != NULL)
		response_header(rs, "Location", "%s", db_text(rows[0], 0, 2));
	if (db_text(rows[0], 0, 4) != NULL)
		response_header(rs, "ETag", "%s", db_text(rows[0], 0, 4));
	response_header(rs, "Idempotent-Replayed", "true");
	metrics_add(METRIC_IDEMPOTENT_REPLAYS_TOTAL, 0, 1);
	return 1;
}

/* The answer as it is stored. */
static const char *
kept(struct request *rq, const struct response *rs)
{
	struct buf *out;
	json_t *json;
	struct err e;

	if (rs->secret == NULL)
		return arena_strndup(rq->a, rs->body->data, rs->body->len);
	ensure(js_parse(rq->a, rs->body->data, rs->body->len,
	           (int)rq->config->api_json_depth, &json, &e) == 0);
	json_object_del(json, rs->secret);
	out = buf_new(rq->a, rs->body->len + 1);
	js_write(out, json);
	return out->data;
}

/* Commits what the handler did, with the key. */
static int
commit(struct request *rq, const struct response *rs, const struct once *o,
    struct err *e)
{
	struct db_batch *b = db_batch_new(rq->a, rq->tenant, DB_COMMIT);

	db_add(b, Q_IDEMPOTENCY_INSERT);
	db_arg_int(b, rq->tenant.n);
	db_arg_bytes(b, o->key, HASH_BYTES);
	db_arg_bytes(b, o->body, HASH_BYTES);
	db_arg_int(b, rs->status);
	db_arg_text(b, response_find(rs, "Location"));
	db_arg_text(b, response_find(rs, "ETag"));
	db_arg_text(b, kept(rq, rs));
	return db_release(app_of(rq)->db, rq->a, b, e);
}

/* Nobody said what became of the commit: the key is there, or nothing is. */
static int
look(struct request *rq, struct response *rs, const struct once *o,
    struct err *e)
{
	struct err other;

	switch (replay(rq, rs, o, &other)) {
	case 1:
		return 0;
	case 0:
		return err_set(e, ERR_TEMPORARY, "the connection to the database "
		    "was lost: nothing was changed");
	default:
		return -1;
	}
}

int
once_handle(struct request *rq, struct response *rs, struct err *e)
{
	struct db *db = app_of(rq)->db;
	const char *key;
	struct once o;
	int rc;

	if (once_key(rq, &key, e) == -1)
		return -1;
	if (key == NULL)
		return rq->route->handler(rq, rs, e);
	once_init(&o, rq, key);
	rc = replay(rq, rs, &o, e);
	if (rc != 0)
		return rc == 1 ? 0 : -1;
	db_hold(db);
	if (rq->route->handler(rq, rs, e) != 0) {
		db_let_go(db);
		return -1;
	}
	if (commit(rq, rs, &o, e) == 0)
		return 0;
	/* Somebody else was faster with the same key: this one made nothing. */
	if (db_violates(e, "idempotency_pkey"))
		return replay(rq, rs, &o, e) == 1 ? 0 : -1;
	return e->kind == ERR_UNCERTAIN ? look(rq, rs, &o, e) : -1;
}
