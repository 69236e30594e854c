/*
 * webpush.c - push messages to browsers (RFC 8030, 8291, 8292)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The address is the subscription of a browser, and only it can read the message.  The
 * push service learns who sends from the signature of the server's key (VAPID).
 */
#include "provider/webpush.h"

#include <inttypes.h>
#include <string.h>

#include <openssl/ec.h>
#include <sodium.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/compiler.h"
#include "base/ensure.h"
#include "base/err.h"
#include "net/transfer.h"
#include "provider/http_json.h"
#include "provider/http_judge.h"
#include "provider/push_message.h"
#include "provider/verdict.h"
#include "provider/webpush_encrypt.h"
#include "provider/webpush_subscription.h"
#include "provider/webpush_vapid.h"
#include "web/js.h"

enum { BODY_MAX = 4200, TOPIC_MAX = 32, HEADERS = 7 };

static const struct field fields[] = {
	FIELD(struct webpush_settings, private_key, TEXT,
	    .flags = FIELD_REQUIRED | FIELD_SECRET | FIELD_ONE_LINE, .max = 60,
	    .help = "The server's key for VAPID: 32 random bytes in base64url, as "
	            "openssl rand 32 | basenc --base64url makes them."),
	FIELD(struct webpush_settings, subject, TEXT,
	    .flags = FIELD_REQUIRED | FIELD_ONE_LINE, .max = 200,
	    .help = "Whom a push service can ask: a mailto: or https: address.",
	    .example = "\"mailto:admin@example.org\""),
	FIELD(struct webpush_settings, ttl, DURATION, .flags = FIELD_DEFAULT,
	    .def = 24 * 3600 * 1000, .min = 0, .max = INT64_C(2419200000),
	    .help = "How long a message is kept for a browser that is closed, "
	            "when the message does not say."),
	FIELD_LIST(struct webpush_settings, hosts, TEXT, .max = 20,
	    .flags = FIELD_HOST,
	    .help = "The hosts of push services, each with all below it; absent: "
	            "those of Chrome, Firefox, Safari and Edge."),
	FIELD(struct webpush_settings, ca_file, TEXT, .flags = FIELD_ONE_LINE,
	    .max = 4000,
	    .help = "A file with the certificates to trust instead of the "
	            "system's: a path on the host of the spooler, below the "
	            "directory that the operator allows ([network] ca_base)."),
	FIELD(struct webpush_settings, receipts, BOOL,
	    .help = "Each message brings a link, data.belfry_receipt, by which the "
	            "service worker tells that it was delivered, opened or read."),
};

static const struct field_table table = FIELD_TABLE("WebpushSettings",
    struct webpush_settings, fields, "A server's key for browsers.");

static int
check(const void *settings, struct err *e)
{
	const struct webpush_settings *s = settings;
	struct arena *a = arena_new(1024);
	EVP_PKEY *key;
	int rc = webpush_vapid_key(a, s, &key, e);

	arena_free(&a);
	if (rc < 0)
		return -1;
	if (strncmp(s->subject, "mailto:", 7) != 0 &&
	    strncmp(s->subject, "https://", 8) != 0)
		return err_set(e, ERR_UNPROCESSABLE,
		    "setting \"subject\": not a mailto: or https: address");
	if (provider_ca_file_check(s->ca_file, e) < 0)
		return -1;
	return 0;
}

static bool
takes(const char *address)
{
	return address[0] == '{';
}

static int
encrypt(struct arena *a, const struct webpush_subscription *sub,
    const struct push_message *p, struct buf *body, struct err *e)
{
	uint8_t salt[WEBPUSH_SALT_BYTES];
	struct buf *plain = buf_new(a, 2 * WEBPUSH_PLAIN_MAX);
	EVP_PKEY *ours;
	int rc;

	js_write(plain,
	    js_keep(a,
	        json_pack("{s:s*, s:s*, s:s*, s:s*, s:O}", "title", p->title,
	            "body", p->body, "url", p->url, "image", p->image, "data",
	            p->data)));
	if (buf_overflowed(plain))
		return err_set(e, ERR_UNPROCESSABLE,
		    "the push message is larger than %d bytes",
		    WEBPUSH_PLAIN_MAX);
	ours = EVP_EC_gen("P-256");
	ensure(ours != NULL);
	randombytes_buf(salt, sizeof(salt));
	rc = webpush_encrypt(body, ours, salt, sub->point, sub->auth, plain->data,
	    plain->len, e);
	EVP_PKEY_free(ours);
	return rc;
}

/* Topics are short and of few characters. */
static const char *
topic_of(const struct push_message *p)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	const char *key = p->collapse_key;

	return key != NULL && strlen(key) <= TOPIC_MAX &&
	        key[strspn(key, letters)] == '\0'
	    ? key
	    : NULL;
}

static int
build(struct arena *a, const struct provider *p, const struct message *m,
    struct transfer_request *request_r, struct err *e)
{
	const struct webpush_settings *s = p->settings;
	struct transfer_header *h = arena_zalloc(a, HEADERS, sizeof(*h));
	struct buf *body = buf_new(a, BODY_MAX);
	struct webpush_subscription sub;
	struct push_message push;
	const char *who;
	size_t n = 0;

	if (push_message_read(a, m, &push, e) < 0)
		return -1;
	if (s->receipts)
		push_message_add_receipt(a, m, &push);
	if (webpush_subscription_read(a, s, m->address, &sub, e) < 0 ||
	    webpush_vapid_sign(a, s, sub.origin, &who, e) < 0 ||
	    encrypt(a, &sub, &push, body, e) < 0)
		return -1;
	h[n++] = (struct transfer_header){ "Authorization", who };
	h[n++] = (struct transfer_header){ "TTL",
		arena_printf(a, "%" PRId64,
		    push.ttl_s >= 0 ? push.ttl_s : s->ttl / 1000) };
	h[n++] = (struct transfer_header){ "Urgency",
		push.high ? "high" : "normal" };
	h[n++] = (struct transfer_header){ "Content-Encoding", "aes128gcm" };
	h[n++] = (struct transfer_header){ "Content-Type",
		"application/octet-stream" };
	h[n++] = (struct transfer_header){ "User-Agent", "Belfry" };
	if (topic_of(&push) != NULL)
		h[n++] = (struct transfer_header){ "Topic", topic_of(&push) };
	*request_r = (struct transfer_request){ .kind = TRANSFER_HTTP,
		.url = sub.endpoint, .headers = h, .headers_count = n,
		.body = body->data, .body_len = body->len,
		.ca_file = s->ca_file, .few_connections = true };
	return 0;
}

/* To a browser a message; else it only tells the key that web pages need. */
static int
probe(struct arena *a, const struct provider *p, const struct message *m,
    struct transfer_request *request_r, struct err *e)
{
	struct transfer_pretence *t = arena_object(a, struct transfer_pretence);
	struct message test = *m;
	EVP_PKEY *key;

	test.json = "{\"title\": \"Belfry\", \"body\": \"This is a test.\"}";
	if (m->address != NULL)
		return build(a, p, &test, request_r, e);
	if (webpush_vapid_key(a, p->settings, &key, e) < 0)
		return -1;
	*t = (struct transfer_pretence){ .status = 200,
		.body = arena_printf(a, "web pages subscribe with the key %s",
		    webpush_vapid_public(a, key)) };
	*request_r = (struct transfer_request){ .kind = TRANSFER_PRETEND,
		.pretence = t };
	return 0;
}

static const struct http_rule answers[] = {
#define ANSWER(...) HTTP_RULE(__VA_ARGS__)
#include "provider/webpush.def"
#undef ANSWER
};

/* Receipts may come where the account is set up for them. */
static bool
is_reported(const struct provider *p)
{
	const struct webpush_settings *s = p != NULL ? p->settings : NULL;

	return s != NULL && s->receipts;
}

static void
judge(const struct provider *p, const struct transfer_result *res,
    struct verdict *v_r)
{
	if (!http_judge_silence(res, v_r))
		http_json_judge(answers, NELEMS(answers), res, "", res->body,
		    v_r);
	v_r->reported = is_reported(p);
}

const struct provider_ops webpush_ops = {
	.kind = "webpush",
	.channel = CHANNEL_PUSH,
	.summary = "Push messages to browsers.",
	.to_address = true,
	.settings = &table,
	.takes = takes,
	.check = check,
	.build = build,
	.judge = judge,
	.probe = probe,
};
