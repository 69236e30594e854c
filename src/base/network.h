/*
 * network.h - addresses of hosts and networks
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * An IPv4 address that stands in an IPv6 one (::ffff:192.0.2.1) is the IPv4 address.
 */
#ifndef BELFRY_BASE_NETWORK_H
#define BELFRY_BASE_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct arena;
struct sockaddr;

struct network {
	uint8_t bytes[16]; /* IPv4 in the first four */
	uint8_t size; /* 4 or 16 bytes */
	uint8_t bits; /* that count, from the left */
};

/* Reads "192.0.2.1", "2001:db8::1", "[2001:db8::1]"; with networks "192.0.2.0/24" too,
 * whose bits behind the length must be zero.  0 or -1. */
int network_parse(const char *text, bool networks, struct network *n_r) MUST_CHECK;

/* The address of a socket; -1 when it is neither IPv4 nor IPv6. */
int network_of(const struct sockaddr *address, struct network *n_r) MUST_CHECK;

/* True when the address (or all of a network) lies in the network. */
bool network_contains(const struct network *n, const struct network *address);

/* Reads a list separated by blanks or commas, which lives in "a".  NULL when it is
 * good, else the entry that is not. */
const char *network_list_parse(struct arena *a, const char *text,
    struct network **list_r, size_t *count_r) MUST_CHECK;
bool network_list_contains(const struct network *list, size_t count,
    const struct network *address);

bool network_is_loopback(const struct network *address);

/* True for addresses of the open Internet: not for this host, private, shared, link-local,
 * documentation, multicast or reserved ones, nor IPv6 ones that stand for IPv4 ones. */
bool network_is_public(const struct network *address);

#endif
