/*
 * main.c - belfry-spooler
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>
#include <sodium.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/err.h"
#include "base/log.h"
#include "base/master.h"
#include "base/metrics.h"
#include "base/process.h"
#include "base/wipe.h"
#include "config.h"
#include "db/db.h"
#include "db/durability.h"
#include "db/migrate.h"
#include "spooler/spooler.h"

enum { FAULTS_MAX = 65536, STATUS_CONFIG = 3 };

static void
usage(FILE *to)
{
	fprintf(to, "usage: belfry-spooler [-tV] [-c file]\n");
}

static int
worker_count(const struct config *config)
{
	return (int)config->spooler_processes;
}

/* Seen before the workers are there, which tell it. */
static bool commits_unsafe;

static int
worker(const struct config *config, int listen_fd, int slot)
{
	metrics_set(METRIC_DB_COMMITS_UNSAFE, 1, slot == 0 && commits_unsafe);
	return spooler_run(config, slot);
}

/* Refuses an older schema.  A database that cannot be reached now is waited for. */
static int
check_schema(const struct config *config, struct err *e)
{
	struct arena *a = arena_new(4096);
	struct db_params params = db_params_from(config,
	    config->database_spooler_user, "belfry-spooler");
	struct db *db = db_new(a, &params);
	int rc = db_connect(db, e);

	if (rc == -1) {
		log_warn(NULL, "starting without the database", LF_ERR(e));
		rc = 0;
	} else {
		rc = migrate_check(db, a, e);
		commits_unsafe = rc == 0 && durability_check(db, a);
	}
	arena_free(&a);
	return rc;
}

static int
start(struct arena *a, const char *path, bool check_only)
{
	struct buf *faults = buf_new(a, FAULTS_MAX);
	enum log_level level = LOG_LEVEL_INFO;
	struct config *config;
	struct err e;

	if (config_load(a, path, &config, faults, &e) == -1 ||
	    log_level_parse(config->log_level, &level) == -1) {
		fprintf(stderr, "%s", faults->data);
		return STATUS_CONFIG;
	}
	if (check_only)
		return 0;
	if (log_open("belfry-spooler", config->log_target, level, &e) == -1 ||
	    process_run_directory(config->process_run_directory,
	        config->process_user, &e) == -1 ||
	    metrics_open(config->process_run_directory, &e) == -1 ||
	    process_become(config->process_user, &e) == -1 ||
	    check_schema(config, &e) == -1) {
		fprintf(stderr, "belfry-spooler: %s\n", e.text);
		log_error(NULL, "cannot start", LF_ERR(&e));
		return 1;
	}
	return master_run(&(struct master_params){
	    .program = "belfry-spooler",
	    .config_path = path,
	    .config = config,
	    .listen_fd = -1,
	    .worker_count = worker_count,
	    .worker = worker,
	});
}

int
main(int argc, char *argv[])
{
	const char *path = BELFRY_SYSCONFDIR "/belfry.conf";
	bool check_only = false;
	struct arena *a;
	int option, status;

	wipe_begin();
	while ((option = getopt(argc, argv, "c:tV")) != -1) {
		switch (option) {
		case 'c':
			path = optarg;
			break;
		case 't':
			check_only = true;
			break;
		case 'V':
			printf("belfry-spooler %s\n", PACKAGE_VERSION);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind != argc) {
		usage(stderr);
		return 2;
	}
	if (sodium_init() == -1 ||
	    curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		fprintf(stderr, "belfry-spooler: cannot initialise its libraries\n");
		return 1;
	}
	a = arena_new(65536);
	status = start(a, path, check_only);
	arena_free(&a);
	return status;
}
