/*
 * script.c - the scripts of sql/scripts/, by name
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "db/script.h"

#include "base/ensure.h"

const char *
script_text(enum script script)
{
	static const char *const texts[] = {
#define SCRIPT(NAME, name, sql) [SCRIPT_##NAME] = sql,
#include "db/scripts.inc"
#undef SCRIPT
	};

	ensure(script < SCRIPT_COUNT);
	return texts[script];
}
