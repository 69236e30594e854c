/*
 * table.c - rows with aligned columns
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "ctl/table.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "ctl/out.h"

enum { GAP = 2, NAME_MIN = 12, LAST_MIN = 24, INDENT = 4, TERMINAL_MIN = 40 };

struct table {
	struct arena *a;
	json_t *rows;
	const struct out_column *columns;
	size_t count;
	size_t *wide; /* as it is printed */
	bool *numeric;
	bool *breaks; /* it begins a line of its own below the others */
	size_t terminal;
};

/* Members that name something: on a terminal the middle of one may be missing, since
 * nobody has to type it in. */
static const char *const names[] = { "tenant", "provider", "account", "host",
	"principal", "source", "template" };

bool
table_terminal(size_t *columns_r, size_t *lines_r)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) ||
	    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == -1 ||
	    size.ws_col < TERMINAL_MIN || size.ws_row == 0)
		return false;
	*columns_r = size.ws_col;
	*lines_r = size.ws_row;
	return true;
}

/* ---- Widths ----------------------------------------------------------------------- */

static const char *
cell(const struct table *t, const json_t *row, size_t k)
{
	return out_value(t->a, json_object_get(row, t->columns[k].member));
}

static void
measure(struct table *t, size_t k)
{
	size_t i, n, numbers = 0, others = 0;
	const json_t *value;
	json_t *row;

	t->wide[k] = out_width(out_title(&t->columns[k]));
	json_array_foreach(t->rows, i, row) {
		value = json_object_get(row, t->columns[k].member);
		numbers += json_is_number(value);
		others += value != NULL && !json_is_number(value) &&
		    !json_is_null(value);
		n = out_width(cell(t, row, k));
		if (n > t->wide[k])
			t->wide[k] = n;
	}
	t->numeric[k] = numbers > 0 && others == 0;
}

static bool
is_name(const struct out_column *column)
{
	size_t i;

	for (i = 0; i < NELEMS(names); i++)
		if (strcmp(names[i], column->member) == 0)
			return true;
	return false;
}

/* The widest column but the last that may be narrower; count when there is none. */
static size_t
widest_name(const struct table *t)
{
	size_t k, best = t->count;

	for (k = 0; k + 1 < t->count; k++)
		if (is_name(&t->columns[k]) && t->wide[k] > NAME_MIN &&
		    (best == t->count || t->wide[k] > t->wide[best]))
			best = k;
	return best;
}

/* Takes away columns that say nothing in any row. */
static void
leave_out_empty(struct table *t)
{
	struct out_column *kept =
	    arena_zalloc(t->a, t->count, sizeof(*kept));
	size_t k, i, n = 0;
	json_t *row;
	bool said;

	for (k = 0; k < t->count; k++) {
		said = false;
		json_array_foreach(t->rows, i, row)
			said |= strcmp(cell(t, row, k), "-") != 0 &&
			    cell(t, row, k)[0] != '\0';
		if (!said)
			continue;
		t->wide[n] = t->wide[k];
		t->numeric[n] = t->numeric[k];
		kept[n++] = t->columns[k];
	}
	t->columns = kept;
	t->count = n;
}

/* How much wider than the terminal a line is, with a last column that goes on below
 * itself. */
static size_t
excess(const struct table *t)
{
	size_t k, total = GAP * (t->count - 1);

	for (k = 0; k < t->count; k++)
		total += k + 1 == t->count && !t->numeric[k] &&
		        t->wide[k] > LAST_MIN ? LAST_MIN : t->wide[k];
	return total > t->terminal ? total - t->terminal : 0;
}

/* Shortens names until a line fits, or as far as they may be. */
static void
shorten_names(struct table *t)
{
	size_t k;

	while (excess(t) > 0 && (k = widest_name(t)) < t->count)
		t->wide[k]--;
}

/* Where a line is broken, and how wide the last column may be.  Returns how many lines
 * it becomes. */
static size_t
lay_out(struct table *t)
{
	size_t k, x = 0, need, lines = 1;
	bool last;

	for (k = 0; k < t->count; k++) {
		last = k + 1 == t->count && !t->numeric[k];
		need = last && t->wide[k] > LAST_MIN ? LAST_MIN : t->wide[k];
		t->breaks[k] = x > 0 && x + need > t->terminal;
		if (t->breaks[k]) {
			lines++;
			x = INDENT;
		}
		if (last && x + t->wide[k] > t->terminal && x < t->terminal)
			t->wide[k] = t->terminal - x;
		x += t->wide[k] + GAP;
	}
	return lines;
}

/* With names in full, unless short ones save lines. */
static void
lay_out_best(struct table *t)
{
	size_t bytes = t->count * sizeof(*t->wide), whole;
	size_t *before = arena_alloc(t->a, bytes);

	memcpy(before, t->wide, bytes);
	whole = lay_out(t);
	memcpy(t->wide, before, bytes);
	shorten_names(t);
	if (lay_out(t) < whole)
		return;
	memcpy(t->wide, before, bytes);
	(void)lay_out(t);
}

static void
fit(struct table *t)
{
	size_t k, total = GAP * (t->count - 1);

	for (k = 0; k < t->count; k++)
		total += t->wide[k];
	if (total <= t->terminal)
		return;
	leave_out_empty(t);
	lay_out_best(t);
}

/* ---- Printing --------------------------------------------------------------------- */

/* Where the n-th character begins. */
static const char *
character(const char *s, size_t n)
{
	for (; *s != '\0'; s++)
		if (((unsigned char)*s & 0xc0) != 0x80 && n-- == 0)
			break;
	return s;
}

/* "transac...-relay" with one character for the dots. */
static const char *
shorten(struct arena *a, const char *text, size_t wide)
{
	size_t n = out_width(text), head = wide / 2, tail = wide - head - 1;

	if (n <= wide)
		return text;
	return arena_printf(a, "%.*s\xe2\x80\xa6%s",
	    (int)(character(text, head) - text), text,
	    character(text, n - tail));
}

/* How many bytes of the text go into a line: to the last blank that fits, or as many as
 * fit. */
static size_t
line_bytes(const char *text, size_t wide)
{
	const char *end = character(text, wide), *p;

	if (*end == '\0')
		return strlen(text);
	for (p = end; p > text && *p != ' '; p--)
		continue;
	return (size_t)((p > text ? p : end) - text);
}

static void
print_last(const struct table *t, const char *text, size_t indent)
{
	size_t n = line_bytes(text, t->wide[t->count - 1]);

	for (;;) {
		out_clean(arena_strndup(t->a, text, n));
		putchar('\n');
		text += n;
		text += strspn(text, " ");
		if (*text == '\0')
			return;
		n = line_bytes(text, t->wide[t->count - 1]);
		printf("%*s", (int)indent, "");
	}
}

/* A line of cells: of the row, or the titles. */
static void
print_line(const struct table *t, const json_t *row)
{
	size_t k, pad, x = 0;
	const char *text;

	for (k = 0; k < t->count; k++) {
		if (t->breaks[k])
			printf("\n%*s", INDENT, "");
		x = t->breaks[k] ? INDENT : x;
		text = row == NULL ? out_title(&t->columns[k])
				   : cell(t, row, k);
		if (k + 1 == t->count && !t->numeric[k]) {
			print_last(t, text, x);
			return;
		}
		text = shorten(t->a, text, t->wide[k]);
		pad = t->wide[k] - out_width(text);
		printf("%*s", (int)(t->numeric[k] ? pad : 0), "");
		out_clean(text);
		if (k + 1 < t->count && !t->breaks[k + 1])
			printf("%*s", (int)(GAP + (t->numeric[k] ? 0 : pad)), "");
		x += t->wide[k] + GAP;
	}
	putchar('\n');
}

void
table_print(struct arena *a, json_t *rows, const struct out_column *columns)
{
	struct table t = { .a = a, .rows = rows, .columns = columns };
	size_t k, lines, i;
	json_t *row;

	while (columns[t.count].member != NULL)
		t.count++;
	t.wide = arena_zalloc(a, t.count, sizeof(*t.wide));
	t.numeric = arena_zalloc(a, t.count, sizeof(*t.numeric));
	t.breaks = arena_zalloc(a, t.count, sizeof(*t.breaks));
	for (k = 0; k < t.count; k++)
		measure(&t, k);
	if (table_terminal(&t.terminal, &lines))
		fit(&t);
	print_line(&t, NULL);
	json_array_foreach(rows, i, row)
		print_line(&t, row);
}
