/*
 * fuzz_hbs.c - any bytes as a template, over fixed data
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The first byte says how to escape ("0" HTML to "5" Markdown), with 8 added
 * that there are the extra helpers, with 64 that nothing is escaped; the second
 * is the options, "@" none.  What follows up to a NUL is the template, up to the
 * next NUL the partial "p", which is also the message of every key, and then the
 * layout.
 * Built with clang -fsanitize=fuzzer and
 * -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION it searches; built without, it
 * runs over the files that it is given, or over its corpus, and reports in TAP.
 */
#include <stdint.h>
#include <string.h>
#include <jansson.h>

#include "base/buf.h"
#include "base/ensure.h"
#include "template/hbs.h"
#include "template/hbs_extras.h"

#ifndef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
#include "replay.h"
#endif

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { INPUT_BYTES_MAX = 1 << 16, OUTPUT_BYTES_MAX = 1 << 16 };

static const char data_text[] =
    "{\"a\":{\"b\":{\"c\":\"<c>\"},\"length\":3},\"x\":\"text &\",\"n\":-1.5,"
    "\"t\":true,\"f\":false,\"z\":null,\"e\":[],\"i\":12,"
    "\"l\":[1,\"two\",[3,[4]],{\"x\":5,\"1\":6,\"0\":7}],\"name\":\"p\","
    "\"d\":\"2026-12-07T14:30:00Z\",\"m\":\"*a* [b](http://c) <d>\"}";

/* A text and what it was compiled to.  The text is NULL when there is none. */
struct piece {
	const char *text;
	size_t len;
	struct hbs_template *tpl;
};

struct input {
	struct piece template;
	struct piece partial;
	struct piece layout;
	struct hbs_compile_params how;
	enum hbs_escape escape;
};

static int
compile(struct input *in, struct piece *piece, struct hbs_error *e)
{
	if (piece->tpl != NULL)
		return 0;
	return hbs_compile(piece->text, piece->len, &in->how, &piece->tpl, e);
}

static int
load_message(void *arg, const char *name, size_t len,
    const struct hbs_template **tpl_r, struct hbs_error *e)
{
	struct input *in = arg;

	ensure(len == 0 || name != NULL);
	if (in->partial.text == NULL)
		return 0;
	if (compile(in, &in->partial, e) < 0)
		return -1;
	*tpl_r = in->partial.tpl;
	return 1;
}

static int
load_partial(void *arg, const char *name, size_t len,
    const struct hbs_template **tpl_r, struct hbs_error *e)
{
	if (len != 1 || *name != 'p')
		return 0;
	return load_message(arg, name, len, tpl_r, e);
}

static void
ignore_text(void *arg, const char *text, size_t len)
{
	(void)arg;
	ensure(len == 0 || text != NULL);
}

static void
ignore_log(void *arg, enum hbs_log_level level, const char *text, size_t len)
{
	ensure(level <= HBS_LOG_ERROR);
	ignore_text(arg, text, len);
}

static void
check_error(const struct hbs_error *e, const struct piece *piece)
{
	struct buf out;

	ensure(e->text[0] != '\0');
	buf_init(&out, OUTPUT_BYTES_MAX);
	hbs_error_format(e, "fuzz", piece->text, piece->len, &out);
	ensure(out.len > 0);
	buf_done(&out);
}

static void
render(struct input *in)
{
	struct hbs_render_params params = { .escape = in->escape,
		.nodes = 20000, .layout = in->layout.tpl, .locale = "de-AT",
		.time_zone = "Europe/Vienna", .calls = {
		.partial = load_partial, .log = ignore_log,
		.missing = ignore_text, .message = load_message, .arg = in } };
	json_t *data = json_loads(data_text, 0, NULL);
	struct hbs_error e;
	struct buf out;

	ensure(data != NULL);
	buf_init(&out, OUTPUT_BYTES_MAX);
	hbs_list_paths(in->template.tpl, ignore_text, NULL);
	if (hbs_render(in->template.tpl, data, &params, &out, &e) < 0)
		check_error(&e, &in->template);
	ensure(out.len <= OUTPUT_BYTES_MAX);
	buf_done(&out);
	json_decref(data);
}

static void
compile_and_render(struct input *in)
{
	struct hbs_error e;

	if (compile(in, &in->template, &e) < 0)
		check_error(&e, &in->template);
	else if (in->layout.text != NULL && compile(in, &in->layout, &e) < 0)
		check_error(&e, &in->layout);
	else
		render(in);
	hbs_free(&in->template.tpl);
	hbs_free(&in->partial.tpl);
	hbs_free(&in->layout.tpl);
}

/* Cuts the next piece, which ends at a NUL, off the input. */
static void
next_piece(struct piece *piece, const char **p, const char *end)
{
	const char *nul;

	if (*p > end)
		return;
	nul = memchr(*p, '\0', (size_t)(end - *p));
	piece->text = *p;
	piece->len = (size_t)((nul != NULL ? nul : end) - *p);
	*p += piece->len + 1;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const char *p = (const char *)bytes + 2, *end;
	struct input in = { .how.flags = 0 };

	if (len < 2 || len > INPUT_BYTES_MAX)
		return 0;
	in.escape = (enum hbs_escape)((bytes[0] & 7) % 6);
	in.how.helpers = (bytes[0] & 8) != 0 ? &hbs_extras : NULL;
	in.how.flags = bytes[1] & 0x3F;
	if ((bytes[0] & 0x40) != 0)
		in.how.flags |= HBS_NO_ESCAPE;
	if ((bytes[1] & 0x40) == 0)
		in.how.flags |= HBS_IGNORE_STANDALONE;
	end = (const char *)bytes + len;
	next_piece(&in.template, &p, end);
	next_piece(&in.partial, &p, end);
	next_piece(&in.layout, &p, end);
	compile_and_render(&in);
	return 0;
}

#ifndef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION

int
main(int argc, char **argv)
{
	return replay_main("hbs", argc, argv);
}

#endif
