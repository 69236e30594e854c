/*
 * fuzz_hbs.c - any bytes as a template, over fixed data
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The first byte chooses the way of escaping, the second the options, "@" none;
 * what follows up to a NUL is the template, what follows that the partial "p".
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

#ifndef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
#include "replay.h"
#endif

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { INPUT_BYTES_MAX = 1 << 16, OUTPUT_BYTES_MAX = 1 << 16 };

static const char data_text[] =
    "{\"a\":{\"b\":{\"c\":\"<c>\"},\"length\":3},\"x\":\"text &\",\"n\":-1.5,"
    "\"t\":true,\"f\":false,\"z\":null,\"e\":[],\"i\":12,"
    "\"l\":[1,\"two\",[3,[4]],{\"x\":5,\"1\":6,\"0\":7}],\"name\":\"p\"}";

struct input {
	const char *source;
	size_t len;
	const char *partial; /* NULL when there is none */
	size_t partial_len;
	struct hbs_compile_params how;
	struct hbs_template *loaded;
};

static int
load_partial(void *arg, const char *name, size_t len,
    const struct hbs_template **tpl_r, struct hbs_error *e)
{
	struct input *in = arg;

	if (in->partial == NULL || len != 1 || *name != 'p')
		return 0;
	if (in->loaded == NULL && hbs_compile(in->partial, in->partial_len,
	    &in->how, &in->loaded, e) < 0)
		return -1;
	*tpl_r = in->loaded;
	return 1;
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
check_error(const struct hbs_error *e, const struct input *in)
{
	struct buf out;

	ensure(e->text[0] != '\0');
	buf_init(&out, OUTPUT_BYTES_MAX);
	hbs_error_format(e, "fuzz", in->source, in->len, &out);
	ensure(out.len > 0);
	buf_done(&out);
}

static void
compile_and_render(struct input *in, enum hbs_escape escape)
{
	struct hbs_render_params params = { .escape = escape, .nodes = 20000,
		.calls = { .partial = load_partial, .log = ignore_log,
		.missing = ignore_text, .arg = in } };
	struct hbs_template *tpl = NULL;
	struct hbs_error e;
	struct buf out;
	json_t *data;

	if (hbs_compile(in->source, in->len, &in->how, &tpl, &e) < 0) {
		check_error(&e, in);
		return;
	}
	data = json_loads(data_text, 0, NULL);
	ensure(data != NULL);
	buf_init(&out, OUTPUT_BYTES_MAX);
	hbs_list_paths(tpl, ignore_text, NULL);
	if (hbs_render(tpl, data, &params, &out, &e) < 0)
		check_error(&e, in);
	buf_done(&out);
	json_decref(data);
	hbs_free(&tpl);
	hbs_free(&in->loaded);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct input in = { .source = (const char *)bytes + 2 };
	const char *nul;

	if (len < 2 || len > INPUT_BYTES_MAX)
		return 0;
	in.len = len - 2;
	in.how.flags = bytes[1] & 0x3F;
	if ((bytes[1] & 0x40) == 0)
		in.how.flags |= HBS_IGNORE_STANDALONE;
	nul = in.len > 0 ? memchr(in.source, '\0', in.len) : NULL;
	if (nul != NULL) {
		in.partial = nul + 1;
		in.partial_len = in.len - (size_t)(nul + 1 - in.source);
		in.len = (size_t)(nul - in.source);
	}
	compile_and_render(&in, (enum hbs_escape)(*bytes % 5));
	return 0;
}

#ifndef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION

int
main(int argc, char **argv)
{
	return replay_main("hbs", argc, argv);
}

#endif
