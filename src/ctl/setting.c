/*
 * setting.c - settings of providers from the command line
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "ctl/setting.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "ctl/choice.h"
#include "web/field.h"

enum { SECRET_BYTES_MAX = 65536 };

static const struct field *
find_field(const struct field_table *t, const char *name, size_t n)
{
	size_t i;

	for (i = 0; i < t->count; i++)
		if (strlen(field_name(&t->fields[i])) == n &&
		    memcmp(field_name(&t->fields[i]), name, n) == 0)
			return &t->fields[i];
	return NULL;
}

/* Nothing of the table "t" has the name that "step" begins with, the rest of "key"; or
 * "f" has it and nothing below it. */
static int
refuse(const struct field_table *t, const struct field *f, const char *key,
    const char *step, struct err *e)
{
	struct guess g = GUESS_NONE;
	char word[64];
	size_t i;

	if (f != NULL)
		return err_set(e, ERR_UNPROCESSABLE,
		    "there is no setting \"%.*s\": \"%s\" is set as a whole%s",
		    (int)strcspn(key, "="), key, field_name(f),
		    f->type == FIELD_JSON ? ", as JSON" : "");
	snprintf(word, sizeof(word), "%.*s", (int)strcspn(step, ".="), step);
	for (i = 0; i < t->count; i++)
		guess_try(&g, word, field_name(&t->fields[i]));
	if (g.best == NULL)
		return err_set(e, ERR_UNPROCESSABLE,
		    "there is no setting \"%.*s\"", (int)strcspn(key, "="),
		    key);
	return err_set(e, ERR_UNPROCESSABLE,
	    "there is no setting \"%.*s\": did you mean \"%.*s%s\"?",
	    (int)strcspn(key, "="), key, (int)(step - key), key, g.best);
}

/* Follows "a.b": *object_r is the object that the last step lies in, which
 * is made when "make" is true (NULL when it is not there). */
static int
follow(const struct field_table *t, json_t *settings, const char *key,
    bool make, json_t **object_r, const struct field **field_r, struct err *e)
{
	const char *step = key;
	size_t n = strcspn(step, ".=");
	const struct field *f = find_field(t, step, n);
	json_t *below;

	while (f != NULL && step[n] == '.' && f->type == FIELD_OBJECT) {
		below = json_object_get(settings, field_name(f));
		if (below == NULL && make) {
			below = json_object();
			json_object_set_new(settings, field_name(f), below);
		}
		settings = below;
		step += n + 1;
		n = strcspn(step, ".=");
		t = f->table;
		f = find_field(t, step, n);
	}
	if (f == NULL || step[n] == '.')
		return refuse(t, f, key, step, e);
	*object_r = settings;
	*field_r = f;
	return 0;
}

/* Reads a line without its end; what is typed on a terminal is not shown. */
static int
read_line(
    struct arena *a, const char *prompt, const char **line_r, struct err *e)
{
	struct termios before, quiet;
	bool terminal = tcgetattr(STDIN_FILENO, &before) == 0;
	char *line = arena_alloc(a, SECRET_BYTES_MAX);
	bool got;

	if (terminal) {
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		fprintf(stderr, "%s: ", prompt);
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	got = fgets(line, SECRET_BYTES_MAX, stdin) != NULL;
	if (terminal) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		fputc('\n', stderr);
	}
	if (!got)
		return err_set(e, ERR_UNPROCESSABLE,
		    "there was no line for \"%.60s\" on standard input",
		    prompt);
	line[strcspn(line, "\r\n")] = '\0';
	*line_r = line;
	return 0;
}

static json_t *
integer(const char *text)
{
	long long n;
	char *end;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0')
		return json_string(text); /* which the field table refuses */
	return json_integer(n);
}

static bool
is_one_of(const char *text, const char *const *words)
{
	for (; *words != NULL; words++)
		if (strcmp(text, *words) == 0)
			return true;
	return false;
}

static json_t *
boolean(const char *text)
{
	static const char *const yes[] = { "true", "yes", "on", "1", NULL };
	static const char *const no[] = { "false", "no", "off", "0", NULL };

	if (is_one_of(text, yes))
		return json_true();
	return is_one_of(text, no) ? json_false() : json_string(text);
}

/* The value as the field's type has it; texts that do not fit stay texts, so
 * that the table says what is wrong. */
static json_t *
convert(const struct field *f, const char *text)
{
	json_t *json = NULL;

	if (f->type == FIELD_INT)
		return integer(text);
	if (f->type == FIELD_BOOL)
		return boolean(text);
	if (f->type == FIELD_JSON || f->type == FIELD_OBJECT)
		json = json_loads(
		    text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
	return json != NULL ? json : json_string(text);
}

static json_t *
convert_list(struct arena *a, const struct field *f, const char *text)
{
	json_t *list;
	const char *p = text;
	size_t n;

	if (f->type == FIELD_OBJECT || f->type == FIELD_JSON)
		return convert(f, text);
	list = json_array();
	for (; *p != '\0'; p += n + (p[n] == ',')) {
		n = strcspn(p, ",");
		json_array_append_new(list,
		    convert(f, arena_strndup(a, p, n)));
	}
	return list;
}

int
setting_set(struct arena *a, const struct field_table *t, json_t *settings,
    const char *text, struct err *e)
{
	const char *equals = strchr(text, '='), *value;
	const struct field *f;
	json_t *object, *json;

	if (equals == NULL)
		return err_set(e, ERR_INVALID,
		    "--set takes KEY=VALUE, not \"%.60s\"", text);
	if (follow(t, settings, text, false, &object, &f, e) == -1 ||
	    follow(t, settings, text, true, &object, &f, e) == -1)
		return -1;
	value = equals + 1;
	if (strcmp(value, "-") == 0 &&
	    read_line(a, field_name(f), &value, e) == -1)
		return -1;
	json = (f->extra & FIELD_ARRAY) != 0 ? convert_list(a, f, value)
	                                     : convert(f, value);
	if (json == NULL)
		return err_set(e, ERR_UNPROCESSABLE,
		    "the value of \"%s\" is not UTF-8", field_name(f));
	json_object_set_new(object, field_name(f), json);
	return 0;
}

int
setting_unset(const struct field_table *t, json_t *settings, const char *key,
    struct err *e)
{
	const struct field *f;
	json_t *object;

	if (follow(t, settings, key, false, &object, &f, e) == -1)
		return -1;
	if (object != NULL)
		json_object_del(object, field_name(f));
	return 0;
}
