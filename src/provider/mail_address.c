/*
 * mail_address.c - what may stand as an e-mail address
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The length is looked at first, so nothing behind it ever reads more than a
 * few hundred bytes, whatever was sent.
 */
#include "provider/mail_address.h"

#include "config.h"

#ifdef HAVE_IDN2
#include <idn2.h>
#endif
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"

/* RFC 5321 section 4.5.3.1, and 63 octets a label from RFC 1035. */
enum { ADDRESS_MAX = 254, LOCAL_MAX = 64, DOMAIN_MAX = 255, LABEL_MAX = 63 };

static bool
is_letter_or_digit(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9');
}

/* A character of an atom (RFC 5322 atext), or any byte of a UTF-8 sequence. */
static bool
is_atom_byte(unsigned char c)
{
	return c >= 0x80 || is_letter_or_digit(c) ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* Characters that show nothing or turn the reading direction around: in an
 * address they serve only to pass for another one.  C1 controls, U+200B-F,
 * U+2028-E, U+2060-F, U+FEFF. */
static bool
is_invisible(const unsigned char *p)
{
	if (p[0] == 0xc2)
		return p[1] < 0xa0;
	if (p[0] == 0xef)
		return p[1] == 0xbb && p[2] == 0xbf;
	if (p[0] != 0xe2)
		return false;
	if (p[1] == 0x80)
		return (p[2] >= 0x8b && p[2] <= 0x8f) ||
		    (p[2] >= 0xa8 && p[2] <= 0xae);
	return p[1] == 0x81 && p[2] >= 0xa0 && p[2] <= 0xaf;
}

static const char *
text_fault(const char *addr, size_t len)
{
	const unsigned char *p = (const unsigned char *)addr;

	if (!text_is_utf8(addr, len))
		return "is not UTF-8";
	for (; *p != '\0'; p++) {
		if (*p < 0x20 || *p == 0x7f)
			return "holds a control character";
		if (is_invisible(p))
			return "holds an invisible character";
	}
	return NULL;
}

static const char *
local_fault(const char *s, size_t len)
{
	size_t i;

	if (len == 0)
		return "has nothing before the \"@\"";
	if (len > LOCAL_MAX)
		return "has more than 64 bytes before the \"@\"";
	if (s[0] == '"')
		return "has a quoted part before the \"@\"";
	if (s[0] == '.' || s[len - 1] == '.')
		return "has a dot at an end of the part before the \"@\"";
	for (i = 0; i < len; i++) {
		if (s[i] == '.' && s[i + 1] == '.')
			return "has two dots in a row";
		if (s[i] != '.' && !is_atom_byte((unsigned char)s[i]))
			return "holds a character that is not allowed before "
			       "the \"@\"";
	}
	return NULL;
}

static const char *
label_fault(const char *s, size_t len)
{
	size_t i;

	if (len == 0)
		return "has an empty label in its domain";
	if (len > LABEL_MAX)
		return "has a label of more than 63 bytes in its domain";
	if (s[0] == '-' || s[len - 1] == '-')
		return "has a label with a hyphen at an end in its domain";
	for (i = 0; i < len; i++) {
		if ((unsigned char)s[i] < 0x80 && s[i] != '-' &&
		    !is_letter_or_digit((unsigned char)s[i]))
			return "holds a character that is not allowed in a "
			       "domain";
	}
	return NULL;
}

static const char *
domain_fault(const char *s)
{
	const char *fault;
	size_t len;

	if (strlen(s) > DOMAIN_MAX)
		return "has a domain of more than 255 bytes";
	if (s[0] == '[')
		return "has an address literal instead of a domain";
	for (;;) {
		len = strcspn(s, ".");
		fault = label_fault(s, len);
		if (fault != NULL)
			return fault;
		if (s[len] == '\0')
			break;
		s += len + 1;
	}
	if (strspn(s, "0123456789") == len)
		return "has a domain that ends in a number";
	return NULL;
}

static const char *
address_fault(const char *addr)
{
	size_t len = strlen(addr);
	const char *at, *fault;

	if (len == 0)
		return "is empty";
	if (len > ADDRESS_MAX)
		return "is longer than 254 bytes";
	fault = text_fault(addr, len);
	if (fault != NULL)
		return fault;
	at = strrchr(addr, '@');
	if (at == NULL)
		return "has no \"@\"";
	fault = local_fault(addr, (size_t)(at - addr));
	return fault != NULL ? fault : domain_fault(at + 1);
}

static bool
is_ascii(const char *s, const char *end)
{
	for (; s < end; s++) {
		if ((unsigned char)*s >= 0x80)
			return false;
	}
	return true;
}

int
mail_address_check(const char *addr, bool *needs_smtputf8_r, struct err *e)
{
	const char *fault = address_fault(addr);

	if (fault != NULL)
		return err_set(e, ERR_UNPROCESSABLE, "address %s", fault);
	*needs_smtputf8_r = !is_ascii(addr, strrchr(addr, '@'));
	return 0;
}

/* The domain as A-labels in "a", or NULL with *e set.  The library is asked itself because libcurl
 * hands it text in the character set of the locale. */
static const char *
domain_to_ascii(struct arena *a, const char *domain, struct err *e)
{
#ifdef HAVE_IDN2
	const char *copy;
	uint8_t *ascii;
	int rc = idn2_lookup_u8((const uint8_t *)domain, &ascii,
	    IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);

	if (rc != IDN2_OK) {
		err_set(e, ERR_UNPROCESSABLE,
		    "address has a domain that is no international domain "
		    "name: %s",
		    idn2_strerror(rc));
		return NULL;
	}
	copy = arena_strdup(a, (const char *)ascii);
	idn2_free(ascii);
	return copy;
#else
	err_set(e, ERR_UNPROCESSABLE,
	    "address has an international domain name, for which this Belfry "
	    "was not built");
	return NULL;
#endif
}

int
mail_address_ascii(struct arena *a, const char *addr, const char **ascii_r,
    struct err *e)
{
	const char *at, *domain, *whole;
	bool utf8;

	if (mail_address_check(addr, &utf8, e) < 0)
		return -1;
	at = strrchr(addr, '@');
	if (is_ascii(at, at + strlen(at))) {
		*ascii_r = addr;
		return 0;
	}
	domain = domain_to_ascii(a, at + 1, e);
	if (domain == NULL)
		return -1;
	whole = arena_printf(a, "%.*s@%s", (int)(at - addr), addr, domain);
	if (mail_address_check(whole, &utf8, e) < 0)
		return -1;
	*ascii_r = whole;
	return 0;
}
