/*
 * guard.h - which hosts may be reached on behalf of a tenant
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A tenant names hosts: of its accounts at providers, of its webhooks, of its issuers.
 * What is not of the open Internet - this host, its network, a cloud's metadata service -
 * is reached only where the operator's list of networks ("allowed", network.allowed)
 * holds it; what the platform itself names, also by network.allowed_platform.  What counts is the address that is connected to, so a name that changes its
 * mind between two look-ups gains nothing; a URL is looked at too when it is written, so
 * that whoever writes it is told.
 */
#ifndef BELFRY_NET_GUARD_H
#define BELFRY_NET_GUARD_H

#include <stdbool.h>

struct sockaddr;

/* May this address be connected to? */
bool guard_allows(const char *allowed, const struct sockaddr *address);

/* May the host that a URL, or a text that is a host alone, names be connected to, as far
 * as the text tells?  True for names but "localhost", which are looked up later. */
bool guard_allows_url(const char *allowed, const char *url);

/* Why it may not be, behind "its address": names the keys that count. */
const char *guard_refusal(bool of_platform);

#endif
