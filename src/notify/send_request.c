/*
 * send_request.c - what a service asks for
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "notify/send_request.h"

#include "model/channel.h"

static const struct field recipient_fields[] = {
	FIELD(struct send_recipient, user_id, TEXT, .min = 1, .max = 255,
	    .flags = FIELD_ONE_LINE, .example = "\"u1\"",
	    .help = "A recipient that is stored under this id. What else is given here "
	            "goes before what is stored."),
	FIELD(struct send_recipient, email, EMAIL, .flags = FIELD_ONE_LINE,
	    .example = "\"ann@example.org\"", .help = "The e-mail address."),
	FIELD(struct send_recipient, phone, PHONE, .example = "\"+43660123456\"",
	    .help = "The phone number in E.164 form."),
	FIELD(struct send_recipient, push_token, TEXT, .min = 1, .max = 2048,
	    .flags = FIELD_ONE_LINE,
	    .example = "\"d7Xr0aJ5Tk2:APA91bE_example_token_of_an_app\"",
	    .help = "The one device to push to, instead of those that are "
	            "registered for the user_id."),
	FIELD(struct send_recipient, name, TEXT, .min = 1, .max = 200,
	    .flags = FIELD_ONE_LINE, .example = "\"Ann\"",
	    .help = "The name as it is to be addressed."),
	FIELD(struct send_recipient, locale, LOCALE, .example = "\"de-AT\"",
	    .help = "The language of the message for this recipient."),
	FIELD(struct send_recipient, time_zone, ZONE,
	    .example = "\"Europe/Vienna\"",
	    .help = "The time zone for times in the message and for quiet hours."),
	FIELD(struct send_recipient, quiet_hours, JSON, .max = 3,
	    .example = "{\"from\": \"22:00\", \"to\": \"07:00\"}",
	    .help = "When nothing is to be sent, by the clock of the time zone; "
	            "\"days\" (mon to sun) names those on which it begins."),
	FIELD(struct send_recipient, data, JSON, .max = 200,
	    .example = "{\"seat\": \"12A\"}",
	    .help = "Variables for this recipient alone; they go before the "
	            "notification's."),
};

const struct field_table send_recipient_table = FIELD_TABLE("SendRecipient",
    struct send_recipient, recipient_fields, "Who is to be reached.");

static const struct field email_fields[] = {
	FIELD(struct send_email, subject, TEXT, .min = 1, .max = 998,
	    .flags = FIELD_REQUIRED | FIELD_ONE_LINE,
	    .help = "The subject, itself a Handlebars template."),
	FIELD(struct send_email, html, TEXT, .min = 1, .max = 200000,
	    .help = "The HTML part."),
	FIELD(struct send_email, text, TEXT, .min = 1, .max = 200000,
	    .help = "The text part; made from the HTML part when absent."),
	FIELD(struct send_email, from, EMAIL, .flags = FIELD_ONE_LINE,
	    .example = "\"news@example.org\"",
	    .help = "The sender: one of the addresses that the account may send "
	            "as. Absent: the account's first."),
};
static const struct field_table email_table = FIELD_TABLE("SendEmail",
    struct send_email, email_fields, "The parts of an e-mail.");

static const struct field sms_fields[] = {
	FIELD(struct send_sms, text, TEXT, .min = 1, .max = 1600,
	    .flags = FIELD_REQUIRED, .help = "The text of the message."),
	FIELD_LIST(struct send_sms, media, URL, .max = 10, .item_max = 2000,
	    .help = "Pictures and other files that go with it, where the "
	            "provider fetches them; for MMS.",
	    .example = "[\"https://example.org/a.png\"]"),
};
static const struct field_table sms_table =
    FIELD_TABLE("SendSms", struct send_sms, sms_fields, "A text message.");

static const struct field chat_fields[] = {
	FIELD(struct send_chat, text, TEXT, .min = 1, .max = 4000,
	    .flags = FIELD_REQUIRED, .help = "The text of the message."),
};
static const struct field_table chat_table =
    FIELD_TABLE("SendChat", struct send_chat, chat_fields, "A chat message.");

static const char *const urgencies[] = { "normal", "high", NULL };

static const struct field push_fields[] = {
	FIELD(struct send_push, title, TEXT, .min = 1, .max = 500,
	    .help = "The title. Without title and body only data goes to the app."),
	FIELD(struct send_push, body, TEXT, .min = 1, .max = 4000,
	    .help = "The text below the title."),
	FIELD(struct send_push, url, TEXT, .max = 2000,
	    .help = "Where a tap leads; the app gets it as \"url\" in its data."),
	FIELD(struct send_push, image, TEXT, .max = 2000,
	    .help = "The address of a picture."),
	FIELD(struct send_push, data, JSON, .max = 100,
	    .help = "What the app gets beside it, as texts."),
	FIELD(struct send_push, ttl, INT, .min = 0, .max = 2419200,
	    .help = "For how many seconds it is kept for a device that is off.",
	    .example = "3600"),
	FIELD(struct send_push, collapse_key, TEXT, .min = 1, .max = 64,
	    .help = "Replaces an earlier message with the same key."),
	FIELD(struct send_push, priority, ENUM, .words = urgencies,
	    .help = "Whether it wakes up a device that sleeps."),
	FIELD(struct send_push, android, JSON, .max = 50,
	    .help = "As AndroidConfig of FCM has it; goes before the rest."),
	FIELD(struct send_push, apns, JSON, .max = 50,
	    .help = "As ApnsConfig of FCM has it; goes before the rest."),
	FIELD(struct send_push, webpush, JSON, .max = 50,
	    .help = "As WebpushConfig of FCM has it; goes before the rest."),
};
static const struct field_table push_table = FIELD_TABLE("SendPush",
    struct send_push, push_fields, "A message to the devices of a user.");

static const struct field note_fields[] = {
	FIELD(struct send_note, title, TEXT, .min = 1, .max = 500,
	    .flags = FIELD_REQUIRED, .help = "The title."),
	FIELD(struct send_note, body, TEXT, .min = 1, .max = 4000,
	    .flags = FIELD_REQUIRED, .help = "The text below the title."),
	FIELD(struct send_note, url, TEXT, .max = 2000,
	    .help = "Where a tap leads."),
	FIELD(struct send_note, data, JSON, .max = 100,
	    .help = "What the app gets beside it."),
};
static const struct field_table note_table = FIELD_TABLE("SendNote",
    struct send_note, note_fields, "An entry of the in-app inbox.");

static const struct field content_fields[] = {
	FIELD_SUB(struct send_content, email, &email_table, .help = "For e-mail."),
	FIELD_SUB(struct send_content, sms, &sms_table, .help = "For SMS."),
	FIELD_SUB(struct send_content, push, &push_table, .help = "For push."),
	FIELD_SUB(struct send_content, inapp, &note_table,
	    .help = "For the in-app inbox."),
	FIELD(struct send_content, whatsapp, JSON, .min = 1, .max = 100,
	    .help = "For WhatsApp, as its Cloud API has it."),
	FIELD(struct send_content, webhook, JSON, .min = 1, .max = 100,
	    .help = "For webhooks, as the receiver wants it."),
	FIELD_SUB(struct send_content, chat, &chat_table, .help = "For chats."),
	FIELD(struct send_content, unsubscribe, BOOL,
	    .help = "Whether the messages carry a link that ends those of the "
	            "category, which must be given."),
};
static const struct field_table content_table =
    FIELD_TABLE("SendContent", struct send_content, content_fields,
        "The message itself, instead of a stored template.");

static const char *const unless_names[] = { "sent", "delivered", "read", NULL };

static const struct field step_fields[] = {
	FIELD(struct send_step, channel, ENUM, .words = channel_names,
	    .flags = FIELD_REQUIRED, .help = "The channel of this step."),
	FIELD(struct send_step, after, DURATION, .min = 1000,
	    .max = 30LL * 24 * 3600 * 1000, .example = "\"5m\"",
	    .help = "How long after the first attempt of the step before it goes "
	            "on. Absent: only when that one fails."),
	FIELD(struct send_step, unless, ENUM, .words = unless_names,
	    .example = "\"read\"",
	    .help = "It is not needed when the step before was this; \"delivered\" "
	            "by default."),
};

const struct field_table send_step_table = FIELD_TABLE("SendStep",
    struct send_step, step_fields, "A step of a fallback order.");

static const struct field tracking_fields[] = {
	FIELD(struct send_tracking, opens, BOOL,
	    .help = "Whether mails are opened."),
	FIELD(struct send_tracking, clicks, BOOL,
	    .help = "Whether links in mails are followed."),
};

static const struct field_table tracking_table = FIELD_TABLE("SendTracking",
    struct send_tracking, tracking_fields, "What is to be known of mails.");

static const struct field request_fields[] = {
	FIELD(struct send_request, template, SLUG, .example = "\"order-shipped\"",
	    .help = "The key of a published template. Either this or content."),
	FIELD_SUB(struct send_request, content, &content_table,
	    .help = "The message instead of a template."),
	FIELD_SUBS(struct send_request, to, &send_recipient_table, .min = 1,
	    .max = 1000, .flags = FIELD_REQUIRED | FIELD_ONE_OR_MANY,
	    .help = "The recipients: 1 to api.recipients_max (100); one alone may stand "
	            "without the list. More go through batches."),
	FIELD(struct send_request, data, JSON, .max = 500,
	    .example = "{\"order\": \"42\"}",
	    .help = "The variables of the template."),
	FIELD_LIST(struct send_request, channels, ENUM, .words = channel_names,
	    .min = 1, .max = CHANNEL_COUNT - 1, .flags = FIELD_UNIQUE, .example = "[\"email\"]",
	    .help = "The channels to use. Absent: each for which there are a part, an "
	            "address and a provider."),
	FIELD_SUBS(struct send_request, fallback, &send_step_table, .min = 2,
	    .max = 6,
	    .example = "[{\"channel\": \"push\"}, {\"channel\": \"sms\", "
	               "\"after\": \"5m\", \"unless\": \"read\"}]",
	    .help = "Channels one after the other, instead of all at once. Absent: "
	            "the template's, if it has an order and channels is absent too."),
	FIELD(struct send_request, category, TEXT, .min = 1, .max = 64,
	    .flags = FIELD_ONE_LINE, .example = "\"orders\"",
	    .help = "What preferences go by. Absent: the template's."),
	FIELD(struct send_request, priority, ENUM, .words = priority_names,
	    .flags = FIELD_DEFAULT, .def = PRIORITY_NORMAL,
	    .help = "How urgent it is."),
	FIELD(struct send_request, send_at, TIME,
	    .example = "\"2026-12-01T08:00:00Z\"",
	    .help = "Not before this time; at most a year ahead."),
	FIELD(struct send_request, expires_at, TIME,
	    .example = "\"2026-12-02T00:00:00Z\"",
	    .help = "What was not sent by then is not sent any more."),
	FIELD(struct send_request, locale, LOCALE,
	    .help = "The language for recipients that have none of their own."),
	FIELD_SUBS(struct send_request, attachments, &send_attachment_table,
	    .min = 1, .max = ATTACHMENTS_MAX,
	    .help = "Files that go with mails, and with messages of Telegram and "
	            "WhatsApp.",
	    .example = "[{\"url\": \"https://example.org/invoice.pdf\", "
	               "\"name\": \"invoice.pdf\"}]"),
	FIELD_SUB(struct send_request, tracking, &tracking_table,
	    .help = "What is to be known of its mails; what is absent the template "
	            "says, or the tenant's setting."),
	FIELD(struct send_request, metadata, JSON, .max = 50,
	    .help = "Anything; it comes back in answers, events and webhooks."),
};

const struct field_table send_request_table = FIELD_TABLE("SendRequest",
    struct send_request, request_fields,
    "A notification to one or a few recipients.");
