/*
 * telegram_files.c - the files of a message into a chat of Telegram
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "provider/telegram_files.h"

#include <string.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "provider/provider.h"
#include "provider/multipart.h"
#include "web/js.h"

/* In bytes, as Telegram takes them. */
enum { PHOTO_MAX = 10 << 20, DOCUMENT_MAX = 50 << 20 };

static bool
is_photo(const struct attachment *at)
{
	return at->bytes <= PHOTO_MAX &&
	    (strcmp(at->type, "image/jpeg") == 0 ||
	        strcmp(at->type, "image/png") == 0);
}

int
telegram_files_of(const struct message *m, struct telegram_files *f_r,
    struct err *e)
{
	const struct attachment *at;
	size_t i;

	*f_r = (struct telegram_files){ .photos = true };
	for (i = 0; i < m->attachment_count; i++) {
		at = &m->attachments[i];
		if (at->content_id != NULL)
			continue;
		if (f_r->count == TELEGRAM_FILES_MAX)
			return err_set(e, ERR_UNPROCESSABLE,
			    "Telegram takes %d files at most", TELEGRAM_FILES_MAX);
		if (at->bytes > DOCUMENT_MAX)
			return err_set(e, ERR_UNPROCESSABLE,
			    "/attachments/%zu: Telegram takes %d bytes at most",
			    i, DOCUMENT_MAX);
		f_r->list[f_r->count++] = at;
		f_r->photos &= is_photo(at);
	}
	return 0;
}

/* An album names its files, which stand in fields of the form; its text is that of the
 * last one. */
static void
add_album(struct arena *a, struct multipart *mp, const struct telegram_files *f,
    const char *caption)
{
	json_t *media = js_keep(a, json_array()), *one;
	struct buf *text = buf_new(a, TELEGRAM_FILES_MAX * 100 + 8 * TELEGRAM_CAPTION_MAX);
	size_t i;

	for (i = 0; i < f->count; i++) {
		one = json_pack("{s:s, s:o}", "type",
		    f->photos ? "photo" : "document", "media",
		    json_sprintf("attach://file%zu", i));
		if (i == f->count - 1 && caption[0] != '\0')
			json_object_set_new(one, "caption", json_string(caption));
		json_array_append_new(media, one);
		multipart_file(mp, arena_printf(a, "file%zu", i), f->list[i]);
	}
	js_write(text, media);
	multipart_text(mp, "media", text->data);
}

const char *
telegram_files_method(const struct telegram_files *f)
{
	if (f->count > 1)
		return "sendMediaGroup";
	return f->photos ? "sendPhoto" : "sendDocument";
}

void
telegram_files_add(struct arena *a, struct multipart *mp,
    const struct telegram_files *f, const char *caption)
{
	if (f->count > 1) {
		add_album(a, mp, f, caption);
		return;
	}
	if (caption[0] != '\0')
		multipart_text(mp, "caption", caption);
	multipart_file(mp, f->photos ? "photo" : "document", f->list[0]);
}
