/*
 * mail_message.c - a rendered message as a mail
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "provider/mail_message.h"

#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/uuid.h"
#include "net/transfer.h"
#include "provider/html_text.h"
#include "provider/mail_address.h"
#include "provider/mime.h"
#include "provider/provider.h"

enum { MAIL_MAX_BYTES = 32 << 20, TEXT_MAX_BYTES = 4 << 20, LABEL_MAX = 63 };

static struct mail_body
body_of(const char *s)
{
	return (struct mail_body){ s, s != NULL ? strlen(s) : 0 };
}

static struct mail_body
text_of(struct arena *a, const struct message *m)
{
	struct buf *text;

	if (m->text != NULL || m->html == NULL)
		return body_of(m->text);
	text = buf_new(a, TEXT_MAX_BYTES);
	html_text(text, m->html, strlen(m->html));
	return (struct mail_body){ text->data, text->len };
}

int
mail_sender_of(const struct mail_sender *sender, const struct message *m,
    const char **from_r, struct err *e)
{
	size_t i;

	*from_r = sender->from;
	if (m->from == NULL || strcasecmp(m->from, sender->from) == 0)
		return 0;
	for (i = 0; i < sender->others_count; i++)
		if (strcasecmp(m->from, sender->others[i]) == 0) {
			*from_r = sender->others[i];
			return 0;
		}
	return err_set(e, ERR_UNPROCESSABLE,
	    "the account may not send as \"%.200s\": it is neither its from nor "
	    "among its senders", m->from);
}

/* The sender and the recipient as they go over the wire. */
static int
read_addresses(struct arena *a, const struct mail_sender *sender,
    const struct message *m, struct mail_envelope *envelope, struct err *e)
{
	bool from_utf8, rcpt_utf8;
	const char *from;
	struct err why;

	if (mail_sender_of(sender, m, &from, e) < 0)
		return -1;
	if (mail_address_ascii(a, from, &envelope->from, &why) < 0 ||
	    mail_address_check(envelope->from, &from_utf8, &why) < 0)
		return err_set(
		    e, why.kind, "the sender's %s", why.text);
	if (mail_address_ascii(a, m->address, &envelope->rcpt, &why) < 0 ||
	    mail_address_check(envelope->rcpt, &rcpt_utf8, &why) < 0)
		return err_set(
		    e, why.kind, "the recipient's %s", why.text);
	envelope->smtputf8 = from_utf8 || rcpt_utf8;
	return 0;
}

static const char *
message_id(struct arena *a, const struct message *m, const char *from)
{
	char id[UUID_TEXT_BYTES];

	uuid_format(&m->delivery.u, id);
	return arena_printf(a, "%s@%s", id, strrchr(from, '@') + 1);
}

/* A text of people as a label: what is no letter or digit of ASCII becomes "-". */
static const char *
label(struct arena *a, const char *text)
{
	size_t i, n = strnlen(text, LABEL_MAX);
	char *s = arena_strndup(a, text, n);

	for (i = 0; i < n; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') ||
		        (s[i] >= 'A' && s[i] <= 'Z') ||
		        (s[i] >= '0' && s[i] <= '9')))
			s[i] = '-';
	return s;
}

size_t
mail_list_headers(struct arena *a, const struct message *m, const char *from,
    struct mail_header headers[static MAIL_LIST_HEADERS])
{
	const char *category;

	if (m->unsubscribe_url == NULL)
		return 0;
	category = label(a, m->category);
	headers[0] = (struct mail_header){ "List-Unsubscribe",
		arena_printf(a, "<%s>", m->unsubscribe_url) };
	headers[1] = (struct mail_header){ "List-Unsubscribe-Post",
		"List-Unsubscribe=One-Click" };
	headers[2] = (struct mail_header){ "List-Id",
		arena_printf(a, "<%s.%s>", category, strrchr(from, '@') + 1) };
	/* Campaign, customer, kind of mail, sender: as Gmail reads it. */
	headers[3] = (struct mail_header){ "Feedback-ID",
		arena_printf(a, "%s:%s:%s:belfry",
		    m->template_key[0] != '\0' ? label(a, m->template_key)
		                               : category,
		    m->tenant_slug, category) };
	return MAIL_LIST_HEADERS;
}

void
mail_envelope_body(const struct mail_envelope *envelope,
    struct transfer_request *rq)
{
	size_t i;

	rq->body = envelope->octets->data;
	rq->body_len = envelope->octets->len;
	rq->pieces = envelope->pieces;
	rq->pieces_count = envelope->pieces_count;
	if (rq->pieces_count > 0)
		rq->body_len = 0;
	for (i = 0; i < rq->pieces_count; i++)
		rq->body_len += transfer_piece_bytes(&rq->pieces[i]);
}

static struct transfer_piece
memory(const struct buf *octets, size_t from, size_t to)
{
	return (struct transfer_piece){ .form = PIECE_MEMORY,
		.p = octets->data + from, .n = to - from };
}

/* What was written, and the files in its gaps. */
struct cut {
	struct transfer_piece *next;
	size_t at;
};

/* Cuts at the gaps of the files that the HTML shows, or of the others. */
static void
cut(const struct message *m, const struct mail *mail, const struct buf *octets,
    bool shown, struct cut *c)
{
	size_t i;

	for (i = 0; i < m->attachment_count; i++) {
		if ((mail->attachments[i].content_id != NULL) != shown)
			continue;
		*c->next++ = memory(octets, c->at, mail->gaps[i]);
		c->at = mail->gaps[i];
		*c->next++ = (struct transfer_piece){
			.form = PIECE_BASE64_LINES,
			.fd = m->attachments[i].fd,
			.from = m->attachments[i].from,
			.n = m->attachments[i].bytes,
		};
	}
}

static void
set_pieces(struct arena *a, const struct message *m, const struct mail *mail,
    struct mail_envelope *envelope)
{
	struct transfer_piece *pieces;
	struct cut c = { .at = 0 };

	if (m->attachment_count == 0)
		return;
	pieces = arena_zalloc(a, 2 * m->attachment_count + 1, sizeof(*pieces));
	c.next = pieces;
	cut(m, mail, envelope->octets, true, &c);
	cut(m, mail, envelope->octets, false, &c);
	*c.next++ = memory(envelope->octets, c.at, envelope->octets->len);
	envelope->pieces = pieces;
	envelope->pieces_count = (size_t)(c.next - pieces);
}

static void
set_attachments(struct arena *a, const struct message *m, struct mail *mail)
{
	struct mail_attachment *list;
	size_t i, n = m->attachment_count;

	list = arena_zalloc(a, n, sizeof(*list));
	for (i = 0; i < n; i++)
		list[i] = (struct mail_attachment){ .name = m->attachments[i].name,
			.type = m->attachments[i].type,
			.content_id = m->html != NULL
			    ? m->attachments[i].content_id
			    : NULL };
	mail->attachments = list;
	mail->attachments_count = n;
	mail->gaps = arena_zalloc(a, n, sizeof(*mail->gaps));
}

int
mail_message_build(struct arena *a, const struct mail_sender *sender,
    const struct message *m, const char *token,
    struct mail_envelope *envelope_r, struct err *e)
{
	struct mail_envelope envelope;
	struct buf *octets = buf_new(a, MAIL_MAX_BYTES);
	struct mail_header headers[MAIL_LIST_HEADERS + 1];
	struct mail mail;

	if (read_addresses(a, sender, m, &envelope, e) < 0)
		return -1;
	mail = (struct mail){
		.from = envelope.from,
		.from_name = sender->from_name,
		.to = envelope.rcpt,
		.to_name = m->name,
		.reply_to = sender->reply_to,
		.subject = m->subject,
		.message_id = message_id(a, m, envelope.from),
		.date_ms = m->created_ms,
		.text = text_of(a, m),
		.html = body_of(m->html),
		.headers = headers,
		.headers_count = mail_list_headers(a, m, envelope.from,
		    headers),
	};
	if (token != NULL)
		headers[mail.headers_count++] =
		    (struct mail_header){ MAIL_TOKEN_FIELD, token };
	if (m->attachment_count > 0)
		set_attachments(a, m, &mail);
	if (mime_build(a, &mail, octets, e) < 0)
		return -1;
	envelope.octets = octets;
	envelope.pieces = NULL;
	envelope.pieces_count = 0;
	set_pieces(a, m, &mail, &envelope);
	*envelope_r = envelope;
	return 0;
}

int
mail_setting_check(const char *field, const char *address, struct err *e)
{
	struct err why;
	bool utf8;

	if (address == NULL || mail_address_check(address, &utf8, &why) == 0)
		return 0;
	return err_set(
	    e, ERR_UNPROCESSABLE, "setting \"%s\": %s", field, why.text);
}
