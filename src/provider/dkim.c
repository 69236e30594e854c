/*
 * dkim.c - signatures of mails (RFC 6376), RSA-SHA256 and Ed25519-SHA256 (RFC 8463)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * From and Subject are named once more than they are there, so nobody can add another one
 * on the way.
 */
#include "provider/dkim.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/text.h"
#include "provider/jwt_sign.h"

enum {
	HASH_BYTES = 32,
	PIECE_BYTES = 4096,
	FIELD_MAX = 64 << 10,
	LINE_CHARS = 72,
	RSA_BITS_MIN = 1024,
	RSA_BITS_MAX = 4096, /* 3 ms of the loop's time for each mail */
	POINT_BYTES = 32
};

/* In the order in which they are signed.  Twice: also that there is no other. */
static const struct {
	const char *name;
	int times;
} signed_fields[] = {
	{ "From", 2 }, { "Subject", 2 }, { "To", 1 }, { "Reply-To", 1 },
	{ "Date", 1 }, { "Message-ID", 1 }, { "MIME-Version", 1 },
	{ "Content-Type", 1 }, { "Content-Transfer-Encoding", 1 },
	{ "Auto-Submitted", 1 }, { "List-Unsubscribe", 1 },
	{ "List-Unsubscribe-Post", 1 }, { "List-Id", 1 }, { "Feedback-ID", 1 },
};

/* ---- Keys ---------------------------------------------------------------------- */

int
dkim_key_read(struct arena *a, struct dkim_key *key, struct err *e)
{
	EVP_PKEY *pkey;

	if (jwt_key_read(a, key->pem, &pkey, e) == -1)
		return -1;
	if (!EVP_PKEY_is_a(pkey, "ED25519") &&
	    (!EVP_PKEY_is_a(pkey, "RSA") ||
	        EVP_PKEY_get_bits(pkey) < RSA_BITS_MIN ||
	        EVP_PKEY_get_bits(pkey) > RSA_BITS_MAX))
		return err_set(e, ERR_UNPROCESSABLE,
		    "the private key is neither RSA with %d to %d bits nor "
		    "Ed25519", RSA_BITS_MIN, RSA_BITS_MAX);
	key->pkey = pkey;
	return 0;
}

const char *
dkim_record(struct arena *a, const struct dkim_key *key)
{
	unsigned char point[POINT_BYTES], *der = NULL;
	size_t n = sizeof(point);
	const char *text;
	int bytes;

	if (EVP_PKEY_is_a(key->pkey, "ED25519")) {
		ensure(EVP_PKEY_get_raw_public_key(key->pkey, point, &n) == 1);
		return arena_printf(a, "v=DKIM1; k=ed25519; p=%s",
		    text_base64(a, point, n));
	}
	bytes = i2d_PUBKEY(key->pkey, &der);
	ensure(bytes > 0);
	text = arena_printf(a, "v=DKIM1; k=rsa; p=%s",
	    text_base64(a, der, (size_t)bytes));
	OPENSSL_free(der);
	return text;
}

/* ---- The body -------------------------------------------------------------------- */

struct dkim_body {
	EVP_MD_CTX *md;
	char piece[PIECE_BYTES]; /* canonical, on its way into the hash */
	size_t n;
	size_t lines; /* ended, and nothing came behind them yet */
	bool blank; /* the same of blanks in a line */
	bool any; /* something is in the hash */
};

static void
defer_md(void *p)
{
	EVP_MD_CTX_free(p);
}

struct dkim_body *
dkim_body_new(struct arena *a)
{
	struct dkim_body *b = arena_object(a, struct dkim_body);

	b->md = EVP_MD_CTX_new();
	ensure(b->md != NULL);
	arena_defer(a, defer_md, b->md);
	ensure(EVP_DigestInit_ex(b->md, EVP_sha256(), NULL) == 1);
	return b;
}

static void
put(struct dkim_body *b, char c)
{
	if (b->n == sizeof(b->piece)) {
		EVP_DigestUpdate(b->md, b->piece, b->n);
		b->n = 0;
	}
	b->piece[b->n++] = c;
}

/* Empty lines count when something follows, blanks when it does in the same line. */
void
dkim_body_add(struct dkim_body *b, const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (p[i] == ' ' || p[i] == '\t') {
			b->blank = true;
			continue;
		}
		if (p[i] == '\n') {
			b->lines++;
			b->blank = false;
		}
		if (p[i] == '\r' || p[i] == '\n')
			continue;
		for (; b->lines > 0; b->lines--) {
			put(b, '\r');
			put(b, '\n');
		}
		if (b->blank)
			put(b, ' ');
		b->blank = false;
		put(b, p[i]);
		b->any = true;
	}
}

static const char *
body_hash(struct arena *a, struct dkim_body *b)
{
	unsigned char hash[HASH_BYTES];

	if (b->any) {
		put(b, '\r');
		put(b, '\n');
	}
	EVP_DigestUpdate(b->md, b->piece, b->n);
	ensure(EVP_DigestFinal_ex(b->md, hash, NULL) == 1);
	return text_base64(a, hash, sizeof(hash));
}

/* ---- The header -------------------------------------------------------------------- */

/* The field of that name: its first byte, or NULL; *n_r gets its length with the CRLF.
 * A mail of ours has each field once. */
static const char *
find_field(const struct dkim_mail *m, const char *name, size_t *n_r)
{
	const char *p = m->header, *end = p + m->header_bytes, *stop;
	size_t n = strlen(name);

	while (p < end) {
		stop = p;
		do {
			stop = memchr(stop, '\n', (size_t)(end - stop));
			stop = stop != NULL ? stop + 1 : end;
		} while (stop < end && (*stop == ' ' || *stop == '\t'));
		if ((size_t)(stop - p) > n && p[n] == ':' &&
		    strncasecmp(p, name, n) == 0) {
			*n_r = (size_t)(stop - p);
			return p;
		}
		p = stop;
	}
	return NULL;
}

/* Adds a field as "relaxed" has it, without its line end. */
static void
add_relaxed(struct buf *out, const char *p, size_t n)
{
	const char *end = p + n;
	bool blank = false;

	for (; *p != ':'; p++)
		buf_putc(out, *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p);
	buf_putc(out, ':');
	p++;
	while (p < end && strchr(" \t\r\n", *p) != NULL)
		p++;
	for (; p < end; p++) {
		if (strchr(" \t\r\n", *p) != NULL) {
			blank = true;
			continue;
		}
		if (blank)
			buf_putc(out, ' ');
		blank = false;
		buf_putc(out, *p);
	}
}

/* The value of h=, folded; the canonical fields go to "canonical". */
static const char *
list_fields(struct arena *a, const struct dkim_mail *m, struct buf *canonical)
{
	struct buf *h = buf_new(a, FIELD_MAX);
	size_t i, n, col = 0;
	const char *p;
	int k;

	for (i = 0; i < NELEMS(signed_fields); i++) {
		p = find_field(m, signed_fields[i].name, &n);
		for (k = 0; k < signed_fields[i].times; k++) {
			if (p == NULL && signed_fields[i].times == 1)
				continue;
			buf_printf(h, "%s%s%s", h->len > 0 ? ":" : "",
			    col > LINE_CHARS - 20 ? "\r\n\t" : "",
			    signed_fields[i].name);
			col = (col > LINE_CHARS - 20 ? 0 : col) +
			    strlen(signed_fields[i].name) + 1;
		}
		if (p == NULL)
			continue;
		add_relaxed(canonical, p, n);
		buf_puts(canonical, "\r\n");
	}
	return h->data;
}

/* ---- Signing ----------------------------------------------------------------------- */

/* RFC 8463: what Ed25519 signs is the hash, not the text. */
static int
sign(struct arena *a, EVP_PKEY *key, const struct buf *text,
    const char **signature_r, struct err *e)
{
	bool rsa = EVP_PKEY_is_a(key, "RSA");
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = (size_t)EVP_PKEY_get_size(key);
	unsigned char *sig = arena_alloc(a, n), hash[HASH_BYTES];
	const unsigned char *p = (const unsigned char *)text->data;
	size_t len = text->len;

	ensure(ctx != NULL);
	arena_defer(a, defer_md, ctx);
	if (!rsa) {
		ensure(EVP_Digest(p, len, hash, NULL, EVP_sha256(), NULL) == 1);
		p = hash;
		len = sizeof(hash);
	}
	if (EVP_DigestSignInit(ctx, NULL, rsa ? EVP_sha256() : NULL, NULL,
	        key) != 1 ||
	    EVP_DigestSign(ctx, sig, &n, p, len) != 1) {
		ERR_clear_error();
		return err_set(e, ERR_UNPROCESSABLE,
		    "the private key cannot sign");
	}
	*signature_r = text_base64(a, sig, n);
	return 0;
}

int
dkim_key_try(struct arena *a, const struct dkim_key *key, struct err *e)
{
	const char *unused;

	return sign(a, key->pkey, buf_new(a, 1), &unused, e);
}

static void
add_folded(struct buf *out, const char *text)
{
	size_t n = strlen(text), piece;

	for (; n > 0; text += piece, n -= piece) {
		piece = n < LINE_CHARS ? n : LINE_CHARS;
		buf_puts(out, "\r\n\t");
		buf_add(out, text, piece);
	}
	buf_puts(out, "\r\n");
}

int
dkim_sign(struct arena *a, const struct dkim_key *keys, size_t count,
    const struct dkim_mail *mail, struct buf *out, struct err *e)
{
	struct buf *fields = buf_new(a, FIELD_MAX), *text;
	const char *h = list_fields(a, mail, fields);
	const char *hash = body_hash(a, mail->body), *field, *signature;
	EVP_PKEY *key;
	size_t i;

	for (i = 0; i < count; i++) {
		key = keys[i].pkey;
		field = arena_printf(a,
		    "DKIM-Signature: v=1; a=%s-sha256; c=relaxed/relaxed;\r\n"
		    "\td=%s; s=%s;\r\n\tt=%lld; h=%s;\r\n\tbh=%s;\r\n\tb=",
		    EVP_PKEY_is_a(key, "RSA") ? "rsa" : "ed25519",
		    keys[i].domain, keys[i].selector,
		    (long long)(mail->at_ms / 1000), h, hash);
		text = buf_new(a, FIELD_MAX);
		buf_add(text, fields->data, fields->len);
		add_relaxed(text, field, strlen(field));
		if (buf_overflowed(text))
			return err_set(e, ERR_TOO_LARGE,
			    "the header of the mail is too large to be signed");
		if (sign(a, key, text, &signature, e) == -1)
			return -1;
		buf_puts(out, field);
		add_folded(out, signature);
	}
	return 0;
}
