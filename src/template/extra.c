/*
 * extra.c - what several of the extra helpers need
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "template/extra.h"

#include <string.h>

#include "template/hbs_helper.h"
#include "template/icu_cache.h"
#include "template/number.h"

enum { FORMAT_NODES = 8 }; /* that formatting something costs */

int
extra_guarded(struct hbs_call *call, int (*fn)(struct hbs_call *call))
{
	unsigned long opened = icu_cache_opened();

	if (hbs_call_charge(call, FORMAT_NODES) < 0 || fn(call) < 0)
		return -1;
	return hbs_call_heavy(call, icu_cache_opened() - opened);
}

bool
extra_is_text(const struct hbs_value *v, const char *text)
{
	return v->kind == VALUE_STRING && v->len == strlen(text) &&
	    memcmp(v->u.text, text, v->len) == 0;
}

bool
extra_is_ascii(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if ((unsigned char)text[i] >= 0x80)
			return false;
	return true;
}

const char *
extra_text0(struct hbs_call *call, const struct hbs_value *v)
{
	char *text = hbs_call_memory(call, v->len + 1);

	memcpy(text, v->u.text, v->len);
	text[v->len] = '\0';
	return text;
}

const char *
extra_kind_name(const struct hbs_value *v)
{
	return v->kind == VALUE_ARRAY ? "a list" :
	    v->kind == VALUE_BOOL ? "true or false" : "an object";
}

bool
extra_number(const struct hbs_value *v, double *number_r)
{
	if (v->kind == VALUE_INTEGER) {
		*number_r = (double)v->u.integer;
		return true;
	}
	if (v->kind == VALUE_REAL) {
		*number_r = v->u.real;
		return true;
	}
	return v->kind == VALUE_STRING &&
	    number_parse(v->u.text, v->len, number_r);
}

const char *
extra_locale(struct hbs_call *call)
{
	const struct hbs_value *own = hbs_call_pair(call, "locale");
	const char *locale = call->how->locale;

	if (own->kind == VALUE_STRING && own->len > 0 &&
	    own->len < ICU_LOCALE_BYTES)
		return extra_text0(call, own);
	return locale != NULL && *locale != '\0' ? locale : "en";
}
