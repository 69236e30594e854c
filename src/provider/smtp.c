/*
 * smtp.c - e-mail over SMTP
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "provider/smtp.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "net/transfer.h"
#include "provider/mail_message.h"
#include "provider/smtp_judge.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static const char *const tls_words[] = { "starttls", "tls", "none", NULL };

static const struct field fields[] = {
	FIELD(struct smtp_settings, host, TEXT,
	    .flags = FIELD_REQUIRED | FIELD_ONE_LINE | FIELD_HOST, .min = 1,
	    .max = 253,
	    .help = "The mail server: a name or an address.",
	    .example = "\"smtp.example.org\""),
	FIELD(struct smtp_settings, port, INT, .min = 0, .max = 65535,
	    .help = "Its port. 0, the default, is 587 for starttls, 465 for tls "
	            "and 25 for none.",
	    .example = "587"),
	FIELD(struct smtp_settings, tls, ENUM, .words = tls_words,
	    .flags = FIELD_DEFAULT, .def = SMTP_TLS_STARTTLS,
	    .help = "How the connection is protected. What is named here must "
	            "succeed; nothing is sent in the clear instead.",
	    .example = "\"starttls\""),
	FIELD(struct smtp_settings, username, TEXT, .flags = FIELD_ONE_LINE,
	    .max = 255, .help = "The account, when the server wants a login.",
	    .example = "\"shop\""),
	FIELD(struct smtp_settings, password, TEXT,
	    .flags = FIELD_SECRET | FIELD_ONE_LINE, .max = 1024,
	    .help = "Its password.", .example = "\"secret\""),
	FIELD(struct smtp_settings, from, EMAIL, .flags = FIELD_REQUIRED,
	    .help = "The sender's address.", .example = "\"shop@example.org\""),
	FIELD(struct smtp_settings, from_name, TEXT, .flags = FIELD_ONE_LINE,
	    .max = 200, .help = "The sender's name as people see it.",
	    .example = "\"The Shop\""),
	FIELD(struct smtp_settings, reply_to, EMAIL,
	    .help = "Where answers go, when not to the sender.",
	    .example = "\"help@example.org\""),
	FIELD(struct smtp_settings, helo, TEXT, .flags = FIELD_ONE_LINE,
	    .max = 253,
	    .help = "The name that this host gives itself; by default its host "
	            "name.",
	    .example = "\"belfry.example.org\""),
	FIELD(struct smtp_settings, ca_file, TEXT, .flags = FIELD_ONE_LINE,
	    .max = 4000,
	    .help = "A file with the certificates to trust instead of the "
	            "system's; an absolute path on the host of the spooler.",
	    .example = "\"/etc/ssl/our-ca.pem\""),
};

static const struct field_table table = FIELD_TABLE("SmtpSettings",
    struct smtp_settings, fields, "An account at a mail server.");

/* A name or an IPv4 address, or an IPv6 address in brackets. */
static bool
is_host(const char *s)
{
	size_t n;

	if (s[0] != '[')
		return s[strspn(s, LETTERS DIGITS "-._")] == '\0';
	n = 1 + strspn(s + 1, DIGITS "abcdefABCDEF:.");
	return n > 2 && s[n] == ']' && s[n + 1] == '\0';
}

static int
check(const void *settings, struct err *e)
{
	const struct smtp_settings *s = settings;

	if (!is_host(s->host))
		return err_set(e, ERR_UNPROCESSABLE,
		    "setting \"host\": not the name or address of a host");
	if (s->helo != NULL && !is_host(s->helo))
		return err_set(e, ERR_UNPROCESSABLE,
		    "setting \"helo\": not the name of a host");
	if (s->ca_file != NULL && s->ca_file[0] != '/')
		return err_set(e, ERR_UNPROCESSABLE,
		    "setting \"ca_file\": not an absolute path");
	if ((s->username == NULL) != (s->password == NULL))
		return err_set(e, ERR_UNPROCESSABLE,
		    "setting \"%s\": the other one is missing",
		    s->username == NULL ? "password" : "username");
	if (mail_setting_check("from", s->from, e) < 0)
		return -1;
	return mail_setting_check("reply_to", s->reply_to, e);
}

static const char *
url_of(struct arena *a, const struct smtp_settings *s)
{
	static const struct {
		const char *scheme;
		int port;
	} defaults[] = {
		[SMTP_TLS_STARTTLS] = { "smtp", 587 },
		[SMTP_TLS_TLS] = { "smtps", 465 },
		[SMTP_TLS_NONE] = { "smtp", 25 },
	};

	return arena_printf(a, "%s://%s:%d/%s", defaults[s->tls].scheme,
	    s->host, s->port != 0 ? (int)s->port : defaults[s->tls].port,
	    s->helo != NULL ? s->helo : "");
}

/* A request without a mail. */
static struct transfer_request
request(struct arena *a, const struct smtp_settings *s)
{
	static const enum transfer_tls tls[] = {
		[SMTP_TLS_STARTTLS] = TRANSFER_TLS_STARTTLS,
		[SMTP_TLS_TLS] = TRANSFER_TLS_IMPLICIT,
		[SMTP_TLS_NONE] = TRANSFER_TLS_NONE,
	};

	return (struct transfer_request){
		.kind = TRANSFER_SMTP,
		.url = url_of(a, s),
		.tls = tls[s->tls],
		.username = s->username,
		.password = s->password,
		.ca_file = s->ca_file,
		.from = "",
	};
}

static int
probe(struct arena *a, const struct provider *p, const struct message *m,
    struct transfer_request *request_r, struct err *e)
{
	*request_r = request(a, p->settings);
	return 0;
}

static int
build(struct arena *a, const struct provider *p, const struct message *m,
    struct transfer_request *request_r, struct err *e)
{
	const struct smtp_settings *s = p->settings;
	const struct mail_sender sender = { s->from, s->from_name,
		s->reply_to };
	struct mail_envelope envelope;

	if (mail_message_build(a, &sender, m, &envelope, e) < 0)
		return -1;
	*request_r = request(a, s);
	request_r->from = envelope.from;
	request_r->rcpt = envelope.rcpt;
	request_r->smtputf8 = envelope.smtputf8;
	request_r->body = envelope.octets->data;
	request_r->body_len = envelope.octets->len;
	return 0;
}

static void
judge(const struct provider *p, const struct transfer_result *res,
    struct verdict *v_r)
{
	(void)p;
	smtp_judge(res, v_r);
}

const struct provider_ops smtp_ops = {
	.kind = "smtp",
	.channel = CHANNEL_EMAIL,
	.summary = "E-mail through a mail server.",
	.settings = &table,
	.check = check,
	.build = build,
	.judge = judge,
	.probe = probe,
};
