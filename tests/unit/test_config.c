/*
 * test_config.c - the configuration: one table, one struct
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/config_issuer.h"
#include "base/config_value.h"
#include "base/err.h"

static char directory[] = "/tmp/belfry-config-XXXXXX";
static struct arena *a;

static void
write_bytes(const char *text, size_t n)
{
	FILE *f = fopen("belfry.conf", "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void
write_file(const char *text)
{
	write_bytes(text, strlen(text));
}

/* Loads a text that must be good. */
static struct config *
load(const char *text)
{
	struct config *config = NULL;
	struct buf *faults = buf_new(a, 65536);
	struct err e;

	write_file(text);
	if (config_load(a, "belfry.conf", &config, faults, &e) == -1)
		fail_msg("%s", faults->data);
	return config;
}

static void
every_default_is_in_force_without_a_file(void **state)
{
	const struct config_key *k;
	struct config *config = NULL;
	struct config *same;
	struct err e;
	size_t count, i;

	assert_int_equal(config_load(a, NULL, &config, NULL, &e), 0);
	assert_string_equal(config->database_conninfo, "dbname=belfry");
	assert_true(config->database_prepared_statements);
	assert_int_equal(config->database_connect_timeout, 5000);
	assert_int_equal(config->api_workers, 16);
	assert_int_equal(config->api_body_max, 256 * 1024);
	assert_string_equal(config->api_socket_group, "");
	assert_int_equal(config->api_idempotency_ttl, INT64_C(86400000));
	assert_string_equal(config->process_run_directory, BELFRY_RUNDIR);

	/* What is at its default is written so that it reads back the same. */
	k = config_keys(&count);
	same = arena_object(a, struct config);
	for (i = 0; i < count; i++) {
		struct buf *text = buf_new(a, 4096);

		config_value_format(&k[i], config, text);
		assert_int_equal(
		    config_value_parse(a, &k[i], text->data, same, &e), 0);
		assert_true(config_value_equal(&k[i], config, same));
	}
}

static void
a_file_is_read(void **state)
{
	struct config *c = load("\xef\xbb\xbf# a comment\n"
	                        "; another\r\n"
	                        "\n"
	                        "[api]\n"
	                        "  workers = 4   ; four\n"
	                        "\tbody_max=1M\r\n"
	                        "socket_mode : 0600\n"
	                        "[database]\n"
	                        "conninfo = host=/run/x dbname=b\n"
	                        "prepared_statements = No\n"
	                        "connect_timeout = 2 s\n"
	                        "[ api ]\n"
	                        "[api]\n"
	                        "listen = [::1]:9000\n"
	                        "[cache]\n"
	                        "servers =\n"
	                        "[spooler]\n"
	                        "settle_delay = 0");

	assert_int_equal(c->api_workers, 4);
	assert_int_equal(c->api_body_max, 1048576);
	assert_string_equal(c->api_socket_mode, "0600");
	assert_string_equal(c->database_conninfo, "host=/run/x dbname=b");
	assert_false(c->database_prepared_statements);
	assert_int_equal(c->database_connect_timeout, 2000);
	assert_string_equal(c->api_listen, "[::1]:9000");
	assert_string_equal(c->cache_servers, "");
	assert_int_equal(c->spooler_settle_delay, 0);
}

static void
values_have_units(void **state)
{
	static const struct {
		const char *text;
		int64_t want;
	} rows[] = {
		{ "[retry]\ndelay_first = 10ms", 10 },
		{ "[retry]\ndelay_first = 5S", 5000 },
		{ "[retry]\ndelay_first = 2m", 120000 },
		{ "[retry]\ndelay_first = 1h", 3600000 },
		{ "[retry]\ndelay_first = 1d\ndelay_max = 1d", 86400000 },
	};
	static const struct {
		const char *text;
		int64_t want;
	} sizes[] = {
		{ "[api]\nbody_max = 2000", 2000 },
		{ "[api]\nbody_max = 2k", 2048 },
		{ "[api]\nbody_max = 2M", 2097152 },
	};
	size_t i;

	for (i = 0; i < NELEMS(rows); i++)
		assert_int_equal(load(rows[i].text)->retry_delay_first,
		    rows[i].want);
	for (i = 0; i < NELEMS(sizes); i++)
		assert_int_equal(load(sizes[i].text)->api_body_max,
		    sizes[i].want);
}

/* Each file with all that is found in it. */
static const struct {
	const char *text;
	const char *want;
} faulty[] = {
	{ "[api]\nworkers = 0\n",
	    "belfry.conf:2: api.workers: \"0\" is out of range; give a number "
	    "from 1 to 1024\n" },
	{ "[api]\nworkers = 1025\n",
	    "belfry.conf:2: api.workers: \"1025\" is out of range; give a number "
	    "from 1 to 1024\n" },
	{ "[api]\nworkers = many\n",
	    "belfry.conf:2: api.workers: \"many\" is not a whole number that "
	    "fits; give a number from 1 to 1024\n" },
	{ "[api]\nworkers =\n",
	    "belfry.conf:2: api.workers: \"\" is not a whole number that "
	    "fits; give a number from 1 to 1024\n" },
	{ "[api]\nworkers = -1\n",
	    "belfry.conf:2: api.workers: \"-1\" is not a whole number that "
	    "fits; give a number from 1 to 1024\n" },
	{ "[api]\nworkers = 4k\n",
	    "belfry.conf:2: api.workers: \"4k\" is not a whole number; give a "
	    "number from 1 to 1024\n" },
	{ "[api]\nworkers = 99999999999999999999\n",
	    "belfry.conf:2: api.workers: \"99999999999999999999\" is not a whole "
	    "number that fits; give a number from 1 to 1024\n" },
	{ "[api]\nbody_max = 9223372036854775807k\n",
	    "belfry.conf:2: api.body_max: \"9223372036854775807k\" is out of "
	    "range; give a size from 1k to 64m\n" },
	{ "[api]\nbody_max = 5x\n",
	    "belfry.conf:2: api.body_max: \"5x\" ends in none of k, m, g; give a "
	    "size from 1k to 64m\n" },
	{ "[api]\nbody_timeout = 20\n",
	    "belfry.conf:2: api.body_timeout: \"20\" has no unit; add ms, s, m, h "
	    "or d\n" },
	{ "[api]\nbody_timeout = 20 weeks\n",
	    "belfry.conf:2: api.body_timeout: \"20 weeks\" ends in none of ms, s, "
	    "m, h, d; give a duration from 100ms to 10m\n" },
	{ "[api]\nbody_timeout = 1.5s\n",
	    "belfry.conf:2: api.body_timeout: \"1.5s\" ends in none of ms, s, m, "
	    "h, d; give a duration from 100ms to 10m\n" },
	{ "[database]\nprepared_statements = maybe\n",
	    "belfry.conf:2: database.prepared_statements: \"maybe\" is neither "
	    "yes nor no; give one\n" },
	{ "[api]\nwokers = 4\n",
	    "belfry.conf:2: api.wokers: unknown key; did you mean "
	    "\"workers\"?\n" },
	{ "[api]\nWorkers = 4\n",
	    "belfry.conf:2: api.Workers: unknown key; did you mean "
	    "\"workers\"?\n" },
	{ "[api]\npoll_min = 4ms\n",
	    "belfry.conf:2: api.poll_min: unknown key; it belongs into "
	    "[spooler]\n" },
	{ "[api]\nfrobnicate = 4\n",
	    "belfry.conf:2: api.frobnicate: unknown key; belfry.conf(5) lists "
	    "them\n" },
	{ "[spoler]\npoll_min = 4ms\npoll_max = 5ms\n",
	    "belfry.conf:1: [spoler]: unknown section; did you mean "
	    "[spooler]?\n" },
	{ "\n[carillon]\nbells = 8\n",
	    "belfry.conf:2: [carillon]: unknown section; belfry.conf(5) lists "
	    "them\n" },
	{ "workers = 4\n",
	    "belfry.conf:1: workers: stands before the first [section]; move "
	    "it\n" },
	{ "[api]\nworkers = 4\n\nworkers = 5\n",
	    "belfry.conf:4: api.workers: given twice, first in line 2; remove "
	    "one\n" },
	{ "[api]\nworkers = 4\n[log]\n[api]\nworkers = 4\n",
	    "belfry.conf:5: api.workers: given twice, first in line 2; remove "
	    "one\n" },
	{ "[api\nworkers = 4\n",
	    "belfry.conf:1: neither a [section] nor \"key = value\"; put a # in "
	    "front of a comment\n"
	    "belfry.conf:2: workers: stands before the first [section]; move "
	    "it\n" },
	{ "[api]\nhello there\nworkers = 4\n== 7\n \nbye",
	    "belfry.conf:2: neither a [section] nor \"key = value\"; put a # in "
	    "front of a comment\n"
	    "belfry.conf:4: api.: unknown key; belfry.conf(5) lists them\n"
	    "belfry.conf:6: neither a [section] nor \"key = value\"; put a # in "
	    "front of a comment\n" },
	{ "[issuer]\nissuer = https://a\n",
	    "belfry.conf:1: [issuer]: needs a name of up to 32 small letters, "
	    "digits and dashes: [issuer NAME]\n" },
	{ "[issuer A b]\nissuer = https://a\n",
	    "belfry.conf:1: [issuer A b]: needs a name of up to 32 small "
	    "letters, digits and dashes: [issuer NAME]\n" },
	{ "[issuer a]\n[log]\n",
	    "belfry.conf:1: issuer a.issuer: is missing; give it\n"
	    "belfry.conf:1: issuer a.audience: is missing; give it\n" },
	{ "[issuer a]\nissuer = https://a\naudience = b\nissuer = https://b\n"
	  "color = red\njwks = keys.json\nca_file = ca.pem\ntenant = A\n",
	    "belfry.conf:4: issuer a.issuer: given twice, first in line 2; "
	    "remove one\n"
	    "belfry.conf:5: issuer a.color: unknown key; belfry.conf(5) lists "
	    "them\n"
	    "belfry.conf:6: issuer a.jwks: is neither a URL nor an absolute "
	    "path\n"
	    "belfry.conf:7: issuer a.ca_file: is not an absolute path\n"
	    "belfry.conf:8: issuer a.tenant: is not the slug of a tenant\n" },
	{ "[issuer a]\nissuer = a\naudience = b\n[issuer a]\n",
	    "belfry.conf:4: [issuer a]: there are two of this name; rename "
	    "one\n"
	    "belfry.conf:2: issuer a.issuer: is no URL, so jwks must say where "
	    "the keys are\n" },
	{ "[api]\nsocket_mode = 0999\nsocket_group = a\001b\n",
	    "belfry.conf:2: api.socket_mode: \"0999\" is not a mode in octal; "
	    "give one such as 0660\n"
	    "belfry.conf:3: api.socket_group: the value holds a control "
	    "character; remove it\n" },
	{ "[api]\nsocket_mode = 4755\n",
	    "belfry.conf:2: api.socket_mode: \"4755\" is not a mode in octal; "
	    "give one such as 0660\n" },
	{ "[api]\nlisten = 9000\n",
	    "belfry.conf:2: api.listen: \"9000\" has no port; give unix:PATH, "
	    "ADDRESS:PORT or [ADDRESS]:PORT\n" },
	{ "[api]\nurl_prefix = belfry/\n",
	    "belfry.conf:2: api.url_prefix: \"belfry/\" is not a prefix of a "
	    "path; begin it with a slash and end it without one\n" },
	{ "[log]\nlevel = loud\ntarget = sdterr\n",
	    "belfry.conf:2: log.level: \"loud\" is not a level; give debug, "
	    "info, warn or error\n"
	    "belfry.conf:3: log.target: \"sdterr\" is no place for a log; give "
	    "stderr, syslog or an absolute path\n" },
	{ "[process]\nrun_directory = run\n",
	    "belfry.conf:2: process.run_directory: \"run\" is not an absolute "
	    "path; begin it with a slash\n" },
	{ "[spooler]\nheartbeat_interval = 10s\n",
	    "belfry.conf:2: spooler.heartbeat_interval: dead_after is shorter "
	    "than two heartbeat_intervals, so spoolers that live would lose "
	    "their work; make it at least twice as long\n" },
	{ "[spooler]\npoll_max = 5ms\n[retry]\ndelay_first = 2h\n",
	    "belfry.conf:2: spooler.poll_max: poll_min is longer than poll_max; "
	    "make it at most as long\n"
	    "belfry.conf:4: retry.delay_first: delay_first is longer than "
	    "delay_max; make it at most as long\n" },
};

static void
every_fault_is_named(void **state)
{
	struct config untouched, *config;
	struct err e;
	size_t i;

	for (i = 0; i < NELEMS(faulty); i++) {
		struct buf *faults = buf_new(a, 65536);

		write_file(faulty[i].text);
		config = &untouched;
		assert_int_equal(
		    config_load(a, "belfry.conf", &config, faults, &e), -1);
		assert_string_equal(faults->data, faulty[i].want);
		assert_ptr_equal(config, &untouched);
		assert_int_equal(e.kind, ERR_INVALID);
		assert_int_equal(strncmp(e.text, faulty[i].want,
		                     strlen(e.text)), 0);
		assert_null(strchr(e.text, '\n'));
	}
}

static void
files_that_cannot_be_read_are_faults(void **state)
{
	char *line = arena_alloc(a, 9000), *large = arena_alloc(a, 1100000);
	struct config *config = NULL;
	struct err e;

	assert_int_equal(config_load(a, "missing", &config, NULL, &e), -1);
	assert_string_equal(e.text,
	    "missing: could not open the file: No such file or directory");
	assert_int_equal(config_load(a, ".", &config, NULL, &e), -1);
	assert_string_equal(e.text,
	    ".: could not read the file: Is a directory");

	write_bytes("[api]\0workers = 2\n", 18);
	assert_int_equal(config_load(a, "belfry.conf", &config, NULL, &e), -1);
	assert_string_equal(e.text,
	    "belfry.conf: the file holds a NUL byte; is it text?");

	memset(line, 'x', 9000);
	memcpy(line, "[api]\nlisten = ", 15);
	write_bytes(line, 9000);
	assert_int_equal(config_load(a, "belfry.conf", &config, NULL, &e), -1);
	assert_non_null(strstr(e.text, "belfry.conf:2: the line is too long"));

	memset(large, '\n', 1100000);
	write_bytes(large, 1100000);
	assert_int_equal(config_load(a, "belfry.conf", &config, NULL, &e), -1);
	assert_string_equal(e.text,
	    "belfry.conf: the file is larger than 1 MB");
}

static void
the_environment_overrides_the_file(void **state)
{
	struct config *config = NULL;
	struct buf *faults = buf_new(a, 4096);
	struct err e;

	setenv("BELFRY_API_WORKERS", "7", 1);
	setenv("BELFRY_CACHE_SERVERS", "", 1);
	setenv("BELFRY_API_KEY", "names no key of the table", 1);
	config = load("[api]\nworkers = 4\n");
	assert_int_equal(config->api_workers, 7);
	assert_string_equal(config->cache_servers, "");

	setenv("BELFRY_API_WORKERS", "no", 1);
	setenv("BELFRY_SPOOLER_POLL_MIN", "1s", 1);
	assert_int_equal(config_load(a, NULL, &config, faults, &e), -1);
	assert_string_equal(faults->data,
	    "environment:BELFRY_API_WORKERS: api.workers: \"no\" is not a whole "
	    "number that fits; give a number from 1 to 1024\n"
	    "environment:BELFRY_SPOOLER_POLL_MIN: spooler.poll_min: poll_min is "
	    "longer than poll_max; make it at most as long\n");
	unsetenv("BELFRY_API_WORKERS");
	unsetenv("BELFRY_CACHE_SERVERS");
	unsetenv("BELFRY_API_KEY");
	unsetenv("BELFRY_SPOOLER_POLL_MIN");
}

static void
secrets_are_not_repeated(void **state)
{
	struct config *config = NULL;
	struct buf *faults = buf_new(a, 4096);
	struct err e;

	write_file("[database]\nconninfo = password=hush\001\n");
	assert_int_equal(config_load(a, "belfry.conf", &config, faults, &e),
	    -1);
	assert_null(strstr(faults->data, "hush"));
}

static void
dumps_read_back_the_same(void **state)
{
	struct config *config = load("[api]\nworkers = 4\n[retry]\n"
	                             "delay_first = 90s\n[log]\n"
	                             "level = warn\n[template]\n"
	                             "output_max = 3m\n");
	struct buf *changed = buf_new(a, 65536), *all = buf_new(a, 65536);
	struct buf *sample = buf_new(a, 65536), *again = buf_new(a, 65536);

	config_dump(config, CONFIG_DUMP_CHANGED, changed);
	assert_string_equal(changed->data,
	    "[api]\nworkers = 4\n\n[retry]\ndelay_first = 90s\n\n[template]\n"
	    "output_max = 3m\n\n[log]\nlevel = warn\n");
	config_dump(config, CONFIG_DUMP_ALL, all);
	config_dump(load(all->data), CONFIG_DUMP_ALL, again);
	assert_string_equal(all->data, again->data);

	/* The sample says nothing but defaults. */
	config_dump(NULL, CONFIG_DUMP_SAMPLE, sample);
	buf_reset(changed);
	config_dump(load(sample->data), CONFIG_DUMP_CHANGED, changed);
	assert_string_equal(changed->data, "");
}

/* The sample without the # in front of its keys. */
static void
every_key_of_the_sample_is_read(void **state)
{
	struct buf *sample = buf_new(a, 65536), *plain = buf_new(a, 65536);
	struct buf *changed = buf_new(a, 65536);
	const char *line, *next;
	size_t count, found = 0;

	config_dump(NULL, CONFIG_DUMP_SAMPLE, sample);
	for (line = sample->data; *line != '\0'; line = next) {
		if (strncmp(line, "#[issuer NAME]", 14) == 0)
			break; /* its keys have no section without it */
		next = strchr(line, '\n') + 1;
		assert_true(next - line <= 80 || line[1] != ' ');
		if (line[0] == '#' && islower((unsigned char)line[1])) {
			line++;
			found++;
		}
		buf_add(plain, line, (size_t)(next - line));
	}
	config_keys(&count);
	assert_int_equal(found, count);
	config_dump(load(plain->data), CONFIG_DUMP_CHANGED, changed);
	assert_string_equal(changed->data, "");
}

/* Adds "text" with each "from" made "to". */
static void
add_replaced(struct buf *out, const char *text, const char *from,
    const char *to)
{
	const char *found;

	for (; (found = strstr(text, from)) != NULL; text = found +
	         strlen(from)) {
		buf_add(out, text, (size_t)(found - text));
		buf_puts(out, to);
	}
	buf_puts(out, text);
}

/* conf/belfry.conf is the sample with the paths that Debian uses.  "make
 * update-conf" writes it anew. */
static void
the_sample_in_the_tree_is_up_to_date(void **state)
{
	static const char *const paths[][2] = {
		{ BELFRY_RUNDIR, "/run/belfry" },
		{ BELFRY_SYSCONFDIR, "/etc/belfry" },
		{ BELFRY_STATEDIR, "/var/lib/belfry" },
	};
	struct buf *want = buf_new(a, 65536), *have = buf_new(a, 65536);
	struct buf *next;
	const char *top = getenv("BELFRY_SRCDIR");
	size_t i;
	FILE *f;

	if (top == NULL)
		skip();
	config_dump(NULL, CONFIG_DUMP_SAMPLE, want);
	for (i = 0; i < NELEMS(paths); i++) {
		next = buf_new(a, 65536);
		add_replaced(next, want->data, paths[i][0], paths[i][1]);
		want = next;
	}
	f = fopen(arena_printf(a, "%s/conf/belfry.conf", top), "r");
	assert_non_null(f);
	assert_true(buf_reserve(have, 65000));
	buf_grown(have, fread(have->data, 1, 65000, f));
	fclose(f);
	if (strcmp(have->data, want->data) != 0)
		fail_msg("conf/belfry.conf is not the table: run make "
		         "update-conf");
}

static void
the_table_is_sound(void **state)
{
	const struct config_key *k;
	size_t count, i, j;

	k = config_keys(&count);
	for (i = 0; i < count; i++) {
		assert_true(k[i].min <= k[i].max);
		assert_int_equal(k[i].help[strlen(k[i].help) - 1], '.');
		assert_true(strlen(k[i].section) < 40);
		for (j = 0; j < i; j++)
			if (strcmp(k[j].section, k[i].section) == 0)
				assert_string_equal(k[i - 1].section,
				    k[i].section);
	}
}

static int
set_up(void **state)
{
	a = arena_new(4096);
	return 0;
}

static int
tear_down(void **state)
{
	arena_free(&a);
	return 0;
}

static int
enter_directory(void **state)
{
	return mkdtemp(directory) == NULL ? -1 : chdir(directory);
}

static int
leave_directory(void **state)
{
	unlink("belfry.conf");
	return chdir("/") == -1 ? -1 : rmdir(directory);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static void
issuers_are_named_sections(void **state)
{
	struct config *config = load(
	    "[issuer keycloak]\n"
	    "issuer = https://sso.example.org/realms/shop\n"
	    "audience = belfry account\n"
	    "roles_claim =\n"
	    "[api]\nworkers = 3\n"
	    "[issuer other]\n"
	    "issuer = other\naudience = x\njwks = /etc/keys.json\n");
	struct buf *out = buf_new(a, 65536);

	assert_int_equal(config->issuers_count, 2);
	assert_int_equal(config->api_workers, 3);
	assert_string_equal(config->issuers[0].name, "keycloak");
	assert_string_equal(config->issuers[0].audience, "belfry account");
	assert_string_equal(config->issuers[0].roles_claim, "");
	assert_string_equal(config->issuers[0].user_claim, "sub");
	assert_string_equal(config->issuers[1].jwks, "/etc/keys.json");
	assert_string_equal(
	    config->issuers[1].roles_claim, "realm_access.roles");

	config_dump(config, CONFIG_DUMP_CHANGED, out);
	assert_non_null(strstr(out->data,
	    "[issuer keycloak]\n"
	    "issuer = https://sso.example.org/realms/shop\n"
	    "audience = belfry account\n"
	    "roles_claim =\n\n[issuer other]\n"));
	/* What is written reads back the same. */
	config = load(out->data);
	assert_int_equal(config->issuers_count, 2);
	assert_string_equal(config->issuers[1].audience, "x");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_default_is_in_force_without_a_file),
		TEST(a_file_is_read),
		TEST(values_have_units),
		TEST(every_fault_is_named),
		TEST(files_that_cannot_be_read_are_faults),
		TEST(the_environment_overrides_the_file),
		TEST(secrets_are_not_repeated),
		TEST(dumps_read_back_the_same),
		TEST(every_key_of_the_sample_is_read),
		TEST(the_sample_in_the_tree_is_up_to_date),
		TEST(the_table_is_sound),
		TEST(issuers_are_named_sections),
	};

	return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
