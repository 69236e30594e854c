/*
 * upload.h - files given to providers that take them apart from messages
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A file of a pack goes to an account once, for all messages that name it; they wait for
 * the reference that the provider gives it.  What is known lives as long as the pack.
 */
#ifndef BELFRY_SPOOLER_UPLOAD_H
#define BELFRY_SPOOLER_UPLOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct err;
struct message;
struct pack;
struct provider;
struct spooler;
struct verdict;

/* Embedded in what waits, which holds the pack and keeps the account. */
struct upload_waiter {
	struct upload_waiter *next;

	/* The reference is there (to be asked for again); or why it is not; or NULL
	 * with "known" false: transfers were aborted. */
	void (*ready)(struct upload_waiter *w, bool known,
	    const struct verdict *v);
};

/* The reference to the n-th file of m->attachments, which are those of the pack: 1 with
 * *reference_r, which lives as long as the pack; 0 when "w" is called later; -1 with *e
 * when it can never be given. */
int upload_ask(struct spooler *sp, struct pack *pack,
    const struct provider *p, const struct message *m, size_t n,
    struct upload_waiter *w, const char **reference_r, struct err *e)
    MUST_CHECK;

#endif
