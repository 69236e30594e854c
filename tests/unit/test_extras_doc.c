/*
 * test_extras_doc.c - what doc/templates.md says of the helpers
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>

#include "base/buf.h"
#include "template/hbs.h"
#include "template/hbs_extras.h"

static int
find_documented(void *arg, const char *key, size_t len,
    const struct hbs_template **tpl_r, struct hbs_error *e)
{
	static const char *const sources[][2] = {
		{ "greeting", "Hello {{name}}" },
		{ "files", "{{plural n one=\"# file\" other=\"# files\"}}" },
	};
	const struct hbs_compile_params params = { .helpers = &hbs_extras };
	struct hbs_template **made = arg;
	size_t i;

	for (i = 0; i < NELEMS(sources); i++)
		if (strlen(sources[i][0]) == len &&
		    memcmp(sources[i][0], key, len) == 0) {
			assert_int_equal(hbs_compile(sources[i][1],
			    strlen(sources[i][1]), &params, made, e), 0);
			*tpl_r = *made;
			return 1;
		}
	return 0;
}

/* Cuts the next cell off a row of a table: "| `text` |". */
static char *
next_cell(char **row)
{
	char *cell = *row, *end;

	if (strncmp(cell, "| ", 2) == 0) {
		*row = cell + 2;
		*cell = '\0';
		return cell;
	}
	end = strstr(cell, " | ");
	if (end == NULL)
		end = cell + strlen(cell) - 2;
	*row = end + 3 > cell + strlen(cell) ? end : end + 3;
	*end = '\0';
	while (*cell == ' ' || *cell == '`')
		cell++;
	while (end > cell && (end[-1] == ' ' || end[-1] == '`'))
		*--end = '\0';
	return cell;
}

/* No-break spaces as spaces, without line ends at the end. */
static void
simplify(char *text)
{
	char *to = text, *p;

	for (p = text; *p != '\0'; p++) {
		if (strncmp(p, "\u00a0", 2) == 0) {
			*to++ = ' ';
			p += 1;
		} else if (strncmp(p, "\u202f", 3) == 0) {
			*to++ = ' ';
			p += 2;
		} else {
			*to++ = *p;
		}
	}
	while (to > text && to[-1] == '\n')
		to--;
	*to = '\0';
}

static void
check_example(char *row)
{
	const struct hbs_compile_params params = {
		.flags = HBS_KNOWN_HELPERS_ONLY, .helpers = &hbs_extras };
	struct hbs_template *tpl, *message = NULL;
	struct hbs_render_params how = { .calls = {
		.message = find_documented, .arg = &message } };
	char *source = next_cell(&row), *data_text = next_cell(&row);
	char *where = next_cell(&row), *want = next_cell(&row), *zone;
	json_t *data = json_loads(data_text, 0, NULL);
	struct hbs_error e;
	struct buf out;

	zone = strstr(where, ", ");
	if (zone != NULL) {
		*zone = '\0';
		how.time_zone = zone + 2;
	}
	how.locale = *where == '\0' ? NULL : where;
	buf_init(&out, 10000);
	if (data == NULL || hbs_compile(source, strlen(source), &params, &tpl,
	    &e) < 0 || hbs_render(tpl, data, &how, &out, &e) < 0)
		fail_msg("%s with %s: %s", source, data_text, e.text);
	simplify(out.data);
	if (strcmp(out.data, want) != 0)
		fail_msg("%s: got \"%s\", want \"%s\"", source, out.data,
		    want);
	buf_done(&out);
	hbs_free(&message);
	hbs_free(&tpl);
	json_decref(data);
}

static void
the_documentation_is_right(void **state)
{
	const char *top = getenv("BELFRY_SRCDIR");
	char path[1000], line[2000];
	bool within = false;
	size_t i, count = 0;
	FILE *f;

	if (top == NULL)
		skip();
	snprintf(path, sizeof(path), "%s/doc/templates.md", top);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "##", 2) == 0)
			within = strcmp(line, "### Examples") == 0;
		if (within && strncmp(line, "| ", 2) == 0 &&
		    strchr(line, '{') != NULL) {
			check_example(line + 2);
			count++;
		}
	}
	fclose(f);
	assert_true(count > 30);
	/* Every helper has a row. */
	f = fopen(path, "r");
	for (i = 0; i < hbs_extras.count; i++) {
		rewind(f);
		within = false;
		snprintf(path, sizeof(path), "`%s", hbs_extras.list[i].name);
		while (!within && fgets(line, sizeof(line), f) != NULL)
			within = line[0] == '|' && strstr(line, path) != NULL;
		if (!within)
			fail_msg("%s is not documented", path + 1);
	}
	fclose(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_documentation_is_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
