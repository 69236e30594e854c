/*
 * mail_address.h - what may stand as an e-mail address
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * An address is a mailbox of RFC 5321: a dot-atom, "@", a domain name.  Quoted
 * local parts and address literals ("[192.0.2.1]") are refused although the RFC
 * knows them: nobody is reached that way, and they are where mail programs
 * disagree.  UTF-8 is allowed on both sides (RFC 6531).
 */
#ifndef BELFRY_PROVIDER_MAIL_ADDRESS_H
#define BELFRY_PROVIDER_MAIL_ADDRESS_H

#include <stdbool.h>

#include "base/compiler.h"

struct arena;
struct err;

/* Checks "addr" in linear time.  Returns 0 and sets *needs_smtputf8_r, which is
 * true when the local part is not ASCII, so that only a server with SMTPUTF8
 * can take it; -1 with *e set to ERR_UNPROCESSABLE and the reason. */
int mail_address_check(const char *addr, bool *needs_smtputf8_r, struct err *e)
    MUST_CHECK;

/* The same address with its domain as A-labels ("xn--..."), which is how it
 * goes over the wire; the local part is never touched.  *ascii_r is "addr"
 * itself when nothing is to be done, else it lives in "a".  Fails like
 * mail_address_check(), and for a domain that has no A-labels. */
int mail_address_ascii(struct arena *a, const char *addr, const char **ascii_r,
    struct err *e) MUST_CHECK;

#endif
