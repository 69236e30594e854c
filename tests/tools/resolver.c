/*
 * resolver.c - a resolver that misbehaves as it is told to
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Loaded in front of the C library (LD_PRELOAD).  BELFRY_RESOLVER names a file with a line
 * for each host: "NAME servfail", "NAME nxdomain", "NAME empty", "NAME hang SECONDS" or
 * "NAME many COUNT", which is so many addresses where nobody answers and then
 * 127.0.0.1.  "NAME slow SECONDS" is 127.0.0.1 after a while.  "NAME is 0 ADDRESS,..." is
 * those, "NAME turns COUNT ADDRESS,..." the first of them for COUNT look-ups and the others
 * then.  What does not stand there is looked up as ever.  The file is read at each call, so it may change.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int lookup_fn(const char *, const char *, const struct addrinfo *,
    struct addrinfo **);

/* How "name" behaves: 1 when it is one of ours. */
static int
find(const char *name, char how[16], int *number_r, char addresses[128])
{
	const char *path = getenv("BELFRY_RESOLVER");
	FILE *f = path != NULL ? fopen(path, "re") : NULL;
	char line[256], host[128];
	int found = 0;

	while (f != NULL && !found && fgets(line, sizeof(line), f) != NULL) {
		*number_r = 0;
		addresses[0] = '\0';
		if (sscanf(line, "%127s %15s %d %127s", host, how, number_r,
		        addresses) >= 2)
			found = strcmp(host, name) == 0;
	}
	if (f != NULL)
		fclose(f);
	return found;
}

/* Appends what the library makes of a number. */
static struct addrinfo **
append(lookup_fn *lookup, struct addrinfo **end, const char *address,
    const char *service, const struct addrinfo *hints)
{
	if (lookup(address, service, hints, end) != 0)
		return end;
	while (*end != NULL)
		end = &(*end)->ai_next;
	return end;
}

static int
many(lookup_fn *lookup, int count, const char *service,
    const struct addrinfo *hints, struct addrinfo **list_r)
{
	struct addrinfo **end = list_r;
	char address[32];
	int i;

	*list_r = NULL;
	for (i = 0; i < count; i++) {
		snprintf(address, sizeof(address), "127.77.%d.%d", i / 250,
		    i % 250 + 1);
		end = append(lookup, end, address, service, hints);
	}
	append(lookup, end, "127.0.0.1", service, hints);
	return *list_r != NULL ? 0 : EAI_MEMORY;
}

/* Those of a list; of one that turns, the first or the others. */
static int
listed(lookup_fn *lookup, char *addresses, int turns, const char *service,
    const struct addrinfo *hints, struct addrinfo **list_r)
{
	static int asked;
	struct addrinfo **end = list_r;
	char *rest = addresses, *address;
	int n = 0, later = turns > 0 && __sync_fetch_and_add(&asked, 1) >= turns;

	*list_r = NULL;
	while ((address = strsep(&rest, ",")) != NULL) {
		if (turns == 0 || (n > 0) == later)
			end = append(lookup, end, address, service, hints);
		n++;
	}
	return *list_r != NULL ? 0 : EAI_NONAME;
}

int
getaddrinfo(const char *name, const char *service,
    const struct addrinfo *hints, struct addrinfo **list_r)
{
	lookup_fn *lookup = (lookup_fn *)dlsym(RTLD_NEXT, "getaddrinfo");
	char how[16], addresses[128];
	int number;

	if (name == NULL || !find(name, how, &number, addresses))
		return lookup(name, service, hints, list_r);
	if (strcmp(how, "is") == 0 || strcmp(how, "turns") == 0)
		return listed(lookup, addresses, number, service, hints, list_r);
	if (strcmp(how, "nxdomain") == 0)
		return EAI_NONAME;
	if (strcmp(how, "empty") == 0)
		return EAI_NODATA;
	if (strcmp(how, "many") == 0 || strcmp(how, "slow") == 0) {
		if (how[0] == 's')
			sleep((unsigned)number);
		return many(lookup, how[0] == 'm' ? number : 0, service, hints,
		    list_r);
	}
	if (strcmp(how, "hang") == 0)
		sleep((unsigned)number);
	return EAI_AGAIN;
}
