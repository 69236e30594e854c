/*
 * mime.c - a mail as the bytes that go over the wire
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A message is one part, or alternative(text, html), or mixed(one of these,
 * attachments).  An HTML that shows files of the mail stands in related(html, files) in
 * its place.  The boundaries are made from the Message-ID and hold "=_",
 * which no encoded part can (mime_body.h), so they need not be searched for.
 */
#include "provider/mime.h"

#include <sodium.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ensure.h"
#include "base/err.h"
#include "provider/mail_address.h"
#include "provider/mime_body.h"
#include "provider/mime_check.h"
#include "provider/mime_header.h"

enum { BOUNDARY_HASH_BYTES = 16, BOUNDARY_BYTES = 48 };

struct boundary {
	char text[BOUNDARY_BYTES];
};

/* The addresses with their domains as A-labels. */
struct addresses {
	const char *from;
	const char *to;
	const char *reply_to; /* or NULL */
};

static int
read_address(struct arena *a, const char *field, const char *addr,
    const char **ascii_r, struct err *e)
{
	struct err why;

	if (mail_address_ascii(a, addr, ascii_r, &why) < 0)
		return err_set(e, why.kind, "\"%s\": %s", field, why.text);
	return 0;
}

static int
read_addresses(struct arena *a, const struct mail *m, struct addresses *ad,
    struct err *e)
{
	ad->reply_to = NULL;
	if (read_address(a, "from", m->from, &ad->from, e) < 0 ||
	    read_address(a, "to", m->to, &ad->to, e) < 0)
		return -1;
	if (m->reply_to == NULL)
		return 0;
	return read_address(a, "reply_to", m->reply_to, &ad->reply_to, e);
}

static void
add_date(struct buf *out, int64_t wall_ms)
{
	static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu",
		"Fri", "Sat" };
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm tm;

	ensure(gmtime_r(&seconds, &tm) != NULL);
	buf_printf(out, "Date: %s, %d %s %04d %02d:%02d:%02d +0000\r\n",
	    days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900,
	    tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void
add_extra_headers(struct buf *out, const struct mail *m)
{
	bool auto_submitted = false;
	size_t i;

	for (i = 0; i < m->headers_count; i++) {
		const struct mail_header *h = &m->headers[i];

		if (strcasecmp(h->name, "Auto-Submitted") == 0)
			auto_submitted = true;
		if (mime_header_is_structured(h->name))
			mime_header_structured(out, h->name, h->value);
		else
			mime_header_text(out, h->name, h->value);
	}
	if (!auto_submitted)
		buf_puts(out, "Auto-Submitted: auto-generated\r\n");
}

static void
add_headers(struct buf *out, const struct mail *m, const struct addresses *ad)
{
	add_date(out, m->date_ms);
	mime_header_mailbox(out, "From", m->from_name, ad->from);
	mime_header_mailbox(out, "To", m->to_name, ad->to);
	if (ad->reply_to != NULL)
		mime_header_mailbox(out, "Reply-To", NULL, ad->reply_to);
	if (m->subject != NULL)
		mime_header_text(out, "Subject", m->subject);
	buf_printf(out, "Message-ID: <%s>\r\n", m->message_id);
	add_extra_headers(out, m);
	buf_puts(out, "MIME-Version: 1.0\r\n");
}

/* "kind" keeps the boundaries of one message apart. */
static struct boundary
boundary_make(const char *message_id, char kind)
{
	unsigned char hash[BOUNDARY_HASH_BYTES];
	struct boundary b = { { '=', '_', kind, '_' } };

	crypto_generichash(hash, sizeof(hash),
	    (const unsigned char *)message_id, strlen(message_id), NULL, 0);
	sodium_bin2hex(b.text + 4, sizeof(b.text) - 4, hash, sizeof(hash));
	return b;
}

static void
add_text_part(struct buf *out, const char *subtype, const struct mail_body *b)
{
	bool plain = mime_body_is_plain(b->p, b->len);

	buf_printf(out,
	    "Content-Type: text/%s; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: %s\r\n\r\n",
	    subtype, plain ? "7bit" : "quoted-printable");
	if (plain)
		mime_body_plain(out, b->p, b->len);
	else
		mime_body_quoted(out, b->p, b->len);
}

/* The header of a multipart and the empty line behind it. */
static void
begin_multipart(struct buf *out, const char *subtype, const struct boundary *b)
{
	buf_printf(out,
	    "Content-Type: multipart/%s;\r\n boundary=\"%s\"\r\n\r\n", subtype,
	    b->text);
}

static void
add_attachment(struct buf *out, const struct mail *m, size_t i)
{
	const struct mail_attachment *at = &m->attachments[i];

	buf_printf(out,
	    "Content-Type: %s\r\n"
	    "Content-Transfer-Encoding: base64\r\n"
	    "Content-Disposition: %s",
	    at->type, at->content_id != NULL ? "inline" : "attachment");
	mime_header_param(out, "filename", at->name);
	buf_puts(out, "\r\n");
	if (at->content_id != NULL)
		buf_printf(out, "Content-ID: <%s>\r\n", at->content_id);
	buf_puts(out, "\r\n");
	if (at->bytes != NULL)
		mime_body_base64(out, at->bytes, at->size_bytes);
	else
		m->gaps[i] = out->len;
}

static size_t
count_shown(const struct mail *m)
{
	size_t i, n = 0;

	for (i = 0; i < m->attachments_count; i++)
		n += m->attachments[i].content_id != NULL;
	return n;
}

/* The attachments that the HTML shows, or the others, each behind a boundary; then the
 * last boundary. */
static void
end_multipart(struct buf *out, const struct mail *m, bool shown,
    const struct boundary *b)
{
	size_t i;

	for (i = 0; i < m->attachments_count; i++) {
		if ((m->attachments[i].content_id != NULL) != shown)
			continue;
		buf_printf(out, "\r\n--%s\r\n", b->text);
		add_attachment(out, m, i);
	}
	buf_printf(out, "\r\n--%s--\r\n", b->text);
}

static void
add_html(struct buf *out, const struct mail *m)
{
	struct boundary b;

	if (count_shown(m) == 0) {
		add_text_part(out, "html", &m->html);
		return;
	}
	b = boundary_make(m->message_id, 'r');
	begin_multipart(out, "related; type=\"text/html\"", &b);
	buf_printf(out, "--%s\r\n", b.text);
	add_text_part(out, "html", &m->html);
	end_multipart(out, m, true, &b);
}

static void
add_readable(struct buf *out, const struct mail *m)
{
	struct boundary b;

	if (m->html.p == NULL || m->text.p == NULL) {
		if (m->text.p != NULL)
			add_text_part(out, "plain", &m->text);
		else
			add_html(out, m);
		return;
	}
	b = boundary_make(m->message_id, 'a');
	begin_multipart(out, "alternative", &b);
	buf_printf(out, "--%s\r\n", b.text);
	add_text_part(out, "plain", &m->text);
	buf_printf(out, "\r\n--%s\r\n", b.text);
	add_html(out, m);
	buf_printf(out, "\r\n--%s--\r\n", b.text);
}

static void
add_content(struct buf *out, const struct mail *m)
{
	struct boundary b;

	if (m->attachments_count == count_shown(m)) {
		add_readable(out, m);
		return;
	}
	b = boundary_make(m->message_id, 'm');
	begin_multipart(out, "mixed", &b);
	buf_printf(out, "--%s\r\n", b.text);
	add_readable(out, m);
	end_multipart(out, m, false, &b);
}

int
mime_build(struct arena *a, const struct mail *m, struct buf *out,
    struct err *e)
{
	struct addresses ad;

	if (mime_check(m, e) < 0 || read_addresses(a, m, &ad, e) < 0)
		return -1;
	add_headers(out, m, &ad);
	add_content(out, m);
	if (buf_overflowed(out))
		return err_set(e, ERR_TOO_LARGE,
		    "the mail is larger than %zu bytes", out->max);
	return 0;
}
