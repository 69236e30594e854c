/*
 * guard.c - which hosts may be reached on behalf of a tenant
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The operator's list is short and connections are few: it is read anew each time.
 */
#include "net/guard.h"

#include <netdb.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "base/network.h"

enum { HOST_MAX = 255 };

bool
guard_allows(const char *allowed, const struct sockaddr *address)
{
	struct network n, *list;
	struct arena *a;
	size_t count;
	bool is;

	if (network_of(address, &n) != 0)
		return false;
	if (network_is_public(&n))
		return true;
	a = arena_new(512);
	is = network_list_parse(a, allowed, &list, &count) == NULL &&
	    network_list_contains(list, count, &n);
	arena_free(&a);
	return is;
}

/* The host of a URL, without brackets; false when there is none, or a longer one than
 * there can be. */
static bool
host_of(const char *url, char host[static HOST_MAX + 1])
{
	const char *at = strstr(url, "://"), *end, *sign;
	size_t n;

	at = at != NULL ? at + 3 : url;
	end = at + strcspn(at, "/?#");
	sign = memrchr(at, '@', (size_t)(end - at));
	if (sign != NULL)
		at = sign + 1;
	if (*at == '[') {
		at++;
		n = strcspn(at, "]");
	} else if (strchr(at, ':') != strrchr(at, ':') && at == url) {
		n = strlen(at); /* an IPv6 address alone */
	} else {
		n = strcspn(at, ":/?#");
	}
	while (n > 0 && at[n - 1] == '.')
		n--;
	if (n == 0 || n > HOST_MAX)
		return false;
	memcpy(host, at, n);
	host[n] = '\0';
	return true;
}

static bool
is_localhost(const char *host)
{
	size_t n = strlen(host);

	return strcasecmp(host, "localhost") == 0 ||
	    (n > 10 && strcasecmp(host + n - 10, ".localhost") == 0);
}

/* Numbers in every form that resolvers take: "2130706433", "0x7f.1". */
bool
guard_allows_url(const char *allowed, const char *url)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST,
		.ai_socktype = SOCK_STREAM }, *list;
	char host[HOST_MAX + 1];
	bool allows;

	if (!host_of(url, host))
		return false;
	if (getaddrinfo(is_localhost(host) ? "127.0.0.1" : host, NULL, &hints,
	        &list) != 0)
		return true;
	allows = guard_allows(allowed, list->ai_addr);
	freeaddrinfo(list);
	return allows;
}

const char *
guard_refusal(bool of_platform)
{
	return of_platform
	    ? "is not of the open Internet, and neither network.allowed_platform "
	      "nor network.allowed holds it"
	    : "is not of the open Internet, and network.allowed does not hold it";
}
