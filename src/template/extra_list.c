/*
 * extra_list.c - join, json and t
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <string.h>
#include <unicode/ulistformatter.h>
#include <unicode/ustring.h>

#include "template/extra.h"
#include "template/hbs_helper.h"
#include "template/icu_cache.h"

enum {
	ELEMENTS_MAX = 1000, /* of a list that is put into words */
	PIECE_BYTES = 64, /* that cost as much as a node */
	JSON_SPACES_MAX = 8,
};

/* ---- join ------------------------------------------------------------------- */

/* A list and what to take of its elements. */
struct list {
	struct hbs_call *call;
	const json_t *array;
	bool has_field;
	struct part field;
};

/* The text of the i-th element, or of its field. */
static int
element_text(const struct list *list, size_t i, char room[VALUE_TEXT_BYTES],
    const char **text_r, size_t *len_r)
{
	struct hbs_value v = value_of_json(json_array_get(list->array, i));

	if (list->has_field)
		value_step(&v, &list->field);
	return hbs_call_text(list->call, &v, room, text_r, len_r);
}

static int
say_separated(const struct list *list)
{
	struct hbs_call *call = list->call;
	const struct hbs_value *last = hbs_call_pair(call, "last");
	size_t i, len, comma_len = 2, last_len,
	    count = json_array_size(list->array);
	char room[VALUE_TEXT_BYTES], more[VALUE_TEXT_BYTES],
	    most[VALUE_TEXT_BYTES];
	const char *text, *comma = ", ", *final;

	if (call->argc > 1 && hbs_call_text(call, &call->args[1], more, &comma,
	    &comma_len) < 0)
		return -1;
	final = comma;
	last_len = comma_len;
	if (!value_is_nil(last) &&
	    hbs_call_text(call, last, most, &final, &last_len) < 0)
		return -1;
	for (i = 0; i < count; i++) {
		if (i > 0)
			hbs_say(call, i + 1 == count ? final : comma,
			    i + 1 == count ? last_len : comma_len);
		if (element_text(list, i, room, &text, &len) < 0)
			return -1;
		hbs_say(call, text, len);
	}
	return 0;
}

static void *
open_list(const struct icu_key *key, const char *locale)
{
	UErrorCode status = U_ZERO_ERROR;
	UListFormatter *format = ulistfmt_openForType(locale,
	    (UListFormatterType)key->style, ULISTFMT_WIDTH_WIDE, &status);

	return U_SUCCESS(status) ? format : NULL;
}

/* The element in the way of ICU, in memory of the rendering. */
static int
wide_element(const struct list *list, size_t i, const UChar **wide_r,
    int32_t *len_r)
{
	char room[VALUE_TEXT_BYTES];
	UErrorCode status = U_ZERO_ERROR;
	const char *text;
	UChar *wide;
	size_t len;

	if (element_text(list, i, room, &text, &len) < 0)
		return -1;
	if (len > INT32_MAX / 8)
		return hbs_call_error(list->call, 0, "the text is too long");
	wide = hbs_call_memory(list->call, (len + 1) * sizeof(*wide));
	u_strFromUTF8WithSub(wide, (int32_t)len + 1, len_r, text, (int32_t)len,
	    0xFFFD, NULL, &status);
	*wide_r = wide;
	return 0;
}

/* Puts the texts into words: "a, b and c". */
static int
say_words(struct hbs_call *call, const struct icu_key *key,
    const UChar *const texts[], const int32_t lens[], int32_t count)
{
	const UListFormatter *format = icu_cache_get(key, open_list);
	UErrorCode status = U_ZERO_ERROR;
	int32_t total = 64, n, len, i;
	UChar *wide;
	char *text;

	for (i = 0; i < count; i++)
		total += lens[i] + 16;
	if (format == NULL)
		return hbs_call_error(call, 0, "this list cannot be written");
	wide = hbs_call_memory(call, (size_t)total * sizeof(*wide));
	n = ulistfmt_format(format, texts, lens, count, wide, total, &status);
	text = hbs_call_memory(call, (size_t)total * 3);
	u_strToUTF8(text, total * 3, &len, wide, n, &status);
	if (U_FAILURE(status))
		return hbs_call_error(call, 0, "this list cannot be written");
	hbs_say(call, text, (size_t)len);
	return 0;
}

static int
say_in_words(const struct list *list, UListFormatterType type)
{
	struct hbs_call *call = list->call;
	const struct icu_key key = { .kind = ICU_LIST, .digits = -1,
		.style = (int)type, .locale = extra_locale(call), .zone = "",
		.text = "" };
	size_t i, count = json_array_size(list->array);
	const UChar **texts;
	int32_t *lens;

	if (count > ELEMENTS_MAX)
		return hbs_call_error(call, 0,
		    "the list has %zu elements, at most %d can be put into "
		    "words", count, ELEMENTS_MAX);
	texts = hbs_call_memory(call, (count + 1) * sizeof(*texts));
	lens = hbs_call_memory(call, (count + 1) * sizeof(*lens));
	for (i = 0; i < count; i++)
		if (wide_element(list, i, &texts[i], &lens[i]) < 0)
			return -1;
	return say_words(call, &key, texts, lens, (int32_t)count);
}

static int
say_list(struct hbs_call *call)
{
	const struct hbs_value *style = hbs_call_pair(call, "style");
	const struct hbs_value *field = hbs_call_pair(call, "field");
	struct list list = { .call = call };

	if (call->args[0].kind != VALUE_ARRAY) {
		hbs_say_value(call, &call->args[0]);
		return 0;
	}
	list.array = call->args[0].u.json;
	list.has_field = field->kind == VALUE_STRING;
	if (list.has_field)
		part_init(&list.field, field->u.text, field->len);
	if (hbs_call_charge(call, json_array_size(list.array)) < 0)
		return -1;
	if (value_is_nil(style))
		return say_separated(&list);
	if (extra_is_text(style, "and"))
		return say_in_words(&list, ULISTFMT_TYPE_AND);
	if (extra_is_text(style, "or"))
		return say_in_words(&list, ULISTFMT_TYPE_OR);
	return hbs_call_pair_error(call, "style",
	    "\"join\" has the styles \"and\" and \"or\"");
}

int
extra_join(struct hbs_call *call)
{
	return extra_guarded(call, say_list);
}

/* ---- json ------------------------------------------------------------------- */

/* Where JSON stands by itself in a part of JSON it must not be escaped. */
static void
say_piece(struct hbs_call *call, const char *text, size_t len)
{
	if (call->json_value)
		hbs_say_ready(call, text, len);
	else
		hbs_say(call, text, len);
}

/* JSON may stand in a <script>: it shows none of the characters that end one or
 * begin a comment. */
static void
say_json(struct hbs_call *call, const char *text, size_t len)
{
	const char *end = text + len, *p, *from = text;
	const char *escaped;

	for (p = text; p < end; p++) {
		escaped = *p == '<' ? "\\u003C" : *p == '>' ? "\\u003E" :
		    *p == '&' ? "\\u0026" : NULL;
		if (escaped == NULL)
			continue;
		say_piece(call, from, (size_t)(p - from));
		say_piece(call, escaped, 6);
		from = p + 1;
	}
	say_piece(call, from, (size_t)(end - from));
}

/* A piece of what jansson writes. */
static int
take_piece(const char *piece, size_t len, void *arg)
{
	struct hbs_call *call = arg;

	if (hbs_call_room(call) < len ||
	    hbs_call_charge(call, 1 + len / PIECE_BYTES) < 0)
		return -1;
	say_json(call, piece, len);
	return 0;
}

static int
say_json_text(struct hbs_call *call, const char *text, size_t len)
{
	json_t *json = json_stringn(text, len);
	int status = json == NULL ? -1 :
	    json_dump_callback(json, take_piece, call, JSON_ENCODE_ANY);

	json_decref(json);
	return status;
}

static int
say_json_value(struct hbs_call *call, const struct hbs_value *v, size_t flags)
{
	char room[VALUE_TEXT_BYTES];
	const char *text;
	size_t len;

	switch (v->kind) {
	case VALUE_ARRAY:
	case VALUE_OBJECT:
		return json_dump_callback(v->u.json, take_piece, call, flags);
	case VALUE_STRING:
		return say_json_text(call, v->u.text, v->len);
	case VALUE_BOOL:
	case VALUE_INTEGER:
	case VALUE_REAL:
		value_text(v, room, &text, &len);
		say_piece(call, text, len);
		return 0;
	case VALUE_OVERLAY:
		return say_json_value(call, &v->u.overlay->base, flags);
	case VALUE_UNDEFINED:
	case VALUE_NULL:
	case VALUE_BLOCK:
		break;
	}
	say_piece(call, "null", 4);
	return 0;
}

int
extra_json(struct hbs_call *call)
{
	const struct hbs_value *spaces = hbs_call_pair(call, "indent");
	size_t flags = JSON_COMPACT | JSON_ENCODE_ANY;
	double n = 0;

	if (!value_is_nil(spaces)) {
		if (!extra_number(spaces, &n) || !(n >= 0) ||
		    n > JSON_SPACES_MAX)
			return hbs_call_pair_error(call, "indent",
			    "\"indent\" is a number from 0 to %d",
			    JSON_SPACES_MAX);
		flags = JSON_ENCODE_ANY | JSON_INDENT((size_t)n);
	}
	if (say_json_value(call, &call->args[0], flags) == 0)
		return 0;
	return hbs_call_error(call, 0, "this value has too much JSON");
}

/* ---- t ---------------------------------------------------------------------- */

int
extra_t(struct hbs_call *call)
{
	const struct hbs_template *message;
	char room[VALUE_TEXT_BYTES];
	const char *key;
	size_t len;
	int found;

	if (hbs_call_text(call, &call->args[0], room, &key, &len) < 0)
		return -1;
	found = hbs_call_message(call, key, len, &message);
	if (found < 0)
		return -1;
	if (found > 0)
		return hbs_say_template(call, message, key, len);
	if (call->argc < 2)
		return hbs_call_error(call, 0,
		    "there is no message \"%.*s\" in messages.json",
		    len < 80 ? (int)len : 80, key);
	hbs_say_value(call, &call->args[1]);
	return 0;
}
