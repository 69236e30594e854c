/*
 * crash.c - who was to blame when a spooler crashed
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The handler calls what is safe in a handler alone: open, write, close.  Then the signal
 * has its usual course.
 */
#include "spooler/crash.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler.h"

#define PREFIX "crash."

static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };

static struct crash_report now, suspect;
static char path[PATH_MAX];
static struct sigaction before[NELEMS(signals)];

static void
handle(int number)
{
	ssize_t n = 0;
	size_t i;
	int fd;

	if (now.tenant.n == 0) {
		now.tenant = suspect.tenant;
		now.notification = suspect.notification;
		now.delivery = suspect.delivery;
	}
	now.signal = number;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd != -1) {
		n = write(fd, &now, sizeof(now));
		close(fd);
	}
	if (n != (ssize_t)sizeof(now))
		unlink(path);
	for (i = 0; i < NELEMS(signals); i++)
		if (signals[i] == number)
			sigaction(number, &before[i], NULL);
	raise(number);
}

void
crash_watch(const char *run_directory, const struct uuid *spooler)
{
	struct sigaction action = { .sa_handler = handle };
	char id[UUID_TEXT_BYTES];
	bool first = path[0] == '\0';
	size_t i;

	uuid_format(spooler, id);
	now.spooler = *spooler;
	snprintf(path, sizeof(path), "%s/" PREFIX "%s", run_directory, id);
	sigemptyset(&action.sa_mask);
	for (i = 0; i < NELEMS(signals) && first; i++)
		sigaction(signals[i], &action, &before[i]);
}

void
crash_working_on(struct tenant_id tenant,
    const struct notification_id *notification,
    const struct delivery_id *delivery)
{
	static const struct delivery_id nil;

	now.tenant = tenant;
	now.notification = *notification;
	now.delivery = delivery != NULL ? *delivery : nil;
}

void
crash_idle(void)
{
	now.tenant.n = 0;
}

void
crash_suspect(struct tenant_id tenant,
    const struct notification_id *notification,
    const struct delivery_id *delivery)
{
	suspect.tenant.n = 0;
	if (delivery == NULL)
		return;
	suspect.notification = *notification;
	suspect.delivery = *delivery;
	suspect.tenant = tenant;
}

static bool
read_report(const char *file, struct crash_report *report_r)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd == -1)
		return false;
	n = read(fd, report_r, sizeof(*report_r));
	close(fd);
	return n == (ssize_t)sizeof(*report_r);
}

bool
crash_report_take(const char *run_directory, struct crash_report *report_r)
{
	DIR *dir = opendir(run_directory);
	const struct dirent *en;
	char file[PATH_MAX];
	bool found = false;

	if (dir == NULL)
		return false;
	while (!found && (en = readdir(dir)) != NULL) {
		if (strncmp(en->d_name, PREFIX, strlen(PREFIX)) != 0 ||
		    snprintf(file, sizeof(file), "%s/%s", run_directory,
		        en->d_name) >= (int)sizeof(file))
			continue;
		/* Only one process removes it. */
		found = read_report(file, report_r) && unlink(file) == 0;
		if (!found)
			unlink(file);
	}
	closedir(dir);
	return found;
}
