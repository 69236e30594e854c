/*
 * main.c - belfry-api, the REST API over FastCGI
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sodium.h>

#include "api/worker.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/err.h"
#include "base/listen.h"
#include "base/log.h"
#include "base/master.h"
#include "base/metrics.h"
#include "base/process.h"
#include "base/seal.h"
#include "base/wipe.h"
#include "base/worker.h"
#include "db/db.h"
#include "db/durability.h"
#include "db/migrate.h"

#define PROGRAM "belfry-api"

enum { EXIT_USAGE = 2, EXIT_CONFIG = 3 };
enum { BACKLOG = 1024, FAULTS_BYTES_MAX = 65536 };

/* Beyond the slowest request: reading its body and asking the database. */
static const int64_t STOP_MARGIN_MS = 10000;

struct options {
	const char *config_path;
	bool foreground;
	bool check;
};

static int
usage(FILE *out, int status)
{
	fprintf(out,
	    "usage: " PROGRAM " [-c FILE] [-n | -t]\n"
	    "       " PROGRAM " -V\n"
	    "  -c FILE  read this configuration (default: "
	    BELFRY_SYSCONFDIR "/belfry.conf if it is there)\n"
	    "  -n       do not fork: one worker in the foreground\n"
	    "  -t       check the configuration and exit\n"
	    "  -V       print the version and exit\n");
	return status;
}

/* Returns -1 to go on, else the exit status. */
static int
read_options(int argc, char **argv, struct options *o)
{
	const char *standard = BELFRY_SYSCONFDIR "/belfry.conf";
	int c;

	while ((c = getopt(argc, argv, "c:hntV")) != -1) {
		switch (c) {
		case 'c':
			o->config_path = optarg;
			break;
		case 'n':
			o->foreground = true;
			break;
		case 't':
			o->check = true;
			break;
		case 'V':
			puts(PROGRAM " " PACKAGE_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			return usage(stdout, EXIT_SUCCESS);
		default:
			return usage(stderr, EXIT_USAGE);
		}
	}
	if (optind != argc)
		return usage(stderr, EXIT_USAGE);
	if (o->config_path == NULL && access(standard, F_OK) == 0)
		o->config_path = standard;
	return -1;
}

/* Seen before the workers are there, which tell it. */
static bool commits_unsafe;

static int
worker(const struct config *config, int listen_fd, int slot)
{
	metrics_set(METRIC_DB_COMMITS_UNSAFE, 0, slot == 0 && commits_unsafe);
	return api_worker(config, listen_fd, slot);
}

/* A schema that is too old cannot be served; a database that is away may come. */
static int
check_schema(const struct config *config, struct err *e)
{
	struct arena *a = arena_new(4096);
	struct db_params p = db_params_from(config, config->database_api_user,
	    PROGRAM);
	struct db *db = db_new(a, &p);
	int rc = 0;

	if (db_connect(db, e) != 0)
		log_warn(NULL, "the database is not there yet", LF_ERR(e));
	else if ((rc = migrate_check(db, a, e)) == 0)
		commits_unsafe = durability_check(db, a);
	arena_free(&a);
	return rc;
}

/* The workers read the keys too; a key that cannot be read stops the start. */
static int
check_keys(const struct config *config, struct err *e)
{
	struct arena *a = arena_new(4096);
	struct keyring *ring;
	int rc = keyring_load(a, config->keys_directory, &ring, e);

	arena_free(&a);
	return rc;
}

/* All that needs rights or can be wrong, before the first worker.  Returns the
 * listening socket, or -1. */
static int
prepare(const struct config *config, const struct listen_params *listening,
    struct err *e)
{
	enum log_level level;
	int fd;

	if (log_level_parse(config->log_level, &level) != 0)
		return err_set(e, ERR_INVALID, "log.level is none");
	if (log_open(PROGRAM, config->log_target, level, e) != 0 ||
	    process_run_directory(config->process_run_directory,
	        config->process_user, e) != 0)
		return -1;
	fd = listen_open(listening, e);
	if (fd == -1)
		return -1;
	if (process_become(config->process_user, e) != 0 ||
	    metrics_open(config->process_run_directory, e) != 0 ||
	    check_keys(config, e) != 0 || check_schema(config, e) != 0) {
		listen_unlink(listening, fd);
		close(fd);
		return -1;
	}
	process_harden();
	return fd;
}

static int
worker_count(const struct config *config)
{
	return (int)config->api_workers;
}

static int64_t
stop_limit_ms(const struct config *config)
{
	return config->api_body_timeout + config->database_statement_timeout +
	    config->database_connect_timeout + STOP_MARGIN_MS;
}

/* One worker without a master; Ctrl-C ends it, too. */
static int
run_foreground(const struct config *config, int fd)
{
	sigset_t interrupt;

	worker_enter(fd);
	sigemptyset(&interrupt);
	sigaddset(&interrupt, SIGINT);
	sigprocmask(SIG_UNBLOCK, &interrupt, NULL);
	metrics_attach();
	return worker(config, fd, 0);
}

struct door {
	struct listen_params listening;
	int fd;
};

/* Nobody new comes in by the path; who is in the queue is still served. */
static void
close_door(void *arg)
{
	struct door *door = arg;

	listen_unlink(&door->listening, door->fd);
}

static int
run(const struct options *o, const struct config *config)
{
	struct door door = {
		.listening = {
			.address = config->api_listen,
			.group = config->api_socket_group,
			.mode = config->api_socket_mode,
			.backlog = BACKLOG,
		},
	};
	struct master_params master = {
		.program = PROGRAM,
		.config_path = o->config_path,
		.config = config,
		.worker_count = worker_count,
		.worker = worker,
		.stop_limit_ms = stop_limit_ms,
		.close_door = close_door,
		.door = &door,
	};
	struct err e;
	int status;

	door.fd = prepare(config, &door.listening, &e);
	if (door.fd == -1) {
		fprintf(stderr, PROGRAM ": %s\n", e.text);
		return EXIT_FAILURE;
	}
	master.listen_fd = door.fd;
	status = o->foreground ? run_foreground(config, door.fd)
			       : master_run(&master);
	close_door(&door);
	close(door.fd);
	return status;
}

int
main(int argc, char **argv)
{
	struct options o = { .config_path = NULL };
	struct arena *a;
	struct config *config;
	struct buf faults;
	struct err e;
	int status;

	wipe_begin();
	status = read_options(argc, argv, &o);
	if (status != -1)
		return status;
	if (sodium_init() == -1)
		return EXIT_FAILURE;
	a = arena_new(16384);
	buf_init(&faults, FAULTS_BYTES_MAX);
	if (config_load(a, o.config_path, &config, &faults, &e) != 0) {
		fprintf(stderr, "%s",
		    faults.len > 0 ? faults.data : e.text);
		fprintf(stderr, "%s", faults.len > 0 ? "" : "\n");
		status = EXIT_CONFIG;
	} else if (o.check) {
		puts("the configuration is good");
		status = EXIT_SUCCESS;
	} else {
		status = run(&o, config);
	}
	buf_done(&faults);
	arena_free(&a);
	return status;
}
