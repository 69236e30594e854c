/*
 * whatsapp_message.h - what the part whatsapp.json becomes
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_PROVIDER_WHATSAPP_MESSAGE_H
#define BELFRY_PROVIDER_WHATSAPP_MESSAGE_H

#include <stdbool.h>

#include <jansson.h>

#include "base/compiler.h"

struct arena;
struct err;
struct message;

/* The part that goes: the session's where that is open; lives in "a".  -1: it is not
 * JSON. */
int whatsapp_part(struct arena *a, const struct message *m, json_t **part_r,
    struct err *e) MUST_CHECK;

/* The message as the Cloud API takes it; lives in "a".  -1 when the part is none. */
int whatsapp_message(struct arena *a, const struct message *m, json_t **body_r,
    struct err *e) MUST_CHECK;

/* Does the part say what is sent instead while the recipient's session is open? */
bool whatsapp_has_session(struct arena *a, const struct message *m) MUST_CHECK;

#endif
