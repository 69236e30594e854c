/*
 * settings_of.h - settings of a provider account, for its unit test
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BELFRY_TEST_SETTINGS_OF_H
#define BELFRY_TEST_SETTINGS_OF_H

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "provider/provider.h"
#include "web/field.h"
#include "web/js.h"

/* Reads settings as an account's; NULL with *e when they are refused. */
static const void *
settings_of(struct arena *a, const struct provider_ops *ops, const char *json,
    struct err *e)
{
	void *record = arena_zalloc(a, 1, ops->settings->struct_bytes);
	struct field_errors fe;
	json_t *o;

	field_errors_init(&fe, a);
	assert_int_equal(js_parse(a, json, strlen(json), 8, &o, e), 0);
	if (fields_read(a, o, ops->settings, record, &fe) < 0) {
		err_set(e, ERR_UNPROCESSABLE, "%s", fe.first->pointer);
		return NULL;
	}
	if ((ops->check != NULL && ops->check(record, e) < 0) ||
	    (ops->prepare != NULL && ops->prepare(a, record, e) < 0))
		return NULL;
	return record;
}

#endif
