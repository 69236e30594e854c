/*
 * key.h - service accounts and keys, for init and the key commands
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_CTL_KEY_H
#define BELFRY_CTL_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct ctl;
struct err;
struct keyring;

struct key_wish {
	const char *account; /* the name of the service account */
	const char *scopes; /* with blanks; NULL: the account must exist */
	int64_t expires_ms; /* 0: never */
	bool test; /* simulators alone send what it asks for */
	int64_t overlap_ms; /* older keys still work; -1: as they are */
};

/* Makes a key in c->tenant, and its account when there is none.  Returns 0
 * and the text of the key, which is stored nowhere. */
int key_make(struct ctl *c, const struct keyring *ring,
    const struct key_wish *wish, const char **text_r, struct err *e) MUST_CHECK;

#endif
