/*
 * telegram_files.h - the files of a message into a chat of Telegram
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_PROVIDER_TELEGRAM_FILES_H
#define BELFRY_PROVIDER_TELEGRAM_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct arena;
struct attachment;
struct err;
struct message;
struct multipart;

/* Files in one album, and characters of the text that goes with them. */
enum { TELEGRAM_FILES_MAX = 10, TELEGRAM_CAPTION_MAX = 1024 };

/* Those that go: what the HTML of a mail shows is of no use elsewhere. */
struct telegram_files {
	const struct attachment *list[TELEGRAM_FILES_MAX];
	size_t count;
	bool photos; /* all of them are */
};

/* The files of a message; -1 when they are too many, or one is too large. */
int telegram_files_of(const struct message *m, struct telegram_files *f_r,
    struct err *e) MUST_CHECK;

/* The method of the API that takes them; there has to be one at least. */
const char *telegram_files_method(const struct telegram_files *f);

/* Adds them to a form, with their caption, which may be empty. */
void telegram_files_add(struct arena *a, struct multipart *mp,
    const struct telegram_files *f, const char *caption);

#endif
