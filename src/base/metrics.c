/*
 * metrics.c - counters in shared memory
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The file: a header of one page, then SLOTS slots of slot_bytes each.  Each
 * slot holds all cells: one for each label value of a counter or gauge, BUCKETS
 * + 1 for each of a histogram (the buckets, not added up, and the sum in
 * microseconds).
 *
 * A process owns slot n as long as it holds the fcntl(2) lock on byte n + 1 of
 * the file.  The kernel gives the lock back however the process ends, so there
 * is no list of process ids that could lie.  It also does so when the process
 * closes any descriptor of the file, so nothing else may open it.  Byte 0 is
 * locked while the file is made or replaced.
 */
#include "base/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ensure.h"
#include "base/err.h"

enum {
	SLOTS = 4096, /* 1024 workers, twice during a reload, and the others */
	HEADER_BYTES = 4096,
	LINE_BYTES = 64, /* of the processor's cache */
	LAYOUT_BYTES = 16,
};

enum metric_type { TYPE_COUNTER, TYPE_GAUGE, TYPE_HISTOGRAM };

struct row {
	const char *name; /* in capitals */
	enum metric_type type;
	const char *label; /* "" when there is none */
	const char *values; /* separated by blanks */
	const char *help;
};

static const struct row rows[METRIC_COUNT] = {
#define X(name, type, label, values, help)                                     \
	[METRIC_##name] = { #name, TYPE_##type, label, values, help },
#include "base/metrics.def"
#undef X
};

static const char *const type_names[] = {
	[TYPE_COUNTER] = "counter",
	[TYPE_GAUGE] = "gauge",
	[TYPE_HISTOGRAM] = "histogram",
};

/* The upper ends of the buckets; one more bucket takes what is longer. */
static const struct {
	int64_t us;
	const char *seconds;
} bounds[] = {
	{ 500, "0.0005" },
	{ 1000, "0.001" },
	{ 2500, "0.0025" },
	{ 5000, "0.005" },
	{ 10000, "0.01" },
	{ 25000, "0.025" },
	{ 50000, "0.05" },
	{ 100000, "0.1" },
	{ 250000, "0.25" },
	{ 500000, "0.5" },
	{ 1000000, "1" },
	{ 2500000, "2.5" },
	{ 5000000, "5" },
	{ 10000000, "10" },
	{ 30000000, "30" },
	{ 60000000, "60" },
};

enum { BUCKETS = NELEMS(bounds) + 1, SUM_CELL = BUCKETS };

struct header {
	uint8_t layout[LAYOUT_BYTES]; /* all zero while the file is made */
	atomic_int slots_used; /* no slot from here on was ever taken */
};

/* Where each row's cells are in a slot. */
static struct {
	int first[METRIC_COUNT];
	int labels[METRIC_COUNT];
	size_t slot_bytes;
	uint8_t hash[LAYOUT_BYTES];
} layout;

static struct {
	int fd;
	char *map; /* NULL before metrics_open() */
	_Atomic int64_t *cells; /* of our slot, NULL without one */
	int slot;
	pid_t owner; /* the process that took the slot */
} shared = { .fd = -1 };

static int
count_labels(const struct row *r)
{
	const char *s;
	int n = 1;

	for (s = r->values; *s != '\0'; s++)
		if (*s == ' ')
			n++;
	return n;
}

static int
cells_per_label(const struct row *r)
{
	return r->type == TYPE_HISTOGRAM ? BUCKETS + 1 : 1;
}

static size_t
map_bytes(void)
{
	return HEADER_BYTES + SLOTS * layout.slot_bytes;
}

static void
hash_text(crypto_generichash_state *hash, const char *s)
{
	crypto_generichash_update(hash, (const uint8_t *)s, strlen(s) + 1);
}

/* Numbers the cells.  The hash changes with the table, so that programs of
 * different versions never count in each other's cells. */
static void
lay_out(void)
{
	crypto_generichash_state hash;
	int m, cells = 0;
	size_t i;

	crypto_generichash_init(&hash, NULL, 0, LAYOUT_BYTES);
	for (i = 0; i < NELEMS(bounds); i++)
		hash_text(&hash, bounds[i].seconds);
	for (m = 0; m < METRIC_COUNT; m++) {
		hash_text(&hash, rows[m].name);
		hash_text(&hash, type_names[rows[m].type]);
		hash_text(&hash, rows[m].label);
		hash_text(&hash, rows[m].values);
		layout.first[m] = cells;
		layout.labels[m] = count_labels(&rows[m]);
		cells += layout.labels[m] * cells_per_label(&rows[m]);
	}
	crypto_generichash_final(&hash, layout.hash, LAYOUT_BYTES);
	layout.slot_bytes = ((size_t)cells * sizeof(int64_t) + LINE_BYTES - 1) /
	    LINE_BYTES * LINE_BYTES;
}

static int
lock_byte(int fd, int command, short type, off_t byte)
{
	struct flock lock = { .l_type = type,
		.l_whence = SEEK_SET,
		.l_start = byte,
		.l_len = 1 };
	int rc;

	do
		rc = fcntl(fd, command, &lock);
	while (rc != 0 && errno == EINTR);
	return rc;
}

/* True when somebody else holds the lock of a slot. */
static bool
slot_is_held(int slot)
{
	struct flock lock = { .l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = slot + 1,
		.l_len = 1 };

	return fcntl(shared.fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* True when the name still leads to the open file. */
static bool
is_named(int fd, const char *path)
{
	struct stat named, opened;

	return stat(path, &named) == 0 && fstat(fd, &opened) == 0 &&
	    named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

/* Takes the open and locked file into use.  Returns 1, or 0 when it has another
 * layout and was removed, or -1. */
static int
prepare(int fd, const char *path)
{
	uint8_t found[LAYOUT_BYTES];
	struct stat st;

	if (fstat(fd, &st) != 0)
		return -1;
	if (st.st_size == 0) {
		if (fchmod(fd, 0660) != 0 ||
		    ftruncate(fd, (off_t)map_bytes()) != 0 ||
		    pwrite(fd, layout.hash, LAYOUT_BYTES, 0) != LAYOUT_BYTES)
			return -1;
		return 1;
	}
	if (st.st_size == (off_t)map_bytes() &&
	    pread(fd, found, LAYOUT_BYTES, 0) == LAYOUT_BYTES &&
	    memcmp(found, layout.hash, LAYOUT_BYTES) == 0)
		return 1;
	return unlink(path) == 0 || errno == ENOENT ? 0 : -1;
}

/* Opens the file, or makes it.  Two processes that do so at once end up with
 * the same one: whoever waited for the lock looks whether the name still means
 * it. */
static int
open_file(const char *path)
{
	int fd, rc;

	for (;;) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		    0660);
		if (fd < 0)
			return -1;
		rc = lock_byte(fd, F_SETLKW, F_WRLCK, 0);
		if (rc == 0)
			rc = is_named(fd, path) ? prepare(fd, path) : 0;
		if (rc == 1 && lock_byte(fd, F_SETLK, F_UNLCK, 0) == 0)
			return fd;
		close(fd);
		if (rc != 0)
			return -1;
	}
}

static void
close_all(void)
{
	if (shared.map != NULL)
		munmap(shared.map, map_bytes());
	if (shared.fd >= 0)
		close(shared.fd);
	shared.fd = -1;
	shared.map = NULL;
	shared.cells = NULL;
}

static const char *
user_name(struct arena *a, uid_t uid)
{
	const struct passwd *pw = getpwuid(uid);

	return pw != NULL ? arena_strdup(a, pw->pw_name)
	                  : arena_printf(a, "user %d", (int)uid);
}

/* Says of what cannot be opened because of its rights whose it is, and how to mend
 * it: the file, or the directory when there is no file. */
static const char *
mend(struct arena *a, const char *path, const char *directory, int error)
{
	const char *me = user_name(a, geteuid()), *what = path;
	struct stat st;

	if (error == ENOENT)
		return arena_printf(a, ": make the directory, owned by %s", me);
	if (error != EACCES && error != EPERM)
		return "";
	if (stat(path, &st) != 0 && stat(what = directory, &st) != 0)
		return "";
	return arena_printf(a, ": %s belongs to %s, mode %04o, and this runs as "
	    "%s: %s %s", what == path ? "it" : "its directory",
	    user_name(a, st.st_uid), (unsigned)(st.st_mode & 07777), me,
	    st.st_uid != geteuid() ? arena_printf(a, "chown %s", me)
	    : what == path ? "chmod 660" : "chmod 755", what);
}

int
metrics_open(const char *run_directory, struct err *e)
{
	struct arena *a = arena_new(256);
	const char *path = arena_printf(a, "%s/metrics", run_directory);
	void *map = MAP_FAILED;
	int fd;

	close_all();
	lay_out();
	fd = open_file(path);
	if (fd >= 0)
		map = mmap(NULL, map_bytes(), PROT_READ | PROT_WRITE,
		    MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		int error = errno;

		err_set(e, ERR_TEMPORARY,
		    "could not open metrics file \"%s\": %s%s", path,
		    strerror(error), mend(a, path, run_directory, error));
		if (fd >= 0)
			close(fd);
		arena_free(&a);
		return -1;
	}
	arena_free(&a);
	shared.fd = fd;
	shared.map = map;
	return 0;
}

static _Atomic int64_t *
cells_of(int slot)
{
	return (_Atomic int64_t *)(void *)(shared.map + HEADER_BYTES +
	    (size_t)slot * layout.slot_bytes);
}

static struct header *
header(void)
{
	return (struct header *)(void *)shared.map;
}

/* A gauge tells of its process only; what the last owner left is void. */
static void
clear_gauges(_Atomic int64_t *cells)
{
	int m, label;

	for (m = 0; m < METRIC_COUNT; m++)
		for (label = 0; label < layout.labels[m]; label++)
			if (rows[m].type == TYPE_GAUGE)
				atomic_store_explicit(
				    &cells[layout.first[m] + label], 0,
				    memory_order_relaxed);
}

static void
raise_slots_used(int n)
{
	int used = atomic_load(&header()->slots_used);

	while (used < n &&
	    !atomic_compare_exchange_weak(&header()->slots_used, &used, n))
		continue;
}

void
metrics_attach(void)
{
	int slot;

	if (shared.map == NULL ||
	    (shared.cells != NULL && shared.owner == getpid()))
		return;
	for (slot = 0; slot < SLOTS - 1; slot++)
		if (lock_byte(shared.fd, F_SETLK, F_WRLCK, slot + 1) == 0)
			break;
	/* The last slot is for all that found none: adding is atomic, so they
	 * only cost each other time. */
	shared.slot = slot;
	shared.cells = cells_of(slot);
	shared.owner = getpid();
	if (slot < SLOTS - 1)
		clear_gauges(shared.cells);
	raise_slots_used(slot + 1);
}

static _Atomic int64_t *
own_cell(enum metric m, int label)
{
	const struct row *r = &rows[m];

	ensure(label >= 0 && label < layout.labels[m]);
	return shared.cells + layout.first[m] + label * cells_per_label(r);
}

void
metrics_add(enum metric m, int label, int64_t n)
{
	ensure(rows[m].type != TYPE_HISTOGRAM);
	if (shared.cells != NULL)
		atomic_fetch_add_explicit(own_cell(m, label), n,
		    memory_order_relaxed);
}

void
metrics_set(enum metric m, int label, int64_t n)
{
	ensure(rows[m].type == TYPE_GAUGE);
	if (shared.cells != NULL)
		atomic_store_explicit(own_cell(m, label), n,
		    memory_order_relaxed);
}

void
metrics_observe_us(enum metric m, int label, int64_t us)
{
	_Atomic int64_t *cell;
	int i = 0;

	ensure(rows[m].type == TYPE_HISTOGRAM);
	if (shared.cells == NULL)
		return;
	cell = own_cell(m, label);
	if (us < 0)
		us = 0;
	while (i < BUCKETS - 1 && us > bounds[i].us)
		i++;
	atomic_fetch_add_explicit(cell + i, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(cell + SUM_CELL, us, memory_order_relaxed);
}

/* The sum of a cell over all slots; of a gauge over those that are in use. */
static int64_t
sum_cell(const struct row *r, int cell)
{
	int used = atomic_load(&header()->slots_used), slot;
	int64_t sum = 0, n;

	for (slot = 0; slot < used; slot++) {
		n = atomic_load_explicit(cells_of(slot) + cell,
		    memory_order_relaxed);
		if (n != 0 && r->type == TYPE_GAUGE && slot < SLOTS - 1 &&
		    cells_of(slot) != shared.cells && !slot_is_held(slot))
			n = 0;
		sum += n;
	}
	return sum;
}

int64_t
metrics_read(enum metric m, int label)
{
	const struct row *r = &rows[m];
	int64_t sum = 0;
	int cell, i;

	if (shared.map == NULL)
		return 0;
	ensure(label >= 0 && label < layout.labels[m]);
	cell = layout.first[m] + label * cells_per_label(r);
	if (r->type != TYPE_HISTOGRAM)
		return sum_cell(r, cell);
	for (i = 0; i < BUCKETS; i++)
		sum += sum_cell(r, cell + i);
	return sum;
}

static void
put_name(struct buf *out, const struct row *r)
{
	const char *s;

	buf_puts(out, "belfry_");
	for (s = r->name; *s != '\0'; s++)
		buf_putc(out, *s >= 'A' && *s <= 'Z' ? (char)(*s | 0x20) : *s);
}

/* Writes the name of a sample: with "suffix", its label and, for a bucket,
 * "le". */
static void
put_sample(struct buf *out, const struct row *r, const char *suffix,
    const char *value, const char *le)
{
	size_t n = strcspn(value, " ");

	put_name(out, r);
	buf_puts(out, suffix);
	if (n > 0)
		buf_printf(out, "{%s=\"%.*s\"", r->label, (int)n, value);
	if (le != NULL)
		buf_printf(out, "%sle=\"%s\"", n > 0 ? "," : "{", le);
	if (n > 0 || le != NULL)
		buf_putc(out, '}');
	buf_putc(out, ' ');
}

static void
put_histogram(struct buf *out, const struct row *r, const char *value, int cell)
{
	int64_t count = 0, sum_us;
	int i;

	for (i = 0; i < BUCKETS; i++) {
		count += sum_cell(r, cell + i);
		put_sample(out, r, "_bucket", value,
		    i < BUCKETS - 1 ? bounds[i].seconds : "+Inf");
		buf_printf(out, "%lld\n", (long long)count);
	}
	sum_us = sum_cell(r, cell + SUM_CELL);
	put_sample(out, r, "_sum", value, NULL);
	buf_printf(out, "%lld.%06lld\n", (long long)(sum_us / 1000000),
	    (long long)(sum_us % 1000000));
	put_sample(out, r, "_count", value, NULL);
	buf_printf(out, "%lld\n", (long long)count);
}

static void
put_metric(struct buf *out, int m)
{
	const struct row *r = &rows[m];
	const char *value = r->values;
	int label, cell;

	buf_puts(out, "# HELP ");
	put_name(out, r);
	buf_printf(out, " %s\n# TYPE ", r->help);
	put_name(out, r);
	buf_printf(out, " %s\n", type_names[r->type]);
	for (label = 0; label < layout.labels[m]; label++) {
		cell = layout.first[m] + label * cells_per_label(r);
		if (r->type == TYPE_HISTOGRAM) {
			put_histogram(out, r, value, cell);
		} else {
			put_sample(out, r, "", value, NULL);
			buf_printf(out, "%lld\n",
			    (long long)sum_cell(r, cell));
		}
		value += strcspn(value, " ");
		value += strspn(value, " ");
	}
}

void
metrics_render(struct buf *out)
{
	int m;

	if (shared.map == NULL)
		return;
	for (m = 0; m < METRIC_COUNT; m++)
		put_metric(out, m);
}
