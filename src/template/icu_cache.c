/*
 * icu_cache.c - formatters of ICU, opened once
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A table without order, searched by hash; what was not used for longest makes
 * room.  With at most a hundred entries nothing cleverer would be faster.
 */
#include "template/icu_cache.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unicode/ubrk.h>
#include <unicode/ucal.h>
#include <unicode/ucasemap.h>
#include <unicode/udat.h>
#include <unicode/udatpg.h>
#include <unicode/ulistformatter.h>
#include <unicode/uloc.h>
#include <unicode/unum.h>
#include <unicode/upluralrules.h>

#include "base/ensure.h"

struct entry {
	uint64_t used; /* when, in turns */
	enum icu_kind kind;
	void *formatter;
	size_t len;
	char key[ICU_KEY_BYTES];
};

struct cache {
	size_t count;
	uint64_t turn;
	unsigned long opened;
	uint32_t hashes[ICU_CACHE_MAX];
	struct entry entries[ICU_CACHE_MAX];
};

static _Thread_local struct cache cache;

static void
close_formatter(enum icu_kind kind, void *formatter)
{
	switch (kind) {
	case ICU_NUMBER:
		unum_close(formatter);
		return;
	case ICU_DATE:
		udat_close(formatter);
		return;
	case ICU_PATTERNS:
		udatpg_close(formatter);
		return;
	case ICU_CALENDAR:
		ucal_close(formatter);
		return;
	case ICU_PLURAL:
		uplrules_close(formatter);
		return;
	case ICU_CASES:
		ucasemap_close(formatter);
		return;
	case ICU_CHARACTERS:
		ubrk_close(formatter);
		return;
	case ICU_LIST:
		ulistfmt_close(formatter);
		return;
	case ICU_KINDS:
		break;
	}
	panic("no such kind of formatter");
}

static bool
append(char *room, size_t *len, const char *text)
{
	size_t n = strlen(text) + 1;

	if (n > ICU_KEY_BYTES - *len)
		return false;
	memcpy(room + *len, text, n);
	*len += n;
	return true;
}

/* The key as bytes to compare; 0 when they are too many. */
static size_t
write_key(const struct icu_key *key, char room[ICU_KEY_BYTES])
{
	size_t len = 0;

	room[len++] = (char)('A' + key->kind);
	room[len++] = (char)('A' + key->style);
	room[len++] = (char)('B' + key->digits);
	return append(room, &len, key->locale) &&
	    append(room, &len, key->zone) &&
	    append(room, &len, key->text) ? len : 0;
}

static uint32_t
hash_bytes(const char *bytes, size_t len)
{
	uint32_t hash = 2166136261U;
	size_t i;

	for (i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * 16777619U;
	return hash;
}

static struct entry *
find(uint32_t hash, const char *key, size_t len)
{
	size_t i;

	for (i = 0; i < cache.count; i++)
		if (cache.hashes[i] == hash && cache.entries[i].len == len &&
		    memcmp(cache.entries[i].key, key, len) == 0)
			return &cache.entries[i];
	return NULL;
}

/* A free place, made by closing what was not used for longest. */
static size_t
make_room(void)
{
	size_t i, oldest = 0;

	if (cache.count < ICU_CACHE_MAX)
		return cache.count++;
	for (i = 1; i < cache.count; i++)
		if (cache.entries[i].used < cache.entries[oldest].used)
			oldest = i;
	close_formatter(cache.entries[oldest].kind,
	    cache.entries[oldest].formatter);
	return oldest;
}

/* Nothing may depend on the environment of the process: languages that ICU does
 * not know are written as English. */
static void
set_default_locale(void)
{
	UErrorCode status = U_ZERO_ERROR;

	if (cache.opened == 0)
		uloc_setDefault("en", &status);
}

static void *
open_formatter(const struct icu_key *key,
    void *(*open)(const struct icu_key *, const char *))
{
	char locale[ICU_LOCALE_BYTES];
	UErrorCode status = U_ZERO_ERROR;
	int32_t used;

	set_default_locale();
	uloc_forLanguageTag(key->locale, locale, sizeof(locale), &used,
	    &status);
	if (U_FAILURE(status) || status == U_STRING_NOT_TERMINATED_WARNING ||
	    locale[0] == '\0')
		snprintf(locale, sizeof(locale), "en");
	cache.opened++;
	return open(key, locale);
}

void *
icu_cache_get(const struct icu_key *key,
    void *(*open)(const struct icu_key *, const char *))
{
	char bytes[ICU_KEY_BYTES];
	size_t len = write_key(key, bytes), place;
	uint32_t hash = hash_bytes(bytes, len);
	struct entry *entry;
	void *formatter;

	if (len == 0)
		return NULL;
	entry = find(hash, bytes, len);
	if (entry == NULL) {
		formatter = open_formatter(key, open);
		if (formatter == NULL)
			return NULL;
		place = make_room();
		entry = &cache.entries[place];
		cache.hashes[place] = hash;
		entry->kind = key->kind;
		entry->formatter = formatter;
		entry->len = len;
		memcpy(entry->key, bytes, len);
	}
	entry->used = ++cache.turn;
	return entry->formatter;
}

unsigned long
icu_cache_opened(void)
{
	return cache.opened;
}

void
icu_cache_clear(void)
{
	while (cache.count > 0) {
		cache.count--;
		close_formatter(cache.entries[cache.count].kind,
		    cache.entries[cache.count].formatter);
	}
}
