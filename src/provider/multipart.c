/*
 * multipart.c - a form of texts and files, as bodies of requests have it (RFC 7578)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The boundary is random, so no file can hold it.
 */
#include "provider/multipart.h"

#include <string.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ensure.h"
#include "net/transfer.h"
#include "provider/provider.h"

enum {
	FILES_MAX = 20,
	PIECES_MAX = 2 * FILES_MAX + 1,
	TEXT_MAX = 1 << 20,
	BOUNDARY_BYTES = 16
};

struct multipart {
	struct arena *a;
	char boundary[2 * BOUNDARY_BYTES + 1];
	struct buf *text; /* since the last file */
	struct transfer_piece *pieces;
	size_t count;
};

struct multipart *
multipart_new(struct arena *a)
{
	struct multipart *mp = arena_object(a, struct multipart);
	unsigned char octets[BOUNDARY_BYTES];

	mp->a = a;
	mp->pieces = arena_zalloc(a, PIECES_MAX, sizeof(*mp->pieces));
	mp->text = buf_new(a, TEXT_MAX);
	randombytes_buf(octets, sizeof(octets));
	sodium_bin2hex(mp->boundary, sizeof(mp->boundary), octets,
	    sizeof(octets));
	return mp;
}

static void
begin(struct multipart *mp, const char *name)
{
	buf_printf(mp->text,
	    "--%s\r\nContent-Disposition: form-data; name=\"%s\"",
	    mp->boundary, name);
}

/* As browsers write names of files: UTF-8, and what would end them percent-encoded. */
static void
put_name(struct buf *out, const char *name)
{
	for (; *name != '\0'; name++) {
		if (*name == '"' || (unsigned char)*name < ' ')
			buf_printf(out, "%%%02X", (unsigned char)*name);
		else
			buf_add(out, name, 1);
	}
}

/* The text up to here becomes a piece. */
static void
cut(struct multipart *mp)
{
	ensure(mp->count < PIECES_MAX && !buf_overflowed(mp->text));
	mp->pieces[mp->count++] = (struct transfer_piece){
		.form = PIECE_MEMORY, .p = mp->text->data, .n = mp->text->len
	};
	mp->text = buf_new(mp->a, TEXT_MAX);
}

void
multipart_text(struct multipart *mp, const char *name, const char *value)
{
	begin(mp, name);
	buf_printf(mp->text, "\r\n\r\n%s\r\n", value);
}

void
multipart_file(struct multipart *mp, const char *name,
    const struct attachment *file)
{
	begin(mp, name);
	buf_puts(mp->text, "; filename=\"");
	put_name(mp->text, file->name);
	buf_printf(mp->text, "\"\r\nContent-Type: %s\r\n\r\n", file->type);
	cut(mp);
	ensure(mp->count < PIECES_MAX);
	mp->pieces[mp->count++] = (struct transfer_piece){ .form = PIECE_FILE,
		.fd = file->fd, .from = file->from, .n = file->bytes };
	buf_puts(mp->text, "\r\n");
}

void
multipart_send(struct multipart *mp, struct transfer_request *rq)
{
	struct transfer_header *headers =
	    arena_zalloc(mp->a, rq->headers_count + 1, sizeof(*headers));
	size_t i;

	buf_printf(mp->text, "--%s--\r\n", mp->boundary);
	cut(mp);
	for (i = 0; i < rq->headers_count; i++)
		headers[i] = rq->headers[i];
	headers[i] = (struct transfer_header){ "Content-Type",
		arena_printf(mp->a, "multipart/form-data; boundary=%s",
		    mp->boundary) };
	rq->headers = headers;
	rq->headers_count++;
	rq->body = mp->pieces[0].p;
	rq->pieces = mp->pieces;
	rq->pieces_count = mp->count;
	for (i = 0; i < mp->count; i++)
		rq->body_len += transfer_piece_bytes(&mp->pieces[i]);
}
