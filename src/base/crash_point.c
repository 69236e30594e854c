/*
 * crash_point.c - places at which a test lets the process die
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "base/crash_point.h"

#ifdef BELFRY_CRASH_POINTS

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORD_BYTES = 64 };

static const char *const names[] = {
#define X(NAME, name) [CRASH_##NAME] = name,
#include "base/crash_point.def"
#undef X
};

static int passed[CRASH_POINT_COUNT];

/* What the variable says, or the file that it names; "" is nothing. */
static void
read_word(const char *variable, char word[static WORD_BYTES])
{
	ssize_t n = 0;
	int fd;

	word[0] = '\0';
	if (variable == NULL)
		return;
	if (variable[0] != '@') {
		strncat(word, variable, WORD_BYTES - 1);
		return;
	}
	fd = open(variable + 1, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, word, WORD_BYTES - 1);
	word[n > 0 ? n : 0] = '\0';
	word[strcspn(word, "\n")] = '\0';
	close(fd);
}

/* At which time this place is the one: 0 is never. */
static int
when(enum crash_point at)
{
	char word[WORD_BYTES];
	size_t n = strlen(names[at]);

	read_word(getenv("BELFRY_CRASH_AT"), word);
	if (strncmp(word, names[at], n) != 0)
		return 0;
	if (word[n] == ':')
		return (int)strtol(word + n + 1, NULL, 10);
	return word[n] == '\0' ? 1 : 0;
}

bool
crash_point_is_set(enum crash_point at)
{
	return when(at) > 0;
}

void
crash_point(enum crash_point at)
{
	const char *variable = getenv("BELFRY_CRASH_AT");
	int time;

	if (variable == NULL)
		return;
	time = when(at);
	if (time == 0) {
		passed[at] = 0;
		return;
	}
	if (++passed[at] != time)
		return;
	/* Of several processes only one dies of a file. */
	if (variable[0] == '@' && unlink(variable + 1) < 0)
		return;
	kill(getpid(), SIGKILL);
}

#endif
