/*
 * tickets.c - how much a spooler takes straight from who accepts it
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Number and validity are one word, so they change at once: the upper half counts the
 * changes of the id, the lower half the tickets.  The id is written while there are
 * none; who read it before the change finds another word when he takes.
 *
 * Who takes is counted before he does, and until he has handed over: so when nothing is
 * offered any more, the count tells whether anything is still to come.
 */
#include "net/tickets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"

enum { SLOTS_MAX = 64, LOOK_AGAIN_MS = 1000, PATH_BYTES = 256 };

/* Changes with what stands on the page and with what is handed over for it. */
static const uint32_t layout = 0x626c7402;

static const uint64_t ONE_CHANGE = UINT64_C(1) << 32;

struct page {
	uint32_t layout;
	_Atomic int32_t under_way; /* taken, and not handed over yet */
	_Atomic uint64_t word;
	_Atomic int64_t until_ms;
	_Atomic uint64_t id[2];
};

struct tickets {
	struct page *page;
	struct uuid id;
};

/* ---- The spooler's side --------------------------------------------------------- */

static void
defer_page(void *p)
{
	struct tickets *t = p;

	atomic_store(&t->page->word, 0);
	munmap(t->page, sizeof(*t->page));
}

static struct page *
map(int fd)
{
	struct page *page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);

	return page != MAP_FAILED ? page : NULL;
}

static struct page *
make(const char *path, const char *next)
{
	struct page *page = NULL;
	int fd;

	unlink(next);
	fd = open(next, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0660);
	if (fd == -1)
		return NULL;
	if (fchmod(fd, 0660) == 0 &&
	    ftruncate(fd, (off_t)sizeof(*page)) == 0 &&
	    (page = map(fd)) != NULL) {
		page->layout = layout;
		if (rename(next, path) == -1) {
			munmap(page, sizeof(*page));
			page = NULL;
		}
	}
	close(fd);
	return page;
}

int
tickets_open(struct arena *a, const char *path, int slot, struct tickets **t_r,
    struct err *e)
{
	const char *name = arena_printf(a, "%s.%d.tickets", path, slot);
	struct tickets *t = arena_object(a, struct tickets);

	t->page = make(name, arena_printf(a, "%s.new", name));
	if (t->page == NULL)
		return err_set(e, ERR_INVALID, "could not make \"%s\": %s", name,
		    strerror(errno));
	arena_defer(a, defer_page, t);
	*t_r = t;
	return 0;
}

void
tickets_offer(struct tickets *t, const struct uuid *spooler, int count,
    int64_t until_ms)
{
	struct page *page = t->page;
	uint64_t changes = atomic_load_explicit(&page->word,
	    memory_order_relaxed) & ~(ONE_CHANGE - 1);
	uint64_t halves[2];

	if (uuid_cmp(&t->id, spooler) != 0) {
		changes += ONE_CHANGE;
		atomic_store(&page->word, changes);
		memcpy(halves, spooler->b, sizeof(halves));
		atomic_store(&page->id[0], halves[0]);
		atomic_store(&page->id[1], halves[1]);
		t->id = *spooler;
	}
	atomic_store(&page->until_ms, until_ms);
	atomic_store(&page->word, changes | (uint32_t)count);
}

bool
tickets_are_under_way(const struct tickets *t)
{
	return atomic_load(&t->page->under_way) > 0;
}

/* ---- The other side --------------------------------------------------------------- */

/* The pages of this host, as this process found them when it last looked. */
static struct {
	struct {
		struct page *page;
		unsigned serial; /* of the page: another one may lie at its address */
		dev_t device;
		ino_t inode;
	} slots[SLOTS_MAX];
	int count;
	int next;
	int64_t looked_ms;
} taker;

static void
forget(int slot)
{
	if (taker.slots[slot].page != NULL)
		munmap(taker.slots[slot].page, sizeof(struct page));
	taker.slots[slot].page = NULL;
	taker.slots[slot].serial++;
}

static void
adopt(int slot, const char *path, const struct stat *st)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	forget(slot);
	taker.slots[slot].device = st->st_dev;
	taker.slots[slot].inode = st->st_ino;
	if (fd == -1)
		return;
	taker.slots[slot].page = map(fd);
	close(fd);
	if (taker.slots[slot].page != NULL &&
	    taker.slots[slot].page->layout != layout)
		forget(slot);
}

static void
look(const char *path)
{
	char name[PATH_BYTES];
	struct stat st;
	int i;

	for (i = 0; i < SLOTS_MAX; i++) {
		snprintf(name, sizeof(name), "%s.%d.tickets", path, i);
		if (stat(name, &st) == -1 || !S_ISREG(st.st_mode) ||
		    st.st_size != (off_t)sizeof(struct page))
			break;
		if (i >= taker.count || taker.slots[i].inode != st.st_ino ||
		    taker.slots[i].device != st.st_dev)
			adopt(i, name, &st);
	}
	while (taker.count > i)
		forget(--taker.count);
	taker.count = i;
}

static bool
take(struct page *page, int count, int64_t now_ms, struct uuid *id_r)
{
	uint64_t word, halves[2];

	atomic_fetch_add(&page->under_way, 1);
	word = atomic_load(&page->word);
	while ((uint32_t)word >= (uint32_t)count) {
		if (atomic_load(&page->until_ms) <= now_ms)
			break;
		halves[0] = atomic_load(&page->id[0]);
		halves[1] = atomic_load(&page->id[1]);
		if (atomic_compare_exchange_strong(&page->word, &word,
		        word - (uint32_t)count)) {
			memcpy(id_r->b, halves, sizeof(halves));
			return true;
		}
	}
	atomic_fetch_sub(&page->under_way, 1);
	return false;
}

static void
look_now_and_then(const char *path, int64_t now_ms)
{
	if (taker.looked_ms != 0 && now_ms - taker.looked_ms < LOOK_AGAIN_MS)
		return;
	look(path);
	taker.looked_ms = now_ms;
}

bool
tickets_are_offered(const char *path)
{
	int64_t now_ms = clock_mono_ms();
	const struct page *page;
	int i;

	look_now_and_then(path, now_ms);
	for (i = 0; i < taker.count; i++) {
		page = taker.slots[i].page;
		if (page != NULL && (uint32_t)atomic_load(&page->word) > 0 &&
		    atomic_load(&page->until_ms) > now_ms)
			return true;
	}
	return false;
}

bool
tickets_take(const char *path, int count, struct ticket *ticket_r)
{
	int64_t now_ms = clock_mono_ms();
	struct uuid id;
	int i, slot;

	look_now_and_then(path, now_ms);
	for (i = 0; i < taker.count; i++) {
		slot = taker.next++ % taker.count;
		if (taker.next >= taker.count)
			taker.next = 0;
		if (taker.slots[slot].page == NULL ||
		    !take(taker.slots[slot].page, count, now_ms, &id))
			continue;
		*ticket_r = (struct ticket){ .slot = slot, .spooler = id,
			.good_until_ms = now_ms + TICKET_GOOD_MS,
			.serial = taker.slots[slot].serial,
			.under_way = true };
		return true;
	}
	return false;
}

void
tickets_handed(struct ticket *ticket)
{
	struct page *page = taker.slots[ticket->slot].page;

	if (ticket->under_way && page != NULL &&
	    taker.slots[ticket->slot].serial == ticket->serial)
		atomic_fetch_sub(&page->under_way, 1);
	ticket->under_way = false;
}
