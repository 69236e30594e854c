/*
 * replay.h - runs a fuzz target over files, where no fuzzer drives it
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_TESTS_FUZZ_REPLAY_H
#define BELFRY_TESTS_FUZZ_REPLAY_H

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/ensure.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void
replay_file(const char *path)
{
	static uint8_t bytes[1 << 16];
	FILE *file = fopen(path, "rb");
	size_t len;

	if (file == NULL)
		panic("could not open \"%s\"", path);
	len = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	LLVMFuzzerTestOneInput(bytes, len);
}

/* Returns how many files there were. */
static int
replay_directory(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char name[4096];
	int count = 0;

	if (dir == NULL)
		panic("could not open \"%s\"", path);
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if ((size_t)snprintf(name, sizeof(name), "%s/%s", path,
		        entry->d_name) >= sizeof(name))
			panic("too long: \"%s/%s\"", path, entry->d_name);
		replay_file(name);
		count++;
	}
	closedir(dir);
	return count;
}

/* What main() does: the files of the command line, or the corpus "name". */
static int
replay_main(const char *name, int argc, char **argv)
{
	const char *srcdir = getenv("BELFRY_SRCDIR");
	char path[4096];
	int i, count;

	for (i = 1; i < argc; i++)
		replay_file(argv[i]);
	if (argc > 1)
		return 0;
	snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s",
	    srcdir != NULL ? srcdir : ".", name);
	count = replay_directory(path);
	printf("1..1\n%sok 1 - fuzz_%s: %d inputs replayed\n",
	    count > 0 ? "" : "not ", name, count);
	return count > 0 ? 0 : 1;
}

#endif
