/*
 * whatsapp_media.h - attachments in messages of WhatsApp
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Where the Cloud API has the link or the id of a picture, a video and the like, a part may
 * say { "attachment": n }: the n-th file of the notification, from 0.  It is uploaded
 * first, and its id takes that place.
 */
#ifndef BELFRY_PROVIDER_WHATSAPP_MEDIA_H
#define BELFRY_PROVIDER_WHATSAPP_MEDIA_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/compiler.h"

struct err;
struct message;

/* "image", "video" and so on, ended by NULL. */
extern const char *const whatsapp_media_kinds[];

/* Is it a member { "attachment": n }? */
bool whatsapp_media_is_attachment(const json_t *value);

/* The first attachment that the part names and whose id is not in m->references, or -1;
 * it need not exist. */
int whatsapp_media_next(const json_t *part, const struct message *m);

/* Whether WhatsApp takes the n-th attachment as what the part wants it to be. */
int whatsapp_media_check(const json_t *part, const struct message *m, size_t n,
    struct err *e) MUST_CHECK;

/* Puts ids where attachments are named.  -1: it names one that there is not. */
int whatsapp_media_refer(json_t *body, const struct message *m, struct err *e)
    MUST_CHECK;

#endif
