/*
 * log.h - one JSON object a line
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A line holds "at", "level", "program", "pid", "msg", then the fields of the
 * scope (request or job: request_id, tenant, traceparent ...) and of the call.
 * One event is one line whatever its fields hold: they are JSON-escaped, and
 * bytes that are not UTF-8 become U+FFFD.  A text of more than 1 KB is cut and
 * ends in "...", and a line has at most 4 KB; "cut" is true in a line that lost
 * something.  "lost" counts the lines before it that could not be written.
 *
 * Libraries return errors; only the loop that owns a request or a delivery
 * writes it to the log, once.  Never log a secret; addresses only masked
 * (log_mask_address) at info and above.
 */
#ifndef BELFRY_BASE_LOG_H
#define BELFRY_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct err;

enum log_level {
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_INFO,
	LOG_LEVEL_WARN,
	LOG_LEVEL_ERROR
};

struct log_field {
	const char *key; /* NULL ends a list */
	enum { LOG_FIELD_STR, LOG_FIELD_INT, LOG_FIELD_BOOL } type;
	union {
		const char *s; /* NULL leaves the field out */
		int64_t n;
		bool b;
	};
};

#define LF_STR(k, v) { .key = (k), .type = LOG_FIELD_STR, .s = (v) }
#define LF_INT(k, v) { .key = (k), .type = LOG_FIELD_INT, .n = (v) }
#define LF_BOOL(k, v) { .key = (k), .type = LOG_FIELD_BOOL, .b = (v) }

/* Fields that every line of a request or a job carries, already as JSON. */
struct log_scope {
	size_t len;
	char json[480];
};

void log_scope_reset(struct log_scope *s);

/* Adds a field; one that does not fit is left out whole. */
void log_scope_add(struct log_scope *s, struct log_field f);

/* Opens the log: "target" is "stderr", "syslog" or the path of a file.  May be
 * called again to change it; before the first call lines go to stderr.
 * Returns 0, or -1 with *e set when the file cannot be opened; then the log is
 * as it was. */
int log_open(const char *program, const char *target, enum log_level least,
    struct err *e) MUST_CHECK;

/* Opens the file anew after it was moved away (SIGUSR1).  When that fails, a
 * line in the old file says so and the old file goes on being used. */
void log_reopen(void);

void log_set_level(enum log_level least);
bool log_enabled(enum log_level level);

/* The level named "debug", "info", "warn" or "error".  0, or -1 for another
 * name. */
int log_level_parse(const char *name, enum log_level *level_r) MUST_CHECK;

/* Writes a line.  "scope" may be NULL.  "msg" is a constant text. */
void log_write(enum log_level level, const struct log_scope *scope,
    const char *msg, const struct log_field *fields);

#define log_at(level, scope, msg, ...)                                         \
	(log_enabled(level)                                                    \
	        ? log_write((level), (scope), (msg),                           \
	              (const struct log_field[]){ __VA_ARGS__ __VA_OPT__(, ){  \
	                  .key = NULL } })                                     \
	        : (void)0)
#define log_debug(scope, ...) log_at(LOG_LEVEL_DEBUG, (scope), __VA_ARGS__)
#define log_info(scope, ...) log_at(LOG_LEVEL_INFO, (scope), __VA_ARGS__)
#define log_warn(scope, ...) log_at(LOG_LEVEL_WARN, (scope), __VA_ARGS__)
#define log_error(scope, ...) log_at(LOG_LEVEL_ERROR, (scope), __VA_ARGS__)

/* Fields for an error: its code, text and detail.  Use inside the lists
 * above. */
#define LF_ERR(e)                                                              \
	LF_STR("code", err_code((e)->kind)), LF_STR("error", (e)->text),       \
	    LF_STR("detail", (e)->detail[0] != '\0' ? (e)->detail : NULL)

/* Writes an address so that it can be told but not used: "a***@example.org",
 * "+43***56", "f***" for a device token.  "masked" is cut to size_bytes. */
void log_mask_address(const char *address, char *masked, size_t size_bytes);

#endif
