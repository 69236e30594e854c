/*
 * form.c - forms that came as multipart/form-data
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Between two delimiters ("\r\n--boundary") stand header lines, an empty line and the
 * value.  The first delimiter may stand at the very start.
 */
#include "web/form.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "web/field.h"

enum { BOUNDARY_MAX = 70 };

/* A piece of the body. */
struct span {
	const char *p;
	size_t n;
};

static bool
find(struct span in, const char *what, size_t n, size_t *at_r)
{
	const char *found = memmem(in.p, in.n, what, n);

	if (found == NULL)
		return false;
	*at_r = (size_t)(found - in.p);
	return true;
}

static struct span
from(struct span s, size_t at)
{
	return (struct span){ s.p + at, s.n - at };
}

/* The value of a parameter, name="value" or name=value, behind a ";". */
static const char *
parameter(struct arena *a, const char *header, const char *name)
{
	size_t n = strlen(name);
	const char *p = header, *end;

	while ((p = strchr(p, ';')) != NULL) {
		p += 1 + strspn(p + 1, " \t");
		if (strncasecmp(p, name, n) != 0 || p[n] != '=')
			continue;
		p += n + 1;
		end = *p == '"' ? strchr(p + 1, '"') : p + strcspn(p, "; \t\r\n");
		if (end == NULL)
			return NULL;
		p += *p == '"';
		return arena_strndup(a, p, (size_t)(end - p));
	}
	return NULL;
}

/* The name of the field that a part's header lines tell, or NULL. */
static const char *
name_of(struct arena *a, struct span head)
{
	static const char field[] = "Content-Disposition:";
	const char *line = arena_strndup(a, head.p, head.n), *end;

	for (; *line != '\0'; line = end + strspn(end, "\r\n")) {
		end = line + strcspn(line, "\r\n");
		if (strncasecmp(line, field, sizeof(field) - 1) == 0)
			return parameter(a,
			    arena_strndup(a, line, (size_t)(end - line)),
			    "name");
	}
	return NULL;
}

/* Takes a part; 0, or -1 when it is none. */
static int
read_part(struct arena *a, struct span part, struct field_param *param_r)
{
	size_t at;

	if (!find(part, "\r\n\r\n", 4, &at) || memchr(part.p, '\0', part.n))
		return -1;
	param_r->name = name_of(a, (struct span){ part.p, at });
	part = from(part, at + 4);
	param_r->value = arena_strndup(a, part.p, part.n);
	return 0;
}

/* Goes behind the next delimiter; *before_r is what stood before it. */
static bool
next(struct span *rest, const char *delimiter, struct span *before_r)
{
	size_t at, n = strlen(delimiter);

	if (!find(*rest, delimiter, n, &at))
		return false;
	*before_r = (struct span){ rest->p, at };
	*rest = from(*rest, at + n);
	return true;
}

int
form_multipart_parse(struct arena *a, const struct form *form, size_t max,
    struct field_param **params_r, size_t *count_r)
{
	static const char type[] = "multipart/form-data";
	struct field_param *params = arena_zalloc(a, max + 1, sizeof(*params));
	struct span rest = { form->body, form->body_bytes }, part;
	const char *boundary = parameter(a, form->content_type, "boundary");
	const char *delimiter;
	size_t count = 0;

	if (strncasecmp(form->content_type, type, sizeof(type) - 1) != 0 ||
	    boundary == NULL || boundary[0] == '\0' ||
	    strlen(boundary) > BOUNDARY_MAX)
		return -1;
	delimiter = arena_printf(a, "\r\n--%s", boundary);
	if (rest.n > 2 && memcmp(rest.p, "--", 2) == 0)
		delimiter += 2;
	if (!next(&rest, delimiter, &part))
		return -1;
	delimiter = arena_printf(a, "\r\n--%s", boundary);
	while (rest.n < 2 || memcmp(rest.p, "--", 2) != 0) {
		if (!next(&rest, delimiter, &part) || count == max ||
		    read_part(a, part, &params[count]) == -1)
			return -1;
		count += params[count].name != NULL;
	}
	*params_r = params;
	*count_r = count;
	return 0;
}
