/*
 * template_dir.c - templates as directories of files
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "model/template_dir.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/text.h"
#include "model/locale.h"
#include "model/template_draft.h"
#include "model/template_part.h"

static const char head_name[] = "template.json";
static const char sample_name[] = "sample.json";
static const char messages_name[] = "messages.json";
static const char expected_name[] = "expected"; /* for "template test" */
static const char source_suffix[] = ".hbs";

static void
defer_json(void *p)
{
	json_decref(p);
}

static json_t *
keep(struct arena *a, json_t *json)
{
	arena_defer(a, defer_json, json);
	return json;
}

static int
cannot(const char *what, const char *path, struct err *e)
{
	return err_set(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_INTERNAL,
	    "could not %s \"%s\": %s", what, path, strerror(errno));
}

/* ---- Reading
 * ---------------------------------------------------------------- */

static int
read_stream(struct arena *a, FILE *f, const char *path, struct buf **text_r,
    struct err *e)
{
	struct buf *text = buf_new(a, TEMPLATE_BYTES_MAX);
	char piece[4096];
	size_t n;

	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		buf_add(text, piece, n);
	if (ferror(f))
		return cannot("read", path, e);
	if (buf_overflowed(text))
		return err_set(e, ERR_UNPROCESSABLE,
		    "\"%s\" has more than %d bytes", path, TEMPLATE_BYTES_MAX);
	if (!text_is_utf8(text->data, text->len) ||
	    memchr(text->data, '\0', text->len) != NULL)
		return err_set(
		    e, ERR_UNPROCESSABLE, "\"%s\" is not UTF-8", path);
	*text_r = text;
	return 0;
}

static int
read_file(struct arena *a, const char *path, struct buf **text_r, struct err *e)
{
	FILE *f = fopen(path, "re");
	int rc;

	if (f == NULL)
		return cannot("open", path, e);
	rc = read_stream(a, f, path, text_r, e);
	fclose(f);
	return rc;
}

static int
read_json(struct arena *a, const char *path, json_t **json_r, struct err *e)
{
	struct buf *text;
	json_error_t fault;
	json_t *json;

	if (read_file(a, path, &text, e) == -1)
		return -1;
	json =
	    json_loadb(text->data, text->len, JSON_REJECT_DUPLICATES, &fault);
	if (json == NULL)
		return err_set(e, ERR_UNPROCESSABLE, "%s:%d:%d: %.120s", path,
		    fault.line, fault.column, fault.text);
	keep(a, json);
	if (!json_is_object(json))
		return err_set(
		    e, ERR_UNPROCESSABLE, "%s: this is no JSON object", path);
	*json_r = json;
	return 0;
}

/* A line ends a file, not a subject or a short message. */
static void
strip_end(enum template_part part, struct buf *text)
{
	if (part != TEMPLATE_EMAIL_SUBJECT && part != TEMPLATE_SMS)
		return;
	while (
	    text->len > 0 && strchr("\r\n", text->data[text->len - 1]) != NULL)
		buf_truncate(text, text->len - 1);
}

/* Takes a file of a locale's directory: a part, a sample, or nothing of
 * ours. */
static int
take_file(struct arena *a, const char *path, const char *name, json_t *parts,
    json_t **sample, struct err *e)
{
	size_t n = strlen(name), suffix = sizeof(source_suffix) - 1;
	enum template_part part;
	json_t *messages;
	struct buf *text;

	if (strcmp(name, sample_name) == 0)
		return read_json(a, path, sample, e);
	if (strcmp(name, messages_name) == 0) {
		if (read_json(a, path, &messages, e) == -1)
			return -1;
		json_object_set(parts, TEMPLATE_MESSAGES, messages);
		return 0;
	}
	if (strcmp(name, head_name) == 0 || n <= suffix ||
	    strcmp(name + n - suffix, source_suffix) != 0)
		return 0;
	part = template_part_parse(name, n - suffix);
	if (part == TEMPLATE_PART_COUNT)
		return err_set(e, ERR_UNPROCESSABLE,
		    "\"%s\" is no part of a template", path);
	if (read_file(a, path, &text, e) == -1)
		return -1;
	strip_end(part, text);
	json_object_set_new(parts, template_part_name(part),
	    json_stringn(text->data, text->len));
	return 0;
}

/* Reads the files of a directory as those of a locale. */
static int
read_locale(struct arena *a, const char *path, const char *locale,
    struct template_draft *d, struct err *e)
{
	json_t *parts = json_object(), *sample = NULL;
	DIR *dir = opendir(path);
	const struct dirent *entry;
	int rc = 0;

	json_object_set_new(d->parts, locale, parts);
	if (dir == NULL)
		return cannot("open", path, e);
	while (rc == 0 && (entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			rc = take_file(a,
			    arena_printf(a, "%s/%s", path, entry->d_name),
			    entry->d_name, parts, &sample, e);
	closedir(dir);
	if (rc == 0 && sample != NULL)
		json_object_set(d->sample, locale, sample);
	return rc;
}

static bool
is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Reads the directories below that are named like locales. */
static int
read_translations(struct arena *a, const char *path, struct template_draft *d,
    struct err *e)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	const char *below;
	int rc = 0;

	if (dir == NULL)
		return cannot("open", path, e);
	while (rc == 0 && (entry = readdir(dir)) != NULL) {
		below = arena_printf(a, "%s/%s", path, entry->d_name);
		if (entry->d_name[0] == '.' ||
		    strcmp(entry->d_name, expected_name) == 0 ||
		    !is_directory(below))
			continue;
		if (!locale_is_valid(entry->d_name))
			rc = err_set(e, ERR_UNPROCESSABLE,
			    "\"%s\" is no locale", below);
		else if (json_object_get(d->parts, entry->d_name) != NULL)
			rc = err_set(e, ERR_UNPROCESSABLE,
			    "\"%s\" is the default locale, whose parts stand "
			    "one directory above",
			    below);
		else
			rc = read_locale(a, below, entry->d_name, d, e);
	}
	closedir(dir);
	return rc;
}

/* What requests have that do not say otherwise: null takes away what is stored. */
static int
take_defaults(const char *file, const json_t *exempt, struct template_draft *d,
    struct err *e)
{
	d->says_fallback = d->fallback != NULL;
	if (json_is_null(d->fallback))
		d->fallback = NULL;
	d->says_quiet_exempt = exempt != NULL;
	d->quiet_exempt = json_is_true(exempt);
	if (exempt != NULL && !json_is_boolean(exempt) && !json_is_null(exempt))
		return err_set(e, ERR_UNPROCESSABLE,
		    "%s: \"quiet_exempt\" is neither true nor false", file);
	return 0;
}

/* The members of template.json that read_head() takes. */
static const char *const members[] = { "name", "description", "category",
	"default_locale", "layout", "unsubscribe", "from", "tracking", "fallback",
	"quiet_exempt", "variables" };

static int
refuse_head(const char *file, json_t *json, const json_error_t *fault,
    struct err *e)
{
	const char *name;
	json_t *value;
	size_t i;

	json_object_foreach(json, name, value) {
		for (i = 0; i < NELEMS(members); i++)
			if (strcmp(name, members[i]) == 0)
				break;
		if (i == NELEMS(members))
			return err_set(e, ERR_UNPROCESSABLE,
			    "%s: there is no member \"%.60s\"", file, name);
	}
	return err_set(e, ERR_UNPROCESSABLE, "%s: %.160s", file, fault->text);
}

static int
read_head(struct arena *a, const char *path, struct template_draft *d,
    struct err *e)
{
	const char *file = arena_printf(a, "%s/%s", path, head_name);
	json_error_t fault;
	json_t *json, *exempt = NULL;
	int unsubscribe = 0;

	if (read_json(a, file, &json, e) == -1)
		return -1;
	if (json_unpack_ex(json, &fault, JSON_STRICT,
	        "{s:s, s?s, s?s, s?s, s?s, s?b, s?s, s?o, s?o, s?o, s?o}", "name",
	        &d->name,
	        "description", &d->description, "category", &d->category,
	        "default_locale", &d->default_locale, "layout", &d->layout,
	        "unsubscribe", &unsubscribe, "from", &d->from,
	        "tracking", &d->tracking, "fallback", &d->fallback,
	        "quiet_exempt", &exempt, "variables", &d->variables) == -1)
		return refuse_head(file, json, &fault, e);
	d->unsubscribe = unsubscribe != 0;
	if (d->variables == NULL)
		d->variables = keep(a, json_object());
	return take_defaults(file, exempt, d, e);
}

/* "a/b/order-shipped/" -> "order-shipped" */
static const char *
last_name(struct arena *a, const char *path)
{
	size_t end = strlen(path), start;

	while (end > 1 && path[end - 1] == '/')
		end--;
	for (start = end; start > 0 && path[start - 1] != '/'; start--)
		continue;
	return arena_strndup(a, path + start, end - start);
}

/* The path from the root on, for "." and the like. */
static const char *
whole_path(struct arena *a, const char *path)
{
	char *cwd = path[0] == '/' ? NULL : getcwd(NULL, 0);
	const char *whole = path;

	if (cwd != NULL)
		whole = strcmp(last_name(a, path), ".") == 0
		    ? arena_strdup(a, cwd)
		    : arena_printf(a, "%s/%s", cwd, path);
	free(cwd);
	return whole;
}

const char *
template_dir_key(struct arena *a, const char *path)
{
	static const char *const places[][2] = {
		{ "_layouts", TEMPLATE_LAYOUT },
		{ "_partials", TEMPLATE_PARTIAL },
	};
	const char *whole = whole_path(a, path);
	const char *name = last_name(a, whole), *above;
	size_t len = strlen(whole), i;

	while (len > 1 && whole[len - 1] == '/')
		len--;
	above = last_name(a, arena_strndup(a, whole, len - strlen(name)));
	for (i = 0; i < NELEMS(places); i++)
		if (strcmp(above, places[i][0]) == 0)
			return arena_printf(a, "%s%s", places[i][1], name);
	return name;
}

int
template_dir_read(struct arena *a, const char *path,
    struct template_draft **draft_r, struct err *e)
{
	struct template_draft *d = arena_object(a, struct template_draft);

	*d = (struct template_draft){
		.key = template_dir_key(a, path),
		.name = "",
		.description = "",
		.category = "",
		.default_locale = "en",
		.sample = keep(a, json_object()),
		.parts = keep(a, json_object()),
	};
	if (read_head(a, path, d, e) == -1 ||
	    read_locale(a, path, d->default_locale, d, e) == -1 ||
	    read_translations(a, path, d, e) == -1)
		return -1;
	*draft_r = d;
	return 0;
}

bool
template_dir_is_same(const char *a, const char *b)
{
	struct stat one, other;

	return stat(a, &one) == 0 && stat(b, &other) == 0 &&
	    one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/* ---- Writing
 * ---------------------------------------------------------------- */

static int
write_file(struct arena *a, const char *path, const char *text, bool end_line,
    struct err *e)
{
	const char *fresh = arena_printf(a, "%s.new", path);
	FILE *f = fopen(fresh, "we");
	bool bad;

	if (f == NULL)
		return cannot("write", fresh, e);
	fputs(text, f);
	if (end_line)
		fputc('\n', f);
	bad = ferror(f) != 0;
	if (fclose(f) != 0 || bad || rename(fresh, path) != 0)
		return cannot("write", path, e);
	return 0;
}

static int
write_json(struct arena *a, const char *path, const json_t *json,
    struct err *e)
{
	char *text = json_dumps(json, JSON_INDENT(2));
	int rc;

	if (text == NULL)
		return err_set(e, ERR_INTERNAL, "could not write \"%s\"", path);
	rc = write_file(a, path, text, true, e);
	free(text);
	return rc;
}

/* A file that goes when there is nothing to write to it. */
static int
write_beside(struct arena *a, const char *path, const json_t *json,
    struct err *e)
{
	if (json != NULL)
		return write_json(a, path, json, e);
	if (unlink(path) == 0 || errno == ENOENT)
		return 0;
	return cannot("remove", path, e);
}

static int
make_directory(const char *path, struct err *e)
{
	if (mkdir(path, 0777) == 0 || errno == EEXIST)
		return 0;
	return cannot("make the directory", path, e);
}

static int
write_part(struct arena *a, const char *path, const json_t *source,
    enum template_part part, struct err *e)
{
	const char *file = arena_printf(a, "%s/%s%s", path,
	    template_part_name(part), source_suffix);

	if (source != NULL)
		return write_file(a, file, json_string_value(source),
		    part == TEMPLATE_EMAIL_SUBJECT || part == TEMPLATE_SMS, e);
	if (unlink(file) == 0 || errno == ENOENT)
		return 0;
	return cannot("remove", file, e);
}

static int
write_locale(struct arena *a, const char *path, const json_t *parts,
    const json_t *sample, struct err *e)
{
	int i;

	if (make_directory(path, e) == -1)
		return -1;
	for (i = 0; i < TEMPLATE_PART_COUNT; i++)
		if (write_part(a, path,
		        json_object_get(parts,
		            template_part_name((enum template_part)i)),
		        (enum template_part)i, e) == -1)
			return -1;
	if (write_beside(a, arena_printf(a, "%s/%s", path, messages_name),
	        json_object_get(parts, TEMPLATE_MESSAGES), e) == -1)
		return -1;
	return write_beside(
	    a, arena_printf(a, "%s/%s", path, sample_name), sample, e);
}

/* Removes the files that read_locale() takes, and the directory when nothing else is in
 * it. */
static int
remove_locale(struct arena *a, const char *path, struct err *e)
{
	int i;

	for (i = 0; i < TEMPLATE_PART_COUNT; i++)
		if (write_part(a, path, NULL, (enum template_part)i, e) == -1)
			return -1;
	if (write_beside(a, arena_printf(a, "%s/%s", path, messages_name), NULL,
	        e) == -1 ||
	    write_beside(a, arena_printf(a, "%s/%s", path, sample_name), NULL,
	        e) == -1)
		return -1;
	if (rmdir(path) == 0 || errno == ENOTEMPTY || errno == EEXIST ||
	    errno == ENOTDIR)
		return 0;
	return cannot("remove", path, e);
}

/* Removes the locales below that the template does not have (any more): the next push
 * would bring them back.  What has a head is another template, and nobody's locale. */
static int
remove_others(struct arena *a, const char *path,
    const struct template_draft *d, struct err *e)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	const char *below;
	int rc = 0;

	if (dir == NULL)
		return cannot("open", path, e);
	while (rc == 0 && (entry = readdir(dir)) != NULL) {
		below = arena_printf(a, "%s/%s", path, entry->d_name);
		if (strcmp(entry->d_name, expected_name) != 0 &&
		    locale_is_valid(entry->d_name) && is_directory(below) &&
		    access(arena_printf(a, "%s/%s", below, head_name), F_OK) !=
		        0 &&
		    (strcmp(entry->d_name, d->default_locale) == 0 ||
		        json_object_get(d->parts, entry->d_name) == NULL))
			rc = remove_locale(a, below, e);
	}
	closedir(dir);
	return rc;
}

int
template_dir_write(struct arena *a, const char *path,
    const struct template_draft *d, struct err *e)
{
	const char *locale, *below;
	json_t *parts, *json;

	if (make_directory(path, e) == -1)
		return -1;
	json_object_foreach(d->parts, locale, parts) {
		if (!locale_is_valid(locale))
			continue;
		below = strcmp(locale, d->default_locale) == 0
		    ? path
		    : arena_printf(a, "%s/%s", path, locale);
		if (write_locale(a, below, parts,
		        json_object_get(d->sample, locale), e) == -1)
			return -1;
	}
	if (remove_others(a, path, d, e) == -1)
		return -1;
	json = keep(a, json_pack(
	    "{s:s, s:s, s:s, s:s, s:s*, s:o*, s:s*, s:O*, s:O*, s:o*, s:O}", "name",
	    d->name, "description", d->description, "category", d->category,
	    "default_locale", d->default_locale, "layout", d->layout,
	    "unsubscribe", d->unsubscribe ? json_true() : NULL, "from", d->from,
	    "tracking", d->tracking, "fallback", d->fallback, "quiet_exempt",
	    d->quiet_exempt ? json_true() : NULL, "variables", d->variables));
	return write_json(
	    a, arena_printf(a, "%s/%s", path, head_name), json, e);
}

const char *
template_dir_place(struct arena *a, const char *path,
    const struct template_draft *d, const struct template_fault *f)
{
	const char *below = "", *slash = "";

	if (f->part == NULL && f->locale == NULL)
		return arena_printf(a, "%s/%s", path,
		    strcmp(f->member, "sample") == 0 ? sample_name : head_name);
	if (strcmp(f->locale, d->default_locale) != 0) {
		below = f->locale;
		slash = "/";
	}
	if (f->part == NULL)
		return arena_printf(a, "%s/%s", path, below);
	if (strcmp(f->part, TEMPLATE_MESSAGES) == 0)
		return arena_printf(a, "%s/%s%s%s", path, below, slash,
		    messages_name);
	if (f->line == 0)
		return arena_printf(a, "%s/%s%s%s%s", path, below, slash,
		    f->part, source_suffix);
	return arena_printf(a, "%s/%s%s%s%s:%d:%d", path, below, slash, f->part,
	    source_suffix, f->line, f->column);
}
