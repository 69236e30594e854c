/*
 * template_part.h - the parts of a template
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_MODEL_TEMPLATE_PART_H
#define BELFRY_MODEL_TEMPLATE_PART_H

#include <stddef.h>

#include "model/channel.h"
#include "template/hbs.h"

enum template_part {
#define X(NAME, name, channel, escape) TEMPLATE_##NAME,
#include "model/template_part.def"
#undef X
	TEMPLATE_PART_COUNT
};

/* What stands beside the parts of a locale: what {{t "key"}} says, by key. */
#define TEMPLATE_MESSAGES "messages"

/* "email.html". */
const char *template_part_name(enum template_part part);

/* TEMPLATE_PART_COUNT for a text that names none. */
enum template_part template_part_parse(const char *name, size_t len);

enum channel template_part_channel(enum template_part part);
enum hbs_escape template_part_escape(enum template_part part);

/* A bit for each channel that a message with these parts (a bit for each)
 * can go out on: a mail needs a subject and one of its bodies. */
unsigned template_part_channels(unsigned parts);

#endif
