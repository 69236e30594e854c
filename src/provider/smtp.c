/*
 * smtp.c - e-mail over SMTP
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "provider/smtp.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "model/bounce_token.h"
#include "net/transfer.h"
#include "provider/dkim.h"
#include "provider/mail_address.h"
#include "provider/mail_message.h"
#include "provider/smtp_judge.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static const char *const tls_words[] = { "starttls", "tls", "none", NULL };

static const struct field fields[] = {
	FIELD(struct smtp_settings, host, TEXT,
	    .flags = FIELD_REQUIRED | FIELD_ONE_LINE | FIELD_HOST, .min = 1,
	    .max = 1000,
	    .help = "The mail server: a name or an address, also with a port "
	            "(\"mx2.example.org:2525\"); or several, separated by "
	            "commas: the next one is tried where one cannot be connected.",
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
	FIELD(struct smtp_settings, from, EMAIL,
	    .flags = FIELD_REQUIRED | FIELD_SENDER,
	    .help = "The sender's address.", .example = "\"shop@example.org\""),
	FIELD(struct smtp_settings, from_name, TEXT,
	    .flags = FIELD_ONE_LINE | FIELD_IDENTITY,
	    .max = 200, .help = "The sender's name as people see it.",
	    .example = "\"The Shop\""),
	FIELD(struct smtp_settings, reply_to, EMAIL, .flags = FIELD_IDENTITY,
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
	            "system's: a path on the host of the spooler, below the "
	            "directory that the operator allows ([network] ca_base).",
	    .example = "\"/etc/ssl/our-ca.pem\""),
	FIELD_LIST(struct smtp_settings, senders, EMAIL, .max = 100,
	    .flags = FIELD_SENDER,
	    .help = "Other addresses that a message may name as its sender.",
	    .example = "[\"news@example.org\"]"),
	FIELD(struct smtp_settings, dkim_domain, TEXT, .flags = FIELD_ONE_LINE,
	    .max = 253,
	    .help = "The domain that signs (DKIM); by default the sender's.",
	    .example = "\"example.org\""),
	FIELD(struct smtp_settings, dkim_selector, TEXT, .flags = FIELD_ONE_LINE,
	    .max = 63,
	    .help = "The selector of the key: its record is at "
	            "SELECTOR._domainkey.DOMAIN.",
	    .example = "\"b2026\""),
	FIELD(struct smtp_settings, dkim_key, TEXT, .flags = FIELD_SECRET,
	    .max = 16000,
	    .help = "The private key in PEM: RSA of 1024 to 4096 bits, or "
	            "Ed25519.",
	    .example = "\"-----BEGIN PRIVATE KEY-----...\""),
	FIELD(struct smtp_settings, dkim_selector2, TEXT,
	    .flags = FIELD_ONE_LINE, .max = 63,
	    .help = "The selector of a second key, for a second signature.",
	    .example = "\"b2026ed\""),
	FIELD(struct smtp_settings, dkim_key2, TEXT, .flags = FIELD_SECRET,
	    .max = 16000, .help = "The second private key.",
	    .example = "\"-----BEGIN PRIVATE KEY-----...\""),
	FIELD(struct smtp_settings, bounce_address, EMAIL,
	    .help = "Where undeliverable mail comes back to: the envelope's "
	            "sender is this with +TOKEN before the @, which tells the "
	            "delivery. The local part has at most 13 characters.",
	    .example = "\"bounce@example.org\""),
	FIELD(struct smtp_settings, dsn, BOOL,
	    .help = "Ask for reports of success, too, where the server offers "
	            "that (RFC 3461)."),
};

enum { LOCAL_PART_MAX = 64, SIGNATURES_MAX = 32 << 10,
	SCRATCH_BYTES = 16 << 10 };

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

/* Takes the next host out of a list: its name and its port, or 0.  1, 0 at the end, -1
 * when it is not one. */
static int
next_host(struct arena *a, const char **list, const char **host_r, int *port_r)
{
	const char *p = *list + strspn(*list, " ,"), *colon;
	size_t n = strcspn(p, " ,");
	char *host, *end;
	long port = 0;

	if (n == 0)
		return 0;
	host = arena_strndup(a, p, n);
	colon = strrchr(host, ':');
	if (colon != NULL && strchr(colon, ']') == NULL) {
		port = strtol(colon + 1, &end, 10);
		if (*end != '\0' || port < 1 || port > 65535)
			return -1;
		host[colon - host] = '\0';
	}
	*list = p + n;
	*host_r = host;
	*port_r = (int)port;
	return is_host(host) ? 1 : -1;
}

static int
check_hosts(struct arena *a, const char *list, struct err *e)
{
	int count = 0, port, rc;
	const char *host;

	while ((rc = next_host(a, &list, &host, &port)) == 1)
		count++;
	if (rc == -1 || count == 0 || count > TRANSFER_URLS_MAX)
		return err_set(e, ERR_UNPROCESSABLE,
		    "setting \"host\": not 1 to %d names or addresses of hosts, "
		    "each with a port or without", TRANSFER_URLS_MAX);
	return 0;
}

/* The keys that the settings name: how many, 0 to DKIM_KEYS. */
static size_t
dkim_keys(const struct smtp_settings *s, struct dkim_key *keys)
{
	const char *domain = s->dkim_domain != NULL
	    ? s->dkim_domain
	    : strrchr(s->from, '@') + 1;
	size_t n = 0;

	if (s->dkim_key != NULL)
		keys[n++] = (struct dkim_key){ domain, s->dkim_selector,
			s->dkim_key, NULL };
	if (s->dkim_key2 != NULL)
		keys[n++] = (struct dkim_key){ domain, s->dkim_selector2,
			s->dkim_key2, NULL };
	return n;
}

/* A name of labels, as it stands in the DNS. */
static bool
is_label(const char *s)
{
	return s[0] != '\0' && s[strspn(s, LETTERS DIGITS "-._")] == '\0';
}

static int
check_dkim(struct arena *a, const struct smtp_settings *s, struct err *e)
{
	struct dkim_key keys[DKIM_KEYS];
	size_t n, i;

	if ((s->dkim_key == NULL) != (s->dkim_selector == NULL) ||
	    (s->dkim_key2 == NULL) != (s->dkim_selector2 == NULL))
		return err_set(e, ERR_UNPROCESSABLE, "settings \"dkim_key\" "
		    "and \"dkim_selector\": one of the two is missing");
	if (s->dkim_key2 != NULL && s->dkim_key == NULL)
		return err_set(e, ERR_UNPROCESSABLE,
		    "setting \"dkim_key2\": there is no first one");
	n = dkim_keys(s, keys);
	for (i = 0; i < n; i++) {
		struct err why;

		if (!is_label(keys[i].domain) || !is_label(keys[i].selector))
			return err_set(e, ERR_UNPROCESSABLE, "settings "
			    "\"dkim_domain\" and \"dkim_selector\" must be "
			    "names as they stand in the DNS");
		if (dkim_key_read(a, &keys[i], &why) == -1 ||
		    dkim_key_try(a, &keys[i], &why) == -1)
			return err_set(e, ERR_UNPROCESSABLE,
			    "setting \"dkim_key%s\": %s", i == 0 ? "" : "2",
			    why.text);
	}
	return 0;
}

static int
check_addresses(const struct smtp_settings *s, struct err *e)
{
	size_t i;

	if (mail_setting_check("from", s->from, e) < 0 ||
	    mail_setting_check("reply_to", s->reply_to, e) < 0 ||
	    mail_setting_check("bounce_address", s->bounce_address, e) < 0)
		return -1;
	for (i = 0; i < s->senders_count; i++)
		if (mail_setting_check("senders", s->senders[i], e) < 0)
			return -1;
	if (s->bounce_address != NULL &&
	    strcspn(s->bounce_address, "@") + 1 + BOUNCE_TOKEN_CHARS >
	        LOCAL_PART_MAX)
		return err_set(e, ERR_UNPROCESSABLE,
		    "setting \"bounce_address\": the local part has more than "
		    "%d characters", LOCAL_PART_MAX - 1 - BOUNCE_TOKEN_CHARS);
	return 0;
}

static int
check_all(struct arena *a, const struct smtp_settings *s, struct err *e)
{
	if (check_hosts(a, s->host, e) < 0 || check_dkim(a, s, e) < 0)
		return -1;
	if (s->helo != NULL && !is_host(s->helo))
		return err_set(e, ERR_UNPROCESSABLE,
		    "setting \"helo\": not the name of a host");
	if (provider_ca_file_check(s->ca_file, e) < 0)
		return -1;
	if ((s->username == NULL) != (s->password == NULL))
		return err_set(e, ERR_UNPROCESSABLE,
		    "setting \"%s\": the other one is missing",
		    s->username == NULL ? "password" : "username");
	return check_addresses(s, e);
}

static int
check(const void *settings, struct err *e)
{
	struct arena *a = arena_new(4096);
	int rc = check_all(a, settings, e);

	arena_free(&a);
	return rc;
}

static int
prepare(struct arena *a, void *settings, struct err *e)
{
	struct smtp_settings *s = settings;
	size_t i;

	s->keys_count = dkim_keys(s, s->keys);
	for (i = 0; i < s->keys_count; i++)
		if (dkim_key_read(a, &s->keys[i], e) == -1)
			return -1;
	return 0;
}

/* Fills the addresses of the request. */
static void
set_urls(struct arena *a, const struct smtp_settings *s,
    struct transfer_request *rq)
{
	static const struct {
		const char *scheme;
		int port;
	} defaults[] = {
		[SMTP_TLS_STARTTLS] = { "smtp", 587 },
		[SMTP_TLS_TLS] = { "smtps", 465 },
		[SMTP_TLS_NONE] = { "smtp", 25 },
	};

	int standard = s->port != 0 ? (int)s->port : defaults[s->tls].port;
	const char *list = s->host, *host, **urls;
	int port;

	urls = arena_zalloc(a, TRANSFER_URLS_MAX + 1, sizeof(*urls));
	rq->urls = urls;
	while (next_host(a, &list, &host, &port) == 1)
		*urls++ = arena_printf(a, "%s://%s:%d/%s",
		    defaults[s->tls].scheme, host, port != 0 ? port : standard,
		    s->helo != NULL ? s->helo : "");
	rq->url = rq->urls[0];
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

	struct transfer_request rq = {
		.kind = TRANSFER_SMTP,
		.tls = tls[s->tls],
		.username = s->username,
		.password = s->password,
		.ca_file = s->ca_file,
		.from = "",
	};

	set_urls(a, s, &rq);
	return rq;
}

static int
probe(struct arena *a, const struct provider *p, const struct message *m,
    struct transfer_request *request_r, struct err *e)
{
	*request_r = request(a, p->settings);
	return 0;
}

/* Hashes the body of a mail: what stands behind its header, wherever it lies. */
static int
hash_body(const struct transfer_request *rq, size_t at, struct dkim_body *body,
    struct err *e)
{
	char scratch[SCRATCH_BYTES];
	const char *p;
	size_t n;

	for (; at < rq->body_len; at += n) {
		n = sizeof(scratch);
		p = transfer_body_at(rq, at, scratch, &n);
		if (p == NULL)
			return err_set(e, ERR_TEMPORARY,
			    "could not read an attachment");
		dkim_body_add(body, p, n);
	}
	return 0;
}

/* Puts the signatures in front of the mail in the request. */
static int
sign_mail(struct arena *a, const struct smtp_settings *s, const struct message *m,
    const struct buf *octets, struct transfer_request *rq, struct err *e)
{
	size_t n = (size_t)(strstr(octets->data, "\r\n\r\n") + 2 - octets->data);
	struct buf *out = buf_new(a, SIGNATURES_MAX);
	struct transfer_piece *pieces;
	struct dkim_mail mail = {
		.body = dkim_body_new(a),
		.header = octets->data,
		.header_bytes = n,
		.at_ms = m->created_ms,
	};

	if (hash_body(rq, n + 2, mail.body, e) == -1 ||
	    dkim_sign(a, s->keys, s->keys_count, &mail, out, e) == -1)
		return -1;
	pieces = arena_zalloc(a, rq->pieces_count + 2, sizeof(*pieces));
	pieces[0] = (struct transfer_piece){ .form = PIECE_MEMORY,
		.p = out->data, .n = out->len };
	if (rq->pieces_count == 0)
		pieces[1] = (struct transfer_piece){ .form = PIECE_MEMORY,
			.p = octets->data, .n = octets->len };
	else
		memcpy(pieces + 1, rq->pieces,
		    rq->pieces_count * sizeof(*pieces));
	rq->pieces_count = 1 + (rq->pieces_count > 0 ? rq->pieces_count : 1);
	rq->pieces = pieces;
	rq->body_len += out->len;
	return 0;
}

/* "bounce+TOKEN@example.org". */
static const char *
envelope_sender(struct arena *a, const struct smtp_settings *s, const char *token)
{
	const char *at = strrchr(s->bounce_address, '@'), *address;
	struct err unused;

	address = arena_printf(a, "%.*s+%s%s", (int)(at - s->bounce_address),
	    s->bounce_address, token, at);
	if (mail_address_ascii(a, address, &address, &unused) < 0)
		return NULL; /* it was checked */
	return address;
}

static int
build(struct arena *a, const struct provider *p, const struct message *m,
    struct transfer_request *request_r, struct err *e)
{
	const struct smtp_settings *s = p->settings;
	const struct mail_sender sender = { .from = s->from,
		.from_name = s->from_name, .reply_to = s->reply_to,
		.others = s->senders, .others_count = s->senders_count };
	const char *token = NULL, *from;
	struct mail_envelope envelope;

	if (m->ring != NULL)
		token = bounce_token_make(a, m->ring, m->tenant,
		    &m->notification, &m->delivery);
	if (mail_message_build(a, &sender, m, token, &envelope, e) < 0)
		return -1;
	*request_r = request(a, s);
	mail_envelope_body(&envelope, request_r);
	if (s->keys_count > 0 &&
	    sign_mail(a, s, m, envelope.octets, request_r, e) < 0)
		return -1;
	request_r->from = envelope.from;
	from = s->bounce_address != NULL && token != NULL
	    ? envelope_sender(a, s, token)
	    : NULL;
	if (from != NULL)
		request_r->from = from;
	if (s->dsn)
		request_r->envid = token;
	request_r->rcpt = envelope.rcpt;
	request_r->smtputf8 = envelope.smtputf8;
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
	.carries = CARRIES_FILES,
	.summary = "E-mail through a mail server.",
	.settings = &table,
	.check = check,
	.prepare = prepare,
	.build = build,
	.judge = judge,
	.probe = probe,
};
