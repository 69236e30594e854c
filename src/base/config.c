/*
 * config.c - the configuration: one table, one struct
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * libinih splits the file into sections, names and values; what it is fed comes
 * line by line from here, so that every fault has its line number.  Blanks in
 * front of a line are taken off first: libinih would take an indented line for
 * more of the value above.
 */
#include <config.h>

#include "base/config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/config_check.h"
#include "base/config_issuer.h"
#include "base/config_value.h"
#include "base/ensure.h"
#include "base/err.h"

enum {
	FILE_BYTES = 1048576,
	LINE_BYTES = 8192,
	FAULTS_BYTES = 65536,
	NAME_BYTES = 48, /* longer names are not compared */
	FROM_DEFAULT = 0, /* in load.lines */
	FROM_ENVIRONMENT = -1
};

static const struct config_key keys[] = {
#define X(section_, name_, type_, def_, min_, max_, reload_, help_)            \
	{ .section = #section_, .name = #name_, .def = (def_),                 \
		.help = (help_), .min = (min_), .max = (max_),                 \
		.offset = offsetof(struct config, section_##_##name_),         \
		.type = CONFIG_##type_, .reload = CONFIG_##reload_ },
#include "base/config.def"
#undef X
};

struct load {
	struct arena *a;
	const char *path;
	struct config *config;
	struct buf *faults;
	struct config_issuers *issuers;
	int lines[NELEMS(keys)]; /* where each key was set */
	bool faulty[NELEMS(keys)];

	/* Where the reader stands. */
	const char *next;
	int line;
	int section_line;
	int unknown_section_line; /* the last one complained about */
	bool wants_handler; /* the line is to call the handler, and has not */
};

const struct config_key *
config_keys(size_t *count_r)
{
	*count_r = NELEMS(keys);
	return keys;
}

static void
fault_at_line(struct load *l, int line, const char *what)
{
	buf_printf(l->faults, "%s:%d: %s\n", l->path, line, what);
}

/* The variable that overrides a key. */
static const char *
variable_of(struct arena *a, const struct config_key *k)
{
	char *name = arena_printf(a, "BELFRY_%s_%s", k->section, k->name);
	char *p;

	for (p = name; *p != '\0'; p++)
		*p = (char)toupper((unsigned char)*p);
	return name;
}

static void
fault_at_key(struct load *l, size_t i, const char *what)
{
	const struct config_key *k = &keys[i];

	l->faulty[i] = true;
	if (l->lines[i] == FROM_ENVIRONMENT)
		buf_printf(l->faults, "environment:%s", variable_of(l->a, k));
	else if (l->lines[i] == FROM_DEFAULT)
		buf_puts(l->faults, "default");
	else
		buf_printf(l->faults, "%s:%d", l->path, l->lines[i]);
	buf_printf(l->faults, ": %s.%s: %s\n", k->section, k->name, what);
}

/* How many letters must be changed, added or taken to get from a to b. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[NAME_BYTES + 1], la = strlen(a), lb = strlen(b);
	size_t i, j, diagonal, above;

	if (la > NAME_BYTES || lb > NAME_BYTES)
		return la + lb;
	for (j = 0; j <= lb; j++)
		row[j] = j;
	for (i = 1; i <= la; i++) {
		diagonal = row[0];
		row[0] = i;
		for (j = 1; j <= lb; j++) {
			above = row[j];
			row[j] = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
			if (above + 1 < row[j])
				row[j] = above + 1;
			if (row[j - 1] + 1 < row[j])
				row[j] = row[j - 1] + 1;
			diagonal = above;
		}
	}
	return row[lb];
}

/* Is a name that is "d" letters off still worth a question? */
static bool
is_near(const char *name, size_t d)
{
	return d <= 3 && d * 2 <= strlen(name);
}

static void
fault_unknown_section(struct load *l, const char *section)
{
	const char *best = keys[0].section;
	size_t i;

	if (l->unknown_section_line == l->section_line)
		return;
	l->unknown_section_line = l->section_line;
	for (i = 1; i < NELEMS(keys); i++)
		if (distance(section, keys[i].section) <
		    distance(section, best))
			best = keys[i].section;
	fault_at_line(l, l->section_line,
	    is_near(section, distance(section, best)) ?
	        arena_printf(l->a,
	            "[%s]: unknown section; did you mean [%s]?", section, best) :
	        arena_printf(l->a,
	            "[%s]: unknown section; belfry.conf(5) lists them", section));
}

/* Suggests the nearest key of the section, or a section that has the key. */
static void
fault_unknown_key(struct load *l, const char *section, const char *name)
{
	const struct config_key *best = NULL, *elsewhere = NULL, *k;
	const char *mend = "belfry.conf(5) lists them";

	for (k = keys; k < keys + NELEMS(keys); k++) {
		if (strcasecmp(k->section, section) != 0) {
			if (strcasecmp(k->name, name) == 0)
				elsewhere = k;
		} else if (best == NULL ||
		    distance(name, k->name) < distance(name, best->name)) {
			best = k;
		}
	}
	if (elsewhere != NULL)
		mend = arena_printf(l->a, "it belongs into [%s]",
		    elsewhere->section);
	else if (best != NULL && is_near(name, distance(name, best->name)))
		mend = arena_printf(l->a, "did you mean \"%s\"?", best->name);
	fault_at_line(l, l->line,
	    arena_printf(l->a, "%s.%.60s: unknown key; %s", section, name,
	        mend));
}

static bool
section_exists(const char *section)
{
	size_t i;

	for (i = 0; i < NELEMS(keys); i++)
		if (strcmp(keys[i].section, section) == 0)
			return true;
	return false;
}

static void
set_key(struct load *l, size_t i, const char *value)
{
	struct err e;

	if (l->lines[i] > 0) {
		fault_at_line(l, l->line,
		    arena_printf(l->a,
		        "%s.%s: given twice, first in line %d; remove one",
		        keys[i].section, keys[i].name, l->lines[i]));
		return;
	}
	l->lines[i] = l->line;
	if (config_value_parse(l->a, &keys[i], value, l->config, &e) == -1)
		fault_at_key(l, i, e.text);
}

/* libinih calls this for each "name = value". */
static int
handle(void *user, const char *section, const char *name, const char *value)
{
	struct load *l = user;
	size_t i;

	l->wants_handler = false;
	if (section[0] == '\0') {
		fault_at_line(l, l->line,
		    arena_printf(l->a,
		        "%.60s: stands before the first [section]; move it",
		        name));
		return 1;
	}
	if (config_issuers_set(l->issuers, section, name, value, l->line))
		return 1;
	if (!section_exists(section)) {
		fault_unknown_section(l, section);
		return 1;
	}
	for (i = 0; i < NELEMS(keys); i++)
		if (strcmp(keys[i].section, section) == 0 &&
		    strcmp(keys[i].name, name) == 0)
			break;
	if (i == NELEMS(keys))
		fault_unknown_key(l, section, name);
	else
		set_key(l, i, value);
	return 1;
}

static void
check_last_line(struct load *l)
{
	if (!l->wants_handler)
		return;
	l->wants_handler = false;
	fault_at_line(l, l->line,
	    "neither a [section] nor \"key = value\"; put a # in front of a "
	    "comment");
}

/* libinih calls this for each line, in the manner of fgets(). */
static char *
read_line(char *line, int size_bytes, void *user)
{
	struct load *l = user;
	const char *start = l->next, *end;
	size_t len;

	check_last_line(l);
	if (*start == '\0')
		return NULL;
	l->line++;
	end = strchrnul(start, '\n');
	l->next = *end == '\0' ? end : end + 1;
	while (start < end && isspace((unsigned char)*start))
		start++;
	len = (size_t)(end - start);
	line[0] = '\0';
	if (len + 2 > (size_t)size_bytes) {
		fault_at_line(l, l->line,
		    arena_printf(l->a, "the line is too long; keep to %d bytes",
		        size_bytes - 2));
		return line;
	}
	memcpy(line, start, len);
	line[len] = '\0';
	if (line[0] == '[') {
		l->section_line = l->line;
		config_issuers_open(l->issuers, line + 1,
		    strcspn(line + 1, "]"), l->line);
	}
	l->wants_handler = line[0] != '\0' && line[0] != '#' &&
	    line[0] != ';' && (line[0] != '[' || strchr(line, ']') == NULL);
	return line;
}

/* Lets libinih take long lines where it can be told so (Debian's can). */
static void
tune_inih(void)
{
#if HAVE_DECL_INI_MAX_LINE
	ini_use_stack = false;
	ini_max_line = LINE_BYTES;
	ini_initial_alloc = LINE_BYTES;
#endif
}

/* Reads the whole file.  Returns 0, or -1 with the fault noted. */
static int
slurp(struct load *l, struct buf *text)
{
	int fd = open(l->path, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;

	if (fd == -1) {
		buf_printf(l->faults, "%s: could not open the file: %s\n",
		    l->path, strerror(errno));
		return -1;
	}
	while (buf_reserve(text, 4096) &&
	    (n = read(fd, text->data + text->len, 4096)) > 0)
		buf_grown(text, (size_t)n);
	if (n == -1)
		buf_printf(l->faults, "%s: could not read the file: %s\n",
		    l->path, strerror(errno));
	else if (buf_overflowed(text))
		buf_printf(l->faults, "%s: the file is larger than 1 MB\n",
		    l->path);
	else if (strlen(text->data) != text->len)
		buf_printf(l->faults, "%s: the file holds a NUL byte; is it "
		    "text?\n", l->path);
	close(fd);
	return n == -1 || buf_overflowed(text) ||
	        strlen(text->data) != text->len ?
	    -1 :
	    0;
}

static void
load_file(struct load *l)
{
	struct buf text;
	int rc;

	buf_init(&text, FILE_BYTES);
	if (slurp(l, &text) == 0) {
		l->next = text.data;
		if (strncmp(l->next, "\xef\xbb\xbf", 3) == 0)
			l->next += 3;
		tune_inih();
		rc = ini_parse_stream(read_line, l, handle, l);
		check_last_line(l);
		if (rc != 0 && l->faults->len == 0)
			fault_at_line(l, rc, "the line cannot be read");
	}
	buf_done(&text);
}

static void
load_defaults(struct load *l)
{
	struct err e;
	size_t i;

	for (i = 0; i < NELEMS(keys); i++)
		if (config_value_parse(l->a, &keys[i], keys[i].def, l->config,
		        &e) == -1)
			panic("broken default: %s.%s: %s", keys[i].section,
			    keys[i].name, e.text);
}

static void
load_environment(struct load *l)
{
	const char *value;
	struct err e;
	size_t i;

	for (i = 0; i < NELEMS(keys); i++) {
		value = getenv(variable_of(l->a, &keys[i]));
		if (value == NULL)
			continue;
		l->lines[i] = FROM_ENVIRONMENT;
		if (config_value_parse(l->a, &keys[i], value, l->config, &e) ==
		    -1)
			fault_at_key(l, i, e.text);
	}
}

/* Looks at keys that must fit each other.  The fault is put down to the one that
 * somebody set. */
static void
check_together(struct load *l)
{
	const struct config_check *c;
	size_t count, i, first, second;

	c = config_checks(&count);
	for (i = 0; i < count; i++) {
		for (first = 0; keys[first].offset != c[i].offset;)
			first++;
		for (second = 0; keys[second].offset != c[i].other_offset;)
			second++;
		if (l->faulty[first] || l->faulty[second] ||
		    c[i].holds(l->config))
			continue;
		fault_at_key(l,
		    l->lines[first] == FROM_DEFAULT ? second : first,
		    c[i].fault);
	}
}

int
config_load(struct arena *a, const char *path, struct config **config_r,
    struct buf *faults, struct err *e)
{
	struct load *l = arena_object(a, struct load);
	size_t before;

	l->a = a;
	l->path = path;
	l->config = arena_object(a, struct config);
	l->faults = faults != NULL ? faults : buf_new(a, FAULTS_BYTES);
	before = l->faults->len;
	l->issuers = config_issuers_new(a, path, l->faults);
	load_defaults(l);
	if (path != NULL)
		load_file(l);
	load_environment(l);
	check_together(l);
	config_issuers_finish(l->issuers, l->config);
	if (l->faults->len == before && !buf_overflowed(l->faults)) {
		*config_r = l->config;
		return 0;
	}
	return err_set(e, ERR_INVALID, "%.*s",
	    (int)strcspn(l->faults->data + before, "\n"),
	    l->faults->data + before);
}
