/*
 * keyring.c - key files
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * All files are opened relative to the directory, and judged by the open file,
 * so nobody can exchange one between the check and the reading.
 */
#include "base/keyring.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/seal.h"
#include "base/text.h"

enum {
	FILE_MAX_BYTES = 80, /* 64 digits or a name, and blanks after it */
};

static const char pepper_file[] = "pepper.key";
static const char current_file[] = "current";

#define FIRST_KEY "k1"

/* An open directory of keys, and its name for messages. */
struct place {
	int fd;
	const char *path;
};

static int
open_directory(const char *path, struct place *dir_r, struct err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return err_set(e, ERR_TEMPORARY,
		    "could not open key directory \"%s\": %s", path,
		    strerror(errno));
	if (fstat(fd, &st) != 0 || (st.st_mode & 022) != 0) {
		close(fd);
		return err_set(e, ERR_INTERNAL,
		    "key directory \"%s\" can be changed by others: chmod 700",
		    path);
	}
	*dir_r = (struct place){ fd, path };
	return 0;
}

/* Only the owner may change a file and, but for its group, read a key;
 * "current" is no secret. */
static int
check_file(const struct place *dir, const char *name, int fd, struct err *e)
{
	mode_t refused = strcmp(name, current_file) == 0 ? 022 : 037;
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return err_set(e, ERR_INTERNAL,
		    "key file \"%s/%s\" is not a regular file", dir->path, name);
	if ((st.st_mode & refused) != 0)
		return err_set(e, ERR_INTERNAL,
		    "key file \"%s/%s\" can be read or changed by others: "
		    "chmod 600",
		    dir->path, name);
	return 0;
}

/* Reads a file of one line into text, without white space at its end. */
static int
read_line(const struct place *dir, const char *name,
    char text[static FILE_MAX_BYTES + 1], struct err *e)
{
	int fd = openat(dir->fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n;

	if (fd < 0)
		return err_set(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_TEMPORARY,
		    "could not open key file \"%s/%s\": %s", dir->path, name,
		    strerror(errno));
	if (check_file(dir, name, fd, e) != 0) {
		close(fd);
		return -1;
	}
	n = read(fd, text, FILE_MAX_BYTES);
	close(fd);
	if (n < 0)
		return err_set(e, ERR_TEMPORARY,
		    "could not read key file \"%s/%s\": %s", dir->path, name,
		    strerror(errno));
	while (n > 0 && strchr(" \t\r\n", text[n - 1]) != NULL)
		n--;
	text[n] = '\0';
	return 0;
}

static int
read_key(const struct place *dir, const char *name,
    uint8_t key[static KEYRING_KEY_BYTES], struct err *e)
{
	char text[FILE_MAX_BYTES + 1];
	int rc;

	if (read_line(dir, name, text, e) != 0)
		return -1;
	rc = text_hex_decode(text, key, KEYRING_KEY_BYTES);
	sodium_memzero(text, sizeof(text));
	if (rc != 0)
		return err_set(e, ERR_INTERNAL,
		    "key file \"%s/%s\" does not hold %d hexadecimal digits",
		    dir->path, name, 2 * KEYRING_KEY_BYTES);
	return 0;
}

/* Adds NAME.key; other files are passed over. */
static int
add_key(struct arena *a, struct keyring *ring, const struct place *dir,
    const char *file, struct err *e)
{
	size_t n = strlen(file);
	struct keyring_key *k;
	char *name;

	if (n < 5 || strcmp(file + n - 4, ".key") != 0 ||
	    strcmp(file, pepper_file) == 0)
		return 0;
	name = arena_strndup(a, file, n - 4);
	if (!text_is_slug(name))
		return err_set(e, ERR_INTERNAL,
		    "key file \"%s/%s\": the name of a key has only a-z, 0-9 "
		    "and -",
		    dir->path, file);
	k = arena_object(a, struct keyring_key);
	k->name = name;
	k->next = ring->keys;
	ring->keys = k;
	return read_key(dir, file, k->key, e);
}

static int
add_keys(struct arena *a, struct keyring *ring, const struct place *dir,
    struct err *e)
{
	int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int rc = 0;

	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		return err_set(e, ERR_TEMPORARY,
		    "could not read key directory \"%s\": %s", dir->path,
		    strerror(errno));
	}
	while (rc == 0 && (entry = readdir(d)) != NULL)
		if (entry->d_name[0] != '.')
			rc = add_key(a, ring, dir, entry->d_name, e);
	closedir(d);
	return rc;
}

static int
choose_current(struct keyring *ring, const struct place *dir, struct err *e)
{
	char name[FILE_MAX_BYTES + 1];
	struct keyring_key *k;

	if (read_line(dir, current_file, name, e) != 0)
		return -1;
	for (k = ring->keys; k != NULL; k = k->next)
		if (strcmp(k->name, name) == 0) {
			ring->current = k;
			return 0;
		}
	return err_set(e, ERR_INTERNAL,
	    "key file \"%s/%s\" names \"%s\", but there is no \"%s.key\"",
	    dir->path, current_file, name, name);
}

static void
defer_ring(void *p)
{
	struct keyring *ring = p;

	EVP_CIPHER_free(ring->aes_256_gcm);
}

int
keyring_load(struct arena *a, const char *directory, struct keyring **ring_r,
    struct err *e)
{
	struct keyring *ring = arena_object(a, struct keyring);
	struct place dir;
	int rc = -1;

	ensure(sodium_init() >= 0);
	arena_defer(a, defer_ring, ring);
	ring->aes_256_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	if (ring->aes_256_gcm == NULL)
		return err_set(e, ERR_INTERNAL, "OpenSSL has no AES-256-GCM");
	if (open_directory(directory, &dir, e) != 0)
		return -1;
	if (add_keys(a, ring, &dir, e) == 0 &&
	    choose_current(ring, &dir, e) == 0)
		rc = read_key(&dir, pepper_file, ring->pepper, e);
	close(dir.fd);
	if (rc == 0)
		*ring_r = ring;
	return rc;
}

static int
could_not_make(const struct place *dir, const char *name, struct err *e)
{
	return err_set(e, ERR_TEMPORARY,
	    "could not make key file \"%s/%s\": %s", dir->path, name,
	    strerror(errno));
}

static bool
write_all(int fd, const char *text)
{
	size_t n = strlen(text);

	return write(fd, text, n) == (ssize_t)n && fsync(fd) == 0;
}

/* What root makes belongs to the owner of the directory: an administrator makes
 * the keys, and the programs read them as a user of their own. */
static bool
give_to_owner(const struct place *dir, int fd)
{
	struct stat st;

	return geteuid() != 0 || (fstat(dir->fd, &st) == 0 &&
	    fchown(fd, st.st_uid, st.st_gid) == 0);
}

/* Makes a file that is either whole or not there; one that is there already
 * stays as it is. */
static int
make_file(const struct place *dir, const char *name, const char *text,
    struct err *e)
{
	char temporary[32];
	bool done;
	int fd;

	snprintf(temporary, sizeof(temporary), ".new-%ld", (long)getpid());
	unlinkat(dir->fd, temporary, 0);
	fd = openat(dir->fd, temporary,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return could_not_make(dir, name, e);
	done = give_to_owner(dir, fd) && write_all(fd, text);
	if (close(fd) != 0)
		done = false;
	if (done && linkat(dir->fd, temporary, dir->fd, name, 0) != 0)
		done = errno == EEXIST;
	if (!done)
		could_not_make(dir, name, e);
	unlinkat(dir->fd, temporary, 0);
	return done ? 0 : -1;
}

static int
make_key(const struct place *dir, const char *name, struct err *e)
{
	uint8_t key[KEYRING_KEY_BYTES];
	char text[2 * KEYRING_KEY_BYTES + 2];
	int rc;

	randombytes_buf(key, sizeof(key));
	sodium_bin2hex(text, sizeof(text), key, sizeof(key));
	text[sizeof(text) - 2] = '\n';
	text[sizeof(text) - 1] = '\0';
	rc = make_file(dir, name, text, e);
	sodium_memzero(key, sizeof(key));
	sodium_memzero(text, sizeof(text));
	return rc;
}

/* True when there is a file of that name, whatever it holds. */
static bool
exists(const struct place *dir, const char *name)
{
	return faccessat(dir->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* "current" comes last: it names a key that is on the disk by then. */
static int
make_what_is_missing(const struct place *dir, struct err *e)
{
	if (!exists(dir, pepper_file) && make_key(dir, pepper_file, e) != 0)
		return -1;
	if (exists(dir, current_file))
		return 0;
	if (!exists(dir, FIRST_KEY ".key") &&
	    make_key(dir, FIRST_KEY ".key", e) != 0)
		return -1;
	return make_file(dir, current_file, FIRST_KEY "\n", e);
}

int
keyring_create(const char *directory, struct err *e)
{
	struct place dir;
	int rc;

	ensure(sodium_init() >= 0);
	if (mkdir(directory, 0700) != 0 && errno != EEXIST)
		return err_set(e, ERR_TEMPORARY,
		    "could not make key directory \"%s\": %s", directory,
		    strerror(errno));
	if (open_directory(directory, &dir, e) != 0)
		return -1;
	rc = make_what_is_missing(&dir, e);
	if (rc == 0 && fsync(dir.fd) != 0)
		rc = err_set(e, ERR_TEMPORARY,
		    "could not write key directory \"%s\": %s", directory,
		    strerror(errno));
	close(dir.fd);
	return rc;
}

static int
check_name(const char *name, struct err *e)
{
	if (text_is_slug(name) && strcmp(name, "pepper") != 0)
		return 0;
	return err_set(e, ERR_INVALID,
	    "the name of a key has only a-z, 0-9 and -");
}

/* NAME.key; a slug has 63 bytes at most. */
static void
file_of(const char *name, char file[static FILE_MAX_BYTES])
{
	(void)snprintf(file, FILE_MAX_BYTES, "%s.key", name);
}

int
keyring_add(const char *directory, const char *name, struct err *e)
{
	char file[FILE_MAX_BYTES];
	struct place dir;
	int rc;

	ensure(sodium_init() >= 0);
	if (check_name(name, e) != 0 || open_directory(directory, &dir, e) != 0)
		return -1;
	file_of(name, file);
	if (exists(&dir, file))
		rc = err_set(e, ERR_CONFLICT, "there is a key \"%s\" already",
		    name);
	else
		rc = make_key(&dir, file, e);
	if (rc == 0 && fsync(dir.fd) != 0)
		rc = could_not_make(&dir, file, e);
	close(dir.fd);
	return rc;
}

/* The new file takes the place of the old one at once: nobody ever finds none. */
static int
replace_current(const struct place *dir, const char *name, struct err *e)
{
	static const char temporary[] = ".current";
	char text[FILE_MAX_BYTES];

	(void)snprintf(text, sizeof(text), "%s\n", name);
	unlinkat(dir->fd, temporary, 0);
	if (make_file(dir, temporary, text, e) != 0)
		return -1;
	if (renameat(dir->fd, temporary, dir->fd, current_file) != 0 ||
	    fsync(dir->fd) != 0)
		return could_not_make(dir, current_file, e);
	return 0;
}

int
keyring_use(const char *directory, const char *name, struct err *e)
{
	char file[FILE_MAX_BYTES];
	uint8_t key[KEYRING_KEY_BYTES];
	struct place dir;
	int rc;

	if (check_name(name, e) != 0 || open_directory(directory, &dir, e) != 0)
		return -1;
	file_of(name, file);
	rc = read_key(&dir, file, key, e);
	sodium_memzero(key, sizeof(key));
	if (rc == 0)
		rc = replace_current(&dir, name, e);
	close(dir.fd);
	return rc;
}

const char *
keyring_current(const struct keyring *ring)
{
	return ring->current->name;
}

static const struct keyring_key *
find_key(const struct keyring *ring, const char *name)
{
	const struct keyring_key *k = ring->keys;

	while (k != NULL && strcmp(k->name, name) != 0)
		k = k->next;
	return k;
}

bool
keyring_has(const struct keyring *ring, const char *name)
{
	return find_key(ring, name) != NULL;
}

const char *
keyring_next(const struct keyring *ring, const char *name)
{
	const struct keyring_key *k = ring->keys;

	if (name != NULL) {
		k = find_key(ring, name);
		k = k != NULL ? k->next : NULL;
	}
	return k != NULL ? k->name : NULL;
}
