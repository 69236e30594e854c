/*
 * smtp_login.c - logging in at a mail server (RFC 4954)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "net/smtp_login.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ensure.h"
#include "base/text.h"

static const struct {
	const char *name;
	unsigned mechanism;
} mechanisms[] = {
	{ "PLAIN", SMTP_AUTH_PLAIN },
	{ "LOGIN", SMTP_AUTH_LOGIN },
	{ "CRAM-MD5", SMTP_AUTH_CRAM_MD5 },
};

static unsigned
mechanism_of(const char *word, size_t n)
{
	size_t i;

	for (i = 0; i < NELEMS(mechanisms); i++)
		if (strlen(mechanisms[i].name) == n &&
		    strncasecmp(mechanisms[i].name, word, n) == 0)
			return mechanisms[i].mechanism;
	return SMTP_AUTH_UNKNOWN;
}

/* Old servers write "AUTH=LOGIN". */
unsigned
smtp_login_offers(const char *line, size_t len)
{
	const char *end = line + len, *word;
	unsigned offers = 0;

	if (len < 5 || strncasecmp(line, "AUTH", 4) != 0 ||
	    (line[4] != ' ' && line[4] != '='))
		return 0;
	for (line += 5; line < end; line++) {
		for (word = line; line < end && *line > ' ';)
			line++;
		if (line > word)
			offers |= mechanism_of(word, (size_t)(line - word));
	}
	return offers;
}

unsigned
smtp_login_choose(unsigned offered, bool encrypted)
{
	static const unsigned orders[][3] = {
		{ SMTP_AUTH_CRAM_MD5, SMTP_AUTH_PLAIN, SMTP_AUTH_LOGIN },
		{ SMTP_AUTH_PLAIN, SMTP_AUTH_LOGIN, SMTP_AUTH_CRAM_MD5 },
	};
	size_t i;

	for (i = 0; i < NELEMS(orders[0]); i++)
		if ((offered & orders[encrypted][i]) != 0)
			return orders[encrypted][i];
	return 0;
}

static void
add_base64(struct arena *a, struct buf *out, const void *p, size_t n)
{
	buf_puts(out, text_base64(a, p, n));
	buf_puts(out, "\r\n");
}

static int
next_plain(struct arena *a, const struct smtp_login *l, struct buf *out)
{
	struct buf *both = buf_new(a, 8192);

	if (l->answers > 0)
		return -1;
	buf_add(both, "", 1);
	buf_add(both, l->username, strlen(l->username) + 1);
	buf_puts(both, l->password);
	buf_puts(out, "AUTH PLAIN ");
	add_base64(a, out, both->data, both->len);
	return 0;
}

static int
next_login(struct arena *a, const struct smtp_login *l, struct buf *out)
{
	const char *text = l->answers == 1 ? l->username : l->password;

	if (l->answers == 0)
		buf_puts(out, "AUTH LOGIN\r\n");
	else if (l->answers <= 2)
		add_base64(a, out, text, strlen(text));
	else
		return -1;
	return 0;
}

static int
next_cram_md5(struct arena *a, const struct smtp_login *l, const char *challenge,
    struct buf *out)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned int bytes;
	const char *answer;
	void *text;
	size_t n;

	if (l->answers == 0) {
		buf_puts(out, "AUTH CRAM-MD5\r\n");
		return 0;
	}
	if (l->answers > 1 ||
	    text_base64_decode(a, challenge, &text, &n) == -1 ||
	    HMAC(EVP_md5(), l->password, (int)strlen(l->password), text, n, mac,
	        &bytes) == NULL)
		return -1;
	answer = arena_printf(a, "%s %s", l->username, text_hex(a, mac, bytes));
	add_base64(a, out, answer, strlen(answer));
	return 0;
}

int
smtp_login_next(struct smtp_login *l, const char *challenge, struct buf *out)
{
	struct arena *a = arena_new(1024);
	int rc;

	switch (l->mechanism) {
	case SMTP_AUTH_PLAIN:
		rc = next_plain(a, l, out);
		break;
	case SMTP_AUTH_LOGIN:
		rc = next_login(a, l, out);
		break;
	default:
		ensure(l->mechanism == SMTP_AUTH_CRAM_MD5);
		rc = next_cram_md5(a, l, challenge, out);
	}
	l->answers++;
	arena_free(&a);
	return rc;
}
