/*
 * send_request.h - what a service asks for
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The body of POST /api/v1/services/notifications/send as a struct and its table.
 */
#ifndef BELFRY_NOTIFY_SEND_REQUEST_H
#define BELFRY_NOTIFY_SEND_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "notify/attachment.h"
#include "web/field.h"

struct send_recipient {
	struct field_mask mask;
	const char *user_id;
	const char *email;
	const char *phone;
	const char *push_token;
	const char *name;
	const char *locale;
	const char *time_zone;
	json_t *quiet_hours;
	json_t *data;
};

struct send_email {
	struct field_mask mask;
	const char *subject;
	const char *html;
	const char *text;
	const char *from;
};

struct send_sms {
	struct field_mask mask;
	const char *text;
	const char **media;
	size_t media_count;
};

struct send_chat {
	struct field_mask mask;
	const char *text;
};

/* src/provider/push_message.h tells what providers make of it. */
struct send_push {
	struct field_mask mask;
	const char *title;
	const char *body;
	const char *url;
	const char *image;
	json_t *data;
	int64_t ttl;
	const char *collapse_key;
	int priority;
	json_t *android;
	json_t *apns;
	json_t *webpush;
};

/* An entry of the in-app inbox. */
struct send_note {
	struct field_mask mask;
	const char *title;
	const char *body;
	const char *url;
	json_t *data;
};

struct send_content {
	struct field_mask mask;
	struct send_email *email;
	struct send_sms *sms;
	struct send_push *push;
	struct send_note *inapp;
	json_t *whatsapp;
	json_t *webhook;
	struct send_chat *chat;
	bool unsubscribe;
};

/* A step of a fallback order. */
struct send_step {
	struct field_mask mask;
	int channel; /* index of channel_names */
	int64_t after;
	int unless; /* enum unless */
};

struct send_tracking {
	struct field_mask mask;
	bool opens, clicks;
};

struct send_request {
	struct field_mask mask;
	const char *template;
	struct send_content *content;
	struct send_recipient *to;
	size_t to_count;
	json_t *data;
	int *channels; /* indices of channel_names: channel - 1 */
	size_t channels_count;
	struct send_step *fallback;
	size_t fallback_count;
	const char *category;
	int priority;
	int64_t send_at;
	int64_t expires_at;
	const char *locale;
	json_t *metadata;
	struct send_attachment *attachments;
	size_t attachments_count;
	const struct send_tracking *tracking;
};

extern const struct field_table send_request_table;

/* The recipient's table alone, for reading what was stored. */
extern const struct field_table send_recipient_table;

/* The same for a step. */
extern const struct field_table send_step_table;

#endif
