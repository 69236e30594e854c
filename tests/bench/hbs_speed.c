/*
 * hbs_speed.c - how often a template is compiled and rendered in a second
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * hbs_speed TEMPLATE DATA WAY SECONDS prints the number of rounds a second and
 * the calls of malloc a round.  The ways: "render" from parsed data, "parse" with
 * the JSON parsed as belfry-api and belfry-spooler parse it, "compile" with the
 * template compiled each time; "size" prints the bytes of the compiled template,
 * "output" what comes of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ensure.h"
#include "base/err.h"
#include "template/hbs.h"
#include "template/hbs_extras.h"
#include "web/js.h"

enum { FILE_BYTES_MAX = 1 << 20, JSON_DEPTH = 64, STEP = 64 };

struct work {
	struct buf source;
	struct buf text; /* the data as JSON */
	struct hbs_template *tpl;
	json_t *data;
	struct buf out;
	struct arena *a;
};

/* glibc's own, which these stand before.  realloc() of base/wipe.c calls malloc(). */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);

static unsigned long calls;

void *
malloc(size_t size)
{
	calls++;
	return __libc_malloc(size);
}

void *
calloc(size_t count, size_t size)
{
	calls++;
	return __libc_calloc(count, size);
}

static void
read_file(const char *path, struct buf *text)
{
	FILE *file = fopen(path, "rb");

	if (file == NULL || !buf_reserve(text, FILE_BYTES_MAX))
		panic("could not read \"%s\"", path);
	buf_grown(text, fread(text->data, 1, FILE_BYTES_MAX, file));
	text->data[text->len] = '\0';
	fclose(file);
}

static void
compile(struct work *w)
{
	const struct hbs_compile_params how = { .helpers = &hbs_extras };
	struct hbs_error e;

	if (hbs_compile(w->source.data, w->source.len, &how, &w->tpl, &e) < 0)
		panic("line %d: %s", e.line, e.text);
}

static void
parse(struct work *w, json_t **data_r)
{
	struct err e;

	if (js_parse(w->a, w->text.data, w->text.len, JSON_DEPTH, data_r, &e) !=
	    0)
		panic("%s", e.text);
}

static void
render(struct work *w, const json_t *data)
{
	struct hbs_error e;

	buf_reset(&w->out);
	if (hbs_render(w->tpl, data, NULL, &w->out, &e) < 0)
		panic("line %d: %s", e.line, e.text);
}

static void
do_render(struct work *w)
{
	render(w, w->data);
}

static void
do_parse(struct work *w)
{
	json_t *data;

	parse(w, &data);
	render(w, data);
	arena_reset(w->a);
}

static void
do_compile(struct work *w)
{
	hbs_free(&w->tpl);
	compile(w);
	render(w, w->data);
}

static const struct {
	const char *name;
	void (*run)(struct work *w);
} ways[] = {
	{ "render", do_render },
	{ "parse", do_parse },
	{ "compile", do_compile },
};

static double
now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
measure(struct work *w, void (*run)(struct work *w), double seconds)
{
	unsigned long rounds = 0, before;
	double start, took;
	int i;

	for (i = 0; i < STEP; i++)
		run(w);
	before = calls;
	start = now_s();
	do {
		for (i = 0; i < STEP; i++)
			run(w);
		rounds += STEP;
		took = now_s() - start;
	} while (took < seconds);
	printf("%.0f %.2f\n", (double)rounds / took,
	    (double)(calls - before) / (double)rounds);
}

static void
answer(struct work *w, const char *way, const char *seconds)
{
	size_t i;

	for (i = 0; i < NELEMS(ways); i++) {
		if (strcmp(ways[i].name, way) == 0)
			measure(w, ways[i].run, strtod(seconds, NULL));
	}
	if (strcmp(way, "size") == 0)
		printf("%zu\n", hbs_size_bytes(w->tpl));
	if (strcmp(way, "output") == 0) {
		render(w, w->data);
		fwrite(w->out.data, 1, w->out.len, stdout);
	}
}

int
main(int argc, char **argv)
{
	struct arena *all = arena_new(4096);
	struct work w = { .a = arena_new(65536) };
	struct err e;

	if (argc != 5)
		panic("usage: hbs_speed TEMPLATE DATA WAY SECONDS");
	buf_init(&w.source, 2 * FILE_BYTES_MAX);
	buf_init(&w.text, 2 * FILE_BYTES_MAX);
	buf_init(&w.out, FILE_BYTES_MAX);
	read_file(argv[1], &w.source);
	read_file(argv[2], &w.text);
	compile(&w);
	if (js_parse(all, w.text.data, w.text.len, JSON_DEPTH, &w.data, &e) != 0)
		panic("%s", e.text);
	answer(&w, argv[3], argv[4]);
	hbs_free(&w.tpl);
	buf_done(&w.source);
	buf_done(&w.text);
	buf_done(&w.out);
	arena_free(&w.a);
	arena_free(&all);
	return 0;
}
