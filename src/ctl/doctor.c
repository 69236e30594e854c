/*
 * doctor.c - belfryctl doctor
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A table of checks, each of which adds findings.  A check whose ground is
 * missing (no configuration, no database) says nothing: the finding that took
 * it away is enough.
 */
#include "ctl/doctor.h"

#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/config.h"
#include "base/err.h"
#include "base/seal.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/out.h"
#include "net/cache.h"

/* ---- Findings
 * --------------------------------------------------------------- */

static void
add(struct doctor *d, const char *state, const char *mend, const char *text)
{
	json_array_append_new(d->rows,
	    json_pack("{s:s, s:s, s:s, s:o}", "state", state, "check", d->check,
	        "text", text, "mend", out_text(mend)));
}

void
doctor_ok(struct doctor *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(d, "ok", NULL, arena_vprintf(d->c->a, fmt, ap));
	va_end(ap);
}

void
doctor_warn(struct doctor *d, const char *mend, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(d, "warn", mend, arena_vprintf(d->c->a, fmt, ap));
	va_end(ap);
}

void
doctor_fail(struct doctor *d, const char *mend, const char *fmt, ...)
{
	va_list ap;

	d->failed = true;
	va_start(ap, fmt);
	add(d, "fail", mend, arena_vprintf(d->c->a, fmt, ap));
	va_end(ap);
}

/* ---- This host
 * ---------------------------------------------------------------- */

/* Root may read what the programs of Belfry, as a user of their own, may not. */
static void
check_owner_of_keys(struct doctor *d, const char *directory)
{
	const char *current = arena_printf(d->c->a, "%s/current", directory);
	struct stat dir, file;

	if (stat(directory, &dir) == -1 || stat(current, &file) == -1 ||
	    dir.st_uid == file.st_uid)
		doctor_ok(d, "%s can be read, and only by its owner", directory);
	else
		doctor_fail(d,
		    "Let directory and files belong to the user of Belfry "
		    "(chown -R).",
		    "%s and the keys in it have different owners", directory);
}

static void
check_keys(struct doctor *d)
{
	const char *directory = d->c->config->keys_directory;
	struct keyring *ring;
	struct err e;

	if (ctl_keyring(d->c, &ring, &e) == 0)
		check_owner_of_keys(d, directory);
	else
		doctor_fail(d,
		    "Restore the keys from your copy, or give them the "
		    "modes 0600 (files) and 0700 (directory); "
		    "\"belfryctl init\" makes the first ones.",
		    "%s%s%s", e.text, e.detail[0] != '\0' ? ": " : "",
		    e.detail);
}

static void
check_run_directory(struct doctor *d)
{
	const char *path = d->c->config->process_run_directory;

	if (access(path, W_OK | X_OK) == 0)
		doctor_ok(d, "%s can be written", path);
	else
		doctor_fail(d,
		    "Make the directory, owned by the user of Belfry.",
		    "%s cannot be written: %s", path, strerror(errno));
}

static void
check_cache(struct doctor *d)
{
	const struct config *config = d->c->config;
	struct cache *cache;
	struct err e;

	if (cache_new(d->c->a, config, &cache, &e) == -1) {
		doctor_fail(d, "Mend cache.servers.", "%s", e.text);
		return;
	}
	switch (cache_probe(cache)) {
	case CACHE_UNUSED:
		doctor_ok(d, "no memcached is configured");
		break;
	case CACHE_OK:
		doctor_ok(d, "memcached at %s answers", config->cache_servers);
		break;
	case CACHE_FAILED:
		doctor_warn(d, "Start memcached, or mend cache.servers; Belfry "
		    "works without, but slower.",
		    "memcached at %s does not answer", config->cache_servers);
		break;
	}
}

/* Connects to a path of the file system; returns 0 or the error number. */
static int
try_unix(const char *path, int type)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd, error = 0;

	if (strlen(path) >= sizeof(sa.sun_path))
		return ENAMETOOLONG;
	memcpy(sa.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return errno;
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0)
		error = errno;
	close(fd);
	return error;
}

static int
try_address(const struct addrinfo *ai)
{
	int fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC, 0);
	int error = 0;

	if (fd == -1)
		return errno;
	if (connect(fd, ai->ai_addr, ai->ai_addrlen) != 0)
		error = errno;
	close(fd);
	return error;
}

/* "ADDRESS:PORT" or "[ADDRESS]:PORT" */
static int
try_tcp(struct arena *a, const char *listen)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
	const char *colon = strrchr(listen, ':');
	bool bracket = listen[0] == '[';
	struct addrinfo *ai;
	const char *host;
	int error;

	if (colon == NULL || colon - listen < (bracket ? 2 : 0))
		return EINVAL;
	host = arena_strndup(a, listen + bracket,
	    (size_t)(colon - listen) - (bracket ? 2 : 0));
	if (getaddrinfo(host, colon + 1, &hints, &ai) != 0)
		return EINVAL;
	error = try_address(ai);
	freeaddrinfo(ai);
	return error;
}

static void
check_api(struct doctor *d)
{
	const char *listen = d->c->config->api_listen;
	int error = strncmp(listen, "unix:", 5) == 0
	    ? try_unix(listen + 5, SOCK_STREAM)
	    : try_tcp(d->c->a, listen);

	if (error == 0)
		doctor_ok(d, "belfry-api listens at %s", listen);
	else
		doctor_warn(d,
		    "Start belfry-api. When the web server hands over "
		    "the socket, or it runs on another host, all is well.",
		    "nobody answers at %s: %s", listen, strerror(error));
}

/* Each spooler process has the configured path and the number of its slot. */
static void
check_doorbell(struct doctor *d)
{
	const struct config *config = d->c->config;
	const char *path =
	    arena_printf(d->c->a, "%s.0", config->spooler_doorbell);
	int error = try_unix(path, SOCK_DGRAM);

	if (error == 0)
		doctor_ok(d, "a spooler of this host listens at %s", path);
	else
		doctor_warn(d,
		    "Start belfry-spooler here, or let polling find the "
		    "work when it runs on another host.",
		    "no spooler listens at %s: %s", path, strerror(error));
}

/* ---- All of them
 * --------------------------------------------------------------- */

static const struct {
	const char *name;
	void (*look)(struct doctor *d);
} checks[] = {
	{ "keys", check_keys },
	{ "run directory", check_run_directory },
	{ "database", doctor_database },
	{ "roles", doctor_roles },
	{ "schema", doctor_schema },
	{ "sessions", doctor_sessions },
	{ "durability", doctor_durability },
	{ "clock", doctor_clock },
	{ "partitions", doctor_partitions },
	{ "settings", doctor_settings },
	{ "providers", doctor_providers },
	{ "user services", doctor_user_services },
	{ "memcached", check_cache },
	{ "api", check_api },
	{ "doorbell", check_doorbell },
	{ "spoolers", doctor_spoolers },
	{ "hold", doctor_hold },
};

static const struct out_column columns[] = {
	{ "state", "STATE" },
	{ "check", "CHECK" },
	{ "text", "FINDING" },
	{ "mend", "MEND" },
	{ NULL, NULL },
};

/* The configuration is the ground that the others stand on. */
static bool
check_config(struct doctor *d)
{
	struct ctl *c = d->c;
	struct err e;

	d->check = "configuration";
	if (ctl_open_config(c, &e) == -1) {
		c->status = CTL_EXIT_OK;
		doctor_fail(d, "\"belfryctl check-config\" names every fault.",
		    "%s", e.text);
		return false;
	}
	if (c->config_path != NULL)
		doctor_ok(d, "%s is right", c->config_path);
	else
		doctor_ok(d, "there is no file: the defaults are in force");
	return true;
}

/* People see a mend below its finding, not in a column that is mostly empty. */
static void
print(const struct doctor *d)
{
	json_t *row, *mend;
	size_t i;

	if (d->c->json) {
		out_table(d->c, json_incref(d->rows), columns, "");
		return;
	}
	json_array_foreach(d->rows, i, row) {
		mend = json_object_get(row, "mend");
		out_said(d->c, NULL, "%-4s  %s: %s",
		    json_string_value(json_object_get(row, "state")),
		    json_string_value(json_object_get(row, "check")),
		    json_string_value(json_object_get(row, "text")));
		if (json_is_string(mend))
			out_said(
			    d->c, NULL, "      %s", json_string_value(mend));
	}
}

int
command_doctor(struct ctl *c, struct err *e)
{
	struct doctor d = { .c = c, .rows = json_array() };
	size_t i;

	if (check_config(&d))
		for (i = 0; i < NELEMS(checks); i++) {
			d.check = checks[i].name;
			checks[i].look(&d);
		}
	print(&d);
	json_decref(d.rows);
	if (d.failed)
		c->status = CTL_EXIT_FAILED;
	return 0;
}
