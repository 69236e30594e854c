/*
 * keyset_store.c - where the workers of a host leave key sets for each other
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "auth/keyset_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "auth/jwks.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"

enum { HEAD_BYTES = 32 };

#define SWEEP_AGE_S (24 * 60 * 60)
#define LOCK ".lock"

static int
fail(struct err *e, const char *what, const char *path)
{
	return err_set(e, ERR_INTERNAL, "could not %s \"%.150s\": %s", what,
	    path, strerror(errno));
}

static struct keyset_stamp
stamp_of(const struct stat *st)
{
	return (struct keyset_stamp){
		.inode = (uint64_t)st->st_ino,
		.changed_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 +
		    st->st_mtim.tv_nsec,
	};
}

/* All of an open file; NULL when it is too large or cannot be read. */
static char *
slurp(struct arena *a, int fd)
{
	size_t max = JWKS_BYTES_MAX + HEAD_BYTES, len = 0;
	char *text = arena_alloc(a, max + 1);
	ssize_t n = -1;

	while (len < max && (n = read(fd, text + len, max - len)) > 0)
		len += (size_t)n;
	if (n != 0)
		return NULL;
	text[len] = '\0';
	return strlen(text) == len ? text : NULL;
}

int
keyset_file_read(struct arena *a, const char *path, struct keyset_stamp *stamp,
    const char **text_r, struct err *e)
{
	struct keyset_stamp now;
	struct stat st;
	char *text;
	int fd;

	if (stat(path, &st) != 0)
		return errno == ENOENT ? 0 : fail(e, "read", path);
	now = stamp_of(&st);
	if (now.inode == stamp->inode && now.changed_ns == stamp->changed_ns)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1 || fstat(fd, &st) != 0) {
		if (fd != -1)
			close(fd);
		return fail(e, "read", path);
	}
	*stamp = stamp_of(&st);
	text = slurp(a, fd);
	close(fd);
	if (text == NULL)
		return err_set(e, ERR_INTERNAL,
		    "the file \"%.150s\" is too large or no text", path);
	*text_r = text;
	return 1;
}

int
keyset_file_write(struct arena *a, const char *path, const char *text,
    struct err *e)
{
	const char *fresh = arena_printf(a, "%s.%ld", path, (long)getpid());
	size_t len = strlen(text);
	int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	bool written;

	if (fd == -1)
		return fail(e, "make", fresh);
	written = write(fd, text, len) == (ssize_t)len;
	close(fd);
	if (!written || rename(fresh, path) != 0) {
		(void)unlink(fresh);
		return fail(e, "write", path);
	}
	return 0;
}

int
keyset_lock(struct arena *a, const char *path, int64_t pause_ms, bool *busy_r)
{
	int fd = open(arena_printf(a, "%s" LOCK, path),
	    O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	int64_t begun_ms = 0, now_ms = clock_wall_ms();

	*busy_r = false;
	if (fd == -1)
		return -1;
	*busy_r = flock(fd, LOCK_EX | LOCK_NB) != 0;
	if (!*busy_r &&
	    (pread(fd, &begun_ms, sizeof(begun_ms), 0) !=
	            (ssize_t)sizeof(begun_ms) ||
	        begun_ms > now_ms || now_ms - begun_ms >= pause_ms) &&
	    pwrite(fd, &now_ms, sizeof(now_ms), 0) == (ssize_t)sizeof(now_ms))
		return fd;
	close(fd);
	return -1;
}

int
keyset_place(struct arena *a, const char *directory, const char *owner,
    int count)
{
	static const unsigned char key[crypto_shorthash_KEYBYTES];
	unsigned char hash[crypto_shorthash_BYTES];
	int i, fd;

	(void)crypto_shorthash(hash, (const unsigned char *)owner,
	    strlen(owner), key);
	for (i = 0; i < (count + 1) / 2; i++) {
		fd = open(arena_printf(a, "%s/jwks-place.%d", directory,
		              (hash[0] + i) % count),
		    O_RDWR | O_CREAT | O_CLOEXEC, 0640);
		if (fd != -1 && flock(fd, LOCK_EX | LOCK_NB) == 0)
			return fd;
		if (fd != -1)
			close(fd);
	}
	return -1;
}

static bool
begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static bool
is_of(const char *file, const char *owner, const char *name)
{
	return begins(file, "jwks.") && begins(file + 5, owner) &&
	    !begins(file + 5, name);
}

/* A lock within the pause after its fetch began. */
static bool
is_young_lock(int dir, const char *file, int64_t pause_ms)
{
	size_t n = strlen(file), end = strlen(LOCK);
	struct stat st;

	return n > end && strcmp(file + n - end, LOCK) == 0 &&
	    fstatat(dir, file, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    clock_wall_ms() - (int64_t)st.st_mtim.tv_sec * 1000 < pause_ms;
}

void
keyset_thin(const char *directory, const char *owner, const char *name, int most,
    int64_t pause_ms)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;
	int young = 0, others = 0;
	bool lock;

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		if (!is_of(entry->d_name, owner, name))
			continue;
		if (is_young_lock(dirfd(dir), entry->d_name, pause_ms))
			young++;
		else
			others++;
	}
	rewinddir(dir);
	while ((young > KEYSET_LOCKS_MAX || others > most) &&
	    (entry = readdir(dir)) != NULL) {
		if (!is_of(entry->d_name, owner, name))
			continue;
		lock = is_young_lock(dirfd(dir), entry->d_name, pause_ms);
		if (lock ? young > KEYSET_LOCKS_MAX : others > most)
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
	}
	closedir(dir);
}

void
keyset_sweep(const char *directory)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;
	struct stat st;
	int64_t now_s = clock_wall_ms() / 1000;

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		if (strncmp(entry->d_name, "jwks.", 5) != 0 ||
		    fstatat(dirfd(dir), entry->d_name, &st,
		        AT_SYMLINK_NOFOLLOW) != 0 ||
		    now_s - (int64_t)st.st_mtime < SWEEP_AGE_S)
			continue;
		(void)unlinkat(dirfd(dir), entry->d_name, 0);
	}
	closedir(dir);
}
