/*
 * network.c - addresses of hosts and networks
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "base/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/arena.h"

enum { TEXT_CHARS_MAX = 64 };

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

static void
unmap(struct network *n)
{
	if (n->size != 16 || n->bits < 96 ||
	    memcmp(n->bytes, mapped, sizeof(mapped)) != 0)
		return;
	memmove(n->bytes, n->bytes + sizeof(mapped), 4);
	memset(n->bytes + 4, 0, 12);
	n->size = 4;
	n->bits -= 96;
}

static bool
bit(const struct network *n, unsigned i)
{
	return (n->bytes[i / 8] & 0x80 >> i % 8) != 0;
}

static int
parse_address(const char *text, size_t len, struct network *n_r)
{
	char copy[TEXT_CHARS_MAX];

	if (len > 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	if (len >= sizeof(copy))
		return -1;
	memcpy(copy, text, len);
	copy[len] = '\0';
	memset(n_r, 0, sizeof(*n_r));
	if (inet_pton(AF_INET, copy, n_r->bytes) == 1)
		n_r->size = 4;
	else if (inet_pton(AF_INET6, copy, n_r->bytes) == 1)
		n_r->size = 16;
	else
		return -1;
	n_r->bits = (uint8_t)(n_r->size * 8);
	return 0;
}

static int
parse_bits(const char *text, struct network *n)
{
	unsigned bits = 0, i;

	if (strspn(text, "0123456789") != strlen(text) || text[0] == '\0' ||
	    strlen(text) > 3)
		return -1;
	for (; *text != '\0'; text++)
		bits = bits * 10 + (unsigned)(*text - '0');
	if (bits > n->bits)
		return -1;
	for (i = bits; i < n->bits; i++)
		if (bit(n, i))
			return -1;
	n->bits = (uint8_t)bits;
	return 0;
}

int
network_parse(const char *text, bool networks, struct network *n_r)
{
	size_t len = strcspn(text, "/");
	struct network n;

	if (parse_address(text, len, &n) != 0)
		return -1;
	if (text[len] == '/' && (!networks || parse_bits(text + len + 1, &n)))
		return -1;
	unmap(&n);
	*n_r = n;
	return 0;
}

int
network_of(const struct sockaddr *address, struct network *n_r)
{
	struct network n = { .size = 0 };

	if (address->sa_family == AF_INET) {
		n.size = 4;
		memcpy(n.bytes,
		    &((const struct sockaddr_in *)(const void *)address)->sin_addr,
		    4);
	} else if (address->sa_family == AF_INET6) {
		n.size = 16;
		memcpy(n.bytes,
		    &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr,
		    16);
	} else {
		return -1;
	}
	n.bits = (uint8_t)(n.size * 8);
	unmap(&n);
	*n_r = n;
	return 0;
}

bool
network_contains(const struct network *n, const struct network *address)
{
	unsigned i;

	if (n->size != address->size || n->bits > address->bits)
		return false;
	for (i = 0; i < n->bits; i++)
		if (bit(n, i) != bit(address, i))
			return false;
	return true;
}

const char *
network_list_parse(struct arena *a, const char *text, struct network **list_r,
    size_t *count_r)
{
	static const char separators[] = " \t,";
	struct network *list = arena_zalloc(a, strlen(text) / 2 + 1,
	    sizeof(*list));
	size_t count = 0, len;
	const char *entry;

	for (text += strspn(text, separators); *text != '\0';
	     text += strspn(text, separators)) {
		len = strcspn(text, separators);
		entry = arena_strndup(a, text, len);
		if (network_parse(entry, true, &list[count++]) != 0)
			return entry;
		text += len;
	}
	*list_r = list;
	*count_r = count;
	return NULL;
}

bool
network_list_contains(const struct network *list, size_t count,
    const struct network *address)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (network_contains(&list[i], address))
			return true;
	return false;
}

static bool
stands_in(const char *const *list, size_t count, const struct network *address)
{
	struct network n;
	size_t i;

	for (i = 0; i < count; i++)
		if (network_parse(list[i], true, &n) == 0 &&
		    network_contains(&n, address))
			return true;
	return false;
}

bool
network_is_loopback(const struct network *address)
{
	static const char *const loopback[] = { "127.0.0.0/8", "::1" };

	return stands_in(loopback, NELEMS(loopback), address);
}

/* From the registries of special-purpose addresses that IANA keeps (RFC 6890). */
bool
network_is_public(const struct network *address)
{
	static const char *const special[] = { "0.0.0.0/8", "10.0.0.0/8",
		"100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
		"172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
		"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
		"198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3" };
	/* Of IPv6 only 2000::/3 is in use; within it 6to4, Teredo and others. */
	static const char *const open[] = { "2000::/3" };
	static const char *const closed[] = { "2001::/23", "2001:db8::/32",
		"2002::/16", "3fff::/20" };

	if (address->size == 4)
		return !stands_in(special, NELEMS(special), address);
	return stands_in(open, NELEMS(open), address) &&
	    !stands_in(closed, NELEMS(closed), address);
}
