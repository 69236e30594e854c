/*
 * field.h - a JSON object as a C struct and one table of its fields
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A table names every field of an object with its type, place in the struct,
 * limits and help.  From it come the parser that fills the struct and finds all
 * faults at once, the writer, and the JSON Schema of the OpenAPI document.
 * Request bodies, query parameters and the settings of providers use the same
 * tables.
 *
 *	struct mailbox {
 *		struct field_mask mask;
 *		const char *host;
 *		int64_t port;
 *		const char **aliases;
 *		size_t aliases_count;
 *		const char *password;
 *	};
 *	static const struct field mailbox_fields[] = {
 *		FIELD(struct mailbox, host, TEXT, .flags = FIELD_REQUIRED,
 *		    .max = 253, .help = "The server.", .example = "\"mx1\""),
 *		FIELD(struct mailbox, port, INT, .min = 1, .max = 65535,
 *		    .flags = FIELD_DEFAULT, .def = 25),
 *		FIELD_LIST(struct mailbox, aliases, TEXT, .max = 10),
 *		FIELD(struct mailbox, password, TEXT, .flags = FIELD_SECRET),
 *	};
 *	const struct field_table mailbox_table = FIELD_TABLE("Mailbox",
 *	    struct mailbox, mailbox_fields, "Where mail goes.");
 *
 * Types and the C type of their member:
 * TEXT SLUG EMAIL PHONE URL LOCALE ZONE   const char *, NULL when absent
 * UUID       struct uuid, nil when absent
 * BOOL       bool
 * INT        int64_t
 * TIME       int64_t, ms since 1970 (RFC 3339 in JSON), 0 when absent
 * DURATION   int64_t, ms ("250ms", "5m", "1h30m" in JSON)
 * ENUM       int or an enum: the index in .words
 * JSON       json_t *, any object, NULL when absent; counted with the record
 * FIELD_SUB  a pointer to a struct with its own table, NULL when absent
 * FIELD_LIST an array "m" of one of the types up to ENUM and "size_t m_count"
 * FIELD_SUBS an array "m" of structs with their own table, and "size_t m_count"
 *
 * What was absent has the value .def when its flag FIELD_DEFAULT is set, and else
 * is zero.  Every struct has a member "struct field_mask mask", by which
 * fields_given() and fields_null() tell "absent", "null" and "zero" apart.
 */
#ifndef BELFRY_WEB_FIELD_H
#define BELFRY_WEB_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/compiler.h"
#include "base/uuid.h"

struct arena;

enum field_type {
	FIELD_TEXT,
	FIELD_SLUG, /* text_is_slug() */
	FIELD_EMAIL, /* local@domain, at most 254 bytes */
	FIELD_PHONE, /* E.164 with its plus */
	FIELD_URL, /* absolute, http or https */
	FIELD_LOCALE, /* BCP 47 shape: "de", "de-AT", "zh-Hant-TW" */
	FIELD_ZONE, /* a time zone by its name: "Europe/Vienna" */
	FIELD_UUID,
	FIELD_BOOL,
	FIELD_INT,
	FIELD_TIME,
	FIELD_DURATION,
	FIELD_ENUM,
	FIELD_JSON,
	FIELD_OBJECT /* only through FIELD_SUB and FIELD_SUBS */
};

enum field_flag {
	FIELD_REQUIRED = 1 << 0,
	FIELD_SECRET = 1 << 1, /* never written, see fields_split() */
	FIELD_NULLABLE = 1 << 2, /* null is taken as "absent" and written */
	FIELD_ONE_OR_MANY = 1 << 3, /* a list: one value counts as a list of one */
	FIELD_UNIQUE = 1 << 4, /* a list of texts, enums or numbers: no value twice */
	FIELD_ONE_LINE = 1 << 5, /* a text: no control characters */
	FIELD_DEFAULT = 1 << 6, /* .def or .def_text stand in for an absent value */
	FIELD_READ_ONLY = 1 << 7, /* written, and ignored when it is sent back */
	FIELD_WRITE_ONLY = 1 << 8, /* taken, and never written: "publish" */
	FIELD_HOST = 1 << 10, /* a text, or texts: names a host that is connected to, as a
	                       * URL does; JSON: URLs in it do */
	FIELD_SENDER = 1 << 11, /* as whom something is sent (provider/identity.h) */
	FIELD_IDENTITY = 1 << 12, /* the same, and nobody can pretend by it */
	FIELD_ARRAY = 1 << 9 /* set by FIELD_LIST and FIELD_SUBS */
};

struct field {
	const char *name; /* of the member */
	const char *as; /* the name in JSON when it is another one */
	const char *help; /* a full sentence */
	const char *example; /* as JSON */
	const char *const *words; /* of an enum, ends in NULL */
	const struct field_table *table; /* of objects */
	const char *def_text;
	int64_t def;
	/* Characters of texts, values of numbers, milliseconds of times and time
	 * spans, members of JSON, entries of lists.  Both 0: no limits; only a
	 * maximum of 0: no upper limit. */
	int64_t min, max;
	int64_t item_min, item_max; /* the same for the entries of a list */
	enum field_type type;
	unsigned extra; /* set by the macros: FIELD_ARRAY */
	unsigned flags;
	size_t offset, count_offset; /* set by the macros */
};

enum { FIELDS_PER_TABLE_MAX = 64 };

struct field_table {
	const char *name; /* of the schema: "SendRequest" */
	const char *help;
	const struct field *fields;
	size_t count;
	size_t struct_bytes;
	size_t mask_offset;
	bool open; /* members that are not in it are ignored */
};

/* Which fields stood in the JSON, and which of them as null; one bit each. */
struct field_mask {
	uint64_t given;
	uint64_t null;
};

#define FIELD_MEMBER_(s, m) (((s *)0)->m)
#define FIELD_IS_(x, t) __builtin_types_compatible_p(__typeof__(x), t)
#define FIELD_FITS_TEXT(x, star) FIELD_IS_(x, const char *star)
#define FIELD_FITS_SLUG(x, star) FIELD_IS_(x, const char *star)
#define FIELD_FITS_EMAIL(x, star) FIELD_IS_(x, const char *star)
#define FIELD_FITS_PHONE(x, star) FIELD_IS_(x, const char *star)
#define FIELD_FITS_URL(x, star) FIELD_IS_(x, const char *star)
#define FIELD_FITS_LOCALE(x, star) FIELD_IS_(x, const char *star)
#define FIELD_FITS_ZONE(x, star) FIELD_IS_(x, const char *star)
#define FIELD_FITS_UUID(x, star) FIELD_IS_(x, struct uuid star)
#define FIELD_FITS_BOOL(x, star) FIELD_IS_(x, bool star)
#define FIELD_FITS_INT(x, star) FIELD_IS_(x, int64_t star)
#define FIELD_FITS_TIME(x, star) FIELD_IS_(x, int64_t star)
#define FIELD_FITS_DURATION(x, star) FIELD_IS_(x, int64_t star)
#define FIELD_FITS_ENUM(x, star) (sizeof(x) == sizeof(int star))
#define FIELD_FITS_JSON(x, star) FIELD_IS_(x, json_t *star)
/* The offset of a member; does not compile when the member has another type. */
#define FIELD_AT_(s, m, fits) (offsetof(s, m) + 0 * sizeof(char[(fits) ? 1 : -1]))

#define FIELD(s, m, t, ...)                                                    \
	{                                                                      \
		.name = #m, .type = FIELD_##t,                                 \
		.offset = FIELD_AT_(s, m,                                      \
		    FIELD_FITS_##t(FIELD_MEMBER_(s, m), )),                    \
		__VA_ARGS__                                                    \
	}
#define FIELD_LIST(s, m, t, ...)                                               \
	{                                                                      \
		.name = #m, .type = FIELD_##t, .extra = FIELD_ARRAY,           \
		.offset = FIELD_AT_(s, m,                                      \
		    FIELD_FITS_##t(FIELD_MEMBER_(s, m), *)),                   \
		.count_offset = FIELD_AT_(s, m##_count,                        \
		    FIELD_IS_(FIELD_MEMBER_(s, m##_count), size_t)),           \
		__VA_ARGS__                                                    \
	}
#define FIELD_SUB(s, m, sub_table, ...)                                        \
	{                                                                      \
		.name = #m, .type = FIELD_OBJECT, .table = (sub_table),        \
		.offset = FIELD_AT_(s, m,                                      \
		    sizeof(FIELD_MEMBER_(s, m)) == sizeof(void *)),            \
		__VA_ARGS__                                                    \
	}
#define FIELD_SUBS(s, m, sub_table, ...)                                       \
	{                                                                      \
		.name = #m, .type = FIELD_OBJECT, .extra = FIELD_ARRAY,        \
		.table = (sub_table),                                          \
		.offset = FIELD_AT_(s, m,                                      \
		    sizeof(FIELD_MEMBER_(s, m)) == sizeof(void *)),            \
		.count_offset = FIELD_AT_(s, m##_count,                        \
		    FIELD_IS_(FIELD_MEMBER_(s, m##_count), size_t)),           \
		__VA_ARGS__                                                    \
	}
#define FIELD_TABLE(schema_name, s, table_fields, table_help)                  \
	FIELD_TABLE_(schema_name, s, table_fields, table_help, false)
#define FIELD_TABLE_OPEN(schema_name, s, table_fields, table_help)             \
	FIELD_TABLE_(schema_name, s, table_fields, table_help, true)
#define FIELD_TABLE_(schema_name, s, table_fields, table_help, is_open)        \
	{                                                                      \
		.name = (schema_name), .help = (table_help),                   \
		.fields = (table_fields), .count = NELEMS(table_fields),       \
		.struct_bytes = sizeof(s), .open = (is_open),                  \
		.mask_offset = FIELD_AT_(s, mask,                              \
		    FIELD_IS_(FIELD_MEMBER_(s, mask), struct field_mask))      \
	}

enum field_code {
#define X(name, code, help) FIELD_ERR_##name,
#include "web/field_code.def"
#undef X
	FIELD_ERR_COUNT
};

struct field_error {
	struct field_error *next;
	const char *pointer; /* RFC 6901; "" is the whole; NULL for a parameter */
	const char *parameter; /* of the query; NULL for the body */
	enum field_code code;
	const char *detail;
};

/* The faults of one request, in the order they were found.  Past
 * FIELD_ERRORS_MAX they are only counted. */
enum { FIELD_ERRORS_MAX = 100 };
struct field_errors {
	struct arena *a;
	struct field_error *first, *last;
	size_t count;
};

struct field_param {
	const char *name, *value;
};

void field_errors_init(struct field_errors *fe, struct arena *a);

/* Adds a fault that the table cannot know ("/template": there is no such one).
 * Always returns -1. */
int field_errors_add(struct field_errors *fe, const char *pointer,
    enum field_code code, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* Puts "prefix" in front of the pointers of the faults after the first "count": for a
 * value that was read on its own and stands within another. */
void field_errors_prefix(struct field_errors *fe, size_t count,
    const char *prefix);

const char *field_code_text(enum field_code code);
const char *field_code_help(enum field_code code);

/* Fills *record (of the table's struct) from a JSON value.  "json" is kept alive by
 * the arena, since texts in the record point into it.  Returns 0, or -1 when faults
 * were added to "fe"; the record is then filled as far as it was right. */
int fields_read(struct arena *a, json_t *json, const struct field_table *t,
    void *record, struct field_errors *fe) MUST_CHECK;

/* The same from the parameters of a query: numbers and so on as text, lists
 * separated by commas.  Tables for queries have no objects. */
int fields_read_query(struct arena *a, const struct field_param *params,
    size_t count, const struct field_table *t, void *record,
    struct field_errors *fe) MUST_CHECK;

/* True when the member (given by its address in the record) stood in the JSON, and
 * when it stood there as null. */
bool fields_given(const struct field_table *t, const void *record,
    const void *member);
bool fields_null(const struct field_table *t, const void *record,
    const void *member);

/* A record as JSON, which lives as long as the arena.  Secret fields are never
 * written.  Absent texts, times, ids, lists and objects are left out, or null when
 * they are nullable; numbers, booleans and enums are always written. */
json_t *fields_write(struct arena *a, const struct field_table *t,
    const void *record) MUST_CHECK;

/* Parts the members of a JSON object into those that may be shown and the secret
 * ones, which are to be sealed.  Objects within are parted too.  Both live as long
 * as the arena. */
void fields_split(struct arena *a, const struct field_table *t, json_t *json,
    json_t **shown_r, json_t **secret_r);

/* The JSON Schema (2020-12) of a table.  "components" is an object that gets the
 * schema under its name, as it does those of the tables within; the result is a
 * new reference to { "$ref": ... }. */
json_t *fields_schema(const struct field_table *t, json_t *components) MUST_CHECK;

/* The schema of one field alone, for parameters: a new reference. */
json_t *field_schema(const struct field *f, json_t *components) MUST_CHECK;

/* The name in JSON. */
const char *field_name(const struct field *f);

/* Panics when a table contradicts itself; for tests and the start of a program. */
void fields_check(const struct field_table *t);

#endif
