/*
 * mime_header.c - header fields of a message, folded and encoded
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A text is encoded as a whole or not at all: words that are half plain and
 * half encoded are legal, but where the spaces between them belong is what
 * mail programs disagree about.
 */
#include "provider/mime_header.h"

#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/text.h"

enum {
	LINE_MAX_CHARS = 78,
	LINE_HARD_MAX = 998,
	ENCODED_LINE_MAX = 76,
	WORD_OVERHEAD = 12, /* =?UTF-8?Q??= */
	WORD_PAYLOAD_MAX = 75 - WORD_OVERHEAD,
	PARAM_VALUE_MAX = 50 /* beside "\r\n name*12*=" and ";" in a line */
};

static const char hex[] = "0123456789ABCDEF";

const char *
mime_header_fault(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	for (; *p != '\0'; p++) {
		/* U+0080 to U+009F are the controls beyond ASCII. */
		if (*p < 0x20 || *p == 0x7f || (*p == 0xc2 && p[1] < 0xa0))
			return "holds a control character";
	}
	if (!text_is_utf8(text, strlen(text)))
		return "is not UTF-8";
	return NULL;
}

static bool
is_ascii(const char *s)
{
	for (; *s != '\0'; s++) {
		if ((unsigned char)*s >= 0x80)
			return false;
	}
	return true;
}

/* The longest run of characters other than a space. */
static size_t
longest_word(const char *s)
{
	size_t n, longest = 0;

	while (*s != '\0') {
		n = strcspn(s, " ");
		longest = n > longest ? n : longest;
		s += n;
		s += strspn(s, " ");
	}
	return longest;
}

/* True when readers give the text back as it is written: nothing to encode,
 * nothing that looks encoded, no space that would be lost, foldable. */
static bool
is_plain(const char *s, size_t word_max)
{
	size_t len = strlen(s);

	if (len == 0)
		return true;
	return s[0] != ' ' && s[len - 1] != ' ' && is_ascii(s) &&
	    strstr(s, "=?") == NULL && strstr(s, "  ") == NULL &&
	    longest_word(s) <= word_max;
}

/* Adds words with a fold before each that would not fit.  "col" characters
 * stand in the line already; a space is written before the first word. */
static void
add_folded(struct buf *out, size_t col, const char *s)
{
	size_t spaces, n;

	do {
		spaces = strspn(s, " ");
		n = spaces + strcspn(s + spaces, " ");
		if (spaces == 0)
			buf_putc(out, ' ');
		if (spaces > 0 && col + n > LINE_MAX_CHARS && col > 1) {
			buf_puts(out, "\r\n");
			col = 0;
		}
		buf_add(out, s, n);
		col += n + (spaces == 0);
		s += n;
	} while (*s != '\0');
}

/* Bytes in the UTF-8 character at p. */
static size_t
utf8_len(const char *p)
{
	size_t n = 1;

	while (((unsigned char)p[n] & 0xc0) == 0x80)
		n++;
	return n;
}

/* In a phrase only these stand for themselves (RFC 2047 section 5 (3)), so they
 * are right everywhere. */
static bool
is_q_plain(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '!' || c == '*' || c == '+' ||
	    c == '-' || c == '/';
}

static size_t
q_cost(const char *p, size_t n)
{
	size_t i, cost = 0;

	for (i = 0; i < n; i++)
		cost += is_q_plain((unsigned char)p[i]) || p[i] == ' ' ? 1 : 3;
	return cost;
}

static void
q_add(struct buf *out, const char *p, size_t n)
{
	char text[WORD_PAYLOAD_MAX];
	size_t i, len = 0;
	unsigned char c;

	for (i = 0; i < n; i++) {
		c = (unsigned char)p[i];
		if (is_q_plain(c)) {
			text[len++] = p[i];
		} else if (c == ' ') {
			text[len++] = '_';
		} else {
			text[len++] = '=';
			text[len++] = hex[c >> 4];
			text[len++] = hex[c & 15];
		}
	}
	buf_add(out, text, len);
}

static void
b_add(struct buf *out, const char *p, size_t n)
{
	unsigned char text[WORD_PAYLOAD_MAX + 4];

	buf_add(out, text,
	    (size_t)EVP_EncodeBlock(text, (const unsigned char *)p, (int)n));
}

/* How many bytes of the text, in whole characters, make one encoded word with
 * at most "room" characters of payload. */
static size_t
word_bytes(const char *s, bool base64, size_t room)
{
	size_t n = 0, cost = 0, len;

	while (s[n] != '\0') {
		len = utf8_len(s + n);
		cost = base64 ? (n + len + 2) / 3 * 4 : cost + q_cost(s + n, len);
		if (cost > room)
			break;
		n += len;
	}
	return n;
}

static bool
is_mostly_not_ascii(const char *s)
{
	size_t high = 0, all = 0;

	for (; *s != '\0'; s += utf8_len(s), all++)
		high += (unsigned char)*s >= 0x80;
	return high * 2 > all;
}

/* Adds a space and the text as encoded words, one a line.  Returns the column
 * behind the last. */
static size_t
add_encoded(struct buf *out, size_t col, const char *s)
{
	bool base64 = is_mostly_not_ascii(s);
	size_t n, room, before;

	for (;;) {
		room = 0;
		if (col + 1 + WORD_OVERHEAD < ENCODED_LINE_MAX)
			room = ENCODED_LINE_MAX - col - 1 - WORD_OVERHEAD;
		if (room > WORD_PAYLOAD_MAX)
			room = WORD_PAYLOAD_MAX;
		n = word_bytes(s, base64, room);
		if (n > 0) {
			before = out->len;
			buf_puts(out, base64 ? " =?UTF-8?B?" : " =?UTF-8?Q?");
			if (base64)
				b_add(out, s, n);
			else
				q_add(out, s, n);
			buf_puts(out, "?=");
			col += out->len - before;
			s += n;
		}
		if (*s == '\0')
			return col;
		buf_puts(out, "\r\n");
		col = 0;
	}
}

void
mime_header_text(struct buf *out, const char *name, const char *value)
{
	size_t col = strlen(name) + 1;

	buf_puts(out, name);
	buf_putc(out, ':');
	if (is_plain(value, LINE_MAX_CHARS - 1 - col))
		add_folded(out, col, value);
	else
		add_encoded(out, col, value);
	buf_puts(out, "\r\n");
}

bool
mime_header_is_structured(const char *name)
{
	static const char *const names[] = { "Auto-Submitted", "Precedence",
		"References", "In-Reply-To", "Importance", "X-Priority",
		"Feedback-ID", "Autocrypt", "Disposition-Notification-To" };
	size_t i;

	for (i = 0; i < NELEMS(names); i++) {
		if (strcasecmp(name, names[i]) == 0)
			return true;
	}
	return strncasecmp(name, "List-", 5) == 0;
}

const char *
mime_header_structured_fault(const char *value)
{
	size_t len = strlen(value);

	if (len == 0)
		return "is empty";
	if (!is_ascii(value))
		return "holds a character that is not ASCII";
	if (value[0] == ' ' || value[len - 1] == ' ')
		return "begins or ends with a space";
	/* Beside it in its line: the spaces before it, or the field's name. */
	if (longest_word(value) > LINE_HARD_MAX - 80)
		return "holds a word of more than 918 bytes";
	if (strstr(value, "  ") != NULL)
		return "holds two spaces in a row";
	return NULL;
}

void
mime_header_structured(struct buf *out, const char *name, const char *value)
{
	buf_puts(out, name);
	buf_putc(out, ':');
	add_folded(out, strlen(name) + 1, value);
	buf_puts(out, "\r\n");
}

/* Adds a space and the text in quotes. */
static void
add_quoted(struct buf *out, const char *s)
{
	buf_puts(out, "\"");
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			buf_putc(out, '\\');
		buf_putc(out, *s);
	}
	buf_puts(out, "\"");
}

static bool
is_atoms(const char *s)
{
	for (; *s != '\0'; s++) {
		if (!is_q_plain((unsigned char)*s) && *s != ' ' &&
		    *s != '\'' && *s != '_')
			return false;
	}
	return true;
}

void
mime_header_mailbox(struct buf *out, const char *name, const char *display,
    const char *addr)
{
	size_t col = strlen(name) + 1, start = out->len;
	size_t line_max = LINE_MAX_CHARS;

	buf_puts(out, name);
	buf_putc(out, ':');
	if (display == NULL || display[0] == '\0') {
		buf_printf(out, " %s\r\n", addr);
		return;
	}
	if (!is_plain(display, LINE_MAX_CHARS) ||
	    strlen(display) * 2 + 3 + col > LINE_MAX_CHARS) {
		col = add_encoded(out, col, display);
		line_max = ENCODED_LINE_MAX;
	} else {
		buf_putc(out, ' ');
		if (is_atoms(display))
			buf_puts(out, display);
		else
			add_quoted(out, display);
		col = out->len - start;
	}
	if (col + 3 + strlen(addr) > line_max)
		buf_puts(out, "\r\n");
	buf_printf(out, " <%s>\r\n", addr);
}

static bool
is_token(const char *s)
{
	const char *p = s;

	while (is_q_plain((unsigned char)*p) || *p == '.' || *p == '_')
		p++;
	return *s != '\0' && *p == '\0' && strpbrk(s, "*/") == NULL;
}

/* Characters that RFC 2231 leaves as they are (attribute-char, less those that
 * some programs take for something else). */
static bool
is_percent_plain(unsigned char c)
{
	return (c != '*' && c != '/' && is_q_plain(c)) || c == '.' || c == '_';
}

static void
add_percent(struct buf *out, const char *p, size_t n)
{
	char text[3] = "%";
	size_t i;
	unsigned char c;

	for (i = 0; i < n; i++) {
		c = (unsigned char)p[i];
		text[1] = hex[c >> 4];
		text[2] = hex[c & 15];
		if (is_percent_plain(c))
			buf_putc(out, p[i]);
		else
			buf_add(out, text, 3);
	}
}

/* How many bytes of the value fit into one line of parameter. */
static size_t
param_bytes(const char *s)
{
	size_t n = 0, cost = 0, i, len;

	while (s[n] != '\0') {
		len = utf8_len(s + n);
		for (i = 0; i < len; i++)
			cost += is_percent_plain((unsigned char)s[n + i]) ? 1 : 3;
		if (cost > PARAM_VALUE_MAX)
			break;
		n += len;
	}
	return n;
}

static void
add_extended_param(struct buf *out, const char *name, const char *value)
{
	size_t n = param_bytes(value);
	unsigned int section = 0;

	if (value[n] == '\0') {
		buf_printf(out, ";\r\n %s*=UTF-8''", name);
		add_percent(out, value, n);
		return;
	}
	do {
		n = param_bytes(value);
		buf_printf(out, ";\r\n %s*%u*=%s", name, section,
		    section == 0 ? "UTF-8''" : "");
		add_percent(out, value, n);
		value += n;
		section++;
	} while (*value != '\0');
}

void
mime_header_param(struct buf *out, const char *name, const char *value)
{
	if (!is_plain(value, PARAM_VALUE_MAX) ||
	    strlen(value) > PARAM_VALUE_MAX || strpbrk(value, "\"\\%") != NULL) {
		add_extended_param(out, name, value);
		return;
	}
	buf_printf(out, ";\r\n %s=", name);
	if (is_token(value))
		buf_puts(out, value);
	else
		add_quoted(out, value);
}
