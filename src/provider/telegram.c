/*
 * telegram.c - messages into a chat of Telegram
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A bot writes into one chat, group or channel.  The text goes as it is: there is no
 * mark-up that data could break out of.  Files go in one request with the text, which
 * then is their caption: a photo, a document, or an album of one of both.
 */
#include "provider/telegram.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/compiler.h"
#include "base/err.h"
#include "net/transfer.h"
#include "provider/http_json.h"
#include "provider/http_judge.h"
#include "provider/multipart.h"
#include "provider/telegram_files.h"
#include "provider/verdict.h"
#include "template/utf16.h"
#include "web/js.h"

/* In characters as Telegram counts them. */
enum { TEXT_MAX = 4096, CAPTION_MAX = TELEGRAM_CAPTION_MAX };

static const struct field fields[] = {
	FIELD(struct telegram_settings, token, TEXT,
	    .flags = FIELD_REQUIRED | FIELD_SECRET | FIELD_ONE_LINE, .max = 100,
	    .help = "The bot's token.",
	    .example = "\"123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11\""),
	FIELD(struct telegram_settings, chat_id, TEXT,
	    .flags = FIELD_REQUIRED | FIELD_ONE_LINE, .min = 1, .max = 100,
	    .help = "The chat: its number, or the @name of a channel.",
	    .example = "\"-1001234567890\""),
	FIELD(struct telegram_settings, silent, BOOL,
	    .help = "Messages make no sound."),
	FIELD(struct telegram_settings, base_url, URL,
	    .flags = FIELD_DEFAULT | FIELD_ONE_LINE, .max = 500,
	    .def_text = "https://api.telegram.org",
	    .help = "Where the API is: a server of one's own, or a stand-in."),
};

static const struct field_table table = FIELD_TABLE("TelegramSettings",
    struct telegram_settings, fields, "A bot in a chat of Telegram.");

static int
check(const void *settings, struct err *e)
{
	const struct telegram_settings *s = settings;
	size_t n = strspn(s->token, "0123456789");

	if (n == 0 || s->token[n] != ':' ||
	    s->token[n + 1 + strspn(s->token + n + 1,
	        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	        "0123456789-_")] != '\0')
		return err_set(e, ERR_UNPROCESSABLE,
		    "setting \"token\": not the token of a bot");
	return 0;
}

static const char *
url_of(struct arena *a, const struct telegram_settings *s, const char *method)
{
	return arena_printf(a, "%s/bot%s/%s", http_json_base(a, s->base_url),
	    s->token, method);
}

static int
build_files(struct arena *a, const struct telegram_settings *s,
    const struct telegram_files *f, const char *caption,
    struct transfer_request *request_r, struct err *e)
{
	struct multipart *mp = multipart_new(a);

	if (http_json_request(a, url_of(a, s, telegram_files_method(f)), NULL,
	        NULL, request_r, e) == -1)
		return -1;
	multipart_text(mp, "chat_id", s->chat_id);
	if (s->silent)
		multipart_text(mp, "disable_notification", "true");
	telegram_files_add(a, mp, f, caption);
	multipart_send(mp, request_r);
	return 0;
}

static int
check_text(const char *text, size_t files, struct err *e)
{
	size_t n = utf16_length(text, strlen(text));
	int max = files > 0 ? CAPTION_MAX : TEXT_MAX;

	if (n == 0 && files == 0)
		return err_set(e, ERR_UNPROCESSABLE, "the text is empty");
	if (n > (size_t)max)
		return err_set(e, ERR_UNPROCESSABLE,
		    "the text has more than %d characters%s", max,
		    files > 0 ? ", which is what goes with files" : "");
	return 0;
}

static int
build(struct arena *a, const struct provider *p, const struct message *m,
    struct transfer_request *request_r, struct err *e)
{
	const struct telegram_settings *s = p->settings;
	const char *text = m->text != NULL ? m->text : "";
	struct telegram_files files;
	json_t *body;

	if (telegram_files_of(m, &files, e) == -1 ||
	    check_text(text, files.count, e) == -1)
		return -1;
	if (files.count > 0)
		return build_files(a, s, &files, text, request_r, e);
	body = js_keep(a,
	    json_pack("{s:s, s:s}", "chat_id", s->chat_id, "text", text));
	if (s->silent)
		json_object_set_new(body, "disable_notification", json_true());
	return http_json_request(a, url_of(a, s, "sendMessage"), body, NULL,
	    request_r, e);
}

/* Does the bot know its chat? */
static int
probe(struct arena *a, const struct provider *p, const struct message *m,
    struct transfer_request *request_r, struct err *e)
{
	const struct telegram_settings *s = p->settings;

	(void)m;
	return http_json_request(a, url_of(a, s, "getChat"),
	    js_keep(a, json_pack("{s:s}", "chat_id", s->chat_id)), NULL,
	    request_r, e);
}

static const struct http_rule answers[] = {
#define ANSWER(...) HTTP_RULE(__VA_ARGS__)
#include "provider/telegram.def"
#undef ANSWER
};

static void
judge(const struct provider *p, const struct transfer_result *res,
    struct verdict *v_r)
{
	struct arena *a;
	const json_t *answer, *result;
	const char *text;

	(void)p;
	if (http_judge_silence(res, v_r))
		return;
	a = arena_new(2048);
	answer = http_json_answer(a, res);
	text = answer != NULL ? http_json_text(answer, "description") : res->body;
	http_json_judge(answers, NELEMS(answers), res,
	    strstr(text, "chat not found") != NULL ? "chat" : "", text, v_r);
	if (v_r->retry_after_ms == 0)
		v_r->retry_after_ms = clock_ms_of_s(json_integer_value(
		    json_object_get(json_object_get(answer, "parameters"),
		        "retry_after")));
	result = json_object_get(answer, "result");
	if (json_is_array(result)) /* an album's messages */
		result = json_array_get(result, 0);
	snprintf(v_r->provider_ref, sizeof(v_r->provider_ref),
	    "%" JSON_INTEGER_FORMAT,
	    json_integer_value(json_object_get(result, "message_id")));
	arena_free(&a);
}

const struct provider_ops telegram_ops = {
	.kind = "telegram",
	.channel = CHANNEL_CHAT,
	.carries = CARRIES_FILES,
	.summary = "Messages into a chat of Telegram.",
	.settings = &table,
	.check = check,
	.build = build,
	.judge = judge,
	.probe = probe,
};
