/*
 * sms_length.h - how long a short message is on the air
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A text whose characters all stand in the GSM 03.38 alphabet is sent in septets, those of
 * its extension table (^ { } \ [ ~ ] | EUR, form feed) taking two; any other text is
 * sent in UTF-16.  160 septets or 70 units fit into one segment; of longer texts
 * each segment holds 153 or 67, since a header says how they belong together.  What takes
 * two units is never cut in two.
 */
#ifndef BELFRY_MODEL_SMS_LENGTH_H
#define BELFRY_MODEL_SMS_LENGTH_H

#include <stddef.h>

enum sms_encoding { SMS_GSM7, SMS_UCS2 };

struct sms_length {
	enum sms_encoding encoding;
	size_t characters;
	size_t units; /* septets, or units of UTF-16 */
	size_t segments; /* 0 for an empty text */
	size_t first_other; /* the first character that is not in the GSM alphabet,
			     * as a code point; 0: all are */
};

/* "text" is UTF-8. */
struct sms_length sms_length(const char *text);

/* "gsm-7", "ucs-2". */
const char *sms_encoding_name(enum sms_encoding encoding);

#endif
