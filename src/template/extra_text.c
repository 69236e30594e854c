/*
 * extra_text.c - uppercase, lowercase, capitalize, truncate, url_encode
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Text of ASCII letters alone does not need ICU, but for the languages that have
 * letters of their own for "i" and "j".
 */
#include <string.h>
#include <strings.h>
#include <unicode/ubrk.h>
#include <unicode/ucasemap.h>
#include <unicode/ustring.h>
#include <unicode/utext.h>

#include "template/extra.h"
#include "template/hbs_helper.h"
#include "template/icu_cache.h"

enum {
	ROOM_BYTES = 512, /* on the stack, for what is short */
	TRUNCATE_MAX = 1000000,
	CHARGE_BYTES = 16, /* that cost as much as a node */
};

typedef int32_t case_fn(const UCaseMap *map, char *to, int32_t room,
    const char *from, int32_t len, UErrorCode *status);

/* Lithuanian, Turkish, Azerbaijani and Dutch. */
static bool
has_own_letters(const char *locale)
{
	static const char names[][3] = { "az", "lt", "nl", "tr" };
	size_t i;

	for (i = 0; i < NELEMS(names); i++)
		if (strncasecmp(locale, names[i], 2) == 0)
			return true;
	return false;
}

static void *
open_case_map(const struct icu_key *key, const char *locale)
{
	UErrorCode status = U_ZERO_ERROR;
	UCaseMap *map = ucasemap_open(locale, (uint32_t)key->style, &status);

	return U_SUCCESS(status) ? map : NULL;
}

static char
ascii_case(char c, bool upper)
{
	if (upper)
		return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static int
say_ascii(struct hbs_call *call, const char *text, size_t len, size_t first,
    bool upper)
{
	char room[ROOM_BYTES];
	size_t i, n;

	if (len == 0)
		hbs_say(call, "", 0);
	for (; len > 0; text += n, len -= n) {
		n = len < sizeof(room) ? len : sizeof(room);
		for (i = 0; i < n; i++)
			room[i] = i < first ? ascii_case(text[i], upper) :
			    text[i];
		hbs_say(call, room, n);
		first = first > n ? first - n : 0;
	}
	return 0;
}

/* ICU's way for any text. */
static int
say_mapped(struct hbs_call *call, const char *text, size_t len, case_fn *fn,
    int options)
{
	const struct icu_key key = { .kind = ICU_CASES, .style = options,
		.digits = -1, .locale = extra_locale(call), .zone = "",
		.text = "" };
	char room[ROOM_BYTES], *to = room;
	UErrorCode status = U_ZERO_ERROR;
	UCaseMap *map = icu_cache_get(&key, open_case_map);
	int32_t n;

	if (map == NULL) {
		hbs_say(call, text, len);
		return 0;
	}
	n = fn(map, to, sizeof(room), text, (int32_t)len, &status);
	if (status == U_BUFFER_OVERFLOW_ERROR) {
		status = U_ZERO_ERROR;
		to = hbs_call_memory(call, (size_t)n + 1);
		n = fn(map, to, n + 1, text, (int32_t)len, &status);
	}
	if (U_SUCCESS(status))
		hbs_say(call, to, (size_t)n);
	else
		hbs_say(call, text, len);
	return 0;
}

/* The text of a value, its length paid for. */
static int
paid_text(struct hbs_call *call, const struct hbs_value *v,
    char room[VALUE_TEXT_BYTES], const char **text_r, size_t *len_r)
{
	if (hbs_call_text(call, v, room, text_r, len_r) < 0 ||
	    hbs_call_charge(call, *len_r / CHARGE_BYTES) < 0)
		return -1;
	if (*len_r > INT32_MAX / 8)
		return hbs_call_error(call, 0, "the text is too long");
	return 0;
}

/* That of the first argument. */
static int
argument_text(struct hbs_call *call, char room[VALUE_TEXT_BYTES],
    const char **text_r, size_t *len_r)
{
	return paid_text(call, &call->args[0], room, text_r, len_r);
}

static int32_t
to_title(const UCaseMap *map, char *to, int32_t room, const char *from,
    int32_t len, UErrorCode *status)
{
	/* The type of the map is not const here: it may keep an iterator. */
	union {
		const UCaseMap *in;
		UCaseMap *out;
	} u = { .in = map };

	return ucasemap_utf8ToTitle(u.out, to, room, from, len, status);
}

static int
say_case(struct hbs_call *call, case_fn *fn, bool upper)
{
	char room[VALUE_TEXT_BYTES];
	const char *text;
	size_t len;

	if (argument_text(call, room, &text, &len) < 0)
		return -1;
	if (extra_is_ascii(text, len) && !has_own_letters(extra_locale(call)))
		return say_ascii(call, text, len, len, upper);
	return say_mapped(call, text, len, fn, 0);
}

static int
write_upper(struct hbs_call *call)
{
	return say_case(call, ucasemap_utf8ToUpper, true);
}

int
extra_uppercase(struct hbs_call *call)
{
	return extra_guarded(call, write_upper);
}

static int
write_lower(struct hbs_call *call)
{
	return say_case(call, ucasemap_utf8ToLower, false);
}

int
extra_lowercase(struct hbs_call *call)
{
	return extra_guarded(call, write_lower);
}

/* The first letter large, the rest as it is. */
static int
write_capital(struct hbs_call *call)
{
	char room[VALUE_TEXT_BYTES];
	const char *text;
	size_t len;

	if (argument_text(call, room, &text, &len) < 0)
		return -1;
	if (len > 0 && *text >= 'a' && *text <= 'z' &&
	    extra_is_ascii(text, len < 2 ? len : 2) &&
	    !has_own_letters(extra_locale(call))) {
		room[0] = ascii_case(*text, true);
		hbs_say(call, room, 1);
		hbs_say(call, text + 1, len - 1);
		return 0;
	}
	return say_mapped(call, text, len, to_title,
	    U_TITLECASE_WHOLE_STRING | U_TITLECASE_NO_LOWERCASE);
}

int
extra_capitalize(struct hbs_call *call)
{
	return extra_guarded(call, write_capital);
}

/* ---- truncate --------------------------------------------------------------- */

static void *
open_characters(const struct icu_key *key, const char *locale)
{
	UErrorCode status = U_ZERO_ERROR;
	UBreakIterator *it = ubrk_open(UBRK_CHARACTER, locale, NULL, 0,
	    &status);

	(void)key;
	return U_SUCCESS(status) ? it : NULL;
}

/* The byte at which the n-th character (what a reader takes for one) begins,
 * len when there are not so many; *count_r: how many there are up to it. */
static size_t
find_character(struct hbs_call *call, const char *text, size_t len, size_t n,
    size_t *count_r)
{
	const struct icu_key key = { .kind = ICU_CHARACTERS, .digits = -1,
		.locale = extra_locale(call), .zone = "", .text = "" };
	UBreakIterator *it = icu_cache_get(&key, open_characters);
	UText source = UTEXT_INITIALIZER;
	UErrorCode status = U_ZERO_ERROR;
	int32_t at = 0;
	size_t i;

	utext_openUTF8(&source, text, (int64_t)len, &status);
	if (it != NULL)
		ubrk_setUText(it, &source, &status);
	if (it == NULL || U_FAILURE(status))
		return *count_r = n < len ? n : len;
	for (i = 0; i < n && (size_t)at < len; i++)
		at = ubrk_next(it);
	utext_close(&source);
	*count_r = i;
	return at == UBRK_DONE ? len : (size_t)at;
}

static size_t
character_at(struct hbs_call *call, const char *text, size_t len, size_t n)
{
	size_t unused;

	if (n >= len)
		return len;
	if (extra_is_ascii(text, n + 1))
		return n;
	return find_character(call, text, len, n, &unused);
}

/* How many characters a text has, but not more than max. */
static size_t
count_characters(struct hbs_call *call, const char *text, size_t len,
    size_t max)
{
	size_t most = max < len ? max : len, count;

	if (extra_is_ascii(text, most))
		return most;
	find_character(call, text, len, most, &count);
	return count;
}

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Goes back from "end" to the end of a whole word, if there is one. */
static size_t
end_of_word(const char *text, size_t len, size_t end)
{
	size_t at = end;

	if (end < len && is_blank(text[end]))
		return end;
	while (at > 0 && !is_blank(text[at - 1]))
		at--;
	return at > 0 ? at : end;
}

static int
read_length(struct hbs_call *call, size_t *n_r)
{
	double n;

	if (!extra_number(&call->args[1], &n) || !(n >= 1))
		return hbs_call_error(call, 1,
		    "truncate takes a number of characters from 1 on");
	*n_r = n < TRUNCATE_MAX ? (size_t)n : TRUNCATE_MAX;
	return 0;
}

static int
write_truncated(struct hbs_call *call)
{
	const struct hbs_value *mark = hbs_call_pair(call, "ellipsis");
	char room[VALUE_TEXT_BYTES], mark_room[VALUE_TEXT_BYTES];
	const char *text, *ellipsis = "\xE2\x80\xA6";
	size_t len, mark_len = 3, n = 0, marks = 1, end;

	if (read_length(call, &n) < 0 ||
	    argument_text(call, room, &text, &len) < 0 ||
	    (mark->kind != VALUE_UNDEFINED && paid_text(call, mark,
	    mark_room, &ellipsis, &mark_len) < 0))
		return -1;
	if (character_at(call, text, len, n) == len) {
		hbs_say(call, text, len);
		return 0;
	}
	if (mark->kind != VALUE_UNDEFINED)
		marks = count_characters(call, ellipsis, mark_len, n);
	end = character_at(call, text, len, n - marks);
	if (value_is_true(hbs_call_pair(call, "words")))
		end = end_of_word(text, len, end);
	while (end > 0 && is_blank(text[end - 1]))
		end--;
	hbs_say(call, text, end);
	hbs_say(call, ellipsis, mark_len);
	return 0;
}

int
extra_truncate(struct hbs_call *call)
{
	return extra_guarded(call, write_truncated);
}

/* ---- url_encode ------------------------------------------------------------- */

static bool
is_unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	    (c >= '0' && c <= '9') || (c != '\0' && strchr("-._~", c) != NULL);
}

int
extra_url_encode(struct hbs_call *call)
{
	static const char digits[] = "0123456789ABCDEF";
	char room[VALUE_TEXT_BYTES], out[ROOM_BYTES];
	const char *text;
	size_t len, i, n = 0;

	if (argument_text(call, room, &text, &len) < 0)
		return -1;
	for (i = 0; i < len; i++) {
		if (n > sizeof(out) - 3) {
			hbs_say(call, out, n);
			n = 0;
		}
		if (is_unreserved(text[i])) {
			out[n++] = text[i];
			continue;
		}
		out[n++] = '%';
		out[n++] = digits[(unsigned char)text[i] >> 4];
		out[n++] = digits[(unsigned char)text[i] & 15];
	}
	hbs_say(call, out, n);
	return 0;
}
