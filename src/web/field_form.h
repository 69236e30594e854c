/*
 * field_form.h - the forms that texts in fields can have
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * All of these are linear in the length of the text and allocate nothing.  They
 * judge the form only: that a mailbox or a host exists is another question.
 */
#ifndef BELFRY_WEB_FIELD_FORM_H
#define BELFRY_WEB_FIELD_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* LOCAL@DOMAIN: at most 64 bytes before the last "@" and 254 in all, no blanks,
 * controls, quotes or brackets; the domain is labels of letters, digits, hyphens
 * or UTF-8 beyond ASCII. */
bool form_is_email(const char *s);

/* "+" and 2 to 15 digits, the first of them not 0. */
bool form_is_phone(const char *s);

/* http:// or https://, a host, and neither blanks, controls, quotes, brackets
 * nor credentials. */
bool form_is_url(const char *s);

/* BCP 47: 2 to 8 letters, then subtags of 1 to 8 letters or digits, 35 in all. */
bool form_is_locale(const char *s);

/* A name of the time zone database.  Where the database is installed the zone must
 * be in it. */
bool form_is_zone(const char *s);

/* "250ms", "5m", "1h30m", "7d": units ms s m h d w, each once and from large to
 * small.  Returns 0, or -1 for anything else or more than int64_t holds. */
int form_duration_parse(const char *s, int64_t *ms_r) MUST_CHECK;

/* The shortest such text; "0s" for nothing.  ms must not be negative. */
enum { FORM_DURATION_BYTES = 64 };
void form_duration_format(int64_t ms, char text[static FORM_DURATION_BYTES]);

/* Characters of a text that is UTF-8. */
size_t form_length(const char *s);

/* How many letters must be changed, added or taken away to get from one to the
 * other; 255 when more than "most" or a text is longer than 63 bytes. */
unsigned form_distance(const char *a, const char *b, unsigned most);

#endif
