/*
 * line_diff.c - what differs between two texts, line by line
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The greedy algorithm of Myers (An O(ND) Difference Algorithm, 1986) over what is left
 * when the lines that both begin and end with are taken off.  "best[k]" is how far
 * down the old text one gets on the diagonal k with d changes; the furthest points of each
 * d are kept, and walked back from the end to mark what was changed.
 */
#include "model/line_diff.h"

#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"

enum { CHANGES_MAX = 1000, CONTEXT = 3 };

struct line {
	const char *text; /* with its line end, if it has one */
	size_t len;
	bool changed; /* stands on this side alone */
};

struct side {
	struct line *lines;
	int count;
};

/* What is compared: n lines of the one and m of the other. */
struct middle {
	struct line *from, *to;
	int n, m;
};

static struct side
split(struct arena *a, const char *text)
{
	struct side s = { .count = 0 };
	const char *p, *end;
	size_t lines = 1;

	for (p = text; *p != '\0'; p++)
		lines += *p == '\n';
	s.lines = arena_zalloc(a, lines, sizeof(*s.lines));
	for (p = text; *p != '\0'; p = end) {
		end = strchr(p, '\n');
		end = end != NULL ? end + 1 : p + strlen(p);
		s.lines[s.count++] =
		    (struct line){ .text = p, .len = (size_t)(end - p) };
	}
	return s;
}

static bool
equal(const struct line *a, const struct line *b)
{
	return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

static struct middle
trim(const struct side *from, const struct side *to)
{
	struct middle mid = { from->lines, to->lines, from->count, to->count };

	while (mid.n > 0 && mid.m > 0 && equal(mid.from, mid.to)) {
		mid.from++;
		mid.to++;
		mid.n--;
		mid.m--;
	}
	while (mid.n > 0 && mid.m > 0 &&
	    equal(&mid.from[mid.n - 1], &mid.to[mid.m - 1])) {
		mid.n--;
		mid.m--;
	}
	return mid;
}

/* Whether the furthest point of diagonal k comes from the one above (a line of the new
 * text is added) and not from the left. */
static bool
comes_down(const int *best, int k, int d)
{
	return k == -d || (k != d && best[k - 1] < best[k + 1]);
}

/* Walks back along the points that were kept and marks the changes. */
static void
mark(struct middle *mid, int *const *kept, int d)
{
	int x = mid->n, y = mid->m, k;
	const int *best;

	for (; d > 0; d--) {
		best = kept[d - 1] + d; /* its middle; one wider than it is */
		k = x - y;
		if (comes_down(best, k, d)) {
			x = best[k + 1];
			y = x - (k + 1);
			mid->to[y].changed = true;
		} else {
			x = best[k - 1];
			y = x - (k - 1);
			mid->from[x].changed = true;
		}
	}
}

static void
mark_all(struct middle *mid)
{
	int i;

	for (i = 0; i < mid->n; i++)
		mid->from[i].changed = true;
	for (i = 0; i < mid->m; i++)
		mid->to[i].changed = true;
}

static void
compare(struct arena *a, struct middle *mid)
{
	int *room = arena_zalloc(a, 2 * CHANGES_MAX + 3, sizeof(*room));
	int **kept = arena_zalloc(a, CHANGES_MAX + 1, sizeof(*kept));
	int *best = room + CHANGES_MAX + 1;
	int d, k, x;

	for (d = 0; d <= CHANGES_MAX; d++) {
		for (k = -d; k <= d; k += 2) {
			x = d == 0 ? 0
			    : comes_down(best, k, d) ? best[k + 1]
			                             : best[k - 1] + 1;
			while (x < mid->n && x - k < mid->m &&
			    equal(&mid->from[x], &mid->to[x - k]))
				x++;
			best[k] = x;
			if (x >= mid->n && x - k >= mid->m) {
				mark(mid, kept, d);
				return;
			}
		}
		kept[d] = arena_memdup(a, best - (d + 1),
		    (size_t)(2 * d + 3) * sizeof(*best));
	}
	mark_all(mid);
}

/* ---- Writing ---------------------------------------------------------------- */

static void
write_line(struct buf *out, char sign, const struct line *line)
{
	buf_putc(out, sign);
	buf_add(out, line->text, line->len);
	if (line->text[line->len - 1] != '\n')
		buf_puts(out, "\n\\ No newline at end of file\n");
}

/* A hunk: lines i0 to i1 of the old and j0 to j1 of the new text. */
struct hunk {
	int i0, i1, j0, j1;
};

/* The end of the hunk that begins with the change at i1, j1: where more lines are equal
 * than two contexts hold. */
static void
extend(const struct side *from, const struct side *to, struct hunk *h)
{
	int same = 0;

	while (h->i1 < from->count || h->j1 < to->count) {
		if (h->i1 < from->count && from->lines[h->i1].changed) {
			h->i1++;
			same = 0;
		} else if (h->j1 < to->count && to->lines[h->j1].changed) {
			h->j1++;
			same = 0;
		} else {
			if (++same > 2 * CONTEXT)
				break;
			h->i1++;
			h->j1++;
		}
	}
	same = same > 2 * CONTEXT ? same - 1 : same;
	if (same > CONTEXT) {
		h->i1 -= same - CONTEXT;
		h->j1 -= same - CONTEXT;
	}
}

static void
write_range(struct buf *out, char sign, int first, int count)
{
	buf_printf(out, " %c%d", sign, count == 0 ? first : first + 1);
	if (count != 1)
		buf_printf(out, ",%d", count);
}

static void
write_hunk(struct buf *out, const struct side *from, const struct side *to,
    const struct hunk *h, struct line_diff *sum)
{
	int i = h->i0, j = h->j0;

	buf_puts(out, "@@");
	write_range(out, '-', h->i0, h->i1 - h->i0);
	write_range(out, '+', h->j0, h->j1 - h->j0);
	buf_puts(out, " @@\n");
	while (i < h->i1 || j < h->j1) {
		if (i < h->i1 && from->lines[i].changed) {
			write_line(out, '-', &from->lines[i++]);
			sum->removed++;
		} else if (j < h->j1 && to->lines[j].changed) {
			write_line(out, '+', &to->lines[j++]);
			sum->added++;
		} else {
			write_line(out, ' ', &from->lines[i]);
			i++;
			j++;
		}
	}
}

struct line_diff
line_diff(struct arena *a, const char *from_text, const char *to_text,
    struct buf *out)
{
	struct side from = split(a, from_text), to = split(a, to_text);
	struct middle mid = trim(&from, &to);
	struct line_diff sum = { 0 };
	int i = 0, j = 0, before;

	compare(a, &mid);
	while (i < from.count || j < to.count) {
		struct hunk h;

		if (!(i < from.count && from.lines[i].changed) &&
		    !(j < to.count && to.lines[j].changed)) {
			i++;
			j++;
			continue;
		}
		before = i < CONTEXT ? i : CONTEXT;
		h = (struct hunk){ i - before, i, j - before, j };
		extend(&from, &to, &h);
		write_hunk(out, &from, &to, &h, &sum);
		i = h.i1;
		j = h.j1;
	}
	return sum;
}
