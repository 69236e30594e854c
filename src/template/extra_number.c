/*
 * extra_number.c - number, currency and plural
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Amounts come as numbers or as texts of digits, which keep all of them.  What
 * is no number is written as it stands: a message with an odd amount is better
 * than no message.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unicode/ucurr.h>
#include <unicode/unum.h>
#include <unicode/upluralrules.h>
#include <unicode/ustring.h>

#include "template/extra.h"
#include "template/hbs_helper.h"
#include "template/icu_cache.h"

enum {
	ROOM_CHARS = 640, /* 1e308 with its separators */
	DIGITS_MAX = 20, /* of a fraction */
	DECIMAL_BYTES = 48, /* of a text that keeps all its digits */
	PERCENT = 100,
};

/* A number to be written. */
struct amount {
	bool is_integer;
	int64_t integer;
	double real;
	const char *decimal; /* its digits, or NULL */
	size_t decimal_len;
};

/* What to call a style, and what it is to ICU. */
struct style {
	const char *name;
	UNumberFormatStyle style;
};

static const struct style number_styles[] = {
	{ "decimal", UNUM_DECIMAL },
	{ "percent", UNUM_PERCENT },
	{ "compact", UNUM_DECIMAL_COMPACT_SHORT },
	{ "scientific", UNUM_SCIENTIFIC },
};

static const struct style currency_styles[] = {
	{ "symbol", UNUM_CURRENCY },
	{ "code", UNUM_CURRENCY_ISO },
	{ "name", UNUM_CURRENCY_PLURAL },
	{ "accounting", UNUM_CURRENCY_ACCOUNTING },
};

static bool
is_plain_decimal(const struct hbs_value *v)
{
	size_t i;

	if (v->len >= DECIMAL_BYTES)
		return false;
	for (i = 0; i < v->len; i++)
		if ((v->u.text[i] < '0' || v->u.text[i] > '9') &&
		    v->u.text[i] != '.' && (i > 0 || v->u.text[i] != '-'))
			return false;
	return true;
}

/* 1 and the number; 0 when there is none and the value is to be written as it
 * stands; -1 with the error set for a list or an object. */
static int
read_amount(struct hbs_call *call, struct amount *amount)
{
	const struct hbs_value *v = &call->args[0];

	*amount = (struct amount){ 0 };
	if (value_is_nil(v))
		return 0;
	if (v->kind == VALUE_INTEGER) {
		amount->is_integer = true;
		amount->integer = v->u.integer;
		amount->real = (double)v->u.integer;
		return 1;
	}
	if (extra_number(v, &amount->real)) {
		if (v->kind == VALUE_STRING && is_plain_decimal(v)) {
			amount->decimal = v->u.text;
			amount->decimal_len = v->len;
		}
		return 1;
	}
	if (v->kind == VALUE_STRING)
		return 0;
	return hbs_call_error(call, 0, "\"%s\" takes a number, not %s",
	    call->helper->name, extra_kind_name(v));
}

/* ---- Formatters --------------------------------------------------------------- */

static void
set_digits(UNumberFormat *format, const struct icu_key *key)
{
	if (key->digits < 0)
		return;
	unum_setAttribute(format, UNUM_MIN_FRACTION_DIGITS, key->digits);
	unum_setAttribute(format, UNUM_MAX_FRACTION_DIGITS, key->digits);
}

static void *
open_number(const struct icu_key *key, const char *locale)
{
	UErrorCode status = U_ZERO_ERROR;
	UNumberFormat *format = unum_open((UNumberFormatStyle)key->style, NULL,
	    0, locale, NULL, &status);
	UChar code[4];

	if (U_SUCCESS(status) && key->text[0] != '\0') {
		u_charsToUChars(key->text, code, 4);
		unum_setTextAttribute(format, UNUM_CURRENCY_CODE, code, 3,
		    &status);
	}
	if (U_FAILURE(status)) {
		unum_close(format);
		return NULL;
	}
	unum_setAttribute(format, UNUM_ROUNDING_MODE, UNUM_ROUND_HALFUP);
	set_digits(format, key);
	return format;
}

static int32_t
format_amount(const UNumberFormat *format, const struct amount *amount,
    UChar *room, UErrorCode *status)
{
	if (amount->decimal != NULL)
		return unum_formatDecimal(format, amount->decimal,
		    (int32_t)amount->decimal_len, room, ROOM_CHARS, NULL,
		    status);
	if (amount->is_integer)
		return unum_formatInt64(format, amount->integer, room,
		    ROOM_CHARS, NULL, status);
	return unum_formatDouble(format, amount->real, room, ROOM_CHARS, NULL,
	    status);
}

/* Writes the number into "text"; its length, 0 when it cannot be written. */
static size_t
write_amount(const struct icu_key *key, const struct amount *amount,
    char text[ROOM_CHARS * 3])
{
	const UNumberFormat *format = icu_cache_get(key, open_number);
	UErrorCode status = U_ZERO_ERROR;
	UChar room[ROOM_CHARS];
	int32_t n, len = 0;

	if (format == NULL)
		return 0;
	n = format_amount(format, amount, room, &status);
	if (U_SUCCESS(status))
		u_strToUTF8(text, ROOM_CHARS * 3, &len, room, n, &status);
	return U_SUCCESS(status) ? (size_t)len : 0;
}

static int
say_amount(struct hbs_call *call, const struct icu_key *key,
    const struct amount *amount)
{
	char text[ROOM_CHARS * 3];
	size_t len = write_amount(key, amount, text);

	if (len == 0)
		hbs_say_value(call, &call->args[0]);
	else
		hbs_say(call, text, len);
	return 0;
}

/* ---- number, currency ----------------------------------------------------------- */

static int
read_style(struct hbs_call *call, const struct style *styles, size_t count,
    int *style_r)
{
	const struct hbs_value *v = hbs_call_pair(call, "style");
	size_t i;

	for (i = 0; i < count; i++)
		if (v->kind == VALUE_UNDEFINED ||
		    extra_is_text(v, styles[i].name)) {
			*style_r = (int)styles[i].style;
			return 0;
		}
	return hbs_call_pair_error(call, "style",
	    "\"%s\" has the styles \"%s\", \"%s\", \"%s\" and \"%s\"",
	    call->helper->name, styles[0].name, styles[1].name,
	    styles[2].name, styles[3].name);
}

static int
read_digits(struct hbs_call *call, int *digits_r)
{
	const struct hbs_value *v = hbs_call_pair(call, "digits");
	double n;

	*digits_r = -1;
	if (v->kind == VALUE_UNDEFINED)
		return 0;
	if (!extra_number(v, &n) || !(n >= 0 && n <= DIGITS_MAX))
		return hbs_call_pair_error(call, "digits",
		    "\"digits\" is a number from 0 to %d", DIGITS_MAX);
	*digits_r = (int)n;
	return 0;
}

static int
write_number(struct hbs_call *call)
{
	struct icu_key key = { .kind = ICU_NUMBER, .zone = "", .text = "",
		.locale = extra_locale(call) };
	struct amount amount;
	int found;

	if (read_style(call, number_styles, NELEMS(number_styles),
	    &key.style) < 0 || read_digits(call, &key.digits) < 0 ||
	    (found = read_amount(call, &amount)) < 0)
		return -1;
	if (found > 0)
		return say_amount(call, &key, &amount);
	hbs_say_value(call, &call->args[0]);
	return 0;
}

int
extra_decimal(struct hbs_call *call)
{
	return extra_guarded(call, write_number);
}

/* Three letters as a currency; false for anything else. */
static bool
read_code(const struct hbs_value *v, char code[4])
{
	size_t i;

	if (v->kind != VALUE_STRING || v->len != 3)
		return false;
	for (i = 0; i < 3; i++) {
		code[i] = (char)(v->u.text[i] & ~0x20);
		if (code[i] < 'A' || code[i] > 'Z')
			return false;
	}
	code[3] = '\0';
	return true;
}

/* 5480 cents are 54.80. */
static void
divide_minor(struct amount *amount, const char *code,
    char room[DECIMAL_BYTES])
{
	UErrorCode status = U_ZERO_ERROR;
	UChar wide[4];
	int32_t digits;

	u_charsToUChars(code, wide, 4);
	digits = ucurr_getDefaultFractionDigits(wide, &status);
	if (U_FAILURE(status))
		digits = 2;
	if (!amount->is_integer) {
		amount->decimal = NULL;
		amount->real /= pow(10, digits);
		return;
	}
	amount->decimal = room;
	amount->decimal_len = (size_t)snprintf(room, DECIMAL_BYTES, "%lldE-%d",
	    (long long)amount->integer, (int)digits);
}

/* Without a currency that is one: the number and what was given for it. */
static int
say_unknown_currency(struct hbs_call *call, struct icu_key *key,
    const struct amount *amount)
{
	key->style = UNUM_DECIMAL;
	if (say_amount(call, key, amount) < 0)
		return -1;
	if (call->args[1].kind == VALUE_STRING && call->args[1].len > 0) {
		hbs_say(call, " ", 1);
		hbs_say(call, call->args[1].u.text, call->args[1].len);
	}
	return 0;
}

static int
write_currency(struct hbs_call *call)
{
	char code[4] = "", room[DECIMAL_BYTES];
	struct icu_key key = { .kind = ICU_NUMBER, .zone = "", .text = "",
		.locale = extra_locale(call) };
	struct amount amount;
	int found;

	if (read_style(call, currency_styles, NELEMS(currency_styles),
	    &key.style) < 0 || read_digits(call, &key.digits) < 0 ||
	    (found = read_amount(call, &amount)) < 0)
		return -1;
	if (found == 0) {
		hbs_say_value(call, &call->args[0]);
		return 0;
	}
	if (!read_code(&call->args[1], code))
		return say_unknown_currency(call, &key, &amount);
	key.text = code;
	if (value_is_true(hbs_call_pair(call, "minor")))
		divide_minor(&amount, code, room);
	return say_amount(call, &key, &amount);
}

int
extra_currency(struct hbs_call *call)
{
	return extra_guarded(call, write_currency);
}

/* ---- plural --------------------------------------------------------------------- */

static void *
open_plural(const struct icu_key *key, const char *locale)
{
	UErrorCode status = U_ZERO_ERROR;
	UPluralRules *rules = uplrules_openForType(locale,
	    (UPluralType)key->style, &status);

	return U_SUCCESS(status) ? rules : NULL;
}

/* "one", "few" ... for this number in the language of the text. */
static void
select_form(const struct icu_key *key, double number, char form[16])
{
	const UPluralRules *rules = icu_cache_get(key, open_plural);
	UErrorCode status = U_ZERO_ERROR;
	UChar wide[16];
	int32_t n = 0;

	if (rules != NULL)
		n = uplrules_select(rules, number, wide, 15, &status);
	if (n == 0 || U_FAILURE(status)) {
		snprintf(form, 16, "other");
		return;
	}
	u_UCharsToChars(wide, form, n);
	form[n] = '\0';
}

/* The text with "#" in place of the number, "##" for a "#". */
static void
say_form(struct hbs_call *call, const char *text, size_t len,
    const char *number, size_t number_len)
{
	const char *end = text + len, *sign;

	while ((sign = memchr(text, '#', (size_t)(end - text))) != NULL) {
		hbs_say(call, text, (size_t)(sign - text));
		text = sign + 1;
		if (text < end && *text == '#') {
			hbs_say(call, "#", 1);
			text++;
		} else {
			hbs_say(call, number, number_len);
		}
		if (text == end)
			return;
	}
	hbs_say(call, text, (size_t)(end - text));
}

/* The form of the text: that for none at all, that of the language, "other". */
static const struct hbs_value *
find_form(struct hbs_call *call, const struct amount *amount, int found)
{
	const struct icu_key key = { .kind = ICU_PLURAL, .digits = -1,
		.style = value_is_true(hbs_call_pair(call, "ordinal")) ?
		    UPLURAL_TYPE_ORDINAL : UPLURAL_TYPE_CARDINAL,
		.locale = extra_locale(call), .zone = "", .text = "" };
	const struct hbs_value *v = &value_undefined;
	char form[16];

	if (found > 0 && !(amount->real < 0) && !(amount->real > 0))
		v = hbs_call_pair(call, "zero");
	if (found > 0 && value_is_nil(v)) {
		select_form(&key, fabs(amount->real), form);
		v = hbs_call_pair(call, form);
	}
	return value_is_nil(v) ? hbs_call_pair(call, "other") : v;
}

static int
write_plural(struct hbs_call *call)
{
	const struct icu_key key = { .kind = ICU_NUMBER, .digits = -1,
		.style = UNUM_DECIMAL, .locale = extra_locale(call),
		.zone = "", .text = "" };
	char room[VALUE_TEXT_BYTES], number[ROOM_CHARS * 3];
	const struct hbs_value *form;
	struct amount amount;
	const char *text, *shown = number;
	size_t len, shown_len = 0;
	int found = read_amount(call, &amount);

	if (found < 0)
		return -1;
	if (value_is_nil(&call->args[0]))
		return 0;
	form = find_form(call, &amount, found);
	if (value_is_nil(form))
		return hbs_call_error(call, 0,
		    "plural needs the form other=\"...\"");
	if (hbs_call_text(call, form, room, &text, &len) < 0)
		return -1;
	if (memchr(text, '#', len) != NULL && found > 0)
		shown_len = write_amount(&key, &amount, number);
	if (found == 0 && call->args[0].kind == VALUE_STRING) {
		shown = call->args[0].u.text;
		shown_len = call->args[0].len;
	}
	say_form(call, text, len, shown, shown_len);
	return 0;
}

int
extra_plural(struct hbs_call *call)
{
	return extra_guarded(call, write_plural);
}
