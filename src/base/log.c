/*
 * log.c - one JSON object a line
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A line is composed on the stack and leaves in one write(2) of at most
 * PIPE_BUF bytes, which neither a pipe nor a file opened with O_APPEND mixes
 * with the lines of other processes.  What is too long is cut inside its field,
 * so each line stays whole JSON.
 */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/text.h"

enum {
	LINE_BYTES = PIPE_BUF,
	VALUE_BYTES = 1024, /* of one field, as JSON, and "..." */
	TAIL_BYTES = 16, /* kept for what ends a line */
};

static const struct {
	const char *name;
	int priority; /* for syslog(3) */
} levels[] = {
	[LOG_LEVEL_DEBUG] = { "debug", LOG_DEBUG },
	[LOG_LEVEL_INFO] = { "info", LOG_INFO },
	[LOG_LEVEL_WARN] = { "warn", LOG_WARNING },
	[LOG_LEVEL_ERROR] = { "error", LOG_ERR },
};

static struct {
	char *program; /* NULL before log_open() */
	char *path; /* NULL when it is not a file */
	bool to_syslog;
	int fd;
	enum log_level least;
	int64_t lost; /* lines that could not be written */
	bool torn; /* the last line was written in part */
} the_log = { .fd = STDERR_FILENO, .least = LOG_LEVEL_INFO };

/* Where JSON is written to.  "max" is the length that must not be passed. */
struct out {
	char *p;
	size_t len, max;
};

static bool
put(struct out *o, const char *s, size_t n)
{
	if (n > o->max - o->len)
		return false;
	memcpy(o->p + o->len, s, n);
	o->len += n;
	return true;
}

/* Writes what stands for the first character of s in a JSON text into "text"
 * and returns its length; *taken_r is the length of the character. */
static size_t
escape(const char *s, size_t n, char text[static 8], size_t *taken_r)
{
	static const char names[] = "\bb\tt\nn\ff\rr\"\"\\\\";
	const uint8_t *u = (const uint8_t *)s;
	size_t len = text_utf8_len(s, n);
	unsigned code = u[0];
	const char *name;

	*taken_r = len > 0 ? len : 1;
	if (len == 0) {
		memcpy(text, "\xef\xbf\xbd", 3);
		return 3;
	}
	/* C1 controls steer terminals just as ESC does. */
	if (len == 2 && u[0] == 0xc2 && u[1] < 0xa0)
		code = u[1];
	else if (len > 1 || (code >= 0x20 && code != 0x7f && code != '"' &&
	                        code != '\\')) {
		memcpy(text, s, len);
		return len;
	}
	for (name = names; *name != '\0'; name += 2)
		if (len == 1 && *name == s[0]) {
			text[0] = '\\';
			text[1] = name[1];
			return 2;
		}
	return (size_t)snprintf(text, 8, "\\u%04x", code);
}

/* How many of the n bytes at s stand for themselves in a JSON text. */
static size_t
plain_prefix(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if ((uint8_t)s[i] < 0x20 || (uint8_t)s[i] >= 0x7f ||
		    s[i] == '"' || s[i] == '\\')
			break;
	return i;
}

/* Writes a JSON string of at most max bytes inside its quotes, with "..." where
 * it was cut.  False when it was cut. */
static bool
put_string(struct out *o, const char *s, size_t max)
{
	struct out inside = { o->p + o->len, 0, o->max - o->len };
	size_t n = strlen(s), taken, len;
	char text[8];

	if (inside.max < 5)
		return false;
	inside.max = inside.max - 5 < max ? inside.max - 5 : max;
	inside.p++;
	while (n > 0) {
		taken = plain_prefix(s, n);
		if (taken > inside.max - inside.len)
			taken = inside.max - inside.len;
		len = taken;
		if (taken > 0)
			put(&inside, s, taken);
		else {
			len = escape(s, n, text, &taken);
			if (!put(&inside, text, len))
				break;
		}
		s += taken;
		n -= taken;
	}
	o->p[o->len] = '"';
	o->len += 1 + inside.len;
	if (n > 0)
		put(o, "...", 3);
	put(o, "\"", 1);
	return n == 0;
}

static bool
put_int(struct out *o, int64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%lld", (long long)n);

	return put(o, digits, (size_t)len);
}

/* Writes ,"key":value; what does not fit is cut (a text) or left out.  False
 * when that happened. */
static bool
put_field(struct out *o, const struct log_field *f)
{
	size_t start = o->len;
	bool fits = true;

	if (f->type == LOG_FIELD_STR && f->s == NULL)
		return true;
	if (!put(o, ",", 1) || !put_string(o, f->key, VALUE_BYTES) ||
	    !put(o, ":", 1)) {
		o->len = start;
		return false;
	}
	switch (f->type) {
	case LOG_FIELD_STR:
		fits = put_string(o, f->s, VALUE_BYTES);
		/* Nothing at all: not even the quotes had room. */
		if (!fits && o->p[o->len - 1] == ':')
			o->len = start;
		return fits;
	case LOG_FIELD_INT:
		fits = put_int(o, f->n);
		break;
	case LOG_FIELD_BOOL:
		fits = f->b ? put(o, "true", 4) : put(o, "false", 5);
		break;
	}
	if (!fits)
		o->len = start;
	return fits;
}

void
log_scope_reset(struct log_scope *s)
{
	s->len = 0;
}

void
log_scope_add(struct log_scope *s, struct log_field f)
{
	struct out o = { s->json, s->len, sizeof(s->json) };

	if (put_field(&o, &f))
		s->len = o.len;
}

static int
open_file(const char *path)
{
	return open(path,
	    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
}

static void
replace_text(char **old, const char *s)
{
	char *copy = s == NULL ? NULL : strdup(s);

	if (s != NULL && copy == NULL)
		panic("out of memory");
	free(*old);
	*old = copy;
}

int
log_open(const char *program, const char *target, enum log_level least,
    struct err *e)
{
	bool to_syslog = strcmp(target, "syslog") == 0;
	bool to_file = !to_syslog && strcmp(target, "stderr") != 0;
	int fd = to_file ? open_file(target) : STDERR_FILENO;

	if (fd < 0)
		return err_set(e, ERR_TEMPORARY,
		    "could not open log file \"%s\": %s", target,
		    strerror(errno));
	if (the_log.fd != STDERR_FILENO)
		close(the_log.fd);
	the_log.fd = fd;
	if (the_log.to_syslog)
		closelog();
	replace_text(&the_log.program, program);
	replace_text(&the_log.path, to_file ? target : NULL);
	the_log.to_syslog = to_syslog;
	the_log.least = least;
	if (to_syslog)
		openlog(the_log.program, LOG_PID | LOG_NDELAY, LOG_DAEMON);
	return 0;
}

void
log_reopen(void)
{
	int fd;

	if (the_log.path == NULL)
		return;
	fd = open_file(the_log.path);
	if (fd < 0) {
		log_error(NULL, "could not open the log file again",
		    LF_STR("path", the_log.path),
		    LF_STR("error", strerror(errno)));
		return;
	}
	close(the_log.fd);
	the_log.fd = fd;
}

void
log_set_level(enum log_level least)
{
	the_log.least = least;
}

bool
log_enabled(enum log_level level)
{
	return level >= the_log.least;
}

int
log_level_parse(const char *name, enum log_level *level_r)
{
	size_t i;

	for (i = 0; i < NELEMS(levels); i++)
		if (strcmp(levels[i].name, name) == 0) {
			*level_r = (enum log_level)i;
			return 0;
		}
	return -1;
}

static void
put_head(struct out *o, enum log_level level, const char *msg)
{
	char at[CLOCK_TEXT_BYTES];
	struct log_field head[] = {
		LF_STR("level", levels[level].name),
		LF_STR("program", the_log.program ? the_log.program : "belfry"),
		LF_INT("pid", getpid()),
		LF_STR("msg", msg),
	};
	size_t i;

	clock_format(clock_wall_ms(), at);
	put(o, "{\"at\":", 6);
	put_string(o, at, sizeof(at));
	for (i = 0; i < NELEMS(head); i++)
		put_field(o, &head[i]);
	if (the_log.lost > 0)
		put_field(o, &(struct log_field)LF_INT("lost", the_log.lost));
}

/* Hands the line over.  A log that cannot be written must not stop the service:
 * the line is counted and the next one tells of it. */
static void
send_line(enum log_level level, const char *line, size_t len)
{
	ssize_t n;

	if (the_log.to_syslog) {
		syslog(levels[level].priority, "%.*s", (int)len - 1, line);
		return;
	}
	do
		n = write(the_log.fd, line, len);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)len) {
		the_log.lost = 0;
		the_log.torn = false;
		return;
	}
	the_log.lost++;
	if (n > 0)
		the_log.torn = true;
}

void
log_write(enum log_level level, const struct log_scope *scope,
    const char *msg, const struct log_field *fields)
{
	char line[LINE_BYTES];
	struct out o = { line, 0, sizeof(line) - TAIL_BYTES };
	int saved_errno = errno;
	bool whole = true;

	if (the_log.torn)
		put(&o, "\n", 1);
	put_head(&o, level, msg);
	if (scope != NULL)
		put(&o, scope->json, scope->len);
	for (; fields != NULL && fields->key != NULL; fields++)
		whole = put_field(&o, fields) && whole;
	o.max = sizeof(line);
	if (!whole)
		put(&o, ",\"cut\":true", 11);
	put(&o, "}\n", 2);
	send_line(level, line, o.len);
	errno = saved_errno;
}

void
log_mask_address(const char *address, char *masked, size_t size_bytes)
{
	const char *at = strrchr(address, '@');
	size_t n = strlen(address), shown;
	const char *end = "";

	ensure(size_bytes > 0);
	if (at != NULL)
		end = at;
	else if (address[0] == '+' && n >= 9)
		end = address + n - 2;
	shown = text_utf8_len(address, n);
	if (at != NULL && shown >= (size_t)(at - address))
		shown = 0;
	else if (address[0] == '+')
		shown = n < 6 ? 1 : 3;
	snprintf(masked, size_bytes, "%.*s***%s", (int)shown, address, end);
}
