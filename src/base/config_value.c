/*
 * config_value.c - one value of the configuration as text
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Each type has one row: what its values are called and how they are read.
 * Values of free text are never repeated in a message, because a connection
 * string may hold a password and messages end in logs.
 */
#include "base/config_value.h"

#include <ctype.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/config_list.h"
#include "base/ensure.h"
#include "base/err.h"
#include "base/listen.h"
#include "base/log.h"
#include "base/network.h"

struct unit {
	const char *name;
	int64_t factor;
};

/* The largest first, the one with factor 1 last. */
static const struct unit duration_units[] = {
	{ "d", 86400000 },
	{ "h", 3600000 },
	{ "m", 60000 },
	{ "s", 1000 },
	{ "ms", 1 },
	{ NULL, 0 },
};
static const struct unit size_units[] = {
	{ "g", 1073741824 },
	{ "m", 1048576 },
	{ "k", 1024 },
	{ "", 1 },
	{ NULL, 0 },
};
static const struct unit no_units[] = {
	{ "", 1 },
	{ NULL, 0 },
};

static bool
is_text(enum config_type type)
{
	return type <= CONFIG_OVERRIDES;
}

static const struct unit *
units_of(enum config_type type)
{
	if (type == CONFIG_DURATION)
		return duration_units;
	return type == CONFIG_SIZE ? size_units : no_units;
}

static const char *
noun_of(enum config_type type)
{
	if (type == CONFIG_DURATION)
		return "duration";
	return type == CONFIG_SIZE ? "size" : "number";
}

/* The fields, found by the offset in the table. */
static const char **
text_field(const struct config_key *k, void *record)
{
	return (const char **)(void *)((char *)record + k->offset);
}

static int64_t *
number_field(const struct config_key *k, void *record)
{
	return (int64_t *)(void *)((char *)record + k->offset);
}

static bool *
bool_field(const struct config_key *k, void *record)
{
	return (bool *)(void *)((char *)record + k->offset);
}

const char *
config_value_text(const struct config_key *k, const void *record)
{
	ensure(is_text(k->type));
	return *(const char *const *)(const void *)((const char *)record +
	    k->offset);
}

static int64_t
number_of(const struct config_key *k, const struct config *config)
{
	return *(const int64_t *)(const void *)((const char *)config +
	    k->offset);
}

static bool
bool_of(const struct config_key *k, const struct config *config)
{
	return *(const bool *)(const void *)((const char *)config + k->offset);
}

/* Writes a number in the largest unit that leaves no remainder. */
static void
format_number(enum config_type type, int64_t n, struct buf *out)
{
	const struct unit *u = units_of(type);

	while (u->factor > 1 && (n == 0 || n % u->factor != 0))
		u++;
	buf_printf(out, "%" PRId64 "%s", n / u->factor, u->name);
}

static int
range_fault(const struct config_key *k, const char *text, const char *wrong,
    struct err *e)
{
	struct buf range;

	buf_init(&range, 128);
	format_number(k->type, k->min, &range);
	buf_puts(&range, " to ");
	format_number(k->type, k->max, &range);
	err_set(e, ERR_INVALID, "\"%.40s\" %s; give a %s from %s", text, wrong,
	    noun_of(k->type), range.data);
	buf_done(&range);
	return -1;
}

/* Reads digits.  Returns what follows them, NULL when there are none or the number
 * does not fit. */
static const char *
read_digits(const char *text, int64_t *n_r)
{
	const char *p = text;
	int64_t n = 0;

	for (; isdigit((unsigned char)*p); p++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, *p - '0', &n))
			return NULL;
	*n_r = n;
	return p > text ? p : NULL;
}

static int
parse_number(const struct config_key *k, const char *text, int64_t *n_r,
    struct err *e)
{
	const struct unit *u = units_of(k->type);
	const char *rest;
	int64_t n = 0;

	rest = read_digits(text, &n);
	if (rest == NULL)
		return range_fault(k, text,
		    k->type == CONFIG_INT ? "is not a whole number that fits" :
		                            "does not begin with a number that fits",
		    e);
	while (*rest == ' ')
		rest++;
	if (k->type == CONFIG_DURATION && *rest == '\0' && n != 0)
		return err_set(e, ERR_INVALID,
		    "\"%.40s\" has no unit; add ms, s, m, h or d", text);
	while (u->name != NULL && strcasecmp(u->name, rest) != 0)
		u++;
	if (u->name == NULL && *rest != '\0')
		return range_fault(k, text,
		    k->type == CONFIG_DURATION ? "ends in none of ms, s, m, h, d" :
		        k->type == CONFIG_SIZE ? "ends in none of k, m, g" :
		                                 "is not a whole number",
		    e);
	if (u->name != NULL && __builtin_mul_overflow(n, u->factor, &n))
		return range_fault(k, text, "is out of range", e);
	if (n < k->min || n > k->max)
		return range_fault(k, text, "is out of range", e);
	*n_r = n;
	return 0;
}

static int
parse_bool(const char *text, bool *b_r, struct err *e)
{
	static const char *const words[][2] = { { "no", "yes" },
		{ "false", "true" }, { "off", "on" }, { "0", "1" } };
	size_t i;

	for (i = 0; i < NELEMS(words); i++) {
		if (strcasecmp(text, words[i][0]) != 0 &&
		    strcasecmp(text, words[i][1]) != 0)
			continue;
		*b_r = strcasecmp(text, words[i][1]) == 0;
		return 0;
	}
	return err_set(e, ERR_INVALID, "\"%.40s\" is neither yes nor no; give one",
	    text);
}

static int
check_path(const char *text, struct err *e)
{
	if (text[0] != '/')
		return err_set(e, ERR_INVALID,
		    "\"%.80s\" is not an absolute path; begin it with a slash",
		    text);
	if (strlen(text) >= PATH_MAX)
		return err_set(e, ERR_INVALID,
		    "the path is too long; give one of less than %d bytes",
		    PATH_MAX);
	return 0;
}

static int
check_listen(const char *text, struct err *e)
{
	return listen_check(text, e);
}

static int
check_mode(const char *text, struct err *e)
{
	size_t len = strlen(text);

	if (len < 3 || len > 4 || strspn(text, "01234567") != len ||
	    (len == 4 && text[0] != '0'))
		return err_set(e, ERR_INVALID,
		    "\"%.40s\" is not a mode in octal; give one such as 0660",
		    text);
	return 0;
}

static int
check_prefix(const char *text, struct err *e)
{
	size_t len = strlen(text);

	if (len == 0)
		return 0;
	if (text[0] != '/' || text[len - 1] == '/')
		return err_set(e, ERR_INVALID,
		    "\"%.80s\" is not a prefix of a path; begin it with a slash "
		    "and end it without one", text);
	return 0;
}

static int
check_log_target(const char *text, struct err *e)
{
	if (strcmp(text, "stderr") == 0 || strcmp(text, "syslog") == 0 ||
	    text[0] == '/')
		return 0;
	return err_set(e, ERR_INVALID,
	    "\"%.80s\" is no place for a log; give stderr, syslog or an "
	    "absolute path", text);
}

static int
check_log_level(const char *text, struct err *e)
{
	enum log_level level;

	if (log_level_parse(text, &level) == 0)
		return 0;
	return err_set(e, ERR_INVALID,
	    "\"%.40s\" is not a level; give debug, info, warn or error", text);
}

static int
check_unknown(const char *text, struct err *e)
{
	if (strcmp(text, "resend") == 0 || strcmp(text, "hold") == 0)
		return 0;
	return err_set(e, ERR_INVALID,
	    "\"%.40s\" is neither resend nor hold; give one", text);
}

static int
check_networks(const char *text, struct err *e)
{
	struct arena *a = arena_new(1024);
	struct network *list;
	const char *wrong;
	size_t count;
	int rc = 0;

	wrong = network_list_parse(a, text, &list, &count);
	if (wrong != NULL)
		rc = err_set(e, ERR_INVALID,
		    "\"%.60s\" is no address or network; give one such as "
		    "192.0.2.0/24", wrong);
	arena_free(&a);
	return rc;
}

typedef int read_list(struct arena *, const char *, int64_t **, size_t *,
    struct err *);

static int
check_list(read_list *read, const char *text, struct err *e)
{
	struct arena *a = arena_new(1024);
	int64_t *list;
	size_t count;
	int rc = read(a, text, &list, &count, e);

	arena_free(&a);
	return rc;
}

static int
check_ports(const char *text, struct err *e)
{
	return check_list(config_ports, text, e);
}

static int
check_durations(const char *text, struct err *e)
{
	return check_list(config_durations, text, e);
}

static int
check_overrides(const char *text, struct err *e)
{
	static const struct config nothing;
	struct arena *a = arena_new(1024);
	struct config scratch;
	int rc = config_override(a, &nothing, "retry", text, &scratch, e);

	arena_free(&a);
	return rc;
}

/* The types that are text.  Where the help of each key says all, nothing more is
 * said of the type. */
static const struct {
	int (*check)(const char *text, struct err *e);
	const char *describe;
} texts[] = {
	[CONFIG_TEXT] = { NULL, "" },
	[CONFIG_PATH] = { check_path, "An absolute path." },
	[CONFIG_LISTEN] = { check_listen, "" },
	[CONFIG_MODE] = { check_mode, "" },
	[CONFIG_PREFIX] = { check_prefix, "" },
	[CONFIG_LOGTARGET] = { check_log_target, "" },
	[CONFIG_LOGLEVEL] = { check_log_level, "" },
	[CONFIG_UNKNOWN] = { check_unknown, "" },
	[CONFIG_NETWORKS] = { check_networks, "" },
	[CONFIG_PORTS] = { check_ports, "" },
	[CONFIG_DURATIONS] = { check_durations, "" },
	[CONFIG_OVERRIDES] = { check_overrides, "" },
};

static int
parse_text(const struct config_key *k, const char *text, struct err *e)
{
	const char *p;

	for (p = text; *p != '\0'; p++)
		if (iscntrl((unsigned char)*p))
			return err_set(e, ERR_INVALID,
			    "the value holds a control character; remove it");
	if (texts[k->type].check == NULL)
		return 0;
	return texts[k->type].check(text, e);
}

int
config_value_parse(struct arena *a, const struct config_key *k,
    const char *text, void *record, struct err *e)
{
	if (k->type == CONFIG_BOOL)
		return parse_bool(text, bool_field(k, record), e);
	if (!is_text(k->type))
		return parse_number(k, text, number_field(k, record), e);
	if (parse_text(k, text, e) == -1)
		return -1;
	*text_field(k, record) = arena_strdup(a, text);
	return 0;
}

void
config_value_format(const struct config_key *k, const struct config *config,
    struct buf *out)
{
	if (k->type == CONFIG_BOOL)
		buf_puts(out, bool_of(k, config) ? "yes" : "no");
	else if (is_text(k->type))
		buf_puts(out, config_value_text(k, config));
	else
		format_number(k->type, number_of(k, config), out);
}

void
config_value_describe(const struct config_key *k, struct buf *out)
{
	if (k->type == CONFIG_BOOL) {
		buf_puts(out, "Yes or no.");
		return;
	}
	if (is_text(k->type)) {
		buf_puts(out, texts[k->type].describe);
		return;
	}
	buf_printf(out, "A %s from ", noun_of(k->type));
	format_number(k->type, k->min, out);
	buf_puts(out, " to ");
	format_number(k->type, k->max, out);
	buf_putc(out, '.');
}

bool
config_value_equal(const struct config_key *k, const struct config *a,
    const struct config *b)
{
	if (k->type == CONFIG_BOOL)
		return bool_of(k, a) == bool_of(k, b);
	if (is_text(k->type))
		return strcmp(config_value_text(k, a), config_value_text(k, b)) == 0;
	return number_of(k, a) == number_of(k, b);
}

void
config_value_copy(struct arena *a, const struct config_key *k,
    struct config *to, const struct config *from)
{
	if (k->type == CONFIG_BOOL)
		*bool_field(k, to) = bool_of(k, from);
	else if (is_text(k->type))
		*text_field(k, to) = arena_strdup(a, config_value_text(k, from));
	else
		*number_field(k, to) = number_of(k, from);
}
