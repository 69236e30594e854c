/*
 * track.h - mails that tell when they are opened and where they lead
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Off unless a tenant's setting "tracking" says otherwise.  Then links of the HTML part go
 * through us, and a picture of one point stands at its end; the text part stays as it is.
 */
#ifndef BELFRY_NOTIFY_TRACK_H
#define BELFRY_NOTIFY_TRACK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct arena;
struct keyring;
struct link;

/* The purposes of links (base/link.h). */
#define TRACK_OPEN "open"
#define TRACK_CLICK "click"

struct track_params {
	bool opens, clicks; /* what is to be known */
	const struct keyring *ring;
	const char *public_url; /* of Belfry, without "/" at its end */
	const struct link *link; /* the delivery; "rest" is not looked at */
	size_t max_bytes; /* of the result */
};

/* The HTML with its links and the picture; as it was when it would become too large. */
const char *track_html(struct arena *a, const struct track_params *p,
    const char *html) MUST_CHECK;

#endif
