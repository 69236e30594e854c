/*
 * fuzz_bounce.c - any bytes as a mail that came back
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Built with clang -fsanitize=fuzzer and -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION it
 * searches; built without, it runs over its corpus.
 */
#include <string.h>

#include "replay.h"

#include "base/arena.h"
#include "model/bounce_token.h"
#include "provider/bounce.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct arena *a = arena_new(8192);
	char *mail = malloc(len + 1); /* of exactly this size, for the sanitizer */
	struct bounce b;
	size_t i;

	ensure(mail != NULL);
	memcpy(mail, bytes, len);
	if (bounce_read(a, mail, len, &b) == 0) {
		ensure(b.event.what < HOOK_WHAT_COUNT);
		ensure(b.token_count <= BOUNCE_TOKENS_MAX);
		for (i = 0; i < b.token_count; i++)
			ensure(strlen(b.tokens[i]) == BOUNCE_TOKEN_CHARS);
		ensure(b.event.code == NULL || strlen(b.event.code) <= 31);
	}
	free(mail);
	arena_free(&a);
	return 0;
}

#ifndef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
int
main(int argc, char **argv)
{
	return replay_main("bounce", argc, argv);
}
#endif
