/*
 * mime_check.c - what may stand in a struct mail
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "provider/mime_check.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/text.h"
#include "provider/mime.h"
#include "provider/mime_header.h"

enum { NAME_MAX_BYTES = 64, ID_MAX_BYTES = 250, TYPE_MAX_BYTES = 200 };

/* Fields that the builder writes, that name recipients, or that belong to mail
 * servers.  A trailing "-" stands for every name that begins so. */
static const char *const reserved[] = { "From", "To", "Cc", "Bcc", "Sender",
	"Reply-To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-",
	"Return-Path", "Received", "Received-", "Resent-", "Delivered-To",
	"DKIM-Signature", "ARC-", "Authentication-Results" };

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static int
fault(struct err *e, const char *field, const char *reason)
{
	return err_set(e, ERR_UNPROCESSABLE, "\"%s\" %s", field, reason);
}

static bool
is_reserved(const char *name)
{
	size_t i, len;

	for (i = 0; i < NELEMS(reserved); i++) {
		len = strlen(reserved[i]);
		if (reserved[i][len - 1] == '-') {
			if (strncasecmp(name, reserved[i], len) == 0)
				return true;
		} else if (strcasecmp(name, reserved[i]) == 0) {
			return true;
		}
	}
	return false;
}

static const char *
header_name_fault(const char *name)
{
	size_t len = strlen(name);

	if (len == 0)
		return "is empty";
	if (len > NAME_MAX_BYTES)
		return "is longer than 64 bytes";
	if (strspn(name, LETTERS DIGITS "-_") != len)
		return "holds a character that is not allowed in the name of "
		       "a header field";
	if (is_reserved(name))
		return "names a header field that cannot be set";
	return NULL;
}

static int
check_header(const struct mail_header *h, size_t index, struct err *e)
{
	const char *reason = header_name_fault(h->name);
	char field[NAME_MAX_BYTES + 16];

	if (reason != NULL) {
		snprintf(field, sizeof(field), "headers/%zu/name", index);
		return fault(e, field, reason);
	}
	reason = mime_header_fault(h->value);
	if (reason == NULL && mime_header_is_structured(h->name))
		reason = mime_header_structured_fault(h->value);
	if (reason == NULL)
		return 0;
	snprintf(field, sizeof(field), "headers/%s", h->name);
	return fault(e, field, reason);
}

/* Skips a token of RFC 2045; NULL when there is none. */
static const char *
skip_token(const char *s)
{
	size_t n = strspn(s, LETTERS DIGITS "!#$&-^_.+");

	return n > 0 ? s + n : NULL;
}

/* Skips ";", spaces, and a parameter with a token for its value. */
static const char *
skip_param(const char *s)
{
	s += 1 + strspn(s + 1, " ");
	s = skip_token(s);
	return s != NULL && *s == '=' ? skip_token(s + 1) : NULL;
}

const char *
mime_type_fault(const char *type)
{
	const char *s = type;

	if (strlen(type) > TYPE_MAX_BYTES)
		return "is longer than 200 bytes";
	if (strncasecmp(type, "multipart/", 10) == 0 ||
	    strncasecmp(type, "message/", 8) == 0)
		return "is a type that cannot be attached";
	s = skip_token(s);
	if (s != NULL)
		s = *s == '/' ? skip_token(s + 1) : NULL;
	while (s != NULL && *s == ';')
		s = skip_param(s);
	return s == NULL || *s != '\0' ? "is not a media type" : NULL;
}

const char *
mime_content_id_fault(const char *id)
{
	const char *at = strchr(id, '@');

	if (id[0] == '\0' || strlen(id) > MIME_CONTENT_ID_MAX)
		return "is not of 1 to 100 characters";
	if (id[strspn(id, LETTERS DIGITS "-_.+@")] != '\0' ||
	    at == id || (at != NULL && (at[1] == '\0' ||
	        strchr(at + 1, '@') != NULL)))
		return "holds something besides letters, digits, \"-\", \"_\", "
		       "\".\", \"+\" and one \"@\" between them";
	return NULL;
}

static int
check_attachment(const struct mail_attachment *at, size_t index, struct err *e)
{
	const char *reason = mime_header_fault(at->name);
	const char *member = "name";
	char field[48];

	if (reason == NULL && at->name[0] == '\0')
		reason = "is empty";
	if (reason == NULL) {
		member = "type";
		reason = mime_type_fault(at->type);
	}
	if (reason == NULL && at->content_id != NULL) {
		member = "content_id";
		reason = mime_content_id_fault(at->content_id);
	}
	if (reason == NULL)
		return 0;
	snprintf(field, sizeof(field), "attachments/%zu/%s", index, member);
	return fault(e, field, reason);
}

static const char *
message_id_fault(const char *id)
{
	const char *at = strchr(id, '@');
	size_t len = strlen(id);

	if (len > ID_MAX_BYTES)
		return "is longer than 250 bytes";
	if (at == NULL || at == id || at[1] == '\0')
		return "is not of the form left@right";
	if (strspn(id, LETTERS DIGITS "!#$%&'*+-/=?^_`{|}~.@") != len ||
	    strchr(at + 1, '@') != NULL)
		return "holds a character that is not allowed in a message id";
	return NULL;
}

static int
check_body(const char *field, const struct mail_body *b, struct err *e)
{
	if (b->p == NULL)
		return 0;
	if (memchr(b->p, '\0', b->len) != NULL)
		return fault(e, field, "holds a NUL character");
	if (!text_is_utf8(b->p, b->len))
		return fault(e, field, "is not UTF-8");
	return 0;
}

static int
check_texts(const struct mail *m, struct err *e)
{
	const struct {
		const char *field;
		const char *value;
	} texts[] = { { "subject", m->subject }, { "from_name", m->from_name },
		{ "to_name", m->to_name } };
	const char *reason;
	size_t i;

	for (i = 0; i < NELEMS(texts); i++) {
		if (texts[i].value == NULL)
			continue;
		reason = mime_header_fault(texts[i].value);
		if (reason != NULL)
			return fault(e, texts[i].field, reason);
	}
	reason = message_id_fault(m->message_id);
	return reason != NULL ? fault(e, "message_id", reason) : 0;
}

int
mime_check(const struct mail *m, struct err *e)
{
	size_t i;

	if (check_texts(m, e) < 0 || check_body("text", &m->text, e) < 0 ||
	    check_body("html", &m->html, e) < 0)
		return -1;
	if (m->text.p == NULL && m->html.p == NULL)
		return fault(e, "text", "is missing, and so is \"html\"");
	for (i = 0; i < m->headers_count; i++) {
		if (check_header(&m->headers[i], i, e) < 0)
			return -1;
	}
	for (i = 0; i < m->attachments_count; i++) {
		if (check_attachment(&m->attachments[i], i, e) < 0)
			return -1;
		if (m->attachments[i].content_id != NULL && m->html.p == NULL)
			return fault(e, "html", "is missing, which would show "
			                        "an attachment");
	}
	return 0;
}
