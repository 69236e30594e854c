/*
 * template_part.c - the parts of a template
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "model/template_part.h"

#include <string.h>

#include "base/ensure.h"

static const struct {
	const char *name;
	enum channel channel;
	enum hbs_escape escape;
} parts[] = {
#define X(NAME, name, channel, escape)                                         \
	[TEMPLATE_##NAME] = { name, CHANNEL_##channel, HBS_ESCAPE_##escape },
#include "model/template_part.def"
#undef X
};

const char *
template_part_name(enum template_part part)
{
	ensure(part < TEMPLATE_PART_COUNT);
	return parts[part].name;
}

enum template_part
template_part_parse(const char *name, size_t len)
{
	int i;

	for (i = 0; i < TEMPLATE_PART_COUNT; i++)
		if (strlen(parts[i].name) == len &&
		    memcmp(parts[i].name, name, len) == 0)
			break;
	return (enum template_part)i;
}

enum channel
template_part_channel(enum template_part part)
{
	ensure(part < TEMPLATE_PART_COUNT);
	return parts[part].channel;
}

enum hbs_escape
template_part_escape(enum template_part part)
{
	ensure(part < TEMPLATE_PART_COUNT);
	return parts[part].escape;
}

unsigned
template_part_channels(unsigned mask)
{
	const unsigned bodies =
	    1u << TEMPLATE_EMAIL_HTML | 1u << TEMPLATE_EMAIL_TEXT;
	unsigned channels = 0;
	int i;

	if ((mask & bodies) == 0)
		mask &= ~(1u << TEMPLATE_EMAIL_SUBJECT);
	if ((mask & 1u << TEMPLATE_EMAIL_SUBJECT) == 0)
		mask &= ~bodies;
	for (i = 0; i < TEMPLATE_PART_COUNT; i++)
		if ((mask & 1u << i) != 0)
			channels |= 1u << parts[i].channel;
	return channels;
}
