/*
 * test_json_providers.c - requests and answers of the providers that speak JSON
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <cmocka.h>

#include <openssl/ec.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/compiler.h"
#include "base/text.h"
#include "net/transfer.h"
#include "provider/fcm.h"
#include "provider/http_json.h"
#include "provider/ntfy.h"
#include "provider/slack.h"
#include "provider/teams.h"
#include "provider/telegram.h"
#include "provider/verdict.h"
#include "provider/webpush.h"
#include "provider/webpush_encrypt.h"
#include "provider/whatsapp.h"
#include "provider/jwt_sign.h"
#include "rsa_keys.h"
#include "settings_of.h"

static struct arena *arena;

static int
setup(void **state)
{
	arena = arena_new(4096);
	return 0;
}

static int
teardown(void **state)
{
	arena_free(&arena);
	return 0;
}

static const void *
bytes(const char *base64url, size_t want)
{
	void *p;
	size_t n;

	assert_int_equal(text_base64url_decode(arena, base64url, &p, &n), 0);
	assert_int_equal(n, want);
	return p;
}

/* ---- Encryption: the example of RFC 8291, section 5 and appendix A ---------------- */

#define BROWSER "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyP" \
	"js7Vd8pZGH6SRpkNtoIAiw4"
#define PLAIN "When I grow up, I want to be a watermelon"

static void
messages_to_browsers_are_those_of_rfc_8291(void **state)
{
	static const char want[] =
	    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMo"
	    "ZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf"
	    "1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
	struct buf *out = buf_new(arena, 4096);
	EVP_PKEY *key;
	struct err e;

	assert_int_equal(webpush_key(arena,
	                     bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw",
	                         32),
	                     32, &key, &e),
	    0);
	assert_int_equal(webpush_encrypt(out, key,
	                     bytes("DGv6ra1nlYgDCS1FRnbzlw", 16),
	                     bytes(BROWSER, 65), bytes("BTBZMqHH6r4Tts7J_aSIgg", 16),
	                     PLAIN, strlen(PLAIN), &e),
	    0);
	assert_string_equal(text_base64url(arena, out->data, out->len), want);
}

static void
what_is_no_key_is_refused(void **state)
{
	uint8_t secret[32] = { 0 }, point[65] = { 4 }, salt[16] = { 0 };
	struct buf *out = buf_new(arena, 8192);
	EVP_PKEY *key;
	struct err e;

	assert_int_equal(webpush_key(arena, secret, 32, &key, &e), -1);
	memset(secret, 0xff, sizeof(secret));
	assert_int_equal(webpush_key(arena, secret, 32, &key, &e), -1);
	secret[0] = 1;
	assert_int_equal(webpush_key(arena, secret, 31, &key, &e), -1);
	assert_int_equal(webpush_key(arena, secret, 32, &key, &e), 0);
	assert_int_equal(webpush_encrypt(out, key, salt, point, salt, "x", 1, &e),
	    -1);
	assert_int_equal(webpush_encrypt(out, key, salt, bytes(BROWSER, 65), salt,
	                     "x", WEBPUSH_PLAIN_MAX + 1, &e),
	    -1);
}

/* ---- Requests ---------------------------------------------------------------------- */

#define VAPID "{\"private_key\": \"yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw\", " \
	"\"subject\": \"mailto:a@example.org\"}"
#define NTFY "{\"base_url\": \"http://127.0.0.1:1/\", \"token\": \"tk\"}"
#define SLACK "{\"url\": \"https://hooks.slack.example/x\"}"
#define TEAMS "{\"url\": \"https://teams.example/x?sig=1\"}"
#define TELEGRAM "{\"token\": \"12:Ab-_\", \"chat_id\": \"-7\", \"silent\": true}"
#define WHATSAPP "{\"access_token\": \"t\", \"phone_number_id\": \"42\"}"
#define TO "\"messaging_product\":\"whatsapp\",\"recipient_type\":\"individual\"," \
	"\"to\":\"+43660123456\"}"
#define PHONE "+43660123456"
#define FCM_ACCOUNT(email, key)                                                 \
	"{\"service_account\": {\"client_email\": \"" email "\", "             \
	"\"project_id\": \"p\", \"token_uri\": \"https://t.example/\", "       \
	"\"private_key\": \"" RSA_PEM(key) "\"}}"
#define FCM_KEY FCM_ACCOUNT("a@b.example", RSA_1024)
#define FCM_URL "https://fcm.googleapis.com/v1/projects/p/messages:send"
#define SUBSCRIPTION                                                           \
	"{\"endpoint\":\"https://fcm.googleapis.com/x\",\"keys\":{\"p256dh\":\"" \
	BROWSER "\",\"auth\":\"BTBZMqHH6r4Tts7J_aSIgg\"}}"

static const struct {
	const struct provider_ops *ops;
	const char *settings, *address, *text, *json;
	const char *url, *body; /* NULL: it is refused with */
	const char *why;
} requests[] = {
	{ &ntfy_ops, NTFY, "ntfy:shop-1", NULL,
	    "{\"title\": \"T\", \"body\": \"B\", \"url\": \"u\", \"priority\": "
	    "\"high\"}",
	    "http://127.0.0.1:1",
	    "{\"topic\":\"shop-1\",\"title\":\"T\",\"message\":\"B\","
	    "\"click\":\"u\",\"priority\":5}",
	    NULL },
	{ &ntfy_ops, NTFY, "ntfy:a/b", NULL, "{\"title\": \"T\"}", NULL, NULL,
	    "no topic" },
	{ &ntfy_ops, NTFY, "ntfy:a", NULL, "{\"url\": \"T\"}", NULL, NULL,
	    "neither title nor body nor data" },
	{ &ntfy_ops, NTFY, "ntfy:a", NULL, "[]", NULL, NULL, "not a JSON object" },
	{ &ntfy_ops, NTFY, "ntfy:a", NULL, "{\"title\": 1}", NULL, NULL,
	    "\"title\"" },
	{ &ntfy_ops, NTFY, "ntfy:a", NULL, "{\"title\": \"a\", \"ttl\": \"1h\"}",
	    NULL, NULL, "\"ttl\"" },
	{ &slack_ops, SLACK, "u1", "a < b & <!channel>", NULL,
	    "https://hooks.slack.example/x",
	    "{\"text\":\"a &lt; b &amp; &lt;!channel&gt;\"}", NULL },
	{ &slack_ops, SLACK, "u1", "", NULL, NULL, NULL, "empty" },
	{ &teams_ops, TEAMS, "u1", "hello", NULL, "https://teams.example/x?sig=1",
	    "{\"type\":\"message\",\"attachments\":[{\"contentType\":"
	    "\"application/vnd.microsoft.card.adaptive\",\"content\":{\"$schema\":"
	    "\"http://adaptivecards.io/schemas/adaptive-card.json\",\"type\":"
	    "\"AdaptiveCard\",\"version\":\"1.4\",\"body\":[{\"type\":"
	    "\"TextBlock\",\"text\":\"hello\",\"wrap\":true}]}}]}",
	    NULL },
	{ &telegram_ops, TELEGRAM, "u1", "<b>", NULL,
	    "https://api.telegram.org/bot12:Ab-_/sendMessage",
	    "{\"chat_id\":\"-7\",\"text\":\"<b>\",\"disable_notification\":true}",
	    NULL },
	{ &whatsapp_ops, WHATSAPP, PHONE, NULL, "{\"text\": \"hi\"}",
	    "https://graph.facebook.com/v23.0/42/messages",
	    "{\"type\":\"text\",\"text\":{\"body\":\"hi\",\"preview_url\":false}," TO,
	    NULL },
	{ &whatsapp_ops, WHATSAPP, PHONE, NULL,
	    "{\"template\": \"shipped\", \"header\": {\"image\": {\"link\": "
	    "\"https://a/b\"}}, \"parameters\": [\"Ann\", 42], \"buttons\": "
	    "[\"x/1\"]}",
	    "https://graph.facebook.com/v23.0/42/messages",
	    "{\"type\":\"template\",\"template\":{\"name\":\"shipped\","
	    "\"language\":{\"code\":\"de_AT\"},\"components\":[{\"type\":\"header\","
	    "\"parameters\":[{\"type\":\"image\",\"image\":{\"link\":"
	    "\"https://a/b\"}}]},{\"type\":\"body\",\"parameters\":[{\"type\":"
	    "\"text\",\"text\":\"Ann\"},{\"type\":\"text\",\"text\":\"42\"}]},"
	    "{\"type\":\"button\",\"sub_type\":\"url\",\"index\":\"0\","
	    "\"parameters\":[{\"type\":\"text\",\"text\":\"x/1\"}]}]}," TO,
	    NULL },
	{ &whatsapp_ops, WHATSAPP, PHONE, NULL,
	    "{\"document\": {\"link\": \"https://a/b.pdf\", \"caption\": \"c\"}}",
	    "https://graph.facebook.com/v23.0/42/messages",
	    "{\"type\":\"document\",\"document\":{\"link\":\"https://a/b.pdf\","
	    "\"caption\":\"c\"}," TO,
	    NULL },
	{ &whatsapp_ops, WHATSAPP, PHONE, NULL,
	    "{\"type\": \"reaction\", \"reaction\": {\"emoji\": \"x\"}, \"to\": "
	    "\"+1\"}",
	    "https://graph.facebook.com/v23.0/42/messages",
	    "{\"type\":\"reaction\",\"reaction\":{\"emoji\":\"x\"},\"to\":"
	    "\"+43660123456\",\"messaging_product\":\"whatsapp\","
	    "\"recipient_type\":\"individual\"}",
	    NULL },
	{ &whatsapp_ops, WHATSAPP, PHONE, NULL,
	    "{\"template\": \"t\", \"language\": \"en\", \"buttons\": [null, {\"sub_type\": \"quick_reply\", \"parameters\": [{\"type\": \"payload\", \"payload\": \"yes\"}]}, {\"type\": \"button\", \"sub_type\": \"copy_code\", \"index\": 5, \"parameters\": []}]}",
	    "https://graph.facebook.com/v23.0/42/messages",
	    "{\"type\":\"template\",\"template\":{\"name\":\"t\","
	    "\"language\":{\"code\":\"en\"},\"components\":[{\"sub_type\":\"quick_reply\",\"parameters\":[{"
	    "\"type\":\"payload\",\"payload\":\"yes\"}],\"type\":\"button\","
	    "\"index\":\"1\"},{\"type\":\"button\",\"sub_type\":\"copy_code\","
	    "\"index\":5,\"parameters\":[]}]}," TO,
	    NULL },
	{ &whatsapp_ops, WHATSAPP, PHONE, NULL,
	    "{\"template\": \"t\", \"language\": [\"en\", \"de_AT\", \"de\"]}",
	    "https://graph.facebook.com/v23.0/42/messages",
	    "{\"type\":\"template\",\"template\":{\"name\":\"t\","
	    "\"language\":{\"code\":\"de_AT\"},\"components\":[]}," TO,
	    NULL },
	{ &whatsapp_ops, WHATSAPP, PHONE, NULL,
	    "{\"template\": \"t\", \"language\": [\"en\", \"de\"]}",
	    "https://graph.facebook.com/v23.0/42/messages",
	    "{\"type\":\"template\",\"template\":{\"name\":\"t\","
	    "\"language\":{\"code\":\"de\"},\"components\":[]}," TO,
	    NULL },
	{ &whatsapp_ops, WHATSAPP, PHONE, NULL,
	    "{\"template\": \"t\", \"language\": [\"en\", \"de_CH\"]}",
	    "https://graph.facebook.com/v23.0/42/messages",
	    "{\"type\":\"template\",\"template\":{\"name\":\"t\","
	    "\"language\":{\"code\":\"de_CH\"},\"components\":[]}," TO,
	    NULL },
	{ &whatsapp_ops, WHATSAPP, PHONE, NULL,
	    "{\"template\": \"t\", \"language\": [\"en_US\", \"fr\"]}",
	    "https://graph.facebook.com/v23.0/42/messages",
	    "{\"type\":\"template\",\"template\":{\"name\":\"t\","
	    "\"language\":{\"code\":\"en_US\"},\"components\":[]}," TO,
	    NULL },
	{ &whatsapp_ops, WHATSAPP, PHONE, NULL,
	    "{\"template\": \"t\", \"language\": \"pt-BR\"}",
	    "https://graph.facebook.com/v23.0/42/messages",
	    "{\"type\":\"template\",\"template\":{\"name\":\"t\","
	    "\"language\":{\"code\":\"pt_BR\"},\"components\":[]}," TO,
	    NULL },
	{ &whatsapp_ops, WHATSAPP, PHONE, NULL,
	    "{\"template\": \"t\", \"buttons\": [\"x\", {\"sub_type\": \"new\"}]}",
	    NULL, NULL, "/buttons/1 " },
	{ &whatsapp_ops, WHATSAPP, PHONE, NULL,
	    "{\"template\": \"t\", \"buttons\": [7]}",
	    NULL, NULL, "/buttons/0 " },
	{ &whatsapp_ops, WHATSAPP, PHONE, NULL,
	    "{\"template\": \"t\", \"buttons\": [{\"sub_type\": \"url\", \"payload\": \"x\"}]}",
	    NULL, NULL, "/buttons/0 " },
	{ &whatsapp_ops, WHATSAPP, PHONE, NULL,
	    "{\"template\": \"t\", \"buttons\": {}}",
	    NULL, NULL, "/buttons is" },
	{ &whatsapp_ops, WHATSAPP, PHONE, NULL,
	    "{\"template\": \"t\", \"header\": [\"x\"]}",
	    NULL, NULL, "/header is" },
	{ &whatsapp_ops, WHATSAPP, PHONE, NULL,
	    "{\"template\": \"t\", \"parameters\": {\"a\": 1}}",
	    NULL, NULL, "/parameters is" },
	{ &whatsapp_ops, WHATSAPP, PHONE, NULL,
	    "{\"template\": \"t\", \"language\": [\"de\", 7]}",
	    NULL, NULL, "/language/1 is" },
	{ &whatsapp_ops, WHATSAPP, PHONE, NULL,
	    "{\"template\": \"t\", \"language\": []}",
	    NULL, NULL, "/language/0 is" },
	{ &whatsapp_ops, WHATSAPP, PHONE, NULL,
	    "{\"template\": \"t\", \"language\": 5}",
	    NULL, NULL, "/language is" },
	{ &whatsapp_ops, WHATSAPP, PHONE, NULL,
	    "{\"template\": \"t\", \"language\": true}",
	    NULL, NULL, "/language is" },
	{ &whatsapp_ops, WHATSAPP, PHONE, NULL,
	    "{\"template\": \"t\", \"language\": {\"code\": 5}}",
	    NULL, NULL, "/language is" },
	{ &whatsapp_ops, WHATSAPP, PHONE, NULL,
	    "{\"template\": \"t\", \"language\": {\"code\": \"de\", \"policy\": \"x\"}}",
	    NULL, NULL, "/language is" },
	{ &whatsapp_ops, WHATSAPP, PHONE, NULL,
	    "{\"template\": \"t\", \"paramters\": [\"x\"]}",
	    NULL, NULL, "/paramters does not go with template" },
	{ &whatsapp_ops, WHATSAPP, PHONE, NULL,
	    "{\"template\": \"t\", \"text\": \"x\"}",
	    NULL, NULL, "/text does not" },
	{ &whatsapp_ops, WHATSAPP, PHONE, NULL,
	    "{\"text\": \"x\", \"image\": {\"link\": \"https://a/b\"}}",
	    NULL, NULL, "/image does not" },
	{ &whatsapp_ops, WHATSAPP, PHONE, NULL,
	    "{\"text\": \"x\", \"session\": {\"text\": \"y\"}, \"to\": \"1\"}",
	    NULL, NULL, "/to does not" },
	{ &whatsapp_ops, WHATSAPP, PHONE, NULL,
	    "{\"text\": \"x\", \"session\": \"y\"}",
	    NULL, NULL, "/session is" },
	{ &whatsapp_ops, WHATSAPP, PHONE, NULL,
	    "{\"image\": {\"link\": \"https://a/b\"}, \"caption\": \"x\"}",
	    NULL, NULL, "/caption does not go with image" },
	{ &whatsapp_ops, WHATSAPP, PHONE, NULL,
	    "{\"template\": \"t\", \"language\": {\"code\": \"pt-BR\"}, \"text\": \"\", \"header\": null}",
	    "https://graph.facebook.com/v23.0/42/messages",
	    "{\"type\":\"template\",\"template\":{\"name\":\"t\","
	    "\"language\":{\"code\":\"pt_BR\"},\"components\":[]}," TO,
	    NULL },
	{ &whatsapp_ops, WHATSAPP, PHONE, NULL,
	    "{\"image\": {\"link\": \"http://a/b\"}}", NULL, NULL, "https: link" },
	{ &whatsapp_ops, WHATSAPP, PHONE, NULL, "{", NULL, NULL, "not JSON" },
	{ &webpush_ops, VAPID, "{}", NULL, "{\"title\": \"T\"}", NULL, NULL,
	    "no push service" },
	{ &webpush_ops, VAPID,
	    "{\"endpoint\":\"https://evil.example/fcm.googleapis.com\"}", NULL,
	    "{\"title\": \"T\"}", NULL, NULL, "no push service" },
	{ &webpush_ops, VAPID,
	    "{\"endpoint\":\"https://notfcm.googleapis.com.evil.example/\"}", NULL,
	    "{\"title\": \"T\"}", NULL, NULL, "no push service" },
	{ &webpush_ops, VAPID,
	    "{\"endpoint\":\"https://fcm.googleapis.com@evil.example/\"}", NULL,
	    "{\"title\": \"T\"}", NULL, NULL, "no push service" },
	{ &webpush_ops, VAPID, "{\"endpoint\":\"http://fcm.googleapis.com/\"}",
	    NULL, "{\"title\": \"T\"}", NULL, NULL, "no push service" },
	{ &webpush_ops, VAPID,
	    "{\"endpoint\":\"https://fcm.googleapis.com/x\",\"keys\":{}}", NULL,
	    "{\"title\": \"T\"}", NULL, NULL, "no keys" },
	{ &fcm_ops, FCM_KEY, "t", NULL,
	    "{\"title\": \"T\", \"data\": null, \"android\": null, \"apns\": "
	    "null, \"webpush\": null}",
	    FCM_URL,
	    "{\"message\":{\"token\":\"t\",\"notification\":{\"title\":"
	    "\"T\"}}}",
	    NULL },
	{ &fcm_ops, FCM_KEY, "t", NULL, "{\"title\": \"T\", \"data\": []}",
	    NULL, NULL, "\"data\"" },
	{ &fcm_ops, FCM_KEY, "t", NULL, "{\"data\": {\"url\": \"u\"}}", FCM_URL,
	    "{\"message\":{\"token\":\"t\",\"data\":{\"url\":\"u\"}}}", NULL },
	{ &fcm_ops, FCM_KEY, "t", NULL,
	    "{\"url\": \"v\", \"data\": {\"url\": \"u\"}, \"body\": \"B\"}",
	    FCM_URL,
	    "{\"message\":{\"token\":\"t\",\"notification\":{\"body\":\"B\"},"
	    "\"data\":{\"url\":\"v\"}}}",
	    NULL },
	{ &fcm_ops, FCM_KEY, "t", NULL, "{\"body\": \"B\", \"ttl\": 60}", FCM_URL,
	    "{\"message\":{\"token\":\"t\",\"notification\":{\"body\":\"B\"},"
	    "\"android\":{\"ttl\":\"60s\"},\"apns\":{\"headers\":{"
	    "\"apns-expiration\":\"1764576060\"}},\"webpush\":{\"headers\":{"
	    "\"TTL\":\"60\"}}}}",
	    NULL },
	{ &fcm_ops, FCM_KEY, "t", NULL,
	    "{\"body\": \"B\", \"ttl\": 0, \"webpush\": {\"headers\": null}}",
	    FCM_URL,
	    "{\"message\":{\"token\":\"t\",\"notification\":{\"body\":\"B\"},"
	    "\"android\":{\"ttl\":\"0s\"},\"apns\":{\"headers\":{"
	    "\"apns-expiration\":\"0\"}}}}",
	    NULL },
	{ &fcm_ops, FCM_KEY, "t", NULL,
	    "{\"body\": \"B\", \"ttl\": 60, \"webpush\": {\"headers\": null}, "
	    "\"android\": {\"ttl\": null}, \"apns\": {\"headers\": "
	    "{\"apns-expiration\": \"7\"}}}",
	    FCM_URL,
	    "{\"message\":{\"token\":\"t\",\"notification\":{\"body\":\"B\"},"
	    "\"apns\":{\"headers\":{\"apns-expiration\":\"7\"}}}}",
	    NULL },
};

static void
requests_are_as_each_api_has_them(void **state)
{
	struct transfer_request rq;
	struct err e;
	size_t i;

	for (i = 0; i < NELEMS(requests); i++) {
		struct provider p = { .ops = requests[i].ops };
		struct message m = { .address = requests[i].address,
			.locale = "de-AT", .text = requests[i].text,
			.created_ms = 1764576000123,
			.json = requests[i].json };
		int rc;

		p.settings = settings_of(arena, p.ops,
		    rsa_keys_put(arena, requests[i].settings), &e);
		if (p.settings == NULL)
			fail_msg("%s: %s", requests[i].settings, e.text);
		rc = p.ops->build(arena, &p, &m, &rq, &e);
		if ((rc == 0) != (requests[i].url != NULL) ||
		    (rc < 0 && strstr(e.text, requests[i].why) == NULL))
			fail_msg("%zu: %s", i, rc < 0 ? e.text : "taken");
		if (rc < 0)
			continue;
		assert_string_equal(rq.url, requests[i].url);
		assert_string_equal(rq.body, requests[i].body);
	}
}

/* A text that does not fit is not left out: the message is refused. */
static void
what_does_not_fit_is_refused(void **state)
{
	static const struct {
		const char *json, *why; /* with one text in it */
	} cases[] = {
		{ "{\"title\": \"T\", \"body\": \"%s\"}",
		    "larger than 3993 bytes" },
		{ "{\"title\": \"T\", \"data\": {\"a\": [\"%s\"]}}",
		    "\"data.a\" of the push message is larger than 4096 bytes" },
	};
	char *many = arena_alloc(arena, 9001);
	struct provider p = { .ops = &webpush_ops };
	struct message m = { .address = SUBSCRIPTION };
	struct transfer_request rq;
	struct err e;
	size_t i;

	memset(many, 'x', 9000);
	many[9000] = '\0';
	p.settings = settings_of(arena, p.ops, VAPID, &e);
	for (i = 0; i < NELEMS(cases); i++) {
		const char *part = strstr(cases[i].json, "%s");

		m.json = arena_printf(arena, "%.*s%s%s",
		    (int)(part - cases[i].json), cases[i].json, many, part + 2);
		assert_int_equal(p.ops->build(arena, &p, &m, &rq, &e), -1);
		if (strstr(e.text, cases[i].why) == NULL)
			fail_msg("%s", e.text);
	}
	m.json = "{\"title\": \"T\"}";
	assert_int_equal(p.ops->build(arena, &p, &m, &rq, &e), 0);
}

/* Keys come from tenants: one that cannot sign is no reason to end. */
static void
what_cannot_sign_says_so(void **state)
{
	static const char *const pems[] = { RSA_384, RSA_EVEN };
	struct jwt_claimed what = { .type = "JWT",
		.claims = json_pack("{s:s}", "iss", "a") };
	struct buf *many = buf_new(arena, 20000);
	EVP_PKEY *wrong = EVP_EC_gen("P-384"), *good = EVP_EC_gen("P-256"), *key;
	const char *token;
	struct err e;
	json_t *pem;
	size_t i;

	for (i = 0; i < NELEMS(pems); i++) {
		const char *json = rsa_keys_put(arena, arena_printf(arena,
		    "{\"k\":\"" RSA_PEM("%s") "\"}", pems[i]));

		assert_int_equal(
		    js_parse(arena, json, strlen(json), 8, &pem, &e), 0);
		assert_int_equal(jwt_key_read(arena,
		                     json_string_value(json_object_get(pem, "k")),
		                     &key, &e),
		    0);
		assert_int_equal(jwt_sign(arena, key, &what, &token, &e), -1);
	}
	assert_int_equal(jwt_sign(arena, wrong, &what, &token, &e), -1);
	assert_int_equal(jwt_sign(arena, good, &what, &token, &e), 0);
	while (many->len < 9000)
		buf_puts(many, "xxxxxxxxxx");
	what.kid = many->data;
	assert_int_equal(jwt_sign(arena, good, &what, &token, &e), -1);
	assert_non_null(strstr(e.text, "longer than"));
	json_decref((json_t *)(uintptr_t)what.claims);
	EVP_PKEY_free(wrong);
	EVP_PKEY_free(good);
}

static void
long_members_of_a_service_account_are_refused(void **state)
{
	char many[1002];
	struct err e;

	memset(many, 'x', sizeof(many) - 1);
	many[sizeof(many) - 1] = '\0';
	assert_null(settings_of(arena, &fcm_ops,
	    rsa_keys_put(arena, arena_printf(arena, FCM_ACCOUNT("%s", RSA_1024),
	        many)), &e));
	assert_string_equal(e.text,
	    "setting \"service_account\": client_email has more than 1000 bytes");
	many[1000] = '\0';
	assert_non_null(settings_of(arena, &fcm_ops,
	    rsa_keys_put(arena, arena_printf(arena, FCM_ACCOUNT("%s", RSA_1024),
	        many)), &e));
}

static const struct {
	const struct provider_ops *ops;
	const char *settings, *why;
} faults[] = {
	{ &fcm_ops, FCM_ACCOUNT("", RSA_1024), "client_email" },
	{ &fcm_ops, FCM_ACCOUNT("a@b.example", "AAAA"),
	    "setting \"service_account\": the private key is no key" },
	{ &fcm_ops, FCM_ACCOUNT("a@b.example", RSA_384), "1024 to 4096 bits" },
	{ &fcm_ops, FCM_ACCOUNT("a@b.example", RSA_EVEN),
	    "setting \"service_account\": the private key cannot sign" },
	{ &telegram_ops, "{\"token\": \"x\", \"chat_id\": \"1\"}", "token" },
	{ &telegram_ops, "{\"token\": \"1:a/b\", \"chat_id\": \"1\"}", "token" },
	{ &whatsapp_ops, "{\"access_token\": \"t\", \"phone_number_id\": \"+1\"}",
	    "phone_number_id" },
	{ &whatsapp_ops,
	    "{\"access_token\": \"t\", \"phone_number_id\": \"1\", "
	    "\"api_version\": \"23/\"}",
	    "api_version" },
	{ &webpush_ops, "{\"private_key\": \"AAAA\", \"subject\": \"mailto:a\"}",
	    "private_key" },
	{ &webpush_ops,
	    "{\"private_key\": \"yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw\", "
	    "\"subject\": \"a@b\"}",
	    "subject" },
};

static void
settings_are_checked(void **state)
{
	struct err e;
	size_t i;

	for (i = 0; i < NELEMS(faults); i++) {
		assert_null(settings_of(arena, faults[i].ops,
		    rsa_keys_put(arena, faults[i].settings), &e));
		assert_non_null(strstr(e.text, faults[i].why));
	}
}

static void
push_addresses_say_whose_they_are(void **state)
{
	assert_true(fcm_ops.takes("d7Xr:APA91b"));
	assert_false(fcm_ops.takes("ntfy:a"));
	assert_false(fcm_ops.takes("{\"endpoint\":1}"));
	assert_true(ntfy_ops.takes("ntfy:a"));
	assert_false(ntfy_ops.takes("d7Xr:APA91b"));
	assert_true(webpush_ops.takes("{\"endpoint\":1}"));
	assert_false(webpush_ops.takes("d7Xr:APA91b"));
}

/* ---- Answers ------------------------------------------------------------------------ */

#define FCM(code) "{\"error\":{\"details\":[{\"@type\":\"type.googleapis.com/"    \
	"google.firebase.fcm.v1.FcmError\",\"errorCode\":\"" code "\"}]}}"
#define META(code) "{\"error\":{\"message\":\"m\",\"code\":" code "}}"

static const struct {
	const struct provider_ops *ops;
	int status;
	const char *body;
	enum verdict_class class;
	const char *code;
} answers[] = {
	{ &fcm_ops, 200, "{\"name\":\"projects/p/messages/1\"}", VERDICT_ACCEPTED,
	    "200" },
	{ &fcm_ops, 404, FCM("UNREGISTERED"), VERDICT_BAD_RECIPIENT,
	    "UNREGISTERED" },
	{ &fcm_ops, 404, "{\"error\":{}}", VERDICT_BAD_CREDENTIAL, "404" },
	{ &fcm_ops, 400, FCM("INVALID_ARGUMENT"), VERDICT_BAD_MESSAGE,
	    "INVALID_ARGUMENT" },
	{ &fcm_ops, 400,
	    "{\"error\":{\"details\":[{\"@type\":\"type.googleapis.com/"
	    "google.firebase.fcm.v1.FcmError\",\"errorCode\":\"INVALID_ARGUMENT\"},"
	    "{\"@type\":\"type.googleapis.com/google.rpc.BadRequest\","
	    "\"fieldViolations\":[{\"field\":\"message.token\"}]}]}}",
	    VERDICT_BAD_RECIPIENT, "INVALID_TOKEN" },
	{ &fcm_ops, 401, FCM("THIRD_PARTY_AUTH_ERROR"), VERDICT_BAD_CREDENTIAL,
	    "THIRD_PARTY_AUTH_ERROR" },
	{ &fcm_ops, 401, "", VERDICT_BAD_CREDENTIAL, "401" },
	{ &fcm_ops, 429, FCM("QUOTA_EXCEEDED"), VERDICT_THROTTLED,
	    "QUOTA_EXCEEDED" },
	{ &fcm_ops, 418, "", VERDICT_RETRY, "418" },
	{ &slack_ops, 200, "ok", VERDICT_ACCEPTED, "200" },
	{ &slack_ops, 403, "invalid_token", VERDICT_BAD_CREDENTIAL,
	    "invalid_token" },
	{ &slack_ops, 404, "channel_not_found", VERDICT_PROVIDER_BLOCKED,
	    "channel_not_found" },
	{ &slack_ops, 500, "rollup_error", VERDICT_RETRY, "rollup_error" },
	{ &slack_ops, 503, "<html>", VERDICT_RETRY, "503" },
	{ &teams_ops, 202, "", VERDICT_ACCEPTED, "202" },
	{ &teams_ops, 404, "{}", VERDICT_PROVIDER_BLOCKED, "404" },
	{ &telegram_ops, 200, "{\"ok\":true,\"result\":{\"message_id\":7}}",
	    VERDICT_ACCEPTED, "200" },
	{ &telegram_ops, 400, "{\"description\":\"Bad Request: chat not found\"}",
	    VERDICT_BAD_CREDENTIAL, "chat" },
	{ &telegram_ops, 400, "{\"description\":\"Bad Request: message is too "
	    "long\"}", VERDICT_BAD_MESSAGE, "400" },
	{ &telegram_ops, 429, "{\"parameters\":{\"retry_after\":3}}",
	    VERDICT_THROTTLED, "429" },
	{ &telegram_ops, 413, "<html>", VERDICT_BAD_MESSAGE, "413" },
	{ &ntfy_ops, 200, "{\"id\":\"x\"}", VERDICT_ACCEPTED, "200" },
	{ &ntfy_ops, 403, "{\"error\":\"forbidden\"}", VERDICT_BAD_RECIPIENT,
	    "403" },
	{ &webpush_ops, 201, "", VERDICT_ACCEPTED, "201" },
	{ &webpush_ops, 410, "", VERDICT_BAD_RECIPIENT, "410" },
	/* A browser has named who answers: that parks nobody's account. */
	{ &webpush_ops, 401, "", VERDICT_BAD_RECIPIENT, "401" },
	{ &webpush_ops, 403, "", VERDICT_BAD_RECIPIENT, "403" },
	{ &whatsapp_ops, 200, "{\"messages\":[{\"id\":\"wamid.1\"}]}",
	    VERDICT_ACCEPTED, "200" },
	{ &whatsapp_ops, 400, META("131047"), VERDICT_BAD_MESSAGE, "131047" },
	{ &whatsapp_ops, 400, META("131026"), VERDICT_BAD_RECIPIENT, "131026" },
	{ &whatsapp_ops, 429, META("130429"), VERDICT_THROTTLED, "130429" },
	{ &whatsapp_ops, 401, META("190"), VERDICT_BAD_CREDENTIAL, "190" },
	{ &whatsapp_ops, 400, META("131042"), VERDICT_PROVIDER_BLOCKED, "131042" },
	{ &whatsapp_ops, 400, META("77"), VERDICT_RETRY, "77" },
	{ &whatsapp_ops, 502, "<html>", VERDICT_RETRY, "502" },
};

static struct verdict
judged(const struct provider_ops *ops, int status, const char *body)
{
	struct transfer_result res = { .outcome = TRANSFER_ANSWERED,
		.status = status, .body = body, .body_len = strlen(body),
		.body_started = true };
	struct verdict v;

	ops->judge(NULL, &res, &v);
	return v;
}

static void
answers_are_judged_as_the_tables_say(void **state)
{
	struct verdict v;
	size_t i;

	for (i = 0; i < NELEMS(answers); i++) {
		v = judged(answers[i].ops, answers[i].status, answers[i].body);
		if (v.class != answers[i].class ||
		    strcmp(v.code, answers[i].code) != 0)
			fail_msg("%s %d %s: %s %s", answers[i].ops->kind,
			    answers[i].status, answers[i].body,
			    verdict_name(v.class), v.code);
	}
}

static void
answers_say_more_than_a_class(void **state)
{
	assert_true(judged(&fcm_ops, 404, FCM("UNREGISTERED")).gone);
	assert_false(judged(&fcm_ops, 403, FCM("SENDER_ID_MISMATCH")).gone);
	assert_true(judged(&fcm_ops, 401, "").stale_token);
	assert_false(
	    judged(&fcm_ops, 401, FCM("THIRD_PARTY_AUTH_ERROR")).stale_token);
	assert_true(judged(&webpush_ops, 404, "").gone);
	assert_false(judged(&webpush_ops, 403, "").gone);
	assert_true(judged(&whatsapp_ops, 400, META("77")).unrecognised);
	assert_string_equal(
	    judged(&fcm_ops, 200, "{\"name\":\"n/1\"}").provider_ref, "n/1");
	assert_string_equal(judged(&whatsapp_ops, 200,
	                        "{\"messages\":[{\"id\":\"wamid.1\"}]}")
	                        .provider_ref,
	    "wamid.1");
	assert_string_equal(judged(&telegram_ops, 200,
	                        "{\"result\":[{\"message_id\":7},{}]}")
	                        .provider_ref,
	    "7");
	assert_int_equal(judged(&telegram_ops, 429,
	                     "{\"parameters\":{\"retry_after\":3}}")
	                     .retry_after_ms,
	    3000);
	assert_int_equal(judged(&telegram_ops, 429,
	                     "{\"parameters\":{\"retry_after\":"
	                     "9223372036854775807}}")
	                     .retry_after_ms,
	    CLOCK_LAST_MS);
	assert_int_equal(judged(&whatsapp_ops, 400, META("131050")).suppress,
	    SUPPRESSION_OPT_OUT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_to_browsers_are_those_of_rfc_8291),
		cmocka_unit_test(what_is_no_key_is_refused),
		cmocka_unit_test(requests_are_as_each_api_has_them),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(what_cannot_sign_says_so),
		cmocka_unit_test(long_members_of_a_service_account_are_refused),
		cmocka_unit_test(settings_are_checked),
		cmocka_unit_test(push_addresses_say_whose_they_are),
		cmocka_unit_test(answers_are_judged_as_the_tables_say),
		cmocka_unit_test(answers_say_more_than_a_class),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
