/*
 * transfer_body.c - a body whose pieces lie in memory and in files
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A place in the body is enough to read on from there: nothing is kept between two reads.
 */
#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>

#include "base/ensure.h"
#include "net/transfer.h"

enum {
	LINE_BYTES = 57, /* of a file become 76 characters */
	LINE_CHARS = 76,
	LINES_AT_ONCE = 200
};

size_t
transfer_piece_bytes(const struct transfer_piece *p)
{
	size_t rest = p->n % LINE_BYTES, full = p->n / LINE_BYTES;

	if (p->form == PIECE_MEMORY || p->form == PIECE_FILE)
		return p->n;
	if (p->form == PIECE_BASE64)
		return (p->n + 2) / 3 * 4;
	return full * (LINE_CHARS + 2) +
	    (rest > 0 ? (rest + 2) / 3 * 4 + 2 : 0);
}

/* Encodes whole lines from the one that "at" lies in; 0 when the file cannot be read. */
static size_t
encode(const struct transfer_piece *p, size_t at, char *out, size_t max)
{
	size_t width = LINE_CHARS + (p->form == PIECE_BASE64_LINES ? 2 : 0);
	size_t from = at / width * LINE_BYTES, i, len = 0, part;
	size_t want = (max - 4) / width * LINE_BYTES;
	unsigned char raw[LINE_BYTES * LINES_AT_ONCE];
	ssize_t n;

	if (want > sizeof(raw))
		want = sizeof(raw);
	if (want > p->n - from)
		want = p->n - from;
	n = pread(p->fd, raw, want, p->from + (off_t)from);
	if (n < 0 || (size_t)n != want)
		return 0;
	for (i = 0; i < want; i += part) {
		part = want - i < LINE_BYTES ? want - i : LINE_BYTES;
		len += (size_t)EVP_EncodeBlock((unsigned char *)out + len,
		    raw + i, (int)part);
		if (p->form == PIECE_BASE64_LINES) {
			memcpy(out + len, "\r\n", 2);
			len += 2;
		}
	}
	at %= width;
	memmove(out, out + at, len - at);
	return len - at;
}

/* Reads from "at" on; 0 when the file cannot be read. */
static size_t
read_file(const struct transfer_piece *p, size_t at, char *out, size_t max)
{
	ssize_t n = pread(p->fd, out, max < p->n - at ? max : p->n - at,
	    p->from + (off_t)at);

	return n > 0 ? (size_t)n : 0;
}

const char *
transfer_body_at(const struct transfer_request *req, size_t at, char *scratch,
    size_t *n)
{
	const struct transfer_piece *p = req->pieces;
	size_t bytes;

	ensure(at < req->body_len && *n >= TRANSFER_SCRATCH_MIN);
	if (req->pieces_count == 0) {
		if (*n > req->body_len - at)
			*n = req->body_len - at;
		return (const char *)req->body + at;
	}
	for (; at >= (bytes = transfer_piece_bytes(p)); p++)
		at -= bytes;
	if (p->form != PIECE_MEMORY) {
		*n = p->form == PIECE_FILE ? read_file(p, at, scratch, *n)
		                           : encode(p, at, scratch, *n);
		return *n > 0 ? scratch : NULL;
	}
	if (*n > bytes - at)
		*n = bytes - at;
	return p->p + at;
}
