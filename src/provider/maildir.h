/*
 * maildir.h - e-mail into a directory on this host
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What needs nothing outside: for trying Belfry out, and for hosts whose users
 * read their mail there.
 */
#ifndef BELFRY_PROVIDER_MAILDIR_H
#define BELFRY_PROVIDER_MAILDIR_H

#include <stdbool.h>

#include "provider/provider.h"
#include "web/field.h"

struct maildir_settings {
	struct field_mask mask;
	const char *directory;
	const char *from;
	const char **senders;
	size_t senders_count;
	const char *from_name;
	const char *reply_to;
};

extern const struct provider_ops maildir_ops;

/* Sets the directory under which Maildirs may be (configuration key [maildir]
 * base), for this process.  The text is not copied.  NULL, as at the start: none
 * may be anywhere. */
void maildir_set_base(const char *base);

/* Whether a Maildir is the directory of that name right below the base, or below it:
 * where tenants may put theirs themselves. */
bool maildir_is_of(const char *directory, const char *name);

#endif
