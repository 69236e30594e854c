/*
 * dkim.h - signatures of mails (RFC 6376), RSA-SHA256 and Ed25519-SHA256 (RFC 8463)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Both header and body are canonicalised as "relaxed".  The body is handed over once, in
 * pieces; its hash serves all signatures.  The same mail has the same signatures.
 */
#ifndef BELFRY_PROVIDER_DKIM_H
#define BELFRY_PROVIDER_DKIM_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#include "base/compiler.h"

struct arena;
struct buf;
struct dkim_body;
struct err;

enum { DKIM_KEYS = 2 }; /* signatures of one mail at most */

struct dkim_key {
	const char *domain;
	const char *selector;
	const char *pem; /* a private key: RSA of 1024 to 4096 bits, or Ed25519 */
	EVP_PKEY *pkey; /* the same, once it was read */
};

/* Reads the key, which then lives as long as "a".  It costs as much as a few signatures.
 * -1 (ERR_UNPROCESSABLE, the reason) when it is none for signing. */
int dkim_key_read(struct arena *a, struct dkim_key *key, struct err *e)
    MUST_CHECK;

/* Signs something with a key that was read: its numbers may be wrong.  -1 as above. */
int dkim_key_try(struct arena *a, const struct dkim_key *key, struct err *e)
    MUST_CHECK;

/* What belongs into the TXT record at selector._domainkey.domain, in "a". */
const char *dkim_record(struct arena *a, const struct dkim_key *key) MUST_CHECK;

/* The body: any number of pieces, with CRLF line ends. */
struct dkim_body *dkim_body_new(struct arena *a) MUST_CHECK;
void dkim_body_add(struct dkim_body *b, const char *p, size_t n);

/* A mail whose body was handed over. */
struct dkim_mail {
	struct dkim_body *body; /* it ends with this */
	const char *header; /* whole fields with CRLF */
	size_t header_bytes;
	int64_t at_ms; /* when it was signed, wall */
};

/* Adds a DKIM-Signature field for each key, which was read, to "out".  -1 when the header
 * is too large or a key cannot sign. */
int dkim_sign(struct arena *a, const struct dkim_key *keys, size_t count,
    const struct dkim_mail *mail, struct buf *out, struct err *e) MUST_CHECK;

#endif
